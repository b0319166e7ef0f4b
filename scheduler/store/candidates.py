"""The teachers of a term, as far as one lesson at some time is concerned: a few small queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, and_, bindparam, exists, func, select
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


def find(
    db: Session, term: Term, want: Want, now: datetime, among: Collection[TeacherId] | None = None
) -> tuple[Candidate, ...]:
    """Everyone with a promise for the term who takes part, whatever is in their way.

    Not who left, and whose account is off.

    In the order of their numbers; `among` leaves out all others.
    """
    return Staff(db, term, want, now, among).at(want)


class Staff:
    """Who could give a lesson of a class, asked for several times of a week: what does not depend
    on the time is read once."""

    def __init__(
        self,
        db: Session,
        term: Term,
        want: Want,
        now: datetime,
        among: Collection[TeacherId] | None = None,
    ) -> None:
        self._db, self._term, self._now, self._zone = db, term, now, ZoneInfo(want.zone)
        given = {"term": term.id, "level": want.level.value, "school": want.school_code}
        if among is None:
            self._rows = db.execute(_PROMISED, given).all()
        else:
            self._rows = db.execute(_PROMISED_AMONG, given | {"among": list(among)}).all()
        counted: dict[str, object] = {"term": term.id}
        without = {"without": list(want.without)}
        self._totals: dict[int, int] = dict(db.execute(_TOTALS, counted | without).all())
        of_class = {"class_id": want.class_id}
        self._with_class: dict[int, int] = dict(db.execute(_WITH_CLASS, counted | of_class).all())
        asked = db.execute(_ASKED, {"programme": term.programme_id})
        self._asked: dict[int, datetime] = dict(asked.all())
        self._sources = busy.sources(db, term.programme_id)
        self._weeks: dict[date, dict[int, list[Booked]]] = {}

    def at(self, want: Want) -> tuple[Candidate, ...]:
        """Everyone, as far as this lesson of the same class is concerned."""
        windows, absent = (
            defaultdict[int, list[Window]](list),
            defaultdict[int, list[DaySpan]](list),
        )
        given = {
            "term": self._term.id, "day": want.day, "weekday": want.day.weekday(),
            "start": want.start, "end": want.end,
        }  # fmt: skip
        for key, *window in self._db.execute(_WINDOWS, given):
            windows[key].append(Window(*window))
        for key, first, last in self._db.execute(_ABSENCES, given):
            absent[key].append(DaySpan(first, last))
        begins = datetime.combine(want.day, time(), self._zone)
        day = Interval(begins, begins + timedelta(days=1))
        times = busy.all_times(self._db, self._term.programme_id, day)
        booked = self._booked(monday(want.day))
        return tuple(
            self._candidate(
                row, want, windows[row[0]], absent[row[0]], times.get(row[1], ()), booked[row[1]]
            )
            for row in self._rows
        )

    def _booked(self, first: date) -> dict[int, list[Booked]]:
        """The lessons of the week that take their teacher's time."""
        if first not in self._weeks:
            begins = datetime.combine(first, time(), self._zone)
            span = {
                "term": self._term.id, "before": begins - timedelta(days=1), "begins": begins,
                "ends": begins + timedelta(days=7),
            }  # fmt: skip
            found = self._weeks[first] = defaultdict(list)
            for key, teacher, starts, ends in self._db.execute(_WEEK, span):
                day = starts.astimezone(self._zone).date()
                found[teacher].append(Booked(Interval(starts, ends), day, key))
        return self._weeks[first]

    def _candidate(
        self,
        row: Row[*tuple[Any, ...]],
        want: Want,
        windows: Iterable[Window],
        absent: Iterable[DaySpan],
        times: Collection[BusyTime],
        booked: Iterable[Booked],
    ) -> Candidate:
        (
            _, teacher, per_day, per_week, in_all, person, name, donor, donor_name, level, wished,
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
            windows=tuple(windows),
            absences=tuple(absent),
            busy=tuple(time.span for time in times if not time.soft),
            calendar=availability(self._sources.get(teacher), times, want.interval, self._now),
            booked=tuple(sorted(booked)),
            total=self._totals.get(teacher, 0),
            wishes=_NOTHING if wished is None else frozenset((want.school_code,)),
            wishes_any=bool(wishes),
            class_lessons=self._with_class.get(teacher, 0),
            asked_at=self._asked.get(teacher),
        )


_NOTHING: frozenset[Any] = frozenset()

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
