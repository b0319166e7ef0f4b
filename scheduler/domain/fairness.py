"""Whether work and lessons are spread fairly: shares, their median, and who is far from it.  Pure.

A share is what somebody had of what was due.  A lesson lost to a cause outside everybody's hands
counts as if it had taken place: it neither raises nor lowers a share.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from statistics import median

from scheduler.domain.intervals import DaySpan, monday
from scheduler.domain.records import OPEN, Outcome, Sums
from scheduler.domain.terms import Term

FAR = Fraction(1, 2)  # of the median, below or above it
LEAST = 1  # lesson that must lie between, else the figures are too small to tell
MOST_WEEKS = 60


@dataclass(frozen=True, slots=True)
class Share:
    """Lessons of somebody in the window: given, still planned, lost to causes outside their hands,
    and what was due to them or from them.  `off`: far above (1) or below (-1) the median, else 0.
    """

    id: int
    name: str
    given: int
    planned: int
    outside: int
    due: Fraction
    off: int = 0

    @property
    def counted(self) -> int:
        return self.given + self.planned + self.outside

    @property
    def ratio(self) -> Fraction | None:
        """None where nothing was due."""
        return _ratio(self.counted, self.due.numerator, self.due.denominator)

    @property
    def coverage(self) -> Fraction | None:
        """Of what was due, what was given for certain."""
        return self.given / self.due if self.due > 0 else None


@dataclass(frozen=True, slots=True)
class Spread:
    """Shares, the smallest first and those without any at the end; `middle` is their median."""

    shares: tuple[Share, ...]
    middle: Fraction | None

    @property
    def above(self) -> tuple[Share, ...]:
        return tuple(share for share in self.shares if share.off > 0)

    @property
    def below(self) -> tuple[Share, ...]:
        return tuple(share for share in self.shares if share.off < 0)


def share(whose: int, name: str, sums: Sums, due: Fraction, *given: Outcome) -> Share:
    """The share that these sums make of what was due; `given`: the ends that count as such."""
    return Share(
        id=whose,
        name=name,
        given=sums.of(*given).lessons,
        planned=sums.of(*OPEN).lessons,
        outside=sums.of(Outcome.WAS_THERE).lessons,
        due=due,
    )


def spread(shares: Iterable[Share]) -> Spread:
    """Shares in order, each compared with the median of all."""
    found = tuple(shares)
    # Fractions are slow to compare, and those of counts of lessons differ as floats, too.
    ratios = sorted((each.ratio for each in found if each.ratio is not None), key=float)
    middle = median(ratios) if ratios else None
    rank = {ratio: n for n, ratio in enumerate(ratios)}

    def order(one: Share) -> tuple[int, str, int]:
        return rank[one.ratio] if one.ratio is not None else len(ratios), one.name, one.id

    placed = (each if middle is None else _placed(each, middle) for each in found)
    return Spread(tuple(sorted(placed, key=order)), middle)


def _placed(one: Share, middle: Fraction) -> Share:
    off = _off(one.counted, one.due.numerator, one.due.denominator, middle)
    return replace(one, off=off) if off else one


# Kept, as many promise alike and have as much of it.


@lru_cache(maxsize=10_000)
def _ratio(counted: int, due: int, parts: int) -> Fraction | None:
    """Of what was due, as a fraction."""
    return Fraction(counted * parts, due) if due > 0 else None


@lru_cache(maxsize=10_000)
def _off(counted: int, due: int, parts: int, middle: Fraction) -> int:
    ratio = _ratio(counted, due, parts)
    if ratio is None:
        return 0
    apart = counted - middle * Fraction(due, parts)
    if abs(apart) < LEAST or abs(ratio - middle) <= FAR * middle:
        return 0
    return 1 if apart > 0 else -1


def window(term: Term, weeks: int, until: date) -> DaySpan:
    """The so many weeks, from Monday to Sunday, that end with the week of `until`; the term's own
    days of them."""
    last = min(max(until, term.first_day), term.last_day)
    first = monday(last) - timedelta(days=7 * (weeks - 1))
    sunday = monday(last) + timedelta(days=6)
    return DaySpan(max(first, term.first_day), min(sunday, term.last_day))


def weeks_of(days: DaySpan) -> int:
    """How many weeks, begun ones too, these days touch; 0 when the last is before the first."""
    if days.last_day < days.first_day:
        return 0
    return (monday(days.last_day) - monday(days.first_day)).days // 7 + 1


def due(promised: int, term: Term, days: DaySpan, since: date) -> Fraction:
    """What a promise for the term asks for on these days, week by week alike.

    Who came later is measured from their first whole week on: before it nothing was due.
    """
    first_whole = monday(since + timedelta(days=6))
    own = DaySpan(max(days.first_day, first_whole), days.last_day)
    return Fraction(promised * weeks_of(own), weeks_of(DaySpan(term.first_day, term.last_day)))
