"""Secret links to feeds: made, listed, ended, and looked up by the hash of their token.

The look-up is the one path where each microsecond counts (PERFORMANCE.md): on SQLite one prepared
read on a connection of its own, past the pool and the session; on PostgreSQL none, as long as
nothing has changed.
"""

import weakref
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Dialect, Row, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain.calendars import FeedKey, FeedLink
from scheduler.store.database import Database
from scheduler.store.feed_cache import MOST_KNOWN, Cache
from scheduler.store.feeds import key_of
from scheduler.store.tables import feed_bodies, feed_links, feeds, persons

_LOOK_UP = (
    select(
        feed_links.c.id,
        feed_links.c.feed_id,
        feed_links.c.revoked_at,
        feed_links.c.farewell,
        feeds.c.etag,
        feeds.c.changed_at,
        feeds.c.dirty,
        feeds.c.rendered_week,
        feeds.c.language,
    )
    .join(feeds, feed_links.c.feed_id == feeds.c.id)
    .join(persons, feed_links.c.person_id == persons.c.id)
    .where(feed_links.c.token_hash == bindparam("token"), persons.c.active == bindparam("active"))
)
_BODY = (
    select(feeds.c.etag, feeds.c.changed_at, feed_bodies.c.body)
    .join(feed_bodies, feed_bodies.c.feed_id == feeds.c.id)
    .where(feeds.c.id == bindparam("feed"))
)
MOST_BODIES = 500


@dataclass(frozen=True, slots=True)
class Found:
    """What a token leads to; `fresh` says that the stored body is that of today.

    `farewell`: whoever ended the link wanted a last event in its place.
    """

    link_id: int
    feed_id: int
    revoked_at: datetime | None
    farewell: bool
    etag: str | None
    changed_at: datetime | None
    fresh: bool
    language: str


@dataclass(frozen=True, slots=True)
class StoredBody:
    etag: str
    changed_at: datetime
    packed: bytes


def add(
    db: Session, *, feed_id: int, person_id: int, name: str, token_hash: str, now: datetime
) -> int:
    made = db.execute(
        insert(feed_links)
        .values(
            feed_id=feed_id,
            person_id=person_id,
            name=name,
            token_hash=token_hash,
            created_at=now,
            reads=0,
            client="",
        )
        .returning(feed_links.c.id)
    )
    return int(made.scalar_one())


def of_person(db: Session, person_id: int) -> tuple[FeedLink, ...]:
    """The live links of a person, the oldest first."""
    rows = db.execute(
        select(feed_links, *(feeds.c[field.name] for field in fields(FeedKey)))
        .join(feeds, feed_links.c.feed_id == feeds.c.id)
        .where(feed_links.c.person_id == person_id, feed_links.c.revoked_at.is_(None))
        .order_by(feed_links.c.id)
    )
    return tuple(map(_link, rows))


def revoke(
    db: Session, link_id: int, person_id: int, now: datetime, *, farewell: bool = False
) -> bool:
    """End a link of this person; False when there is no live one of that id."""
    done = db.execute(
        update(feed_links)
        .where(
            feed_links.c.id == link_id,
            feed_links.c.person_id == person_id,
            feed_links.c.revoked_at.is_(None),
        )
        .values(revoked_at=now, farewell=farewell)
        .returning(feed_links.c.id)
    )
    return done.first() is not None


def revoke_all(db: Session, person_id: int, now: datetime, but: Collection[int] = ()) -> None:
    """End a person's links, all or all but these: in the transaction that takes a role away."""
    live = (feed_links.c.person_id == person_id, feed_links.c.revoked_at.is_(None))
    some = update(feed_links).where(*live, feed_links.c.id.not_in(list(but)))
    db.execute(some.values(revoked_at=now))


def stamp_reads(db: Session, reads: Mapping[int, tuple[int, datetime, str]]) -> None:
    """Add to each link its number of reads, and note the last one's time and client."""
    if not reads:
        return
    db.execute(
        update(feed_links)
        .where(feed_links.c.id == bindparam("link"))
        .values(
            reads=feed_links.c.reads + bindparam("more"),
            last_read_at=bindparam("at"),
            client=bindparam("by"),
        )
        .execution_options(synchronize_session=False),
        [
            {"link": link, "more": more, "at": at, "by": by}
            for link, (more, at, by) in sorted(reads.items())
        ],
    )


def _link(row: Row[Any]) -> FeedLink:
    return FeedLink(
        id=row.id,
        key=key_of(row),
        name=row.name,
        created_at=row.created_at,
        last_read_at=row.last_read_at,
        reads=row.reads,
        client=row.client,
    )


class Reader:
    """Looks tokens up.

    On SQLite (`quick`) an answer takes microseconds and is had on the caller's thread: while
    SQLite's count of other connections' commits stands still, so do the answers.  On PostgreSQL
    `remembered` and `kept_body` answer at once or not at all; feed_cache.py says what is promised.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.quick = database.is_sqlite
        # One statement a read: a transaction around it would be two more trips.
        self._engine = database.reader.execution_options(isolation_level="AUTOCOMMIT")
        dialect: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
        if self.quick:
            dialect = sqlite.dialect(paramstyle="named")
        self._look_up = str(_LOOK_UP.compile(dialect=dialect))
        self._body = str(_BODY.compile(dialect=dialect))
        self._own: Any = None
        self._commits = -1
        self._known: dict[tuple[str, date], Found] = {}
        self._bodies: dict[int, StoredBody] = {}  # the newest of each feed that was read
        self._cache: Cache[Found] = Cache(database)
        weakref.finalize(self, self._cache.stop)  # a reader that nobody closed

    def find(self, token_hash: str, week: date) -> Found | None:
        """What the token leads to; None for an unknown one and for a disabled person's."""
        return self._found_here(token_hash, week) if self.quick else self._asked(token_hash, week)

    def remembered(self, token_hash: str, week: date) -> Found | None:
        """What `find` would say, the same value as before, where no look-up is needed to know it.

        Without waiting: on SQLite it takes the microsecond that a count of commits takes.
        """
        if not self.quick:
            return self._cache.get((token_hash, week))
        commits = self._row("PRAGMA data_version", {})[0]
        if commits != self._commits or len(self._known) > MOST_KNOWN:
            self._known.clear()
            self._commits = commits
        return self._known.get((token_hash, week))

    def _found_here(self, token_hash: str, week: date) -> Found | None:
        found = self.remembered(token_hash, week)
        if found is None:
            found = self._looked_up(token_hash, week)
            if found is not None:
                self._known[token_hash, week] = found
        return found

    def _asked(self, token_hash: str, week: date) -> Found | None:
        self._cache.start()
        standing = self._cache.standing()
        found = self._looked_up(token_hash, week)
        # One out of date is on its way to be renewed: it will be asked for again at once.
        if found is not None and found.fresh:
            self._cache.put((token_hash, week), found, standing)
        return found

    def _looked_up(self, token_hash: str, week: date) -> Found | None:
        row = self._row(self._look_up, {"token": token_hash, "active": True})
        if row is None:
            return None
        link, feed, revoked_at, farewell, etag, changed_at, dirty, rendered_week, language = row
        return Found(
            link_id=link,
            feed_id=feed,
            revoked_at=_instant(revoked_at),
            farewell=bool(farewell),
            etag=etag,
            changed_at=_instant(changed_at),
            fresh=not dirty and rendered_week == week.isoformat(),
            language=language,
        )

    def kept_body(self, feed_id: int, changed_at: datetime) -> StoredBody | None:
        """The body of that time, where it was read before; without waiting."""
        kept = self._bodies.get(feed_id)
        return kept if kept is not None and kept.changed_at == changed_at else None

    def body(self, feed_id: int, changed_at: datetime | None = None) -> StoredBody | None:
        """The stored body with the hash and time that belong to it.

        The one of that time, where it was read before, comes from memory.
        """
        kept = self.kept_body(feed_id, changed_at) if changed_at else None
        if kept is None:
            kept = self._stored(feed_id)
            if kept is not None:
                if len(self._bodies) > MOST_BODIES:
                    self._bodies.clear()
                self._bodies[feed_id] = kept
        return kept

    def _stored(self, feed_id: int) -> StoredBody | None:
        row = self._row(self._body, {"feed": feed_id})
        if row is None:
            return None
        etag, changed_at, packed = row
        at = _instant(changed_at)
        assert at is not None  # noqa: S101 - the table's own check
        return StoredBody(etag, at, bytes(packed))

    def _row(self, statement: str, values: Mapping[str, object]) -> Any:
        if not self.quick:
            with self._database.plain_errors(), self._engine.connect() as connection:
                return connection.exec_driver_sql(statement, dict(values)).first()
        if self._own is None:  # in autocommit: each read sees the newest commit
            pooled = self._database.reader.raw_connection()
            self._own = pooled.driver_connection
            pooled.detach()
        return self._own.execute(statement, values).fetchone()

    def close(self) -> None:
        self._cache.close()
        if self._own is not None:
            self._own.close()
            self._own = None


def _instant(value: str | datetime | None) -> datetime | None:
    """An instant as the driver gives it: SQLite's own text is UTC without saying so."""
    if value is None:
        return None
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value.astimezone(UTC)
