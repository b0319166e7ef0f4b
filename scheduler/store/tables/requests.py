"""Tables of what classes ask for."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    Table,
    UniqueConstraint,
)

from scheduler.store.tables.columns import (
    Instant,
    clock_check,
    days_check,
    key,
    metadata,
    weekday_check,
)
from scheduler.store.tables.people import persons
from scheduler.store.tables.terms import classes, terms

requests = Table(
    "requests",
    metadata,
    key(),
    Column("class_id", ForeignKey(classes.c.id), nullable=False),
    Column("term_id", ForeignKey(terms.c.id), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("lessons_per_week", Integer, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", ForeignKey(persons.c.id)),
    Column("withdrawn_at", Instant),
    UniqueConstraint("class_id", "term_id", "number"),
    days_check(),
    CheckConstraint("lessons_per_week BETWEEN 1 AND 6", "lessons_per_week"),
    CheckConstraint("priority BETWEEN 1 AND 3", "priority"),
    CheckConstraint("number >= 1", "number"),
)

request_slots = Table(
    "request_slots",
    metadata,
    key(),
    Column("request_id", ForeignKey(requests.c.id), nullable=False),
    Column("weekday", Integer, nullable=False),
    Column("start_minute", Integer, nullable=False),
    Column("end_minute", Integer, nullable=False),
    Column("rank", Integer, nullable=False),
    UniqueConstraint("request_id", "weekday", "start_minute"),
    weekday_check(),
    clock_check(),
    CheckConstraint("rank BETWEEN 0 AND 9", "rank"),
)
