"""A term as an instance of the matching problem: plain values ready for JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.domain.availability import Pledge, Window
from scheduler.domain.intervals import MINUTES_A_DAY, DaySpan, Interval, clock_text, minute_of
from scheduler.domain.people import ReceivingSchool, SchoolId, Teacher, TeacherId
from scheduler.domain.plans import Placement
from scheduler.domain.requests import Request
from scheduler.domain.terms import Programme, Term

VERSION = 1
_Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TermState:
    """Everything the matching engine is told of a term; `timetable` says which are pinned."""

    programme: Programme
    term: Term
    schools: tuple[ReceivingSchool, ...]
    closed: Mapping[SchoolId, tuple[DaySpan, ...]]
    teachers: tuple[Teacher, ...]
    pledges: Mapping[TeacherId, Pledge]
    busy: Mapping[TeacherId, tuple[Interval, ...]]
    requests: tuple[Request, ...]
    timetable: Mapping[Placement, bool]


def write(state: TermState) -> _Json:
    """The instance as in PROBLEM.md: teachers by mail, schools by code, requests SCHOOL/CLASS.

    Teachers without a promise for the term have no part in it.
    """
    term = state.term
    return {
        "version": VERSION,
        "name": f"{state.programme.code}-{term.first_day.year}",
        "timezone": term.zone,
        "term": {
            **_days(DaySpan(term.first_day, term.last_day)),
            "holidays": [day.isoformat() for day in term.holidays],
        },
        "gap_minutes": term.gap_minutes,
        "schools": [_school(school, state.closed.get(school.id, ())) for school in state.schools],
        "teachers": [
            _teacher(teacher, state.pledges[teacher.id], state.busy.get(teacher.id, ()), term.zone)
            for teacher in state.teachers
            if teacher.id in state.pledges
        ],
        "requests": [_request(request) for request in state.requests],
        "current": list(_current(state)),
    }


def _school(school: ReceivingSchool, closed: Iterable[DaySpan]) -> _Json:
    told: _Json = {"id": school.code, "rooms": school.rooms, "name": school.name}
    spans = [_days(span) for span in closed]
    return {**told, "closed": spans} if spans else told


def _teacher(teacher: Teacher, pledge: Pledge, busy: Iterable[Interval], zone: str) -> _Json:
    told: _Json = {
        "id": teacher.email,
        "school": teacher.school.label,
        "levels": [level.value for level in pledge.levels],
        "max_per_day": pledge.max_per_day,
        "max_per_week": pledge.max_per_week,
        "max_total": pledge.max_total,
        "available": [_window(window) for window in pledge.windows],
        "unavailable": [_days(span) for span in pledge.absences],
        "preferred_schools": list(pledge.wishes),
        "name": teacher.name,
    }
    if teacher.phone:
        told["phone"] = teacher.phone
    times = [part for interval in busy for part in _busy(interval, zone)]
    return {**told, "busy": times} if times else told


def _window(window: Window) -> _Json:
    told: _Json = {"weekday": window.weekday, **_clocks(window.start, window.end)}
    if window.first_day:
        told["first_day"] = window.first_day.isoformat()
    if window.last_day:
        told["last_day"] = window.last_day.isoformat()
    if window.if_needed:
        told["if_needed"] = True
    return told


def _busy(interval: Interval, zone: str) -> Iterable[_Json]:
    """An appointment day by day: the problem knows none that crosses midnight."""
    start = interval.start.astimezone(ZoneInfo(zone))
    end = interval.end.astimezone(ZoneInfo(zone))
    day = start.date()
    while datetime.combine(day, time(), end.tzinfo) < end:
        first = minute_of(start) if day == start.date() else 0
        last = minute_of(end) if day == end.date() else MINUTES_A_DAY
        yield {"date": day.isoformat(), **_clocks(first, last)}
        day += timedelta(days=1)


def _request(request: Request) -> _Json:
    return {
        "id": request.key,
        "school": request.school_code,
        "class": request.class_name,
        "level": request.level.value,
        "lessons_per_week": request.lessons_per_week,
        **_days(DaySpan(request.first_day, request.last_day)),
        "priority": request.priority,
        "slots": [
            {"weekday": slot.weekday, **_clocks(slot.start, slot.end), "rank": slot.rank}
            for slot in request.slots
        ],
    }


def _current(state: TermState) -> Iterable[_Json]:
    """The timetable in force, as far as its requests and teachers still take part."""
    keys = {request.id: request.key for request in state.requests}
    mails = {teacher.id: teacher.email for teacher in state.teachers if teacher.id in state.pledges}
    for place, pinned in sorted(state.timetable.items()):
        if place.request_id in keys and place.teacher_id in mails:
            yield {
                "request": keys[place.request_id],
                "date": _iso(place.day),
                **_clocks(place.start, place.end),
                "teacher": mails[place.teacher_id],
                "pinned": pinned,
            }


def _days(span: DaySpan) -> _Json:
    return {"first_day": _iso(span.first_day), "last_day": _iso(span.last_day)}


def _clocks(start: int, end: int) -> _Json:
    return {"start": clock_text(start), "end": clock_text(end)}


def _iso(day: date) -> str:
    return day.isoformat()
