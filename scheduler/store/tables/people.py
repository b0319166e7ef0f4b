"""Tables of persons, their roles, and what volunteers promise."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
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

from scheduler.domain.access import Role
from scheduler.domain.availability import Wanted
from scheduler.domain.people import Level
from scheduler.store.tables.columns import (
    Instant,
    clock_check,
    days_check,
    key,
    metadata,
    one_of,
    weekday_check,
)
from scheduler.store.tables.terms import donor_schools, programmes, receiving_schools, terms

persons = Table(
    "persons",
    metadata,
    key(),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("language", String(2), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("reminders", Boolean, nullable=False),
    Column("zone", String(64)),  # of a volunteer abroad; empty: the programme's
    Column("mail_fault", String(500)),  # why the address takes no mail, as its relay said
    Column("mail_fault_at", Instant),
    Column("erased_at", Instant),  # nothing but the number is left of them
    Column("created_at", Instant, nullable=False),
    CheckConstraint("email = lower(email)", "email"),
    CheckConstraint("language IN ('vi', 'en')", "language"),
    CheckConstraint("(mail_fault IS NULL) = (mail_fault_at IS NULL)", "mail_fault"),
)
Index(
    "ix_persons_mail_fault",
    persons.c.mail_fault_at,
    sqlite_where=text("mail_fault IS NOT NULL"),
    postgresql_where=text("mail_fault IS NOT NULL"),
)

teachers = Table(
    "teachers",
    metadata,
    key(),
    Column("programme_id", ForeignKey(programmes.c.id), nullable=False),
    Column("person_id", ForeignKey(persons.c.id), nullable=False, index=True),
    Column("donor_school_id", ForeignKey(donor_schools.c.id), nullable=False, index=True),
    Column("left_at", Instant),  # gives no more lessons from then on
    UniqueConstraint("programme_id", "person_id"),
)

grants = Table(
    "grants",
    metadata,
    key(),
    Column("person_id", ForeignKey(persons.c.id), nullable=False, index=True),
    *one_of("role", Role),
    Column("programme_id", ForeignKey(programmes.c.id), nullable=False),
    Column("teacher_id", ForeignKey(teachers.c.id)),
    Column("school_id", ForeignKey(receiving_schools.c.id), index=True),
    Column("donor_school_id", ForeignKey(donor_schools.c.id), index=True),
    CheckConstraint("(role = 'teacher') = (teacher_id IS NOT NULL)", "teacher"),
    CheckConstraint("(role = 'school') = (school_id IS NOT NULL)", "school"),
    CheckConstraint("(role = 'donor_head') = (donor_school_id IS NOT NULL)", "donor_head"),
)
Index("ix_grants_programme", grants.c.programme_id, grants.c.role)
# A NULL is never equal to a NULL in a unique key: compare the absent school as 0.
Index(
    "uq_grants_once",
    grants.c.person_id,
    grants.c.role,
    grants.c.programme_id,
    text("coalesce(teacher_id, school_id, donor_school_id, 0)"),
    unique=True,
)

pledges = Table(
    "pledges",
    metadata,
    key(),
    Column("teacher_id", ForeignKey(teachers.c.id), nullable=False),
    Column("term_id", ForeignKey(terms.c.id), nullable=False, index=True),
    Column("max_per_day", Integer, nullable=False),
    Column("max_per_week", Integer, nullable=False),
    Column("max_total", Integer, nullable=False),
    Column("wanted", String(20), nullable=False, server_default=Wanted.SAME),
    Column("confirmed_at", Instant),  # when the teacher said that it holds
    one_of("wanted", Wanted)[1],
    UniqueConstraint("teacher_id", "term_id"),
    CheckConstraint("max_per_day BETWEEN 1 AND 20", "max_per_day"),
    CheckConstraint("max_per_week BETWEEN 1 AND 60", "max_per_week"),
    CheckConstraint("max_total BETWEEN 1 AND 1000", "max_total"),
)

pledge_levels = Table(
    "pledge_levels",
    metadata,
    Column("pledge_id", ForeignKey(pledges.c.id), primary_key=True),
    Column("level", String(20), primary_key=True),
    one_of("level", Level)[1],
)

availability = Table(
    "availability",
    metadata,
    key(),
    Column("pledge_id", ForeignKey(pledges.c.id), nullable=False, index=True),
    Column("weekday", Integer, nullable=False),
    Column("start_minute", Integer, nullable=False),
    Column("end_minute", Integer, nullable=False),
    Column("first_day", Date),
    Column("last_day", Date),
    Column("if_needed", Boolean, nullable=False),
    weekday_check(),
    clock_check(),
    days_check(),
)

absences = Table(
    "absences",
    metadata,
    key(),
    Column("pledge_id", ForeignKey(pledges.c.id), nullable=False, index=True),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("reason", String(200), nullable=False),
    days_check(),
)

# A soft time is tentative.  What a teacher's own calendar said is replaced at each reading; all
# other rows stay.
busy_times = Table(
    "busy_times",
    metadata,
    key(),
    Column("teacher_id", ForeignKey(teachers.c.id), nullable=False, index=True),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("soft", Boolean, nullable=False, server_default=false()),
    Column("from_calendar", Boolean, nullable=False, server_default=false()),
    CheckConstraint("starts_at < ends_at", "span"),
)

# A teacher's own calendar.  Its address is a key to private life: kept only sealed.
busy_sources = Table(
    "busy_sources",
    metadata,
    key(),
    Column("teacher_id", ForeignKey(teachers.c.id), nullable=False, unique=True),
    Column("sealed_address", Text, nullable=False),
    Column("all_day", Boolean, nullable=False),
    Column("shown_free", Boolean, nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("last_try_at", Instant),
    Column("last_good_at", Instant),
    Column("known_until", Instant),
    Column("failures", Integer, nullable=False),
    Column("fault", JSON(none_as_null=True)),
    Column("next_try_at", Instant, nullable=False, index=True),
    Column("events", Integer, nullable=False),
    Column("free", Integer, nullable=False),
    Column("all_day_left_out", Integer, nullable=False),
    Column("ours", Integer, nullable=False),
    Column("unclear", Integer, nullable=False),
    CheckConstraint("(last_good_at IS NULL) = (known_until IS NULL)", "known"),
    CheckConstraint("failures >= 0", "failures"),
)

# What a donor school pledged for a term; without a row, what its teachers did.
school_pledges = Table(
    "school_pledges",
    metadata,
    Column("donor_school_id", ForeignKey(donor_schools.c.id), primary_key=True),
    Column("term_id", ForeignKey(terms.c.id), primary_key=True),
    Column("lessons", Integer, nullable=False),
    CheckConstraint("lessons BETWEEN 0 AND 100000", "lessons"),
)

# A record of service as it was printed: what anybody may check by its code.
certificates = Table(
    "certificates",
    metadata,
    key(),
    Column("code", String(20), nullable=False, unique=True),
    Column("teacher_id", ForeignKey(teachers.c.id), nullable=False, index=True),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("name", String(200), nullable=False),
    Column("school", String(300), nullable=False),
    Column("programme", String(200), nullable=False),
    Column("lessons", Integer, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("months", JSON, nullable=False),  # the lines of its table
    Column("issued_at", Instant, nullable=False),
    Column("issued_by", ForeignKey(persons.c.id)),
    Column("withdrawn_at", Instant),
    days_check(),
    CheckConstraint("lessons >= 0 AND minutes >= 0", "figures"),
)

school_wishes = Table(
    "school_wishes",
    metadata,
    Column("pledge_id", ForeignKey(pledges.c.id), primary_key=True),
    Column("school_id", ForeignKey(receiving_schools.c.id), primary_key=True),
)
