"""Tables of the record of changes."""

from sqlalchemy import JSON, Column, Date, ForeignKey, Index, Integer, String, Table

from scheduler.store.tables.columns import Instant, key, metadata
from scheduler.store.tables.people import persons

# Only ever added to: the database refuses to change or take away a line.  `network` is what stays
# of the client's address.
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
    Column("request_id", String(12), nullable=False, server_default=""),
    Column("network", String(45), nullable=False, server_default=""),
)
Index("ix_audits_subject", audits.c.subject, audits.c.subject_id)

# The whole address behind a line, for as long as somebody may have to look for it.
audit_origins = Table(
    "audit_origins",
    metadata,
    Column("audit_id", ForeignKey(audits.c.id), primary_key=True),
    Column("address", String(45), nullable=False),
)

# Each seals a line and, with it, the seal before: in the order of sealing, one after the other.
audit_seals = Table(
    "audit_seals",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("audit_id", ForeignKey(audits.c.id), nullable=False, unique=True),
    Column("day", Date, nullable=False, index=True),
    Column("kid", String(12), nullable=False),
    Column("seal", String(64), nullable=False),
)
