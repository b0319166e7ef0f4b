"""The people of a programme whom an announcement may go to."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
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


def listeners(db: Session, term: Term, now: datetime) -> dict[Audience, tuple[Listener, ...]]:
    """By audience those who have a role in the programme and whose account is on, by name; who
    speaks for two schools is there twice.  Four queries."""
    schools = tuple(_listener(row) for row in db.execute(_active(_contacts(term))))
    staff = [(row.teacher_id, _listener(row)) for row in db.execute(_active(_teachers(term)))]
    all_ = _teaching(db, term)
    ahead = _teaching(db, term, lessons.c.starts_at > now)
    return {
        Audience.TEACHERS: tuple(each for _, each in staff),
        Audience.AHEAD: tuple(each for teacher, each in staff if teacher in ahead),
        Audience.IDLE: tuple(each for teacher, each in staff if teacher not in all_),
        Audience.SCHOOLS: schools,
    }


def _active(query: Select[Any]) -> Select[Any]:
    return query.where(persons.c.active.is_(True)).order_by(persons.c.name, persons.c.id)


def _listener(row: Any) -> Listener:
    return Listener(PersonId(row.id), row.name, row.place, row.district)


def _teachers(term: Term) -> Select[Any]:
    members = select(grants.c.person_id).where(
        grants.c.programme_id == term.programme_id, grants.c.role == Role.TEACHER
    )
    return (
        select(persons.c.id, persons.c.name, donor_schools.c.name.label("place"),
               donor_schools.c.district, teachers.c.id.label("teacher_id"))
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


def _teaching(db: Session, term: Term, *more: Any) -> frozenset[int]:
    """The teachers who have such lessons."""
    query = select(lessons.c.teacher_id).distinct()
    mine = lessons.c.term_id == term.id, lessons.c.state.not_in(_OFF)
    return frozenset(db.scalars(query.where(*mine, *more)))
