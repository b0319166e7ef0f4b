"""What tokens lead to, remembered for seconds while PostgreSQL tells of every change.

A thread listens on a connection of its own for the notes that triggers send at each commit
(migration 0007).  What is promised, when a link is ended or a feed changes:

- in the process that wrote it, nothing older is said once its transaction has returned;
- in every other, as soon as the note has come, a millisecond or so after COMMIT;
- when notes no longer come and the line does not say so, `LIFETIME` after the last proof of it;
- while nobody listens nothing is remembered, and every question is a read.
"""

import logging
import selectors
import socket
import threading
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from scheduler import clock
from scheduler.store.database import Database

LIFETIME = 5.0  # seconds
BEAT = 1.0  # between proofs that the line still stands
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
MOST_KNOWN = 10_000

_NEVER = float("-inf")
_LISTEN = "LISTEN chungtay_feeds"
_log = logging.getLogger(__name__)

Value = TypeVar("Value")
Key = tuple[str, date]
_Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Standing:
    """What was the newest change when a read began; a note or a commit since makes another."""

    note: object
    commit: object


@dataclass(frozen=True, slots=True)
class _Kept(Generic[Value]):
    value: Value
    standing: Standing
    until: float


class Cache(Generic[Value]):
    """Values read from the database: `standing`, then read, then `put`.

    Any thread may ask; `get` waits for nothing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[Key, _Kept[Value]] = {}
        self._note = object()
        self._proved = _NEVER
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ringer: socket.socket | None = None  # closing it ends the thread

    def get(self, key: Key) -> Value | None:
        """The value, as long as nothing was said to have changed."""
        kept = self._known.get(key)
        if kept is None or clock.monotonic() >= kept.until:
            return None
        # The note is not compared: whoever hears one empties the whole.
        return kept.value if kept.standing.commit is self._database.newest_commit else None

    def standing(self) -> Standing:
        """Ask for it before the read whose value is to be put."""
        return Standing(self._note, self._database.newest_commit)

    def put(self, key: Key, value: Value, standing: Standing) -> None:
        """Remember what was read, unless something changed while it was being read."""
        with self._lock:
            if standing.note is not self._note or self._proved == _NEVER:
                return
            self._known.pop(key, None)
            if len(self._known) >= MOST_KNOWN:
                # Within a lifetime the first one put is as good as the one asked for longest ago.
                del self._known[next(iter(self._known))]
            self._known[key] = _Kept(value, standing, self._proved + LIFETIME)

    def _forget(self, proved: float) -> None:
        with self._lock:
            self._note = object()
            self._proved = proved
            self._known.clear()

    # -- the thread that listens

    def start(self) -> None:
        """Begin to listen; doing so again does nothing.  Until it has begun nothing is kept.

        Behind a pooler that is all there is nobody listens, and nothing is.
        """
        with self._lock:
            if self._thread is None and self._database.lines.direct:
                bell, self._ringer = socket.socketpair()
                self._thread = threading.Thread(
                    target=self._listen, args=[bell], name="feeds", daemon=True
                )
                self._thread.start()

    def stop(self) -> None:
        """Have the thread end, without waiting for it."""
        if self._ringer is not None:
            self._ringer.close()

    def close(self) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join(LIFETIME)

    def _listen(self, bell: socket.socket) -> None:
        wait = 0.0
        with bell, selectors.DefaultSelector() as ringing:
            ringing.register(bell, selectors.EVENT_READ)
            while not ringing.select(wait):
                try:
                    with closing(self._connected()) as connection:
                        wait = 0.0
                        self._follow(connection, bell)
                except (psycopg.Error, SQLAlchemyError, OSError) as error:
                    _log.warning("Changes of feeds are not heard: %s", type(error).__name__)
                    wait = min(max(2 * wait, FIRST_WAIT), LONGEST_WAIT)
                finally:
                    self._forget(_NEVER)

    def _connected(self) -> _Connection:
        """A connection that listens; nothing committed from now on goes unheard."""
        connection = self._database.listener()
        assert isinstance(connection, psycopg.Connection)  # noqa: S101 - the only driver we name
        connection.autocommit = True
        connection.add_notify_handler(lambda _note: self._forget(self._proved))
        asked = clock.monotonic()
        connection.execute(_LISTEN)
        self._forget(asked)
        return connection

    def _follow(self, connection: _Connection, bell: socket.socket) -> None:
        """Until the bell rings; raises OperationalError when the line is lost."""
        with selectors.DefaultSelector() as selector:
            selector.register(bell, selectors.EVENT_READ)
            selector.register(connection, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select(BEAT)}
                if bell in ready:
                    return
                if connection in ready:
                    self._hear(connection)
                if clock.monotonic() >= self._proved + BEAT:
                    asked = clock.monotonic()
                    connection.execute("SELECT 1")  # notes that come along go to the handler
                    self._proved = asked

    def _hear(self, connection: _Connection) -> None:
        connection.pgconn.consume_input()
        while connection.pgconn.notifies() is not None:
            self._forget(self._proved)
