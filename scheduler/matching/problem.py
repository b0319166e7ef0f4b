"""The matching problem as values: an instance of PROBLEM.md, read from JSON and written to it.

Days are dates, clock times whole minutes since midnight, both in the programme's zone.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from scheduler.errors import Invalid, Problem, Text, text
from scheduler.matching.reading import Reader, clock

MOST_WEEKS = 1024  # of a term: the widest masks that the kernel is built for


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Days from the first to the last, both inclusive."""

    first_day: date
    last_day: date

    def holds(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class Term:
    first_day: date
    last_day: date
    holidays: frozenset[date] = frozenset()

    def holds(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day

    def weeks(self) -> int:
        """Weeks from Monday to Sunday that it has a day of."""
        return (self.first_day.weekday() + (self.last_day - self.first_day).days) // 7 + 1

    def fault(self) -> Text | None:
        """What is wrong with it, if anything."""
        if self.weeks() > MOST_WEEKS:
            return text("is longer than {weeks} weeks", weeks=MOST_WEEKS)
        return None


@dataclass(frozen=True, slots=True)
class School:
    """A receiving school; `rooms` lessons can be taken online at the same moment."""

    id: str
    rooms: int
    closed: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """Weekly free time of a teacher; without days of its own it lasts the whole term."""

    weekday: int
    start: int
    end: int
    first_day: date | None = None
    last_day: date | None = None
    if_needed: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Appointment:
    """Another engagement of a teacher on one day."""

    day: date
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Teacher:
    id: str
    school: str
    levels: tuple[str, ...]
    max_per_day: int
    max_per_week: int
    max_total: int
    available: tuple[Window, ...] = ()
    unavailable: tuple[Span, ...] = ()
    busy: tuple[Appointment, ...] = ()
    preferred_schools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """A weekly time that a request accepts; rank 0 is its first choice."""

    weekday: int
    start: int
    end: int
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    id: str
    school: str
    class_name: str
    level: str
    lessons_per_week: int
    first_day: date
    last_day: date
    priority: int = 1
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class CurrentLesson:
    """A lesson of the plan in force."""

    request: str
    day: date
    start: int
    end: int
    teacher: str
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Instance:
    name: str
    timezone: str
    term: Term
    gap_minutes: int
    schools: tuple[School, ...] = ()
    teachers: tuple[Teacher, ...] = ()
    requests: tuple[Request, ...] = ()
    current: tuple[CurrentLesson, ...] = ()
    freeze_before: date | None = None

    def is_past(self, day: date) -> bool:
        """Whether the day lies before `freeze_before`."""
        return self.freeze_before is not None and day < self.freeze_before

    def is_fixed(self, lesson: CurrentLesson) -> bool:
        """Whether a lesson in force must stay exactly as it is."""
        return lesson.pinned or self.is_past(lesson.day)


def parse(data: object) -> Instance:
    """The instance that decoded JSON means; keys it does not know are left aside.

    Raises Invalid with one Problem per fault, all of them at once.
    """
    faults: list[Problem] = []
    reader = Reader(data, faults)
    if not isinstance(data, dict):
        reader.fault(text("must be an object"))
        raise Invalid(text("This is not a matching instance."), tuple(faults))
    if data.get("version") != 1:
        reader.fault(text("must be 1"), "version")
    instance = Instance(
        name=reader.string("name", ""),
        timezone=reader.string("timezone", ""),
        term=_term(reader.one("term")),
        gap_minutes=reader.whole("gap_minutes"),
        schools=tuple(map(_school, reader.each("schools"))),
        teachers=tuple(map(_teacher, reader.each("teachers"))),
        requests=tuple(map(_request, reader.each("requests"))),
        current=tuple(map(_current, reader.each("current", required=False))),
        freeze_before=reader.day_if_any("freeze_before"),
    )
    if not faults:
        _check(instance, reader)
    if faults:
        raise Invalid(text("This is not a matching instance."), tuple(faults))
    return instance


def _term(reader: Reader) -> Term:
    return Term(*reader.first_and_last(), frozenset(reader.days("holidays")))


def _span(reader: Reader) -> Span:
    return Span(*reader.first_and_last())


def _school(reader: Reader) -> School:
    closed = tuple(map(_span, reader.each("closed", required=False)))
    return School(reader.string("id"), reader.whole("rooms"), closed)


def _window(reader: Reader) -> Window:
    return Window(
        reader.whole("weekday", most=6),
        *reader.start_and_end(),
        first_day=reader.day_if_any("first_day"),
        last_day=reader.day_if_any("last_day"),
        if_needed=reader.flag("if_needed"),
    )


def _appointment(reader: Reader) -> Appointment:
    return Appointment(reader.day("date"), *reader.start_and_end())


def _teacher(reader: Reader) -> Teacher:
    return Teacher(
        id=reader.string("id"),
        school=reader.string("school", ""),
        levels=reader.strings("levels"),
        max_per_day=reader.whole("max_per_day"),
        max_per_week=reader.whole("max_per_week"),
        max_total=reader.whole("max_total"),
        available=tuple(map(_window, reader.each("available"))),
        unavailable=tuple(map(_span, reader.each("unavailable", required=False))),
        busy=tuple(map(_appointment, reader.each("busy", required=False))),
        preferred_schools=reader.strings("preferred_schools"),
    )


def _slot(reader: Reader) -> Slot:
    start, end = reader.start_and_end()
    return Slot(reader.whole("weekday", most=6), start, end, reader.whole("rank"))


def _request(reader: Reader) -> Request:
    first, last = reader.first_and_last()
    return Request(
        id=reader.string("id"),
        school=reader.string("school"),
        class_name=reader.string("class"),
        level=reader.string("level"),
        lessons_per_week=reader.whole("lessons_per_week"),
        first_day=first,
        last_day=last,
        priority=reader.whole("priority", least=1),
        slots=tuple(map(_slot, reader.each("slots"))),
    )


def _current(reader: Reader) -> CurrentLesson:
    day = reader.day("date")
    start, end = reader.start_and_end()
    request, teacher = reader.string("request"), reader.string("teacher")
    return CurrentLesson(request, day, start, end, teacher, reader.flag("pinned"))


def _check(instance: Instance, reader: Reader) -> None:
    """What only shows between the parts: too many weeks, ids met twice or never."""
    if fault := instance.term.fault():
        reader.fault(fault, "term")
    _once(reader, "schools", (s.id for s in instance.schools))
    _once(reader, "teachers", (t.id for t in instance.teachers))
    _once(reader, "requests", (r.id for r in instance.requests))
    schools = {s.id for s in instance.schools}
    for place, request in zip(reader.each("requests"), instance.requests, strict=True):
        if request.school not in schools:
            place.fault(text("there is no school {id}", id=request.school), "school")
    _check_current(instance, reader)


def _once(reader: Reader, key: str, ids: Iterable[str]) -> None:
    seen: Counter[str] = Counter()
    for place, name in zip(reader.each(key), ids, strict=True):
        seen[name] += 1
        if seen[name] == 2:
            place.fault(text("{id} is there twice", id=name), "id")


def _check_current(instance: Instance, reader: Reader) -> None:
    """A lesson in force may name people who left, unless it has to stay."""
    teachers, requests = {t.id for t in instance.teachers}, {r.id for r in instance.requests}
    seen: set[tuple[str, date, int]] = set()
    places = reader.each("current", required=False)
    for place, lesson in zip(places, instance.current, strict=True):
        if (key := (lesson.request, lesson.day, lesson.start)) in seen:
            place.fault(text("the same lesson is there twice"))
        seen.add(key)
        if not instance.is_fixed(lesson):
            continue
        if lesson.request not in requests:
            place.fault(text("there is no request {id}", id=lesson.request), "request")
        if lesson.teacher not in teachers:
            place.fault(text("there is no teacher {id}", id=lesson.teacher), "teacher")


def dump(instance: Instance) -> dict[str, object]:
    """The instance as JSON values; what is optional and empty is left out."""
    freeze = instance.freeze_before
    return {
        "version": 1,
        "name": instance.name,
        "timezone": instance.timezone,
        "term": {
            **_days(instance.term.first_day, instance.term.last_day),
            "holidays": [day.isoformat() for day in sorted(instance.term.holidays)],
        },
        "gap_minutes": instance.gap_minutes,
        **({"freeze_before": freeze.isoformat()} if freeze else {}),
        "schools": [_dump_school(school) for school in instance.schools],
        "teachers": [_dump_teacher(teacher) for teacher in instance.teachers],
        "requests": [_dump_request(request) for request in instance.requests],
        "current": [_dump_current(lesson) for lesson in instance.current],
    }


def _days(first: date | None, last: date | None) -> dict[str, object]:
    named = {"first_day": first, "last_day": last}
    return {key: day.isoformat() for key, day in named.items() if day}


def _times(start: int, end: int) -> dict[str, object]:
    return {"start": clock(start), "end": clock(end)}


def _spans(spans: Iterable[Span]) -> list[dict[str, object]]:
    return [_days(span.first_day, span.last_day) for span in spans]


def _dump_school(school: School) -> dict[str, object]:
    closed = {"closed": _spans(school.closed)} if school.closed else {}
    return {"id": school.id, "rooms": school.rooms, **closed}


def _dump_window(window: Window) -> dict[str, object]:
    return {
        "weekday": window.weekday,
        **_times(window.start, window.end),
        **_days(window.first_day, window.last_day),
        **({"if_needed": True} if window.if_needed else {}),
    }


def _dump_teacher(teacher: Teacher) -> dict[str, object]:
    busy = [{"date": b.day.isoformat(), **_times(b.start, b.end)} for b in teacher.busy]
    return {
        "id": teacher.id,
        "school": teacher.school,
        "levels": list(teacher.levels),
        "max_per_day": teacher.max_per_day,
        "max_per_week": teacher.max_per_week,
        "max_total": teacher.max_total,
        "available": [_dump_window(window) for window in teacher.available],
        "unavailable": _spans(teacher.unavailable),
        **({"busy": busy} if busy else {}),
        "preferred_schools": list(teacher.preferred_schools),
    }


def _dump_request(request: Request) -> dict[str, object]:
    slots = [
        {"weekday": slot.weekday, **_times(slot.start, slot.end), "rank": slot.rank}
        for slot in request.slots
    ]
    return {
        "id": request.id,
        "school": request.school,
        "class": request.class_name,
        "level": request.level,
        "lessons_per_week": request.lessons_per_week,
        **_days(request.first_day, request.last_day),
        "priority": request.priority,
        "slots": slots,
    }


def _dump_current(lesson: CurrentLesson) -> dict[str, object]:
    return {
        "request": lesson.request,
        "date": lesson.day.isoformat(),
        **_times(lesson.start, lesson.end),
        "teacher": lesson.teacher,
        "pinned": lesson.pinned,
    }
