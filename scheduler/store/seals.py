"""Every text in the database that only a secret key opens, wherever it stands."""

from typing import NamedTuple

from sqlalchemy import Column, Table, select, update
from sqlalchemy.orm import Session

from scheduler.store.tables import authenticators, busy_sources, push_devices

_SEALED: tuple[Column[str], ...] = (
    push_devices.c.sealed,
    busy_sources.c.sealed_address,
    authenticators.c.sealed_secret,
)


class Sealed(NamedTuple):
    """A sealed text, and where it stands."""

    place: str
    row_id: int
    text: str


def every(db: Session) -> tuple[Sealed, ...]:
    found: list[Sealed] = []
    for column in _SEALED:
        key = _key(column)
        rows = db.execute(select(key, column).order_by(key))
        found += (Sealed(_table(column).name, row_id, sealed) for row_id, sealed in rows)
    return tuple(found)


def renew(db: Session, was: Sealed, becomes: str) -> bool:
    """False when it has become another text since, or has gone."""
    column = next(each for each in _SEALED if _table(each).name == was.place)
    key = _key(column)
    still = (key == was.row_id, column == was.text)
    changed = update(_table(column)).where(*still).values({column.name: becomes}).returning(key)
    return db.execute(changed).first() is not None


def _key(column: Column[str]) -> Column[int]:
    (key,) = _table(column).primary_key
    return key


def _table(column: Column[str]) -> Table:
    assert isinstance(column.table, Table)  # noqa: S101 - those above are columns of tables
    return column.table
