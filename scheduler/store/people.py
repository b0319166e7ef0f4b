"""Persons, their roles, and the volunteer teachers of a programme, as values."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from scheduler.domain import zones
from scheduler.domain.access import Grant, Role
from scheduler.domain.people import DonorSchool, DonorSchoolId, Person, PersonId, Teacher, TeacherId
from scheduler.domain.terms import ProgrammeId
from scheduler.errors import NotFound
from scheduler.store import tables
from scheduler.store.tables import persons


def person(db: Session, person_id: int) -> Person | None:
    return _one_person(db, select(persons).where(persons.c.id == person_id))


def by_email(db: Session, email: str) -> Person | None:
    """The person of that address, however it is cased."""
    return _one_person(db, select(persons).where(persons.c.email == email.strip().lower()))


def grants(db: Session, person_id: int) -> tuple[Grant, ...]:
    """The roles of a person, the oldest first."""
    return grants_of(db, [PersonId(person_id)])[PersonId(person_id)]


def grants_of(db: Session, ids: Collection[PersonId]) -> dict[PersonId, tuple[Grant, ...]]:
    """The roles of each of these people, the oldest first."""
    query = (
        select(tables.grants)
        .where(tables.grants.c.person_id.in_(list(ids)))
        .order_by(tables.grants.c.id)
    )
    found: dict[PersonId, tuple[Grant, ...]] = dict.fromkeys(ids, ())
    for row in db.execute(query):
        found[PersonId(row.person_id)] += (_grant(row),)
    return found


def teachers(db: Session, programme_id: int) -> tuple[Teacher, ...]:
    """The volunteers of a programme in the order in which they came."""
    query: Select[Any] = (
        select(
            tables.teachers.c.id,
            tables.teachers.c.person_id,
            tables.teachers.c.donor_school_id,
            persons.c.name,
            persons.c.email,
            persons.c.phone,
            tables.donor_schools.c.name.label("school_name"),
            tables.donor_schools.c.district,
        )
        .join(persons, tables.teachers.c.person_id == persons.c.id)
        .join(tables.donor_schools, tables.teachers.c.donor_school_id == tables.donor_schools.c.id)
        .where(tables.teachers.c.programme_id == programme_id)
        .order_by(tables.teachers.c.id)
    )
    return tuple(map(_teacher, db.execute(query).all()))


def programme_of_teacher(db: Session, teacher_id: int) -> ProgrammeId:
    """Raises NotFound: whoever asks has seen the teacher."""
    query = select(tables.teachers.c.programme_id).where(tables.teachers.c.id == teacher_id)
    found = db.scalar(query)
    if found is None:
        raise NotFound("There is no such teacher here.")
    return ProgrammeId(found)


def donor_schools(db: Session, programme_id: int) -> tuple[DonorSchool, ...]:
    """The home schools of a programme's teachers, by name."""
    known = tables.donor_schools
    query = select(known).where(known.c.programme_id == programme_id)
    return tuple(
        DonorSchool(DonorSchoolId(row.id), row.name, row.district)
        for row in db.execute(query.order_by(known.c.name, known.c.district))
    )


def programme_of_donor(db: Session, donor_school_id: int) -> ProgrammeId:
    """Raises NotFound: whoever asks has seen the school."""
    known = tables.donor_schools.c
    found = db.scalar(select(known.programme_id).where(known.id == donor_school_id))
    if found is None:
        raise NotFound("There is no such school here.")
    return ProgrammeId(found)


def donor_school_of(db: Session, teacher_id: int) -> DonorSchoolId | None:
    query = select(tables.teachers.c.donor_school_id).where(tables.teachers.c.id == teacher_id)
    found = db.scalar(query)
    return None if found is None else DonorSchoolId(found)


def _one_person(db: Session, query: Select[Any]) -> Person | None:
    row = db.execute(query).one_or_none()
    return None if row is None else person_of(row)


def person_of(row: Row[Any]) -> Person:
    return Person(
        id=PersonId(row.id),
        email=row.email,
        name=row.name,
        phone=row.phone,
        language=row.language,
        active=row.active,
        reminders=row.reminders,
        # One that only another machine knows must stop the planning for nobody.
        zone=row.zone if row.zone in zones.known() else None,
        mail_fault=row.mail_fault,
    )


def _grant(row: Row[Any]) -> Grant:
    return Grant(
        role=Role(row.role),
        programme_id=ProgrammeId(row.programme_id),
        teacher_id=row.teacher_id,
        school_id=row.school_id,
        donor_school_id=row.donor_school_id,
    )


def _teacher(row: Row[Any]) -> Teacher:
    return Teacher(
        id=TeacherId(row.id),
        person_id=PersonId(row.person_id),
        name=row.name,
        email=row.email,
        phone=row.phone,
        school=DonorSchool(DonorSchoolId(row.donor_school_id), row.school_name, row.district),
    )
