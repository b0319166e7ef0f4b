"""Engines and transactions on SQLite and PostgreSQL, with the settings that lose nothing.

SQLite: autocommit off in the driver, `BEGIN IMMEDIATE` for whoever may write (a deferred BEGIN
that writes later loses updates or fails at once), and a file lock before it, which makes waiting
fair between processes.  Readers have an engine of their own that cannot write.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    OperationalError,
)
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from scheduler.errors import Busy, Conflict, text

__all__ = ["Connection", "Damaged", "Database", "Session"]

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA journal_size_limit=67108864",
)
# PostgreSQL undid the transaction so that another could end: a serialization failure, a deadlock.
_UNDONE = ("40001", "40P01")
# What the two engines say when a teacher or a class would be in two lessons at once.
_OVERLAP_SIGNS = ("two lessons at once", "one_at_a_time")
# SQLite, of a file that lost some of its bytes or has others.
_SPOILT_SIGNS = ("is malformed", "is not a database")


class Damaged(Busy):
    """The database itself cannot be read any more; nobody mends it silently."""

    def __init__(self) -> None:
        super().__init__(
            text(
                "The database is damaged. Stop chungtay and bring the newest backup back: chungtay "
                "restore FILE. Step by step: docs/operations.md, Backups."
            )
        )


class Database:
    """One database: `transaction()` to write, `reading()` to read one consistent state."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.newest_commit = object()  # another one after each transaction of this process
        if self.is_sqlite:
            self.path = Path(make_url(url).database or "")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.lock_path = self.path.with_suffix(".lock")
            self.writer = _sqlite_engine(url, writes=True)
            self.reader = _sqlite_engine(url, writes=False)
        else:
            self.writer = create_engine(
                url, pool_pre_ping=True, pool_size=5, max_overflow=5, hide_parameters=True
            )
            self.reader = self.writer.execution_options(postgresql_readonly=True)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One writing transaction: committed when the block ends well, else undone.

        Raises Busy when the database is locked for too long, Conflict when a teacher or a class
        would be in two lessons at once.
        """
        try:
            with self._fair_turn(), _plain_errors(), Session(self.writer) as db, db.begin():
                yield db
        finally:  # after a fault too: a commit may have come through before the line was lost
            self.newest_commit = object()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """As `transaction`, without a session's bookkeeping: for what runs once a message.

        The connection is taken before the turn, so that others wait only for what is written.
        """
        try:
            with (
                _plain_errors(),
                self.writer.connect() as connection,
                self._fair_turn(),
                connection.begin(),
            ):
                yield connection
        finally:
            self.newest_commit = object()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One reading transaction; what tries to write in it fails."""
        with _plain_errors(), Session(self.reader) as session, session.begin():
            yield session

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """A reading connection for questions about the schema itself."""
        with _plain_errors(), self.reader.connect() as connection:
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Any]:
        """A connection for schema changes, alone on the database.

        SQLite changes a table by making it anew, which its foreign keys must not hinder: whoever
        commits asks `broken_references` first.
        """
        with self._fair_turn(), _plain_errors(), self.writer.connect() as connection:
            if not self.is_sqlite:
                yield connection
                return
            own: Any = connection.connection.driver_connection
            own.execute("PRAGMA foreign_keys=OFF")  # does nothing once a transaction has begun
            try:
                yield connection
            finally:
                connection.rollback()
                own.execute("PRAGMA foreign_keys=ON")

    def broken_references(self, connection: Any) -> bool:
        """Whether some row of a migrated SQLite database refers to one that is not there."""
        return self.is_sqlite and bool(connection.exec_driver_sql("PRAGMA foreign_key_check").all())

    @contextmanager
    def _fair_turn(self) -> Iterator[None]:
        if not self.is_sqlite:
            yield
            return
        with self.lock_path.open("w") as lock:  # closing it gives the lock back
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def close(self) -> None:
        self.writer.dispose()
        self.reader.dispose()


def _sqlite_engine(url: str, *, writes: bool) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": 5, "check_same_thread": False},
        poolclass=QueuePool,
        pool_size=5,
        max_overflow=20,
        hide_parameters=True,  # a fault that is logged must not print names, mails and tokens
    )

    def on_connect(dbapi: Any, _record: object) -> None:
        dbapi.isolation_level = None
        cursor = dbapi.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        if not writes:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    def on_begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if "database is locked" in str(error.orig):
            raise Busy("The database is busy. Try again in a moment.") from error
        if error.statement is None or error.connection_invalidated:  # no line to it, or no more
            raise Busy("The database does not answer. Try again in a moment.") from error
        if getattr(error.orig, "sqlstate", None) in _UNDONE:
            raise Busy("Somebody else changed the same. Try again in a moment.") from error
        raise
    except (IntegrityError, DBAPIError) as error:
        if any(sign in str(error.orig) for sign in _OVERLAP_SIGNS):
            raise Conflict("A teacher or a class would be in two lessons at once.") from error
        if any(sign in str(error.orig) for sign in _SPOILT_SIGNS):
            raise Damaged from error
        raise
