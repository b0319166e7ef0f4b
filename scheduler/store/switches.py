"""Facts about the running system, one row each: why sending is paused, what was counted."""

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.store.leases import database_now
from scheduler.store.tables import switches

SENDING_PAUSED = "sending_paused"  # its value: the reason
CLOCK_DRIFT = "clock_drift"  # its value: seconds, of the newest jump
LEASES_LOST = "leases_lost"  # its value: how many, ever
PLANNED_AHEAD = "planned_ahead"
RECORD_SEALED = "record_sealed"  # whoever sets it seals, until the transaction ends
RECORD_LOOKED_THROUGH = "record_looked_through"
TIDIED = "tidied"
BACKED_UP = "backed_up"  # its value: bytes and file of the newest backup


def is_on(db: Session, name: str) -> bool:
    return bool(db.scalar(select(exists().where(switches.c.name == name))))


def value(db: Session, name: str) -> str | None:
    """None when it is off."""
    found: str | None = db.scalar(select(switches.c.value).where(switches.c.name == name))
    return found


def turn_on(db: Session, name: str, told: str = "on") -> None:
    """Set the switch, or set it again just now, on the database's clock."""
    at = database_now(db)
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    db.execute(
        dialect.insert(switches)
        .values(name=name, value=told, at=at)
        .on_conflict_do_update(index_elements=[switches.c.name], set_={"value": told, "at": at})
    )


def take_turn(db: Session, name: str, every: timedelta) -> bool:
    """Whether it is our turn: True for one asker in that time, on the database's clock."""
    at = database_now(db)
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    taken = db.execute(
        dialect.insert(switches)
        .values(name=name, value="on", at=at)
        .on_conflict_do_update(
            index_elements=[switches.c.name], set_={"at": at}, where=switches.c.at <= at - every
        )
        .returning(switches.c.name)
    )
    return taken.first() is not None


def age(db: Session, name: str) -> timedelta | None:
    """How long ago the switch was set, on the database's clock; None when it is off."""
    at: datetime | None = db.scalar(select(switches.c.at).where(switches.c.name == name))
    return None if at is None else database_now(db) - at


def beginning(db: Session, start: str) -> tuple[str, ...]:
    """The switches of these names that are on, in order of time."""
    query = select(switches.c.name).where(switches.c.name.startswith(start, autoescape=True))
    return tuple(db.scalars(query.order_by(switches.c.at, switches.c.name)))


def turn_off(db: Session, name: str) -> None:
    db.execute(delete(switches).where(switches.c.name == name))


def count(db: Session, name: str, more: int) -> None:
    """Add to a number that is kept as a switch."""
    held = select(switches.c.value).where(switches.c.name == name).with_for_update()
    turn_on(db, name, str(int(db.scalar(held) or 0) + more))
