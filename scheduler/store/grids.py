"""The lessons of a programme's week, and what its published plan lacks there: one query."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, Row, Select, case, exists, literal, null, or_, select
from sqlalchemy.orm import Session

from scheduler.domain.grids import Placed, Short
from scheduler.domain.intervals import midnight, minute_of
from scheduler.domain.lessons import LessonId, LessonState
from scheduler.domain.people import Level, SchoolId
from scheduler.domain.plans import PlanId, PlanState
from scheduler.domain.requests import RequestId, Slot
from scheduler.domain.terms import Term
from scheduler.store.bells import Bells
from scheduler.store.tables import (
    classes,
    closed_days,
    lessons,
    persons,
    plan_gaps,
    plans,
    request_slots,
    requests,
    teachers,
)

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Read:
    """Lessons in order of time, without those that a plan dropped, and what the plan lacks."""

    placed: tuple[Placed, ...]
    short: tuple[Short, ...]


def of_week(db: Session, term: Term, monday: date, rung: Bells) -> Read:
    """The week from `monday` on, of schools whose bells are known."""
    both = _lessons(term, monday).union_all(_gaps(term, monday))
    rows = db.execute(both).all()
    there = ZoneInfo(term.zone)
    placed = [_placed(row, rung, there) for row in rows if row.plan_id is None]
    return Read(
        tuple(sorted(placed, key=lambda each: (each.starts_at, each.lesson_id))),
        tuple(_shorts(row for row in rows if row.plan_id is not None)),
    )


def _lessons(term: Term, monday: date) -> Select[Any]:
    none = (
        null().label(name) for name in ("plan_id", "missing", "a_week", "day", "minute", "rank")
    )
    return (
        select(
            lessons.c.id,
            lessons.c.request_id,
            classes.c.school_id,
            classes.c.name.label("class_name"),
            classes.c.level,
            persons.c.name.label("teacher_name"),
            lessons.c.state,
            lessons.c.starts_at,
            lessons.c.ends_at,
            *none,
        )
        .join(classes, lessons.c.class_id == classes.c.id)
        .join(teachers, lessons.c.teacher_id == teachers.c.id)
        .join(persons, teachers.c.person_id == persons.c.id)
        .where(
            lessons.c.term_id == term.id,
            lessons.c.starts_at >= midnight(monday, term.zone),
            lessons.c.starts_at < midnight(monday + _WEEK, term.zone),
            # What a plan dropped is no lesson any more; what somebody called off is news.
            or_(lessons.c.state != LessonState.CANCELLED, lessons.c.cancel_reason != ""),
        )
    )


def _gaps(term: Term, monday: date) -> Select[Any]:
    """A row for each time that a request asks for."""
    return (
        select(
            null(),
            plan_gaps.c.request_id,
            classes.c.school_id,
            classes.c.name,
            classes.c.level,
            *(null() for _ in ("teacher", "state", "starts", "ends")),
            plan_gaps.c.plan_id,
            plan_gaps.c.missing,
            requests.c.lessons_per_week,
            request_slots.c.weekday,
            request_slots.c.start_minute,
            request_slots.c.rank,
        )
        .join(plans, plan_gaps.c.plan_id == plans.c.id)
        .join(requests, plan_gaps.c.request_id == requests.c.id)
        .join(classes, requests.c.class_id == classes.c.id)
        .join(request_slots, request_slots.c.request_id == requests.c.id)
        .where(
            plans.c.term_id == term.id,
            plans.c.state == PlanState.PUBLISHED,
            plan_gaps.c.week == monday,
            requests.c.withdrawn_at.is_(None),
            _day(monday) >= requests.c.first_day,
            _day(monday) <= requests.c.last_day,
            ~_is_closed(monday),
        )
    )


def _day(monday: date) -> ColumnElement[date]:
    """The day of a slot in that week."""
    days = {n: literal(monday + timedelta(days=n), Date) for n in range(7)}
    return case(days, value=request_slots.c.weekday)


def _is_closed(monday: date) -> ColumnElement[bool]:
    """Whether the school takes no lesson on the day of the slot."""
    day = _day(monday)
    return exists().where(
        closed_days.c.school_id == classes.c.school_id,
        closed_days.c.first_day <= day,
        closed_days.c.last_day >= day,
    )


def _placed(row: Row[Any], rung: Bells, there: ZoneInfo) -> Placed:
    starts = row.starts_at.astimezone(there)
    bell = rung.at(row.school_id, starts)
    return Placed(
        lesson_id=LessonId(row.id),
        request_id=RequestId(row.request_id),
        school_id=SchoolId(row.school_id),
        class_name=row.class_name,
        level=Level(row.level),
        teacher_name=row.teacher_name,
        state=LessonState(row.state),
        day=starts.date(),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        start=minute_of(starts),
        half_day=bell.half_day if bell else None,
        period=bell.number if bell else None,
    )


def _shorts(rows: Any) -> list[Short]:
    slots: dict[int, list[Slot]] = {}
    first: dict[int, Row[Any]] = {}
    for row in rows:
        first.setdefault(row.request_id, row)
        slot = Slot(row.day, row.minute, row.minute, row.rank)
        slots.setdefault(row.request_id, []).append(slot)
    return [
        Short(
            plan_id=PlanId(row.plan_id),
            request_id=RequestId(row.request_id),
            school_id=SchoolId(row.school_id),
            class_name=row.class_name,
            level=Level(row.level),
            missing=row.missing,
            lessons_per_week=row.a_week,
            slots=tuple(slots[row.request_id]),
        )
        for row in first.values()
    ]
