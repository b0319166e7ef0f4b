"""The people of a programme whom an announcement may go to."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from scheduler.domain.access import Role
from scheduler.domain.announcements import Audience, Listener
from scheduler.domain.lessons import LessonState
from scheduler.domain.people import PersonId
from scheduler.domain.terms import Term
from scheduler.store.tables import (
    donor_schools,
    grants,
    lessons,
    persons,
    receiving_schools,
    teachers,
)

_OFF = (LessonState.CANCELLED, LessonState.NOT_HELD)


def listeners(db: Session, term: Term, audience: Audience, now: datetime) -> tuple[Listener, ...]:
    """Those of the audience who have a role in the programme and whose account is on, by name; who
    speaks for two schools is there twice.  One query."""
    match audience:
        case Audience.SCHOOLS:
            query = _contacts(term)
        case Audience.TEACHERS:
            query = _teachers(term)
        case Audience.AHEAD:
            query = _teachers(term).where(_has_lessons(term, lessons.c.starts_at > now))
        case Audience.IDLE:
            query = _teachers(term).where(~_has_lessons(term))
    query = query.where(persons.c.active.is_(True)).order_by(persons.c.name, persons.c.id)
    return tuple(
        Listener(PersonId(row.id), row.name, row.place, row.district) for row in db.execute(query)
    )


def _teachers(term: Term) -> Select[Any]:
    members = select(grants.c.person_id).where(
        grants.c.programme_id == term.programme_id, grants.c.role == Role.TEACHER
    )
    return (
        select(persons.c.id, persons.c.name, donor_schools.c.name.label("place"),
               donor_schools.c.district)
        .join(teachers, teachers.c.person_id == persons.c.id)
        .join(donor_schools, teachers.c.donor_school_id == donor_schools.c.id)
        .where(teachers.c.programme_id == term.programme_id, persons.c.id.in_(members))
    )  # fmt: skip


def _contacts(term: Term) -> Select[Any]:
    return (
        select(persons.c.id, persons.c.name, receiving_schools.c.name.label("place"),
               receiving_schools.c.district)
        .join(grants, grants.c.person_id == persons.c.id)
        .join(receiving_schools, grants.c.school_id == receiving_schools.c.id)
        .where(grants.c.programme_id == term.programme_id, grants.c.role == Role.SCHOOL)
    )  # fmt: skip


def _has_lessons(term: Term, *more: Any) -> Any:
    return exists().where(
        lessons.c.teacher_id == teachers.c.id,
        lessons.c.term_id == term.id,
        lessons.c.state.not_in(_OFF),
        *more,
    )
