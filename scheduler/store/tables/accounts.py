"""Tables of sign-in, sessions, calendar feeds and the record of changes."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    false,
)

from scheduler.domain.calendars import FeedKind
from scheduler.store.tables.columns import Instant, key, metadata, one_of
from scheduler.store.tables.people import persons

sign_ins = Table(
    "sign_ins",
    metadata,
    key(),
    Column("person_id", ForeignKey(persons.c.id), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("browser_hash", String(64), nullable=False),
    Column("code_hash", String(64), nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    CheckConstraint("tries_left >= 0", "tries"),
)

sessions = Table(
    "sessions",
    metadata,
    key(),
    Column("person_id", ForeignKey(persons.c.id), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("csrf", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
)

feeds = Table(
    "feeds",
    metadata,
    key(),
    *one_of("kind", FeedKind),
    Column("owner_id", Integer, nullable=False),
    Column("language", String(2), nullable=False),
    Column("show_cancelled", Boolean, nullable=False),
    Column("zoned", Boolean, nullable=False, server_default=false()),
    Column("alarms", Boolean, nullable=False, server_default=false()),
    Column("etag", String(64)),
    Column("changed_at", Instant),
    Column("dirty", Boolean, nullable=False),
    Column("rendered_week", String(10)),
    UniqueConstraint("kind", "owner_id", "language", "show_cancelled", "zoned", "alarms"),
    CheckConstraint("(etag IS NULL) = (changed_at IS NULL)", "body"),
)
Index("ix_feeds_dirty", feeds.c.dirty)

# Apart from `feeds`, so that an answer of 304 never reads a body.
feed_bodies = Table(
    "feed_bodies",
    metadata,
    Column("feed_id", ForeignKey(feeds.c.id), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

feed_links = Table(
    "feed_links",
    metadata,
    key(),
    Column("feed_id", ForeignKey(feeds.c.id), nullable=False, index=True),
    Column("person_id", ForeignKey(persons.c.id), nullable=False, index=True),
    Column("name", String(100), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("last_read_at", Instant),
    Column("reads", Integer, nullable=False),
    Column("client", String(40), nullable=False),
    Column("farewell", Boolean, nullable=False, server_default=false()),
)

audits = Table(
    "audits",
    metadata,
    key(),
    Column("at", Instant, nullable=False, index=True),
    Column("person_id", ForeignKey(persons.c.id)),
    Column("action", String(60), nullable=False),
    Column("subject", String(60), nullable=False),
    Column("subject_id", Integer),
    Column("reason", String(500), nullable=False),
    Column("before", JSON),
    Column("after", JSON),
)
Index("ix_audits_subject", audits.c.subject, audits.c.subject_id)

# One row a fact about the running system: the last beat of the loop, whether sending is paused.
switches = Table(
    "switches",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(200), nullable=False),
    Column("at", Instant, nullable=False),
)
