"""What a plan costs, less is better: each price of PROBLEM.md once, with its name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of PROBLEM.md; all are per lesson, change or teacher and not negative."""

    unmet: float = 1000
    handover: float = 60
    extra_teacher: float = 30
    rank: float = 5
    if_needed: float = 15
    not_preferred: float = 10
    load: float = 100
    changed_teacher: float = 80
    changed_time: float = 120


def unmet(prices: Prices, short: float, wanted: float) -> float:
    """A school that misses `short` of `wanted` lessons, both weighted by priority.

    Convex, so that no school is left behind.
    """
    return prices.unmet * (short + short * short / wanted) if wanted else 0.0


def handover(prices: Prices, before: str | int | None, after: str | int) -> float:
    """From one lesson of a weekly slot to the next; `before` is None at the first."""
    return 0.0 if before is None or before == after else prices.handover


def extra_teacher(prices: Prices, teachers: int) -> float:
    """All teachers of one request beyond the first."""
    return prices.extra_teacher * max(0, teachers - 1)


def rank(prices: Prices, rank: int) -> float:
    """A lesson on a slot of that rank."""
    return prices.rank * rank


def if_needed(prices: Prices, only_if_needed: bool) -> float:
    """A lesson; whether it lies only in windows that its teacher gives if needed."""
    return prices.if_needed if only_if_needed else 0.0


def not_preferred(prices: Prices, school: str, preferred: tuple[str, ...]) -> float:
    """A lesson at a school, given by a teacher who prefers some; none means no wish."""
    return prices.not_preferred if preferred and school not in preferred else 0.0


def load(prices: Prices, lessons: int, max_total: int) -> float:
    """All lessons of one teacher; someone who may give none has no load."""
    return prices.load * (lessons / max_total) ** 2 if max_total else 0.0


def change(prices: Prices, same_time: bool, same_teacher: bool) -> float:
    """A lesson in force, as the new plan treats it."""
    if not same_time:
        return prices.changed_time
    return 0.0 if same_teacher else prices.changed_teacher
