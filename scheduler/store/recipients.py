"""Whom messages reach, for many lessons at once, and whether they want reminders."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scheduler.domain.access import RUNNING, Role
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import Person, PersonId, SchoolId, TeacherId
from scheduler.domain.terms import ProgrammeId
from scheduler.store import joint_sessions
from scheduler.store import people as people_store
from scheduler.store.tables import classes, grants, handovers, lessons, persons, teachers


@dataclass(frozen=True, slots=True)
class Named:
    """A teacher as a person."""

    person_id: PersonId
    name: str


def reachable(db: Session, ids: Collection[PersonId]) -> frozenset[PersonId]:
    """Those of them whose account is on."""
    query = select(persons.c.id).where(persons.c.id.in_(list(ids)), persons.c.active.is_(True))
    return frozenset(map(PersonId, db.scalars(query)))


def people(db: Session, ids: Collection[PersonId]) -> dict[PersonId, Person]:
    """Those of them whose account is on."""
    query = select(persons).where(persons.c.id.in_(list(ids)), persons.c.active.is_(True))
    return {PersonId(row.id): people_store.person_of(row) for row in db.execute(query)}


def of_teachers(db: Session, ids: Collection[TeacherId]) -> dict[TeacherId, Named]:
    """Who the teachers of these numbers are."""
    query = (
        select(teachers.c.id, teachers.c.person_id, persons.c.name)
        .join(persons, teachers.c.person_id == persons.c.id)
        .where(teachers.c.id.in_(list(ids)))
    )
    return {
        TeacherId(row.id): Named(PersonId(row.person_id), row.name) for row in db.execute(query)
    }


def schools_of(db: Session, ids: Collection[PersonId]) -> dict[PersonId, frozenset[SchoolId]]:
    """The schools that each person speaks for."""
    query = select(grants.c.person_id, grants.c.school_id).where(
        grants.c.role == Role.SCHOOL, grants.c.person_id.in_(list(ids))
    )
    found: dict[PersonId, frozenset[SchoolId]] = dict.fromkeys(ids, frozenset())
    for row in db.execute(query):
        found[PersonId(row.person_id)] |= {SchoolId(row.school_id)}
    return found


def coordinators(db: Session, programme_id: ProgrammeId) -> tuple[PersonId, ...]:
    """Who coordinates the programme; those whose account is on."""
    query = (
        select(grants.c.person_id)
        .join(persons, grants.c.person_id == persons.c.id)
        .where(grants.c.programme_id == programme_id, persons.c.active.is_(True))
        .where(grants.c.role.in_(RUNNING))
        .order_by(grants.c.person_id)
        .distinct()
    )
    return tuple(map(PersonId, db.scalars(query)))


def concerned(db: Session, since: datetime, until: datetime) -> tuple[PersonId, ...]:
    """Everybody who gives a lesson that starts then, speaks for a school that gets one, or is
    invited to a joint session."""
    soon = (lessons.c.starts_at > since, lessons.c.starts_at < until)
    giving = (
        select(teachers.c.person_id)
        .join(lessons, lessons.c.teacher_id == teachers.c.id)
        .where(*soon)
    )
    getting = (
        select(grants.c.person_id)
        .join(classes, grants.c.school_id == classes.c.school_id)
        .join(lessons, lessons.c.class_id == classes.c.id)
        .where(grants.c.role == Role.SCHOOL, *soon)
    )
    meeting = joint_sessions.people_ahead(db, since, until)
    return tuple(sorted(meeting.union(map(PersonId, db.scalars(giving.union(getting))))))


def former(db: Session, ids: Collection[LessonId]) -> frozenset[PersonId]:
    """From whom somebody took over one of these lessons."""
    query = (
        select(teachers.c.person_id)
        .join(handovers, handovers.c.teacher_id == teachers.c.id)
        .where(handovers.c.lesson_id.in_(list(ids)))
    )
    return frozenset(map(PersonId, db.scalars(query)))


def of_schools(db: Session, ids: Collection[SchoolId]) -> dict[SchoolId, tuple[PersonId, ...]]:
    """The contact persons of each school, the first one first; those whose account is on."""
    query = (
        select(grants.c.school_id, grants.c.person_id)
        .join(persons, grants.c.person_id == persons.c.id)
        .where(grants.c.role == Role.SCHOOL, grants.c.school_id.in_(list(ids)))
        .where(persons.c.active.is_(True))
        .order_by(grants.c.id)
    )
    found: dict[SchoolId, tuple[PersonId, ...]] = dict.fromkeys(ids, ())
    for row in db.execute(query):
        found[SchoolId(row.school_id)] += (PersonId(row.person_id),)
    return found


def set_reminders(db: Session, person_id: PersonId, *, wanted: bool) -> bool:
    """Send this person reminders, or no more; False when that was so already."""
    done = db.execute(
        update(persons)
        .where(persons.c.id == person_id, persons.c.reminders.is_(not wanted))
        .values(reminders=wanted)
        .returning(persons.c.id)
    )
    return done.first() is not None


def set_zone(db: Session, person_id: PersonId, zone: str | None) -> None:
    db.execute(update(persons).where(persons.c.id == person_id).values(zone=zone))
