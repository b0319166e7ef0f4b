"""Mail addresses that people want to have, until those mailboxes have answered."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scheduler.domain.people import PersonId
from scheduler.store.tables import address_changes


@dataclass(frozen=True, slots=True)
class AddressChange:
    person_id: PersonId
    email: str


def add(
    db: Session,
    person_id: PersonId,
    email: str,
    token_hash: str,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Keep the newest wish of this person; the older ones end."""
    mine = (address_changes.c.person_id == person_id, address_changes.c.expires_at > now)
    db.execute(update(address_changes).where(*mine).values(expires_at=now))
    db.execute(
        address_changes.insert().values(
            person_id=person_id,
            email=email,
            token_hash=token_hash,
            created_at=now,
            expires_at=expires_at,
        )
    )


def open_of(db: Session, token_hash: str, now: datetime) -> AddressChange | None:
    query = select(address_changes).where(
        address_changes.c.token_hash == token_hash,
        address_changes.c.used_at.is_(None),
        address_changes.c.expires_at > now,
    )
    row = db.execute(query).first()
    return None if row is None else AddressChange(PersonId(row.person_id), row.email)


def use(db: Session, token_hash: str, now: datetime) -> AddressChange | None:
    """Use it up: what it asks for, for exactly one of any number of callers."""
    done = (
        update(address_changes)
        .where(
            address_changes.c.token_hash == token_hash,
            address_changes.c.used_at.is_(None),
            address_changes.c.expires_at > now,
        )
        .values(used_at=now)
        .returning(address_changes.c.person_id, address_changes.c.email)
    )
    row = db.execute(done).first()
    return None if row is None else AddressChange(PersonId(row.person_id), row.email)
