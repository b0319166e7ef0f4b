"""Addresses that take no mail, as their relays said: whose they are, and mending them."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scheduler.domain.access import Grant
from scheduler.domain.people import PersonId
from scheduler.domain.terms import ProgrammeId
from scheduler.store import people
from scheduler.store.tables import (
    donor_schools,
    grants,
    persons,
    receiving_schools,
    sign_ins,
    teachers,
)

LONGEST_FAULT = 500


@dataclass(frozen=True, slots=True)
class Faulty:
    """A person whose address takes no mail: the relay's words, and since when.

    `places`: the schools of the person in the programme.
    """

    person_id: PersonId
    name: str
    email: str
    phone: str
    fault: str
    since: datetime
    places: tuple[str, ...]
    grants: tuple[Grant, ...]


def count(db: Session, programme_id: ProgrammeId) -> int:
    query = select(func.count()).select_from(persons).where(_faulty(programme_id))
    return int(db.scalar(query) or 0)


def faulty(
    db: Session, programme_id: ProgrammeId, person_id: PersonId | None = None
) -> tuple[Faulty, ...]:
    """Those of the programme, or one of them, the newest fault first; three queries."""
    query = select(persons).where(_faulty(programme_id))
    if person_id is not None:
        query = query.where(persons.c.id == person_id)
    found = db.execute(query.order_by(persons.c.mail_fault_at.desc(), persons.c.id)).all()
    ids = [PersonId(row.id) for row in found]
    places, roles = _places(db, programme_id, ids), people.grants_of(db, ids)
    return tuple(
        Faulty(
            person_id=PersonId(row.id),
            name=row.name,
            email=row.email,
            phone=row.phone,
            fault=row.mail_fault,
            since=row.mail_fault_at,
            places=tuple(dict.fromkeys(places[row.id])),
            grants=roles[PersonId(row.id)],
        )
        for row in found
    )


def correct(db: Session, person_id: PersonId, email: str) -> bool:
    """Another address for this person; sign-in links that went to the old one end.

    False when it is somebody's already: also when they were given it at this very moment.
    """
    changed = update(persons).where(persons.c.id == person_id)
    try:
        with db.begin_nested():
            db.execute(changed.values(email=email, mail_fault=None, mail_fault_at=None))
    except IntegrityError:
        return False
    db.execute(
        update(sign_ins)
        .where(sign_ins.c.person_id == person_id, sign_ins.c.used_at.is_(None))
        .values(tries_left=0)
    )
    return True


def faults(db: Session, ids: Collection[PersonId]) -> dict[PersonId, str]:
    """Those of these people whose address takes no mail, and why."""
    query = select(persons.c.id, persons.c.mail_fault).where(
        persons.c.id.in_(list(ids)), persons.c.mail_fault.is_not(None)
    )
    return {PersonId(row.id): row.mail_fault for row in db.execute(query)}


def mark(db: Session, person_id: PersonId, address: str, why: str, at: datetime) -> None:
    """Nobody is at this address, unless the person has another one by now."""
    email = db.scalar(select(persons.c.email).where(persons.c.id == person_id))
    # One with letters beyond ASCII went out in another spelling than the person's.
    if email is None or (email.isascii() and email != address.lower()):
        return
    db.execute(
        update(persons)
        .where(persons.c.id == person_id)
        .values(mail_fault=why[:LONGEST_FAULT], mail_fault_at=at)
    )


def clear(db: Session, person_id: PersonId) -> None:
    """A mail was accepted there again."""
    db.execute(
        update(persons)
        .where(persons.c.id == person_id, persons.c.mail_fault.is_not(None))
        .values(mail_fault=None, mail_fault_at=None)
    )


def _faulty(programme_id: ProgrammeId) -> ColumnElement[bool]:
    member = exists().where(
        grants.c.person_id == persons.c.id, grants.c.programme_id == programme_id
    )
    return and_(persons.c.mail_fault.is_not(None), persons.c.active.is_(True), member)


def _places(db: Session, programme_id: ProgrammeId, ids: list[PersonId]) -> dict[int, list[str]]:
    query = (
        select(
            grants.c.person_id,
            func.coalesce(receiving_schools.c.name, donor_schools.c.name).label("place"),
        )
        .outerjoin(receiving_schools, grants.c.school_id == receiving_schools.c.id)
        .outerjoin(teachers, grants.c.teacher_id == teachers.c.id)
        .outerjoin(
            donor_schools,
            donor_schools.c.id
            == func.coalesce(grants.c.donor_school_id, teachers.c.donor_school_id),
        )
        .where(grants.c.person_id.in_(ids), grants.c.programme_id == programme_id)
        .order_by(grants.c.id)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for row in db.execute(query):
        if row.place:
            found[row.person_id].append(row.place)
    return found
