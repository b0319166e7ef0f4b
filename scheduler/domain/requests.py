"""Requests of classes for lessons.  Pure: no clock, no database."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import NewType

from scheduler.domain.intervals import DaySpan, monday
from scheduler.domain.people import BellPeriod, ClassId, Level, SchoolId
from scheduler.domain.terms import Term
from scheduler.errors import Text, text

RequestId = NewType("RequestId", int)

PRIORITIES = (1, 2, 3)
MOST_A_WEEK = 6
LAST_RANK = 9


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A weekly slot: weekday 0 = Monday, minutes since midnight, rank 0 = first choice."""

    weekday: int
    start: int
    end: int
    rank: int


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What a school asks for, before it is stored; slots in order of preference."""

    class_name: str
    lessons_per_week: int
    first_day: date
    last_day: date
    priority: int
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Request:
    id: RequestId
    school_id: SchoolId
    school_code: str
    class_id: ClassId
    class_name: str
    level: Level
    pupils: int
    number: int
    lessons_per_week: int
    first_day: date
    last_day: date
    priority: int
    slots: tuple[Slot, ...]

    @property
    def key(self) -> str:
        """Its name in instance files: SCHOOL/CLASS, with #n from a class's second request on."""
        tail = f"#{self.number}" if self.number > 1 else ""
        return f"{self.school_code}/{self.class_name}{tail}"


def may_be_taught(request: Request, term: Term, day: date, closed: Iterable[DaySpan]) -> bool:
    """Whether lessons of a request may be on that day, of whatever weekday; `closed`: of its
    school."""
    return _is_open(DaySpan(request.first_day, request.last_day), term, day, closed)


def _is_open(asked: DaySpan, term: Term, day: date, closed: Iterable[DaySpan]) -> bool:
    first, last = max(asked.first_day, term.first_day), min(asked.last_day, term.last_day)
    return (
        first <= day <= last
        and day not in term.holidays
        and not any(day in span for span in closed)
    )


def wanted(request: Request, term: Term, closed: Iterable[DaySpan]) -> int:
    """The lessons a request asks for over the term: per week its number, or its days if fewer.

    The same rule by which the engine prices what is missing.
    """
    weekdays = {slot.weekday for slot in request.slots}
    asked = DaySpan(request.first_day, request.last_day)
    return wanted_weekly(request.lessons_per_week, weekdays, asked, term, closed)


def wanted_weekly(
    lessons: int,
    weekdays: Collection[int],
    asked: DaySpan,
    term: Term,
    closed: Iterable[DaySpan],
) -> int:
    """`wanted` of a request for so many lessons a week, on these weekdays of the days asked for."""
    shut = tuple(closed)
    weeks = Counter(
        monday(day)
        for day in asked.days()
        if day.weekday() in weekdays and _is_open(asked, term, day, shut)
    )
    return sum(min(lessons, count) for count in weeks.values())


def asks(request: Request, new: NewRequest) -> bool:
    """True when the request asks for exactly what the new one does."""
    return (
        request.class_name == new.class_name
        and request.lessons_per_week == new.lessons_per_week
        and (request.first_day, request.last_day) == (new.first_day, new.last_day)
        and request.priority == new.priority
        and set(request.slots) == set(new.slots)
    )


def as_asked(request: Request) -> NewRequest:
    """What would have to be asked to get this request."""
    return NewRequest(
        class_name=request.class_name,
        lessons_per_week=request.lessons_per_week,
        first_day=request.first_day,
        last_day=request.last_day,
        priority=request.priority,
        slots=request.slots,
    )


def seen_as(request: Request) -> str:
    """Names what a request asks for: equal only while nothing of it was changed."""
    told = (request.id, request.lessons_per_week, request.first_day, request.last_day)
    digest = hashlib.sha256(f"{told}{request.priority}{sorted(request.slots)}".encode())
    return digest.hexdigest()[:16]


def faults(new: NewRequest, term: Term, periods: tuple[BellPeriod, ...]) -> dict[str, Text]:
    """What is wrong with a request, by form field; empty when it can be stored."""
    found: dict[str, Text] = {}
    if not 1 <= new.lessons_per_week <= MOST_A_WEEK:
        found["lessons_per_week"] = text("Write a number from 1 to {most}.", most=MOST_A_WEEK)
    if new.priority not in PRIORITIES:
        found["priority"] = text("Choose priority 1, 2 or 3.")
    if new.last_day < new.first_day:
        found["last_day"] = text("The last day is before the first day.")
    elif not (term.first_day <= new.first_day and new.last_day <= term.last_day):
        found["first_day"] = text(
            "The term runs from {first} to {last}. Choose days inside it.",
            first=term.first_day,
            last=term.last_day,
        )
    bells = {(p.start, p.end) for p in periods}
    if not new.slots:
        found["slots"] = text("Choose at least one slot.")
    elif any((slot.start, slot.end) not in bells for slot in new.slots):
        found["slots"] = text("Choose slots from the school's own bell times.")
    elif len({slot.weekday for slot in new.slots}) < new.lessons_per_week:
        found["slots"] = text(
            "{count} lessons a week need slots on {count} different weekdays.",
            count=new.lessons_per_week,
        )
    return found
