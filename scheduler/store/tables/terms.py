"""Tables of programmes, terms, schools and classes."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    String,
    Table,
    UniqueConstraint,
    true,
)

from scheduler.domain.partnerships import Binding
from scheduler.domain.people import HalfDay, Level
from scheduler.store.tables.columns import (
    Instant,
    clock_check,
    days_check,
    key,
    metadata,
    one_of,
)

programmes = Table(
    "programmes",
    metadata,
    key(),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("zone", String(60), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("weights", JSON(none_as_null=True)),  # NULL: those the engine comes with
    # Whether teachers who could stand in are asked by themselves, wave after wave.
    Column("asks_for_cover", Boolean, nullable=False, server_default=true()),
    Column("meeting_url", String(500)),  # NULL: where those of the installation meet
)

terms = Table(
    "terms",
    metadata,
    key(),
    Column("programme_id", ForeignKey(programmes.c.id), nullable=False),
    Column("code", String(40), nullable=False),
    Column("name", String(200), nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("gap_minutes", Integer, nullable=False),
    UniqueConstraint("programme_id", "code"),
    days_check(),
    CheckConstraint("gap_minutes BETWEEN 0 AND 240", "gap"),
)

holidays = Table(
    "holidays",
    metadata,
    Column("term_id", ForeignKey(terms.c.id), primary_key=True),
    Column("day", Date, primary_key=True),
)

partnerships = Table(
    "partnerships",
    metadata,
    key(),
    Column("programme_id", ForeignKey(programmes.c.id), nullable=False),
    Column("donor_unit", String(200), nullable=False),
    Column("receiving_unit", String(200), nullable=False),
    Column("lessons_pledged", Integer, nullable=False),
    Column("joint_sessions_pledged", Integer, nullable=False),
    Column("binding", String(20), nullable=False, server_default=Binding.NONE),
    CheckConstraint("binding IN ('none', 'wish', 'rule')", "binding"),
    UniqueConstraint("programme_id", "donor_unit", "receiving_unit"),
    CheckConstraint("lessons_pledged >= 0 AND joint_sessions_pledged >= 0", "pledged"),
)

donor_schools = Table(
    "donor_schools",
    metadata,
    key(),
    Column("programme_id", ForeignKey(programmes.c.id), nullable=False),
    Column("name", String(200), nullable=False),
    Column("district", String(100), nullable=False),
    UniqueConstraint("programme_id", "name", "district"),
)

receiving_schools = Table(
    "receiving_schools",
    metadata,
    key(),
    Column("programme_id", ForeignKey(programmes.c.id), nullable=False),
    Column("code", String(20), nullable=False),
    Column("name", String(200), nullable=False),
    Column("district", String(100), nullable=False),
    *one_of("level", Level),
    Column("rooms", Integer, nullable=False),
    UniqueConstraint("programme_id", "code"),
    CheckConstraint("rooms BETWEEN 1 AND 100", "rooms"),
)

closed_days = Table(
    "closed_days",
    metadata,
    key(),
    Column("school_id", ForeignKey(receiving_schools.c.id), nullable=False, index=True),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("reason", String(200), nullable=False),
    days_check(),
)

periods = Table(
    "periods",
    metadata,
    key(),
    Column("school_id", ForeignKey(receiving_schools.c.id), nullable=False),
    *one_of("half_day", HalfDay),
    Column("number", Integer, nullable=False),
    Column("start_minute", Integer, nullable=False),
    Column("end_minute", Integer, nullable=False),
    UniqueConstraint("school_id", "half_day", "number"),
    UniqueConstraint("school_id", "start_minute"),
    CheckConstraint("number BETWEEN 1 AND 12", "number"),
    clock_check(),
)

# Bell times as they were for lessons before a day; `periods` has those from then on.
former_periods = Table(
    "former_periods",
    metadata,
    key(),
    Column("school_id", ForeignKey(receiving_schools.c.id), nullable=False),
    Column("before_day", Date, nullable=False),
    *one_of("half_day", HalfDay),
    Column("number", Integer, nullable=False),
    Column("start_minute", Integer, nullable=False),
    Column("end_minute", Integer, nullable=False),
    UniqueConstraint("school_id", "before_day", "start_minute"),
    CheckConstraint("number BETWEEN 1 AND 12", "number"),
    clock_check(),
)

classes = Table(
    "classes",
    metadata,
    key(),
    Column("school_id", ForeignKey(receiving_schools.c.id), nullable=False),
    Column("name", String(40), nullable=False),
    *one_of("level", Level),
    Column("pupils", Integer, nullable=False),
    Column("meeting_url", String(500)),
    UniqueConstraint("school_id", "name"),
    CheckConstraint("pupils BETWEEN 0 AND 200", "pupils"),
)
