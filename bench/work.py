"""What a page asks of the database, seen from outside: statements, and the rows they read."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from scheduler.services.context import Context

# Nodes of a plan that only hand on what was read below them.
_NO_TABLE = ("Subquery Scan", "CTE Scan", "Function Scan", "Values Scan", "WorkTable Scan")


@dataclass
class Asked:
    """Statements with what was given to them, in order."""

    statements: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def queries(self) -> int:
        return len(self.statements)

    @property
    def looks(self) -> list[tuple[str, Any]]:
        """Those that change nothing."""
        return [each for each in self.statements if _only_looks(each[0])]


def _only_looks(statement: str) -> bool:
    words = statement.upper().split()
    return words[0] in ("SELECT", "WITH") and not {"UPDATE", "INSERT", "DELETE"} & set(words)


@contextmanager
def watched(ctx: Context) -> Iterator[Asked]:
    """What is asked of the database in the block, by any thread of this process."""
    asked = Asked()

    def note(_line: object, _cursor: object, statement: str, given: Any, *_more: object) -> None:
        if not statement.startswith("BEGIN"):
            asked.statements.append((statement, given))

    engines = _engines(ctx)
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_cursor_execute", note)


def _engines(ctx: Context) -> set[sa.Engine]:
    """On PostgreSQL the reader is the writer by another name, and hears of all that it hears of."""
    database = ctx.database
    return {database.writer, database.reader} if database.is_sqlite else {database.writer}


def rows_read(ctx: Context, asked: Asked) -> int:
    """How many rows of tables PostgreSQL reads for those looks, those it then throws away too."""
    return sum(rows for _, rows in each_read(ctx, asked))


def each_read(ctx: Context, asked: Asked) -> Iterator[tuple[str, int]]:
    """Each look of them, and the rows it reads."""
    with ctx.database.reader.connect() as line:
        for statement, given in asked.looks:
            told = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}"
            found: Any = line.exec_driver_sql(told, given).scalar_one()
            yield statement, round(_read(found[0]["Plan"]))


def _read(node: dict[str, Any]) -> float:
    below = sum(_read(each) for each in node.get("Plans", ()))
    kind = node["Node Type"]
    if not kind.endswith("Scan") or kind in _NO_TABLE or kind == "Bitmap Index Scan":
        return below
    seen = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return below + sum(node.get(name, 0) for name in seen) * node["Actual Loops"]


def steps(ctx: Context, act: Callable[[], object]) -> int:
    """How many steps SQLite's machine takes for what is done in the block, whatever the clock says:
    the same today and tomorrow, and more for each row that is looked at."""
    count = 0

    def one_more() -> int:
        nonlocal count
        count += 1
        return 0

    def watch(line: Any, _record: object, _proxy: object) -> None:
        line.set_progress_handler(one_more, 1)

    def leave(line: Any, _record: object) -> None:
        line.set_progress_handler(None, 1)

    engines = _engines(ctx)
    for engine in engines:
        sa.event.listen(engine, "checkout", watch)
        sa.event.listen(engine, "checkin", leave)
    try:
        act()
    finally:
        for engine in engines:
            sa.event.remove(engine, "checkout", watch)
            sa.event.remove(engine, "checkin", leave)
    return count


def milliseconds(act: Callable[[], object]) -> tuple[float, float]:
    """On the wall's clock, and of this process' CPU."""
    wall, used = time.perf_counter(), time.process_time()
    act()
    return (time.perf_counter() - wall) * 1000, (time.process_time() - used) * 1000
