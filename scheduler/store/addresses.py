"""Mail addresses that take no mail, as their relays said."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scheduler.domain.people import PersonId
from scheduler.store.tables import persons

LONGEST_FAULT = 500


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
