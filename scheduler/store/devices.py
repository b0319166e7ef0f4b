"""Browsers that take messages: their addresses are sealed, and known by a digest."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain.devices import Device, DeviceId
from scheduler.domain.people import PersonId
from scheduler.store.tables import persons, push_devices


def of(db: Session, person_id: PersonId) -> tuple[Device, ...]:
    """A person's devices, the newest first."""
    query = (
        select(push_devices)
        .where(push_devices.c.person_id == person_id)
        .order_by(push_devices.c.created_at.desc(), push_devices.c.id.desc())
    )
    return tuple(
        Device(DeviceId(row.id), row.name, row.endpoint_hash, row.created_at, row.last_good_at)
        for row in db.execute(query)
    )


def sealed(db: Session, person_id: PersonId) -> tuple[str, ...]:
    """The sealed addresses of a person's devices."""
    query = select(push_devices.c.sealed).where(push_devices.c.person_id == person_id)
    return tuple(db.scalars(query.order_by(push_devices.c.id)))


def sealed_one(db: Session, person_id: PersonId, device_id: int) -> str | None:
    """The sealed address of one device, if it is this person's."""
    query = select(push_devices.c.sealed).where(
        push_devices.c.id == device_id, push_devices.c.person_id == person_id
    )
    return db.scalars(query).one_or_none()


def having(db: Session, people: Collection[PersonId]) -> frozenset[PersonId]:
    """Those of them who have a device."""
    query = select(push_devices.c.person_id).where(push_devices.c.person_id.in_(list(people)))
    return frozenset(map(PersonId, db.scalars(query.distinct())))


def others(db: Session, person_id: PersonId, mark: str) -> int:
    """How many devices a person has beside this one; their number stays so until the commit."""
    db.execute(select(persons.c.id).where(persons.c.id == person_id).with_for_update())
    query = select(func.count()).where(
        push_devices.c.person_id == person_id, push_devices.c.endpoint_hash != mark
    )
    return db.scalars(query).one()


def put(db: Session, person_id: PersonId, mark: str, sealed: str, name: str, now: datetime) -> None:
    """Take a device, from whomever it was before."""
    values = {"person_id": person_id, "sealed": sealed, "name": name, "created_at": now}
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    db.execute(
        dialect.insert(push_devices)
        .values(endpoint_hash=mark, **values)
        .on_conflict_do_update(
            index_elements=[push_devices.c.endpoint_hash], set_=values | {"last_good_at": None}
        )
    )


def remove(db: Session, person_id: PersonId, device_id: int) -> bool:
    """Forget one device of this person; False when it is not there, or not theirs."""
    gone = delete(push_devices).where(
        push_devices.c.id == device_id, push_devices.c.person_id == person_id
    )
    return db.execute(gone.returning(push_devices.c.id)).first() is not None


def forget(db: Session, marks: Collection[str]) -> None:
    """Forget devices at which nobody is any more."""
    db.execute(delete(push_devices).where(push_devices.c.endpoint_hash.in_(list(marks))))


def note_good(db: Session, marks: Collection[str], now: datetime) -> None:
    """A message reached these devices."""
    those = push_devices.c.endpoint_hash.in_(list(marks))
    db.execute(update(push_devices).where(those).values(last_good_at=now))
