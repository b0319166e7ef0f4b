"""Figures that are counted in the database, never remembered."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from scheduler.domain.lessons import LessonState
from scheduler.domain.people import SchoolId
from scheduler.domain.terms import Term
from scheduler.store.tables import (
    classes,
    lessons,
    pledges,
    receiving_schools,
    requests,
    teachers,
)


@dataclass(frozen=True, slots=True)
class TermFigures:
    """Whole numbers of one term; `busy_teachers` are those who give at least one lesson."""

    teachers: int
    donor_schools: int
    receiving_schools: int
    classes: int
    requests: int
    lessons: int
    cancelled: int
    busy_teachers: int


@dataclass(frozen=True, slots=True)
class SchoolFigures:
    id: SchoolId
    code: str
    name: str
    district: str
    requests: int
    lessons: int
    ahead: int


def of_term(db: Session, term: Term) -> TermFigures:
    own = lessons.c.term_id == term.id
    live = lessons.c.state != LessonState.CANCELLED
    programme = term.programme_id
    return TermFigures(
        teachers=_count(db, select(pledges.c.id).where(pledges.c.term_id == term.id)),
        donor_schools=_count(
            db,
            select(teachers.c.donor_school_id)
            .where(teachers.c.programme_id == programme)
            .distinct(),
        ),
        receiving_schools=_count(
            db, select(receiving_schools.c.id).where(receiving_schools.c.programme_id == programme)
        ),
        classes=_count(
            db,
            select(classes.c.id)
            .join(receiving_schools, classes.c.school_id == receiving_schools.c.id)
            .where(receiving_schools.c.programme_id == programme),
        ),
        requests=_count(
            db,
            select(requests.c.id).where(
                requests.c.term_id == term.id, requests.c.withdrawn_at.is_(None)
            ),
        ),
        lessons=_count(db, select(lessons.c.id).where(own, live)),
        cancelled=_count(db, select(lessons.c.id).where(own, ~live)),
        busy_teachers=_count(db, select(lessons.c.teacher_id).where(own, live).distinct()),
    )


def by_school(db: Session, term: Term, now: datetime) -> tuple[SchoolFigures, ...]:
    """Each receiving school: its requests, its lessons, and those still to come; one query."""
    asked = (
        select(classes.c.school_id, func.count().label("asked"))
        .join(requests, requests.c.class_id == classes.c.id)
        .where(requests.c.term_id == term.id, requests.c.withdrawn_at.is_(None))
        .group_by(classes.c.school_id)
        .subquery()
    )
    ahead = func.sum(case((lessons.c.starts_at > now, 1), else_=0))
    given = (
        select(classes.c.school_id, func.count().label("given"), ahead.label("ahead"))
        .join(lessons, lessons.c.class_id == classes.c.id)
        .where(lessons.c.term_id == term.id, lessons.c.state != LessonState.CANCELLED)
        .group_by(classes.c.school_id)
        .subquery()
    )
    rows = db.execute(
        select(
            receiving_schools,
            func.coalesce(asked.c.asked, 0).label("asked"),
            func.coalesce(given.c.given, 0).label("given"),
            func.coalesce(given.c.ahead, 0).label("ahead"),
        )
        .outerjoin(asked, asked.c.school_id == receiving_schools.c.id)
        .outerjoin(given, given.c.school_id == receiving_schools.c.id)
        .where(receiving_schools.c.programme_id == term.programme_id)
        .order_by(receiving_schools.c.code)
    )
    return tuple(
        SchoolFigures(row.id, row.code, row.name, row.district, row.asked, row.given, row.ahead)
        for row in rows
    )


def _count(db: Session, query: Select[tuple[int]]) -> int:
    return int(db.scalar(select(func.count()).select_from(query.subquery())) or 0)
