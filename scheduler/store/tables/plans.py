"""Tables of matching runs, draft plans and publications."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    false,
    text,
)

from scheduler.domain.plans import PlanState
from scheduler.domain.runs import RunState
from scheduler.store.tables.columns import Instant, clock_check, key, metadata, one_of
from scheduler.store.tables.people import persons, teachers
from scheduler.store.tables.requests import requests
from scheduler.store.tables.terms import terms

plans = Table(
    "plans",
    metadata,
    key(),
    Column("term_id", ForeignKey(terms.c.id), nullable=False, index=True),
    *one_of("state", PlanState),
    Column("created_at", Instant, nullable=False),
    Column("created_by", ForeignKey(persons.c.id)),
    Column("cost", Float, nullable=False),
    Column("lower_bound", Float, nullable=False),
    Column("requested", Integer, nullable=False),
    Column("taught", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("input_hash", String(64), nullable=False),
    Column("published_at", Instant),
    Column("weights", JSON(none_as_null=True)),
    Column("terms", JSON(none_as_null=True)),
    Column("origin", String(20), nullable=False, server_default="run"),
    Column("note", String(200), nullable=False, server_default=""),
    Column("from_day", Date),  # what lies before it stays as published
    Column("undoes_id", Integer),  # a publication; no foreign key: that table names this one
    Column("supposes", JSON(none_as_null=True)),  # changes that it takes for granted
    CheckConstraint("taught >= 0 AND requested >= 0 AND cost >= 0", "figures"),
    CheckConstraint("(state = 'draft') = (published_at IS NULL)", "published_at"),
)
Index(
    "uq_plans_published",
    plans.c.term_id,
    unique=True,
    sqlite_where=text("state = 'published'"),
    postgresql_where=text("state = 'published'"),
)

plan_lessons = Table(
    "plan_lessons",
    metadata,
    Column("plan_id", ForeignKey(plans.c.id), primary_key=True),
    Column("request_id", ForeignKey(requests.c.id), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("start_minute", Integer, nullable=False),
    Column("end_minute", Integer, nullable=False),
    Column("teacher_id", ForeignKey(teachers.c.id), nullable=False),
    UniqueConstraint("plan_id", "teacher_id", "day", "start_minute"),
    clock_check(),
)

# What a hand meant for a day of a request: why its lesson is called off there, or, empty, that the
# lesson stands beside the weekly times and stays.
plan_marks = Table(
    "plan_marks",
    metadata,
    Column("plan_id", ForeignKey(plans.c.id), primary_key=True),
    Column("request_id", ForeignKey(requests.c.id), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("called_off", String(200), nullable=False),
)

plan_gaps = Table(
    "plan_gaps",
    metadata,
    Column("plan_id", ForeignKey(plans.c.id), primary_key=True),
    Column("request_id", ForeignKey(requests.c.id), primary_key=True),
    Column("week", Date, primary_key=True),
    Column("missing", Integer, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("rivals", JSON(none_as_null=True)),
    Column("fixes", JSON(none_as_null=True)),
    CheckConstraint("missing > 0", "missing"),
)

publications = Table(
    "publications",
    metadata,
    key(),
    Column("term_id", ForeignKey(terms.c.id), nullable=False, index=True),
    Column("plan_id", ForeignKey(plans.c.id), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("published_by", ForeignKey(persons.c.id)),
    Column("previous_id", ForeignKey("publications.id")),
    Column("undoes_id", ForeignKey("publications.id")),
)

runs = Table(
    "runs",
    metadata,
    key(),
    Column("term_id", ForeignKey(terms.c.id), nullable=False, index=True),
    *one_of("state", RunState),
    Column("asked_by", ForeignKey(persons.c.id)),
    Column("asked_at", Instant, nullable=False),
    Column("seconds_limit", Float, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("elapsed", Float, nullable=False),
    Column("cost", Float),
    Column("taught", Integer),
    Column("requested", Integer),
    Column("plan_id", ForeignKey(plans.c.id), index=True),
    Column("error", JSON),
    Column("cancel_asked", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_token", String(64)),
    Column("lease_until", Instant),
    Column("stop_asked", Boolean, nullable=False, server_default=false()),
    Column("bound", Float),
    Column("moves_per_second", Float),
    Column("history", JSON(none_as_null=True)),
    Column("from_day", Date),
    Column("most_lessons", Integer),  # the budget of changes; empty: any number
    Column("most_teachers", Integer),
    Column("supposes", JSON(none_as_null=True)),
    CheckConstraint("(state = 'done') = (plan_id IS NOT NULL)", "plan"),
    CheckConstraint("seconds_limit BETWEEN 0 AND 86400", "seconds_limit"),
)
Index(
    "uq_runs_open",
    runs.c.term_id,
    unique=True,
    sqlite_where=text("state IN ('queued', 'running')"),
    postgresql_where=text("state IN ('queued', 'running')"),
)
