"""Writing a term's lessons, 100,000 rows, beside what the driver itself does with rows made ready:
executemany on SQLite, COPY on PostgreSQL.  `python -m bench.writing`, about a minute.

Ours is what a publication does: from placements on the term's wall to rows with keys, in Core
inserts.  Both write into the same table with its indexes and its guard against two lessons at once.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa

from bench.feeds import postgresql
from bench.rows import Row, alone, peer, tell
from scheduler import config
from scheduler.clock import SystemClock
from scheduler.domain.plans import Change, ChangeKind, Placement
from scheduler.domain.requests import RequestId
from scheduler.domain.terms import Term
from scheduler.services.context import Context
from scheduler.store import migrations, tables, terms, timetable
from scheduler.store.database import Database
from tests.cast import FIRST, T0, Cast, gather

LESSONS = 100_000
CLASSES = 500  # each with a teacher of its own
DAYS, BELLS = 100, (450, 505)  # two lessons a day of each
ROUNDS = 3
COLUMNS = (
    "uid", "join_token", "term_id", "request_id", "class_id", "teacher_id", "state", "starts_at",
    "ends_at", "sequence", "created_at", "changed_at", "cancel_reason", "cancelled_by",
)  # fmt: skip
Values = tuple[Any, ...]


@dataclass(frozen=True)
class Term100:
    """A term of as many lessons, none written yet."""

    ctx: Context
    term: Term
    changes: tuple[Change, ...]


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name, postgresql() as url:
        for engine, address, goal in (
            ("SQLite", f"sqlite:///{Path(name) / 'bench.db'}", 0.6),
            ("PostgreSQL", url, 0.4),
        ):
            yield compared(engine, ready(Path(name), address), goal)


def ready(folder: Path, url: str) -> Term100:
    database = Database(url)
    migrations.upgrade(database)
    settings = config.load(_env_file=None, var_dir=folder, database_url=url)
    ctx = Context(settings, database, SystemClock(), b"k" * 32)
    cast = gather(ctx)
    with ctx.transaction() as db:
        last = FIRST + timedelta(days=DAYS)
        db.execute(sa.update(tables.terms).values(last_day=last))
        places = [_place(db, cast, number) for number in range(CLASSES)]
        term = terms.get(db, cast["term"])
    assert term is not None
    placed = [
        Placement(request, FIRST + timedelta(days=day), start, start + 45, teacher)
        for request, teacher in places
        for day in range(DAYS)
        for start in BELLS
    ]
    random.Random(1).shuffle(placed)
    changes = (Change(ChangeKind.ADDED, None, each) for each in placed[:LESSONS])
    return Term100(ctx, term, tuple(changes))


def _place(db: Any, cast: Cast, number: int) -> tuple[RequestId, Any]:
    """A class with a request, and somebody to teach it."""

    def made(table: sa.Table, **values: object) -> int:
        return int(db.scalar(table.insert().values(**values).returning(table.c.id)))

    person = made(
        tables.persons, email=f"n{number}@x.example", name="Lan", phone="", language="vi",
        active=True, reminders=True, created_at=T0,
    )  # fmt: skip
    donor = db.scalar(sa.select(tables.donor_schools.c.id))
    teacher = made(
        tables.teachers, programme_id=cast["programme"], person_id=person, donor_school_id=donor
    )
    own = made(
        tables.classes, school_id=cast["A"], name=f"n{number}", level="lower_secondary", pupils=30
    )
    request = made(
        tables.requests, class_id=own, term_id=cast["term"], number=1, lessons_per_week=6,
        first_day=FIRST, last_day=FIRST + timedelta(days=DAYS), priority=1, created_at=T0,
    )  # fmt: skip
    return RequestId(request), teacher


def compared(engine: str, about: Term100, goal: float) -> Row:
    """Ours and the floor's in turn, each into an empty table; the floor writes what ours wrote."""
    found = []
    for _ in range(ROUNDS):
        ours = _ours(about)
        values = _written(about.ctx)
        floor = _floor(about.ctx, values)
        tell(f"{engine}: ours {ours:,.0f} a second, floor {floor:,.0f}")
        found.append((ours, floor))
    _empty(about.ctx)
    ours, floor = (median(side) for side in zip(*found, strict=True))
    share = median(ours / floor for ours, floor in found)
    name = "executemany" if about.ctx.database.is_sqlite else "COPY"
    return Row(
        f"{engine}: {len(about.changes):,} lessons of a term written",
        f"{ours:,.0f} a second, {share:.2f} × {name}",
        f"≥ {goal:g} × {name}",
        share >= goal,
        peer(name, f"{floor:,.0f} a second"),
        engine.lower(),
    )


def _ours(about: Term100) -> float:
    _empty(about.ctx)
    began = time.perf_counter()
    with about.ctx.transaction() as db:
        timetable.apply(db, about.term, about.changes, {}, about.ctx.now(), "")
    return len(about.changes) / (time.perf_counter() - began)


def _written(ctx: Context) -> list[Values]:
    """As the driver has it, so that nothing is left to be made of it."""
    with ctx.database.looking() as line:
        query = f"SELECT {', '.join(COLUMNS)} FROM lessons"
        return [tuple(row) for row in line.exec_driver_sql(query)]


def _floor(ctx: Context, values: Sequence[Values]) -> float:
    _empty(ctx)
    names = ", ".join(COLUMNS)
    with ctx.database.writer.connect() as pooled:
        line: Any = pooled.connection.driver_connection
        began = time.perf_counter()
        if ctx.database.is_sqlite:
            line.execute("BEGIN IMMEDIATE")
            marks = ", ".join("?" * len(COLUMNS))
            line.executemany(f"INSERT INTO lessons ({names}) VALUES ({marks})", values)
        else:
            with line.cursor() as cursor, cursor.copy(f"COPY lessons ({names}) FROM STDIN") as copy:
                for each in values:
                    copy.write_row(each)
        line.commit()
        return len(values) / (time.perf_counter() - began)


def _empty(ctx: Context) -> None:
    """Without looking for each lesson whether another one joins it, which takes the square."""
    with ctx.database.migrating() as line:
        sqlite = ctx.database.is_sqlite
        line.exec_driver_sql("DELETE FROM lessons" if sqlite else "TRUNCATE lessons CASCADE")
        line.commit()


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows))
