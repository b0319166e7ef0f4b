"""The teachers of a term, as far as one lesson at some time is concerned: a few small queries."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, and_, bindparam, exists, func, select
from sqlalchemy.orm import Session

from scheduler.domain.availability import Window
from scheduler.domain.busy import BusySource, BusyTime, availability
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
    """What the queries found of each teacher, and of each promise."""

    windows: dict[int, list[Window]] = field(default_factory=lambda: defaultdict(list))
    absences: dict[int, list[DaySpan]] = field(default_factory=lambda: defaultdict(list))
    booked: dict[int, list[Booked]] = field(default_factory=lambda: defaultdict(list))
    totals: dict[int, int] = field(default_factory=dict)
    with_class: dict[int, int] = field(default_factory=dict)
    asked: dict[int, datetime] = field(default_factory=dict)


def find(
    db: Session, term: Term, want: Want, now: datetime, among: Collection[TeacherId] | None = None
) -> tuple[Candidate, ...]:
    """Everyone with a promise for the term who takes part, whatever is in their way.

    Not who left, and whose account is off.

    In the order of their numbers; `among` leaves out all others.
    """
    given = {"term": term.id, "level": want.level.value, "school": want.school_code}
    if among is None:
        rows = db.execute(_PROMISED, given).all()
    else:
        rows = db.execute(_PROMISED_AMONG, given | {"among": list(among)}).all()
    parts = _parts(db, term, want)
    times = busy.all_times(db, term.programme_id, _day_of(want))
    sources = busy.sources(db, term.programme_id)
    return tuple(
        _candidate(row, want, parts, times.get(row[1], ()), sources.get(row[1]), now)
        for row in rows
    )


def _candidate(
    row: Row[*tuple[Any, ...]],
    want: Want,
    parts: _Parts,
    times: tuple[BusyTime, ...],
    source: BusySource | None,
    now: datetime,
) -> Candidate:
    (
        key, teacher, per_day, per_week, in_all, person, name, donor, donor_name, level, wished,
        wishes,
    ) = row  # fmt: skip
    return Candidate(
        teacher_id=teacher,
        person_id=person,
        name=name,
        donor_school_id=donor,
        donor_school=donor_name,
        levels=_NOTHING if level is None else frozenset((want.level,)),
        max_per_day=per_day,
        max_per_week=per_week,
        max_total=in_all,
        windows=tuple(parts.windows.get(key, ())),
        absences=tuple(parts.absences.get(key, ())),
        busy=tuple(time.span for time in times if not time.soft),
        calendar=availability(source, times, want.interval, now),
        booked=tuple(sorted(parts.booked.get(teacher, ()))),
        total=parts.totals.get(teacher, 0),
        wishes=_NOTHING if wished is None else frozenset((want.school_code,)),
        wishes_any=bool(wishes),
        class_lessons=parts.with_class.get(teacher, 0),
        asked_at=parts.asked.get(teacher),
    )


_NOTHING: frozenset[Any] = frozenset()


def _day_of(want: Want) -> Interval:
    begins = datetime.combine(want.day, time(), ZoneInfo(want.zone))
    return Interval(begins, begins + timedelta(days=1))


def _parts(db: Session, term: Term, want: Want) -> _Parts:
    parts = _Parts()
    given = {
        "term": term.id, "day": want.day, "weekday": want.day.weekday(),
        "start": want.start, "end": want.end,
    }  # fmt: skip
    for key, *window in db.execute(_WINDOWS, given):
        parts.windows[key].append(Window(*window))
    for key, first, last in db.execute(_ABSENCES, given):
        parts.absences[key].append(DaySpan(first, last))
    _given(db, term, want, parts)
    parts.asked = dict(db.execute(_ASKED, {"programme": term.programme_id}).all())
    return parts


def _given(db: Session, term: Term, want: Want, parts: _Parts) -> None:
    """Lessons that take their teacher's time: of the week one by one, of the term by number."""
    zone = ZoneInfo(want.zone)
    begins = datetime.combine(monday(want.day), time(), zone)
    span = {
        "term": term.id, "before": begins - timedelta(days=1), "begins": begins,
        "ends": begins + timedelta(days=7),
    }  # fmt: skip
    for key, teacher, starts, ends in db.execute(_WEEK, span):
        booked = Booked(Interval(starts, ends), starts.astimezone(zone).date(), key)
        parts.booked[teacher].append(booked)
    given: dict[str, object] = {"term": term.id}
    parts.totals = dict(db.execute(_TOTALS, given | {"without": list(want.without)}).all())
    parts.with_class = dict(db.execute(_WITH_CLASS, given | {"class_id": want.class_id}).all())


# Made once: to make them again for every lesson took longer than to carry them out.

_wishes = school_wishes.alias().c
_PROMISED = (
    select(
        pledges.c.id,
        pledges.c.teacher_id,
        pledges.c.max_per_day,
        pledges.c.max_per_week,
        pledges.c.max_total,
        teachers.c.person_id,
        persons.c.name,
        teachers.c.donor_school_id,
        donor_schools.c.name.label("donor_school"),
        pledge_levels.c.level,
        school_wishes.c.school_id,
        exists().where(_wishes.pledge_id == pledges.c.id).label("wishes"),
    )
    .join(teachers, pledges.c.teacher_id == teachers.c.id)
    .join(persons, teachers.c.person_id == persons.c.id)
    .join(donor_schools, teachers.c.donor_school_id == donor_schools.c.id)
    .outerjoin(
        pledge_levels,
        and_(
            pledge_levels.c.pledge_id == pledges.c.id, pledge_levels.c.level == bindparam("level")
        ),
    )
    .outerjoin(
        school_wishes,
        and_(
            school_wishes.c.pledge_id == pledges.c.id,
            school_wishes.c.school_id
            == select(receiving_schools.c.id)
            .where(
                receiving_schools.c.code == bindparam("school"),
                receiving_schools.c.programme_id == teachers.c.programme_id,
            )
            .scalar_subquery(),
        ),
    )
    .where(
        pledges.c.term_id == bindparam("term"),
        persons.c.active.is_(True),
        teachers.c.left_at.is_(None),
    )
    .order_by(teachers.c.id)
)
_PROMISED_AMONG = _PROMISED.where(teachers.c.id.in_(bindparam("among", expanding=True)))
_FREE = tables.availability.c
_WINDOWS = (
    select(
        _FREE.pledge_id, _FREE.weekday, _FREE.start_minute, _FREE.end_minute, _FREE.first_day,
        _FREE.last_day, _FREE.if_needed,
    )
    .join(pledges, _FREE.pledge_id == pledges.c.id)
    .where(
        pledges.c.term_id == bindparam("term"),
        _FREE.weekday == bindparam("weekday"),
        _FREE.start_minute <= bindparam("start"),
        _FREE.end_minute >= bindparam("end"),
    )
    .order_by(_FREE.id)
)  # fmt: skip
_ABSENCES = (
    select(absences.c.pledge_id, absences.c.first_day, absences.c.last_day)
    .join(pledges, absences.c.pledge_id == pledges.c.id)
    .where(
        pledges.c.term_id == bindparam("term"),
        absences.c.first_day <= bindparam("day"),
        absences.c.last_day >= bindparam("day"),
    )
    .order_by(absences.c.id)
)
_ASKED = (
    select(offers.c.teacher_id, func.max(offers.c.asked_at).label("at"))
    .join(teachers, offers.c.teacher_id == teachers.c.id)
    .where(teachers.c.programme_id == bindparam("programme"))
    .group_by(offers.c.teacher_id)
)
_TAKEN = (lessons.c.term_id == bindparam("term"), lessons.c.state != LessonState.CANCELLED)
# A lesson lasts less than a day: with this the index leaves out all weeks before.
_WEEK = select(lessons.c.id, lessons.c.teacher_id, lessons.c.starts_at, lessons.c.ends_at).where(
    *_TAKEN,
    lessons.c.starts_at > bindparam("before"),
    lessons.c.starts_at < bindparam("ends"),
    lessons.c.ends_at > bindparam("begins"),
)
_COUNTED = select(lessons.c.teacher_id, func.count()).where(*_TAKEN).group_by(lessons.c.teacher_id)
_TOTALS = _COUNTED.where(lessons.c.id.not_in(bindparam("without", expanding=True)))
_WITH_CLASS = _COUNTED.where(lessons.c.class_id == bindparam("class_id"))


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
    row, place = db.execute(_NEED, {"lesson": lesson.id}).one(), placed(lesson)
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


_NEED = (
    select(classes.c.level, receiving_schools.c.code, teachers.c.donor_school_id)
    .select_from(lessons)
    .join(classes, lessons.c.class_id == classes.c.id)
    .join(receiving_schools, classes.c.school_id == receiving_schools.c.id)
    .join(teachers, lessons.c.teacher_id == teachers.c.id)
    .where(lessons.c.id == bindparam("lesson"))
)
