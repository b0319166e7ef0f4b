"""Tables of the programs that are told of changes, and of what is on its way to them."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from scheduler.domain.webhooks import DeliveryState
from scheduler.store.tables.columns import Instant, key, metadata, one_of
from scheduler.store.tables.lessons import lessons
from scheduler.store.tables.terms import programmes

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    key(),
    Column("programme_id", ForeignKey(programmes.c.id), nullable=False, index=True),
    Column("name", String(60), nullable=False),
    Column("sealed_address", Text, nullable=False),
    Column("events", JSON, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("failures", Integer, nullable=False),  # in a row
    Column("rests_until", Instant),
    Column("last_try_at", Instant),
    Column("last_good_at", Instant),
    Column("failing_since", Instant),
)

# What signs; of two that are good the one without an end is the newer.
webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    key(),
    Column("endpoint_id", ForeignKey(webhook_endpoints.c.id), nullable=False, index=True),
    Column("sealed", Text, nullable=False),
    Column("ends_at", Instant),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    key(),
    Column("endpoint_id", ForeignKey(webhook_endpoints.c.id), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("event", String(40), nullable=False),
    Column("lesson_id", ForeignKey(lessons.c.id)),
    Column("sequence", Integer),
    Column("body", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("since", Instant, nullable=False),  # a day after it is given up
    *one_of("state", DeliveryState),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("trouble", String(20)),
    Column("status", Integer),
    Column("said", String(200), nullable=False),
    UniqueConstraint("endpoint_id", "event_id"),
)
Index("ix_webhook_deliveries_made_at", webhook_deliveries.c.made_at)
Index(
    "ix_webhook_deliveries_waiting",
    webhook_deliveries.c.endpoint_id,
    webhook_deliveries.c.lesson_id,
    webhook_deliveries.c.id,
    sqlite_where=text("state = 'waiting'"),
    postgresql_where=text("state = 'waiting'"),
)
