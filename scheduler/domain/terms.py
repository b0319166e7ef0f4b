"""Programmes and their terms.  Pure: no clock, no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NewType
from zoneinfo import ZoneInfo

from scheduler.domain.intervals import monday

ProgrammeId = NewType("ProgrammeId", int)
TermId = NewType("TermId", int)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Programme:
    id: ProgrammeId
    code: str
    name: str
    zone: str


@dataclass(frozen=True, slots=True)
class Term:
    """`holidays` are days without lessons; `gap_minutes` a teacher's least rest; `zone` IANA."""

    id: TermId
    programme_id: ProgrammeId
    code: str
    name: str
    first_day: date
    last_day: date
    gap_minutes: int
    zone: str
    holidays: tuple[date, ...] = ()

    def today(self, now: datetime) -> date:
        """The date on the programme's wall at instant `now`."""
        return now.astimezone(ZoneInfo(self.zone)).date()

    def week_of(self, day: date) -> date:
        """The Monday of the day's week; of a day outside the term, of the week nearest to it."""
        return monday(min(max(day, self.first_day), self.last_day))

    def weeks_beside(self, first: date) -> tuple[date | None, date | None]:
        """The Mondays before and after a Monday of the term; None: none is in the term."""
        before, after = first - _WEEK, first + _WEEK
        return (
            before if first > monday(self.first_day) else None,
            after if after <= self.last_day else None,
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the terms of a programme, `among` them all, the newest first, as of `today`."""

    term: Term
    among: tuple[Term, ...]
    today: date

    def is_over(self, term: Term) -> bool:
        return term.last_day < self.today

    @property
    def closed(self) -> bool:
        """Nothing is planned in it any more: it is over, and there is another that is not.

        The last term stays open: whoever rehearses with last year's lists has no other.
        """
        return self.is_over(self.term) and not all(map(self.is_over, self.among))


def choice(found: Sequence[Term], wanted: TermId | str | None, now: datetime) -> Choice | None:
    """Of terms, the newest first, the one of that number or code, for None the newest; None: there
    is no such term among them."""
    for term in found:
        if wanted in (None, term.id, term.code):
            return Choice(term, tuple(found), term.today(now))
    return None


def of_day(found: Sequence[Term], day: date) -> Term | None:
    """Of terms, the newest first, the one of that day: the first that is not over, or the last."""
    there = [term for term in found if term.last_day >= day]
    return there[-1] if there else next(iter(found), None)


def running(found: Sequence[Term], now: datetime) -> Term | None:
    """The one whose lessons people give now: a new one, added ahead, is not before the old one is
    over."""
    return of_day(found, found[0].today(now)) if found else None
