"""Playing a history of steps again and again from the same beginning, and making it shorter."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from scheduler.services.context import Context
from scheduler.store import tables

Step = TypeVar("Step")
Kept = Mapping[sa.Table, Sequence[Mapping[str, Any]]]


def keep(ctx: Context) -> Kept:
    """Everything that the database holds."""
    with ctx.reading() as db:
        return {t: [r._asdict() for r in db.execute(sa.select(t))]
                for t in tables.metadata.sorted_tables}  # fmt: skip


def put_back(ctx: Context, found: Kept) -> None:
    """As it was: also the record, which nothing but a test's own beginning may take away."""
    with ctx.transaction() as db:
        for table in ("audits", "audit_seals"):
            one_way = {
                True: f"DROP TRIGGER IF EXISTS {table}_delete",
                False: f"DROP TRIGGER IF EXISTS {table}_kept ON {table}",
            }
            db.execute(sa.text(one_way[ctx.database.is_sqlite]))
        for table in reversed(tables.metadata.sorted_tables):
            db.execute(table.delete())
        for table, rows in found.items():
            if rows:
                db.execute(table.insert(), rows)


def shortest(play: Callable[[list[Step]], str | None], steps: list[Step]) -> list[Step]:
    """The history without the steps that its fault does not need."""
    size = len(steps) // 2
    while size:
        start = 0
        while start < len(steps):
            fewer = steps[:start] + steps[start + size :]
            if play(fewer):
                steps = fewer
            else:
                start += size
        size //= 2
    return steps
