"""Every text in the database that only a secret key opens, wherever it stands."""

from typing import NamedTuple

from sqlalchemy import Column, Table, select, update
from sqlalchemy.orm import Session

from scheduler.store.tables import (
    authenticators,
    busy_sources,
    push_devices,
    webhook_endpoints,
    webhook_secrets,
)

_SEALED: dict[Table, Column[str]] = {
    push_devices: push_devices.c.sealed,
    busy_sources: busy_sources.c.sealed_address,
    authenticators: authenticators.c.sealed_secret,
    webhook_endpoints: webhook_endpoints.c.sealed_address,
    webhook_secrets: webhook_secrets.c.sealed,
}


class Sealed(NamedTuple):
    """A sealed text, and where it stands."""

    place: str
    row_id: int
    text: str


def every(db: Session) -> tuple[Sealed, ...]:
    found: list[Sealed] = []
    for table, column in _SEALED.items():
        key = _key(table)
        rows = db.execute(select(key, column).order_by(key))
        found += (Sealed(table.name, row_id, sealed) for row_id, sealed in rows)
    return tuple(found)


def renew(db: Session, was: Sealed, becomes: str) -> bool:
    """False when it has become another text since, or has gone."""
    table = next(each for each in _SEALED if each.name == was.place)
    key, column = _key(table), _SEALED[table]
    still = (key == was.row_id, column == was.text)
    changed = update(table).where(*still).values({column.name: becomes}).returning(key)
    return db.execute(changed).first() is not None


def _key(table: Table) -> Column[int]:
    (key,) = table.primary_key
    return key
