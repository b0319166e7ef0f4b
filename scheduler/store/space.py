"""Room on the disk, and transactions that keep it from being given back.

What a full disk makes of a statement is told apart from faults, on both engines: nothing was
written, and the same call goes through when there is room again.  On SQLite a reading transaction
that never ends keeps the log of newer writes from being emptied, so such a one is ended.
"""

import shutil
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.pool import Pool

from scheduler import clock
from scheduler.domain.vitals import Disk
from scheduler.errors import Busy, ChungTayError, Full, text
from scheduler.store.database import Database

LONGEST_READING = 30.0  # seconds
_TO_END = 0.1  # seconds for a reader whose statement was ended
_DISK_FULL = "53100"  # PostgreSQL, of its own disk
_NO_ROOM = 1024 * 1024  # octets: where less is free, SQLite's "I/O error" is about room
_open: dict[int, tuple[Connection, Any, float]] = {}  # by connection: what it reads by, since when
_ended: set[int] = set()  # connections of the driver that were taken from their readers


def disk(folder: Path) -> Disk:
    """The one that holds the folder, or will."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    found = shutil.disk_usage(there)
    return Disk(found.free, found.total)


# -- a full disk


@event.listens_for(Engine, "handle_error")
def _tell(context: ExceptionContext) -> None:
    error = _meant(context)
    if error is not None:
        raise error from context.original_exception


def _meant(context: ExceptionContext) -> ChungTayError | None:
    said = str(context.original_exception)
    full = getattr(context.original_exception, "sqlstate", None) == _DISK_FULL
    if "disk is full" in said or ("disk I/O error" in said and _is_full(context.engine)):
        full = True
    if full:
        return Full(text("The disk is full: nothing can be changed for now. Reading goes on."))
    if said == "interrupted":
        return Busy("This took too long and was ended. Try again in a moment.")
    return None


def _is_full(engine: Engine | None) -> bool:
    return engine is not None and disk(Path(engine.url.database or "").parent).free < _NO_ROOM


# -- readers that are stuck


@event.listens_for(Engine, "begin")
def _begun(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        _open[id(connection)] = connection, driver, clock.monotonic()


@event.listens_for(Engine, "commit")
@event.listens_for(Engine, "rollback")
def _over(connection: Connection) -> None:
    _open.pop(id(connection), None)


@event.listens_for(Pool, "checkin")
def _given_back(driver: Any, _record: object) -> None:
    if id(driver) in _ended:
        driver.set_progress_handler(None, 0)
        _ended.discard(id(driver))


def end_stuck(database: Database) -> int:
    """End this process's readings of SQLite that go on for too long; returns how many.

    Whoever reads on is told to try again.  PostgreSQL ends such transactions itself.
    """
    before = clock.monotonic() - LONGEST_READING
    stuck = [
        each
        for each in list(_open.values())
        if each[2] < before and each[0].engine.pool is database.reader.pool
    ]
    for _, driver, _ in stuck:
        driver.interrupt()  # the statement that runs, if one does: its reader then ends by itself
    if stuck:
        time.sleep(_TO_END)
    for each in stuck:
        if _open.get(id(each[0])) is each:
            _take_from(each[1])
    return len(stuck)


def _take_from(driver: sqlite3.Connection) -> None:
    """Who does nothing with its transaction loses it, and is told so by its next statement.

    From another thread, which SQLite allows: its lock is taken call by call.
    """
    _ended.add(id(driver))
    with suppress(sqlite3.OperationalError):  # it has come to its end just now
        driver.rollback()
    driver.set_progress_handler(lambda: 1, 1)
