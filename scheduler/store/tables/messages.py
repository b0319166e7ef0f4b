"""Tables of messages to people: the queue, the ways out, and what each reader chose."""

from enum import StrEnum

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from scheduler.domain.cover import OfferEnd
from scheduler.domain.messages import Channel, MessageKind, MessageState
from scheduler.store.tables.columns import Instant, ends, key, metadata, one_of
from scheduler.store.tables.lessons import lessons
from scheduler.store.tables.people import persons, teachers
from scheduler.store.tables.terms import programmes


class Phase(StrEnum):
    """How far a send came: once it transmits, a crash leaves its fate unknown."""

    WAITING = "waiting"
    TRANSMITTING = "transmitting"


# `follows_id`: the message on another channel that could not be delivered, so that this one goes.
outbox = Table(
    "outbox",
    metadata,
    key(),
    Column("key", String(120), nullable=False, unique=True),
    *one_of("kind", MessageKind),
    *one_of("channel", Channel),
    Column("person_id", ForeignKey(persons.c.id), nullable=False, index=True),
    Column("programme_id", ForeignKey(programmes.c.id)),
    Column("lesson_id", ForeignKey(lessons.c.id), index=True),
    Column("lesson_sequence", Integer),
    Column("follows_id", ForeignKey("outbox.id")),
    Column("payload", JSON, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("useless_after", Instant, nullable=False),
    *one_of("state", MessageState),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", Instant, nullable=False),
    Column("lease_owner", String(80)),
    Column("lease_token", String(64)),
    Column("lease_until", Instant),
    *one_of("phase", Phase),
    Column("message_id", String(200), nullable=False),
    Column("sent_at", Instant),
    Column("maybe_twice", Boolean, nullable=False, server_default=false()),
    Column("provider_reply", String(500), nullable=False, server_default=""),
    Column("last_error", String(500), nullable=False),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", "sent_at"),
    CheckConstraint("(state = 'leased') = (lease_token IS NOT NULL)", "lease"),
)
# Claims walk along the deadlines, and most messages have ended long ago.
Index(
    "ix_outbox_open",
    outbox.c.channel,
    outbox.c.useless_after,
    outbox.c.due_at,
    outbox.c.id,
    sqlite_where=text("state IN ('planned', 'leased')"),
    postgresql_where=text("state IN ('planned', 'leased')"),
)
Index("ix_outbox_state", outbox.c.state, outbox.c.next_try_at)
Index("ix_outbox_programme", outbox.c.programme_id, outbox.c.state)
# Without it, each message that is taken away is looked for in all others.
Index(
    "ix_outbox_follows",
    outbox.c.follows_id,
    sqlite_where=text("follows_id IS NOT NULL"),
    postgresql_where=text("follows_id IS NOT NULL"),
)

# One row a way out (a mail relay, a gateway), shared by all processes: how many messages it may
# still take now, and whether it answers.  `send_seconds`: how long one message took of late.
relays = Table(
    "relays",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("refilled_at", Instant, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("open_until", Instant),
    Column("send_seconds", Float),
    Column("last_error", String(500), nullable=False),
    CheckConstraint("failures >= 0", "failures"),
)

# One row a process that beats; times are the database's.
workers = Table(
    "workers",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("senders", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("beat_at", Instant, nullable=False),
)

# What a reader chose about reminders; minutes since midnight on the reader's own wall.  Who has
# no row has the usual choices.
reminder_choices = Table(
    "reminder_choices",
    metadata,
    Column("person_id", ForeignKey(persons.c.id), primary_key=True),
    Column("digest", Boolean, nullable=False),
    Column("day_before", Boolean, nullable=False),
    Column("hour_before", Boolean, nullable=False),
    Column("soon", Boolean, nullable=False),
    Column("after_confirming", Boolean, nullable=False),
    Column("invitations", Boolean, nullable=False),
    Column("quiet_from", Integer),
    Column("quiet_until", Integer),
    Column("channels", JSON, nullable=False),
    CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL)", "quiet"),
    CheckConstraint("quiet_from BETWEEN 0 AND 1439", "quiet_from"),
    CheckConstraint("quiet_until BETWEEN 0 AND 1439", "quiet_until"),
)

# A teacher said of one lesson, as it stood at that sequence: I will be there.
confirmations = Table(
    "confirmations",
    metadata,
    key(),
    Column("lesson_id", ForeignKey(lessons.c.id), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("person_id", ForeignKey(persons.c.id), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    UniqueConstraint("lesson_id", "sequence", "person_id"),
)

# A teacher said of one lesson: I can't.  Open while `ended_at` is empty.
cover_calls = Table(
    "cover_calls",
    metadata,
    key(),
    Column("lesson_id", ForeignKey(lessons.c.id), nullable=False, index=True),
    Column("teacher_id", ForeignKey(teachers.c.id), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("wave", Integer, nullable=False, server_default="0"),  # the last that was asked
    Column("next_wave_at", Instant),
    Column("exhausted_at", Instant),  # since when nobody is left to ask
    Column("ended_at", Instant),
    Column("end", String(20)),  # empty of those from before it was noted
)
Index(
    "ix_cover_calls_next",
    cover_calls.c.next_wave_at,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)
Index(
    "uq_cover_calls_open",
    cover_calls.c.lesson_id,
    unique=True,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

# Somebody is asked to give a lesson that looks for cover; once in a call.
offers = Table(
    "offers",
    metadata,
    key(),
    Column("call_id", ForeignKey(cover_calls.c.id), nullable=False),
    Column("teacher_id", ForeignKey(teachers.c.id), nullable=False, index=True),
    Column("wave", Integer, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("deadline", Instant, nullable=False),
    Column("seen_at", Instant),
    Column("ended_at", Instant),
    *ends(OfferEnd),
    Column("reason", String(200), nullable=False, server_default=""),  # of who declined
    UniqueConstraint("call_id", "teacher_id"),
)

# A browser that takes push messages.  Its address and keys are kept only sealed.
push_devices = Table(
    "push_devices",
    metadata,
    key(),
    Column("person_id", ForeignKey(persons.c.id), nullable=False, index=True),
    Column("endpoint_hash", String(64), nullable=False, unique=True),
    Column("sealed", Text, nullable=False),
    Column("name", String(60), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_good_at", Instant),
)
