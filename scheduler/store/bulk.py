"""Many rows of one table in one statement."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table, bindparam, delete, insert, update
from sqlalchemy.orm import Session

Rows = list[dict[str, Any]]


def add(db: Session, table: Table, rows: Rows) -> None:
    """Insert rows, all of the same columns."""
    if rows:
        db.execute(insert(table), rows)


def change(db: Session, table: Table, rows: Rows) -> None:
    """Update rows by their `id`, all of the same columns."""
    if not rows:
        return
    places: dict[str, Any] = {name: bindparam(f"new_{name}") for name in rows[0] if name != "id"}
    db.execute(
        update(table).where(table.c.id == bindparam("row_id")).values(places),
        [
            {"row_id" if name == "id" else f"new_{name}": value for name, value in row.items()}
            for row in rows
        ],
    )


def forget(db: Session, table: Table, column: str, parents: Iterable[int]) -> None:
    """Delete the children of some parents, found by `column`."""
    gone = list(parents)
    if gone:
        db.execute(delete(table).where(table.c[column].in_(gone)))
