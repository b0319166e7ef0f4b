"""Engines and transactions on SQLite and PostgreSQL, with the settings that lose nothing.

SQLite: autocommit off in the driver, `BEGIN IMMEDIATE` for whoever may write (a deferred BEGIN
that writes later loses updates or fails at once), and a file lock before it, which makes waiting
fair between processes.  Readers have an engine of their own that cannot write.
"""

import fcntl
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolIsEmpty
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from scheduler import clock
from scheduler.domain.vitals import Footprint, Pool
from scheduler.errors import Busy, ChungTayError, Conflict, text
from scheduler.store import lines
from scheduler.store.lines import Lines

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
# A lock or an answer did not come in time: see lines.py.
_WAITED = ("55P03", "57014")
_FULL_SIGNS = ("too many clients", "too many connections", "remaining connection slots")
# What the two engines say when a teacher or a class would be in two lessons at once.
_OVERLAP_SIGNS = ("two lessons at once", "one_at_a_time")
RENEWED = text("Chung Tay is being renewed at this moment. Try again in a minute.")
# The number by which all processes know the lock of migrations.
_MIGRATING = 0x6368756E67746179
MIGRATION_PATIENCE = 60.0  # seconds for another migration to end
_log = logging.getLogger(__name__)
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

    def __init__(self, url: str, own: Lines | None = None) -> None:
        self.url = url
        self.lines = own or Lines()
        # The schema went on without us; who watches that says so here.
        self.moved = False
        self.suspected: Callable[[], bool] | None = None
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.newest_commit = object()  # another one after each transaction of this process
        if self.is_sqlite:
            self.path = Path(make_url(url).database or "")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.lock_path = self.path.with_suffix(".lock")
            self.writer = _sqlite_engine(url, writes=True)
            self.reader = _sqlite_engine(url, writes=False)
        else:
            self.writer = self.lines.engine(url)
            self.reader = self.writer.execution_options(postgresql_readonly=True)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One writing transaction: committed when the block ends well, else undone.

        Raises Busy when the database is locked for too long, Conflict when a teacher or a class
        would be in two lessons at once.
        """
        try:
            with self._fair_turn(), self.plain_errors(), Session(self.writer) as db, db.begin():
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
                self.plain_errors(),
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
        with self.plain_errors(), Session(self.reader) as session, session.begin():
            yield session

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """A reading connection for questions about the schema itself."""
        with _plain_errors(lambda: False), self.reader.connect() as connection:
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Any]:
        """A connection for schema changes, alone on the database.

        SQLite changes a table by making it anew, which its foreign keys must not hinder: whoever
        commits asks `broken_references` first.
        """
        if not self.is_sqlite:
            with _plain_errors(lambda: False), self._apart() as connection:
                yield connection
            return
        with self._fair_turn(), self.plain_errors(), self.writer.connect() as connection:
            own: Any = connection.connection.driver_connection
            own.execute("PRAGMA foreign_keys=OFF")  # does nothing once a transaction has begun
            try:
                yield connection
            finally:
                connection.rollback()
                own.execute("PRAGMA foreign_keys=ON")

    @contextmanager
    def _apart(self) -> Iterator[Connection]:
        """A session of its own, which holds the lock of migrations until it ends."""
        with self.lines.apart(self.url, "migrate").connect() as connection:
            _take_turn(connection)
            try:
                yield connection
            finally:
                connection.rollback()
                with suppress(DBAPIError):  # the lock ends with the session anyway
                    connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_MIGRATING})")

    def room(self) -> tuple[int, int]:
        """Of PostgreSQL: the connections it gives us, and the processes of ours that have some."""
        with self.looking() as connection:
            found = lines.room(connection)
        return found.room, found.processes

    def listener(self) -> Any:
        """The driver's connection for one who listens: a session of its own, out of the pool."""
        pooled = self.lines.apart(self.url).raw_connection()
        driver = pooled.driver_connection
        pooled.detach()
        return driver

    def broken_references(self, connection: Any) -> bool:
        """Whether some row of a migrated SQLite database refers to one that is not there."""
        return self.is_sqlite and bool(connection.exec_driver_sql("PRAGMA foreign_key_check").all())

    def plain_errors(self) -> AbstractContextManager[None]:
        """Faults of the database become sentences, where there is one for them."""
        return _plain_errors(lambda: self.suspected() if self.suspected else self.moved)

    @contextmanager
    def _fair_turn(self) -> Iterator[None]:
        if not self.is_sqlite:
            yield
            return
        with self.lock_path.open("w") as lock:  # closing it gives the lock back
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def pools(self) -> tuple[Pool, ...]:
        """How many connections of this process are lent at this moment."""
        named = {self.reader.pool: "reader" if self.is_sqlite else "all"}
        named.setdefault(self.writer.pool, "writer")
        return tuple(
            Pool(name, pool.checkedout(), pool.size() + pool._max_overflow)
            for pool, name in named.items()
            if isinstance(pool, QueuePool)
        )

    def wal(self) -> int | None:
        """Octets of what was written and is not yet in the file of SQLite; None on PostgreSQL."""
        return _octets(self.path.with_name(f"{self.path.name}-wal")) if self.is_sqlite else None

    def footprint(self) -> Footprint:
        """What it takes on the disk; raises Busy when it does not answer."""
        if self.is_sqlite:
            return Footprint(_octets(self.path), self.wal())
        with self.looking() as connection:
            size = connection.exec_driver_sql("SELECT pg_database_size(current_database())")
            return Footprint(int(size.scalar_one()), None)

    def close(self) -> None:
        self.writer.dispose()
        self.reader.dispose()


def _octets(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sqlite_engine(url: str, *, writes: bool) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": 5, "check_same_thread": False},
        poolclass=QueuePool,
        pool_size=5,
        max_overflow=20,
        pool_timeout=lines.WAIT,
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


def _take_turn(connection: Connection) -> None:
    """The lock of migrations, for this session; raises Busy when another keeps it too long."""
    asked, waited = clock.monotonic(), False
    wanted = f"SELECT pg_try_advisory_lock({_MIGRATING})"
    while not connection.exec_driver_sql(wanted).scalar_one():
        connection.rollback()
        if not waited:
            _log.warning("another migration is under way; this one waits for its end")
        waited = True
        if clock.monotonic() - asked > MIGRATION_PATIENCE:
            raise Busy("Another migration is under way. Try again when it has ended.")
        time.sleep(0.1)
    connection.commit()  # the lock is the session's


@contextmanager
def _plain_errors(moved: Callable[[], bool]) -> Iterator[None]:
    try:
        yield
    except PoolIsEmpty as error:
        raise Busy("Too many people at once. Try again in a moment.") from error
    except DBAPIError as error:
        plain = _plain(error)
        if plain is None and moved():
            plain = Busy(RENEWED)
        if plain is None:
            raise
        raise plain from error


def _plain(error: DBAPIError) -> ChungTayError | None:
    """What a person is told of it; None of what nobody foresaw."""
    said, state = str(error.orig), getattr(error.orig, "sqlstate", None)
    if any(sign in said for sign in _OVERLAP_SIGNS):
        return Conflict("A teacher or a class would be in two lessons at once.")
    if any(sign in said for sign in _SPOILT_SIGNS):
        return Damaged()
    if "database is locked" in said or state in _WAITED:
        return Busy("The database is busy. Try again in a moment.")
    if any(sign in said for sign in _FULL_SIGNS):
        return Busy("The database takes no more connections. Try again in a moment.")
    unsaid = isinstance(error, OperationalError) and error.statement is None
    if unsaid or error.connection_invalidated:  # no line to it, or no more
        return Busy("The database does not answer. Try again in a moment.")
    if state in _UNDONE:
        return Busy("Somebody else changed the same. Try again in a moment.")
    return None
