"""More programmes of the same size in one database: copies of all that is the first one's.

The database copies by itself, so that a hundred programmes of 2,000 lessons take a minute or two.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from scheduler.services.context import Context
from scheduler.store import tables
from scheduler.store.database import Session

STEP = 1_000_000  # between the number of a row and that of its copy
# What is not a programme's, what no second one may have, and bodies that would fill the disk.
LEFT_OUT = {
    "access_tokens", "address_changes", "audit_origins", "audit_seals", "audits", "authenticators",
    "buckets", "busy_sources", "feed_bodies", "invitations", "kept_answers", "passkeys",
    "push_devices", "recovery_codes", "relays", "sessions", "sign_ins", "switches", "uploads",
    "webhook_deliveries", "webhook_endpoints", "webhook_secrets", "workers",
}  # fmt: skip
# No two rows may have the same there: some begin with the copy's number, in some it stands where
# the first letters were.
BEGINNING = {("persons", "email"), ("programmes", "code"), ("outbox", "key")}
INSTEAD = {
    ("lessons", "uid"), ("lessons", "join_token"), ("joint_sessions", "uid"),
    ("joint_sessions", "join_token"), ("feed_links", "token_hash"), ("certificates", "code"),
}  # fmt: skip
NUMBERS = {("feeds", "owner_id")}  # of rows, though no foreign key says so


def multiply(ctx: Context, numbers: Iterable[int]) -> None:
    """A copy of the first programme for each of the numbers, from 1 to 999; the rows of a copy have
    STEP times its number more than the first one's."""
    for number in numbers:
        with ctx.transaction() as db:
            for table in _copied():
                db.execute(_copy(table, number))
    with ctx.transaction() as db:
        _settle(db, sqlite=ctx.database.is_sqlite)


def _copied() -> Iterator[sa.Table]:
    return (each for each in tables.metadata.sorted_tables if each.name not in LEFT_OUT)


def _copy(table: sa.Table, number: int) -> sa.Insert:
    values = {column.name: _value(column, number) for column in table.c}
    first = next(iter(table.primary_key.columns))
    rows = sa.select(*values.values()).where(first <= STEP)
    return table.insert().from_select(list(values), rows)


def _value(column: sa.Column[Any], number: int) -> sa.ColumnElement[Any]:
    place, shift = (column.table.name, column.name), number * STEP
    if column.foreign_keys or column.name == "id" or place in NUMBERS:
        return column + shift
    if place in BEGINNING:
        return sa.literal(f"{number}.") + column
    if place in INSTEAD:
        # with a letter that no hash has: "012" might be how an original begins
        return sa.literal(f"z{number:03}") + sa.func.substr(column, 5)
    return column


def _settle(db: Session, *, sqlite: bool) -> None:
    """New rows get numbers after the last, and the planner learns how many there are by now."""
    if not sqlite:
        for table in _copied():
            if "id" in table.c:
                last = f"SELECT max(id) FROM {table.name}"
                told = f"setval(pg_get_serial_sequence('{table.name}', 'id'), ({last}))"
                db.execute(sa.text(f"SELECT {told}"))
    db.execute(sa.text("ANALYZE"))
