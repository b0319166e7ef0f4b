"""What became of lessons, added up in the database: one query, however many lessons there are."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    and_,
    case,
    cast,
    exists,
    extract,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from scheduler.domain.intervals import DaySpan, midnight
from scheduler.domain.lessons import Cause, LessonState
from scheduler.domain.records import Amount, Line, Outcome, month_of, next_month, outcome
from scheduler.store.tables import (
    classes,
    donor_schools,
    lessons,
    persons,
    receiving_schools,
    reports,
    teachers,
    terms,
)

_HOSTS = lessons.alias("hosts")
_FACTS = ("teacher_id", "class_id", "month", "state", "cause", "merged", "reported", "over")


def lines(
    db: Session,
    programme_id: int,
    zone: str,
    days: DaySpan,
    now: datetime,
    *,
    teacher_id: int | None = None,
    term_id: int | None = None,
    counted: bool = False,
) -> tuple[Line, ...]:
    """The lessons that begin on these days of the programme's wall, by school, class and month.

    What a plan dropped again is left out: it was never called off, another plan took its place.
    `counted`: without their minutes, and as of one month, in three quarters of the time.
    """
    where = [
        terms.c.programme_id == programme_id,
        lessons.c.starts_at >= midnight(days.first_day, zone),
        lessons.c.starts_at < midnight(days.last_day + timedelta(days=1), zone),
        or_(lessons.c.state != LessonState.CANCELLED, _ended_by_hand()),
    ]
    if teacher_id is not None:
        where.append(lessons.c.teacher_id == teacher_id)
    if term_id is not None:
        where.append(lessons.c.term_id == term_id)
    months = _months(days)[:1] if counted else _months(days)
    spent = cast(0, Integer) if counted else _minutes()
    rows = db.execute(_named(_grouped(months, zone, now, spent, where))).all()
    ends: dict[tuple[object, ...], tuple[Outcome, Cause | None]] = {}
    return tuple(_line(row, months, ends) for row in rows)


_UNSETTLED = (LessonState.SCHEDULED, LessonState.COVER)


def _ended_by_hand() -> ColumnElement[bool]:
    return or_(lessons.c.cancel_reason != "", lessons.c.merged_into_id.is_not(None))


def _minutes() -> ColumnElement[int]:
    seconds = extract("epoch", lessons.c.ends_at) - extract("epoch", lessons.c.starts_at)
    return cast(seconds / 60, Integer)


def _grouped(
    months: tuple[date, ...],
    zone: str,
    now: datetime,
    spent: ColumnElement[int],
    where: list[ColumnElement[bool]],
) -> Select[Any]:
    said = exists(select(reports.c.id).where(reports.c.lesson_id == lessons.c.id))
    joined = exists(
        select(_HOSTS.c.id).where(
            _HOSTS.c.id == lessons.c.merged_into_id, _HOSTS.c.state == LessonState.HELD
        )
    )
    facts = select(
        lessons.c.teacher_id,
        lessons.c.class_id,
        lessons.c.state,
        lessons.c.cause,
        _month_number(months, zone).label("month"),
        # Looked up for those alone of which it decides the outcome.
        case((lessons.c.merged_into_id.is_(None), 0), (joined, 1), else_=0).label("merged"),
        case((lessons.c.state.not_in(_UNSETTLED), 0), (said, 1), else_=0).label("reported"),
        case((lessons.c.ends_at <= now, 1), else_=0).label("over"),
        spent.label("minutes"),
    )
    found = facts.join(terms, lessons.c.term_id == terms.c.id).where(and_(*where)).subquery()
    groups = [found.c[name] for name in _FACTS]
    count, minutes = func.count().label("lessons"), func.sum(found.c.minutes).label("minutes")
    return select(*groups, count, minutes).group_by(*groups)


def _month_number(months: tuple[date, ...], zone: str) -> ColumnElement[int]:
    """Which of the months a lesson begins in, by the programme's wall, not by Greenwich."""
    ends = [
        (lessons.c.starts_at < midnight(next_month(month), zone), number)
        for number, month in enumerate(months[:-1])
    ]
    last = len(months) - 1
    return case(*ends, else_=last) if ends else cast(last, Integer)


def _named(grouped: Select[Any]) -> Select[Any]:
    found = grouped.subquery()
    return (
        select(
            found,
            persons.c.name.label("teacher"),
            donor_schools.c.id.label("donor_school_id"),
            donor_schools.c.name.label("donor_school"),
            donor_schools.c.district.label("donor_district"),
            classes.c.name.label("class_name"),
            receiving_schools.c.id.label("school_id"),
            receiving_schools.c.name.label("school"),
        )
        .join(teachers, found.c.teacher_id == teachers.c.id)
        .join(persons, teachers.c.person_id == persons.c.id)
        .join(donor_schools, teachers.c.donor_school_id == donor_schools.c.id)
        .join(classes, found.c.class_id == classes.c.id)
        .join(receiving_schools, classes.c.school_id == receiving_schools.c.id)
        .order_by(
            receiving_schools.c.code,
            classes.c.name,
            persons.c.name,
            found.c.teacher_id,
            *(found.c[name] for name in _FACTS[2:]),
        )
    )


def _months(days: DaySpan) -> tuple[date, ...]:
    months = [month_of(days.first_day)]
    while next_month(months[-1]) <= days.last_day:
        months.append(next_month(months[-1]))
    return tuple(months)


def _line(
    row: Row[Any],
    months: tuple[date, ...],
    ends: dict[tuple[object, ...], tuple[Outcome, Cause | None]],
) -> Line:
    """`ends`: those met already, by what tells them: of thousands of lines they are few."""
    values: tuple[Any, ...] = tuple(row)
    teacher_id, class_id, month, *_facts, count, minutes, teacher = values[:11]
    donor_id, donor, district, class_name, school_id, school = values[11:]
    told = values[3:8]
    if told not in ends:
        ends[told] = _end(*told)
    end, cause = ends[told]
    return Line(
        teacher_id,
        teacher,
        donor_id,
        f"{donor} ({district})",
        school_id,
        school,
        class_id,
        class_name,
        months[month],
        end,
        cause,
        Amount(count, minutes),
    )


def _end(
    state: str, cause: str, merged: int, reported: int, over: int
) -> tuple[Outcome, Cause | None]:
    known = Cause(cause) if cause else None
    end = outcome(
        LessonState(state), known, merged=bool(merged), reported=bool(reported), over=bool(over)
    )
    return end, known if state == LessonState.NOT_HELD else None
