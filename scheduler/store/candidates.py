"""The teachers of a term, as far as one lesson at some time is concerned: a few small queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import Session

from scheduler.domain.availability import Window
from scheduler.domain.busy import BusyTime, availability
from scheduler.domain.candidates import Booked, Candidate, Want
from scheduler.domain.intervals import DaySpan, Interval, monday
from scheduler.domain.lessons import Lesson, LessonState, placed
from scheduler.domain.people import DonorSchoolId, Level, TeacherId
from scheduler.domain.terms import Term
from scheduler.errors import NotFound
from scheduler.store import busy, tables, terms
from scheduler.store.tables import (
    absences,
    classes,
    donor_schools,
    lessons,
    offers,
    persons,
    pledge_levels,
    pledges,
    receiving_schools,
    school_wishes,
    teachers,
)


@dataclass(slots=True)
class _Parts:
    """What the queries found of each teacher."""

    levels: dict[int, set[Level]] = field(default_factory=lambda: defaultdict(set))
    windows: dict[int, list[Window]] = field(default_factory=lambda: defaultdict(list))
    absences: dict[int, list[DaySpan]] = field(default_factory=lambda: defaultdict(list))
    wishes: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    booked: dict[int, list[Booked]] = field(default_factory=lambda: defaultdict(list))
    totals: dict[int, int] = field(default_factory=dict)
    with_class: dict[int, int] = field(default_factory=dict)
    asked: dict[int, datetime] = field(default_factory=dict)


def find(
    db: Session, term: Term, want: Want, now: datetime, among: Collection[TeacherId] | None = None
) -> tuple[Candidate, ...]:
    """Everyone with a promise for the term and an account that is on, whatever is in their way.

    In the order of their numbers; `among` leaves out all others.
    """
    query = (
        select(pledges, teachers.c.person_id, teachers.c.donor_school_id, persons.c.name)
        .add_columns(donor_schools.c.name.label("donor_school"))
        .join(teachers, pledges.c.teacher_id == teachers.c.id)
        .join(persons, teachers.c.person_id == persons.c.id)
        .join(donor_schools, teachers.c.donor_school_id == donor_schools.c.id)
        .where(pledges.c.term_id == term.id, persons.c.active.is_(True))
        .order_by(teachers.c.id)
    )
    if among is not None:
        query = query.where(teachers.c.id.in_(list(among)))
    rows = db.execute(query).all()
    parts = _parts(db, term, want)
    day = _day_of(want)
    times = busy.all_times(db, term.programme_id, day)
    sources = busy.sources(db, term.programme_id)
    span = want.interval
    return tuple(
        _candidate(
            row,
            parts,
            times.get(row.teacher_id, ()),
            calendar=availability(
                sources.get(row.teacher_id), times.get(row.teacher_id, ()), span, now
            ),
        )
        for row in rows
    )


def _candidate(row: Row[Any], parts: _Parts, times: Iterable[BusyTime], **known: Any) -> Candidate:
    key = row.id
    return Candidate(
        teacher_id=TeacherId(row.teacher_id),
        person_id=row.person_id,
        name=row.name,
        donor_school_id=row.donor_school_id,
        donor_school=row.donor_school,
        levels=frozenset(parts.levels[key]),
        max_per_day=row.max_per_day,
        max_per_week=row.max_per_week,
        max_total=row.max_total,
        windows=tuple(parts.windows[key]),
        absences=tuple(parts.absences[key]),
        busy=tuple(time.span for time in times if not time.soft),
        booked=tuple(sorted(parts.booked[row.teacher_id])),
        total=parts.totals.get(row.teacher_id, 0),
        wishes=frozenset(parts.wishes[key]),
        class_lessons=parts.with_class.get(row.teacher_id, 0),
        asked_at=parts.asked.get(row.teacher_id),
        **known,
    )


def _day_of(want: Want) -> Interval:
    begins = datetime.combine(want.day, time(), ZoneInfo(want.zone))
    return Interval(begins, begins + timedelta(days=1))


def _parts(db: Session, term: Term, want: Want) -> _Parts:
    parts = _Parts()
    own = select(pledges.c.id).where(pledges.c.term_id == term.id)
    _promises(db, own, want, parts)
    _given(db, term, want, parts)
    query = (
        select(offers.c.teacher_id, func.max(offers.c.asked_at).label("at"))
        .join(teachers, offers.c.teacher_id == teachers.c.id)
        .where(teachers.c.programme_id == term.programme_id)
        .group_by(offers.c.teacher_id)
    )
    parts.asked = {row.teacher_id: row.at for row in db.execute(query)}
    return parts


def _promises(db: Session, own: Any, want: Want, parts: _Parts) -> None:
    for row in db.execute(select(pledge_levels).where(pledge_levels.c.pledge_id.in_(own))):
        parts.levels[row.pledge_id].add(Level(row.level))
    table = tables.availability
    free = select(table).where(
        table.c.pledge_id.in_(own),
        table.c.weekday == want.day.weekday(),
        table.c.start_minute <= want.start,
        table.c.end_minute >= want.end,
    )
    for row in db.execute(free.order_by(table.c.id)):
        parts.windows[row.pledge_id].append(
            Window(
                row.weekday, row.start_minute, row.end_minute, row.first_day, row.last_day,
                row.if_needed,
            )
        )  # fmt: skip
    away = select(absences).where(
        absences.c.pledge_id.in_(own),
        absences.c.first_day <= want.day,
        absences.c.last_day >= want.day,
    )
    for row in db.execute(away.order_by(absences.c.id)):
        parts.absences[row.pledge_id].append(DaySpan(row.first_day, row.last_day))
    wished = (
        select(school_wishes.c.pledge_id, receiving_schools.c.code)
        .join(receiving_schools, school_wishes.c.school_id == receiving_schools.c.id)
        .where(school_wishes.c.pledge_id.in_(own))
    )
    for row in db.execute(wished):
        parts.wishes[row.pledge_id].add(row.code)


def _given(db: Session, term: Term, want: Want, parts: _Parts) -> None:
    """Lessons that take their teacher's time: of the week one by one, of the term by number."""
    zone = ZoneInfo(want.zone)
    begins = datetime.combine(monday(want.day), time(), zone)
    taken = lessons.c.state != LessonState.CANCELLED
    week = select(lessons.c.id, lessons.c.teacher_id, lessons.c.starts_at, lessons.c.ends_at).where(
        taken,
        lessons.c.term_id == term.id,
        lessons.c.starts_at < begins + timedelta(days=7),
        lessons.c.ends_at > begins,
    )
    for row in db.execute(week):
        span = Interval(row.starts_at, row.ends_at)
        booked = Booked(span, row.starts_at.astimezone(zone).date(), row.id)
        parts.booked[row.teacher_id].append(booked)
    counts = (lessons.c.id.not_in(list(want.without)), lessons.c.class_id == want.class_id)
    query = (
        select(lessons.c.teacher_id, *(func.sum(case((each, 1), else_=0)) for each in counts))
        .where(taken, lessons.c.term_id == term.id)
        .group_by(lessons.c.teacher_id)
    )
    for teacher, total, with_class in db.execute(query):
        parts.totals[teacher], parts.with_class[teacher] = int(total), int(with_class)


@dataclass(frozen=True, slots=True)
class Need:
    """A lesson that somebody else should give, as its candidates are looked for."""

    lesson: Lesson
    term: Term
    want: Want
    donor_school_id: DonorSchoolId


def need(db: Session, lesson: Lesson) -> Need:
    """What a lesson as it stands needs of whoever gives it; raises NotFound."""
    term = terms.of_lesson(db, lesson.id)
    if term is None:
        raise NotFound("There is no such lesson here.")
    query = (
        select(classes.c.level, receiving_schools.c.code, teachers.c.donor_school_id)
        .select_from(lessons)
        .join(classes, lessons.c.class_id == classes.c.id)
        .join(receiving_schools, classes.c.school_id == receiving_schools.c.id)
        .join(teachers, lessons.c.teacher_id == teachers.c.id)
        .where(lessons.c.id == lesson.id)
    )
    row, place = db.execute(query).one(), placed(lesson)
    want = Want(
        day=place.day,
        start=place.start,
        end=place.end,
        zone=term.zone,
        gap_minutes=term.gap_minutes,
        level=Level(row.level),
        class_id=lesson.class_id,
        school_code=row.code,
        without=frozenset({lesson.id}),
    )
    return Need(lesson, term, want, DonorSchoolId(row.donor_school_id))
