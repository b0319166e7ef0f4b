"""Whom messages reach, for many lessons at once, and whether they want reminders."""

from collections.abc import Collection

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scheduler.domain.access import Role
from scheduler.domain.people import PersonId, SchoolId, TeacherId
from scheduler.store.tables import grants, persons, teachers


def reachable(db: Session, ids: Collection[PersonId]) -> frozenset[PersonId]:
    """Those of them whose account is on."""
    query = select(persons.c.id).where(persons.c.id.in_(list(ids)), persons.c.active.is_(True))
    return frozenset(map(PersonId, db.scalars(query)))


def reminded(db: Session, ids: Collection[PersonId]) -> frozenset[PersonId]:
    """Those of them whose account is on and who have not stopped reminders."""
    query = select(persons.c.id).where(
        persons.c.id.in_(list(ids)), persons.c.active.is_(True), persons.c.reminders.is_(True)
    )
    return frozenset(map(PersonId, db.scalars(query)))


def of_teachers(db: Session, ids: Collection[TeacherId]) -> dict[TeacherId, PersonId]:
    query = select(teachers.c.id, teachers.c.person_id).where(teachers.c.id.in_(list(ids)))
    return {TeacherId(row.id): PersonId(row.person_id) for row in db.execute(query)}


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


def stop_reminders(db: Session, person_id: PersonId) -> bool:
    """Send this person no more reminders; False when that was so already."""
    done = db.execute(
        update(persons)
        .where(persons.c.id == person_id, persons.c.reminders.is_(True))
        .values(reminders=False)
        .returning(persons.c.id)
    )
    return done.first() is not None
