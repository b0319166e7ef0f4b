"""What coordinators may change of a term, and what must hold of it.  Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.domain.intervals import DaySpan
from scheduler.domain.plans import Fingerprint
from scheduler.domain.terms import Term
from scheduler.errors import Text, text

LONGEST = timedelta(days=400)
MOST_GAP = 240  # minutes, as the tables check it


@dataclass(frozen=True, slots=True)
class TermWish:
    """`holidays` in order of time, each once."""

    name: str
    first_day: date
    last_day: date
    gap_minutes: int
    holidays: tuple[date, ...]


def wish_of(term: Term) -> TermWish:
    """The term as it is."""
    return TermWish(term.name, term.first_day, term.last_day, term.gap_minutes, term.holidays)


def faults(wish: TermWish) -> dict[str, Text]:
    """What is wrong with a wish, by field."""
    if wish.last_day < wish.first_day:
        return {"last_day": text("The last day is before the first day.")}
    if wish.last_day - wish.first_day > LONGEST:
        return {"last_day": text("A term has at most {most} days.", most=LONGEST.days)}
    outside = [day for day in wish.holidays if not wish.first_day <= day <= wish.last_day]
    if outside:
        said = ", ".join(f"{day:%d/%m/%Y}" for day in outside)
        return {"holidays": text("These days are not in the term: {days}.", days=said)}
    return {}


def new_faults(code: str, wish: TermWish, there: Iterable[Term]) -> dict[str, Text]:
    """What is wrong with a new term beside these, by field."""
    there = tuple(there)
    found = faults(wish) or shared(wish, there)
    for term in there:
        if term.code == code:
            found["code"] = text("{name} has this code already.", name=term.name)
    return found


def shared(wish: TermWish, others: Iterable[Term]) -> dict[str, Text]:
    """Days that another term has: whose lesson would it be, and which term is running then?"""
    found = dict[str, Text]()
    for term in others:
        if kept_of(DaySpan(term.first_day, term.last_day), wish) is not None:
            said = text(
                "{name} runs from {first} to {last}: two terms share no day.",
                name=term.name,
                first=f"{term.first_day:%d/%m/%Y}",
                last=f"{term.last_day:%d/%m/%Y}",
            )
            before = term.first_day < wish.first_day
            found.setdefault("first_day" if before else "last_day", said)
    return found


def kept_of(days: DaySpan, wish: TermWish) -> DaySpan | None:
    """What the term leaves of these days; None: nothing."""
    first = max(days.first_day, wish.first_day)
    last = min(days.last_day, wish.last_day)
    return DaySpan(first, last) if first <= last else None


def fingerprint(term: Term) -> Fingerprint:
    """Changes with whatever of the term can be changed."""
    return Fingerprint(hashlib.sha256(repr(wish_of(term)).encode()).hexdigest()[:16])
