"""What a coordinator may make dearer or cheaper for the engine, and what a plan then costs.  Pure.

The names and their meaning are those of PROBLEM.md; points are what one occurrence costs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields

from scheduler.errors import Text, text

MOST = 100_000
WORST_RANK = 9  # the last choice that a request can name


@dataclass(frozen=True, slots=True)
class Weights:
    """Points, from 0 to MOST; a missing lesson is never cheaper than `dearest_lesson`."""

    unmet: float
    handover: float
    extra_teacher: float
    rank: float
    if_needed: float
    not_preferred: float
    load: float
    changed_teacher: float
    changed_time: float


NAMES = tuple(field.name for field in fields(Weights))


def dearest_lesson(weights: Weights) -> float:
    """The most that one more lesson can cost by itself.

    A teacher between two lessons of another one (two changes of teacher, one teacher more), at
    the last choice, in a window given if needed, at a school she does not prefer, and the only
    lesson she promised.  Changes against the published timetable are not in it: a lesson that
    falls out costs there at least as much as one that is moved.
    """
    return (
        2 * weights.handover
        + weights.extra_teacher
        + WORST_RANK * weights.rank
        + weights.if_needed
        + weights.not_preferred
        + weights.load
    )


def faults(weights: Weights) -> dict[str, Text]:
    """What is wrong with weights, by name; empty when the engine can work with them.

    Were a missing lesson cheaper than the dearest one, the engine would leave classes without a
    teacher to save points elsewhere: nobody who moves a weight means that.
    """
    found = {
        name: text("Write a number from {least} to {most}.", least=0, most=MOST)
        for name, points in asdict(weights).items()
        if not 0 <= points <= MOST
    }
    least = max(1.0, dearest_lesson(weights))
    if found or weights.unmet >= least:
        return found
    return {
        "unmet": text(
            "By the other weights one lesson can cost up to {least}. Write at least that here, or "
            "lower the others: otherwise the engine leaves lessons out to save points.",
            least=least,
        )
    }


@dataclass(frozen=True, slots=True)
class Charge:
    """One term of a plan's cost: its points, and how often at how many points where one can say."""

    term: str
    points: float
    count: int | None
    each: float | None


_COUNTED = ("handover", "extra_teacher", "rank", "if_needed", "not_preferred")


def bill(terms: Mapping[str, float], weights: Weights, missing: int) -> tuple[Charge, ...]:
    """A plan's cost by term in the terms' own order; those that cost nothing are left out.

    Missing lessons are counted as they are, though their points grow the more one school lacks.
    Load is a curve, and a change has one of two weights: neither can be counted back.
    """
    return tuple(_charges(terms, weights, missing))


def _charges(terms: Mapping[str, float], weights: Weights, missing: int) -> Iterator[Charge]:
    for term, points in terms.items():
        each = float(getattr(weights, term)) if term in _COUNTED else 0.0
        if points <= 0:
            continue
        if term == "unmet":
            yield Charge(term, points, missing, None)
        elif each:
            yield Charge(term, points, round(points / each), each)
        else:
            yield Charge(term, points, None, None)
