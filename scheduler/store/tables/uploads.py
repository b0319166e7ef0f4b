"""Lists between the look at them and their taking over."""

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table

from scheduler.store.tables.columns import Instant, key, metadata
from scheduler.store.tables.people import persons
from scheduler.store.tables.terms import programmes

# `sheets`: the filled cells of the files, packed; of the files themselves only the hash stays.
uploads = Table(
    "uploads",
    metadata,
    key(),
    Column("programme_id", ForeignKey(programmes.c.id), nullable=False),
    Column("person_id", ForeignKey(persons.c.id), nullable=False, index=True),
    Column("sent_at", Instant, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("sheets", LargeBinary, nullable=False),
)
