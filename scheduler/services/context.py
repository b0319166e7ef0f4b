"""What every use case is given: settings, database, clock and key."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from scheduler import config
from scheduler.clock import Clock, FastClock, ShiftedClock, SystemClock
from scheduler.config import Settings
from scheduler.store.database import Connection, Database, Session
from scheduler.store.lines import Lines


@dataclass(frozen=True, slots=True)
class Context:
    settings: Settings
    database: Database
    clock: Clock
    key: bytes = field(repr=False)
    former_keys: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The key that signs and seals, then those whose work is still read."""
        return self.key, *self.former_keys

    def now(self) -> datetime:
        """The programme's present instant, in UTC."""
        return self.clock.now()

    def transaction(self) -> AbstractContextManager[Session]:
        """One writing transaction of a use case."""
        return self.database.transaction()

    def writing(self) -> AbstractContextManager[Connection]:
        """As `transaction`, for the few statements that run once a message."""
        return self.database.writing()

    def reading(self) -> AbstractContextManager[Session]:
        """One consistent look at the database."""
        return self.database.reading()


def open_database(settings: Settings, role: str) -> Database:
    lines = Lines(
        most=settings.database_pool,
        pooler=settings.database_pooler,
        direct_url=settings.direct_database,
        role=role,
    )
    return Database(settings.database, lines)


def open_context(settings: Settings, role: str = "command") -> Context:
    """Everything a process needs; the schema is not touched.

    PostgreSQL shows `role` to whoever asks it who is connected.
    """
    clock = _clock(settings)
    key, former = config.secret_key(settings), config.former_keys(settings)
    return Context(settings, open_database(settings, role), clock, key, former)


def _clock(settings: Settings) -> Clock:
    if settings.clock is None:
        return SystemClock()
    since = settings.clock_since or SystemClock().now()
    if settings.clock_speed == 1:  # a sum costs less than a product, and calendars ask often
        return ShiftedClock(settings.clock - since)
    return FastClock(settings.clock, since, settings.clock_speed)
