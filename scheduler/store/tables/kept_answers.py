"""What programs were answered, so that who asks again under the same key is not served twice."""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from scheduler.store.tables.columns import Instant, metadata

# `name` is stamped from the person, the address and the key; `status` empty: still at work.
kept_answers = Table(
    "kept_answers",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("status", Integer),
    Column("kind", String(100)),
    Column("body", LargeBinary),
)
Index("ix_kept_answers_made_at", kept_answers.c.made_at)
