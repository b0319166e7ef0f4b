"""Tables of the published timetable and of what happens to its lessons.

That no teacher and no class is in two lessons at once is held by the first migration: an exclusion
constraint on PostgreSQL, triggers on SQLite.  A cancelled lesson takes nobody's time.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from scheduler.domain.lessons import LessonState
from scheduler.store.tables.columns import Instant, key, metadata, one_of
from scheduler.store.tables.people import persons, teachers
from scheduler.store.tables.requests import requests
from scheduler.store.tables.terms import classes, partnerships, terms

lessons = Table(
    "lessons",
    metadata,
    key(),
    Column("uid", String(36), nullable=False, unique=True),
    Column("join_token", String(43), nullable=False, unique=True),
    Column("term_id", ForeignKey(terms.c.id), nullable=False),
    Column("request_id", ForeignKey(requests.c.id), nullable=False, index=True),
    Column("class_id", ForeignKey(classes.c.id), nullable=False),
    Column("teacher_id", ForeignKey(teachers.c.id), nullable=False),
    *one_of("state", LessonState),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("moved_from", Instant),
    Column("pinned", Boolean, nullable=False),
    Column("meeting_url", String(500)),
    Column("cancel_reason", String(200), nullable=False),
    Column("cancelled_by", String(200), nullable=False),
    CheckConstraint("starts_at < ends_at", "span"),
    CheckConstraint("sequence >= 0", "sequence"),
    CheckConstraint("created_at <= changed_at", "changed"),
)
Index("ix_lessons_term_starts", lessons.c.term_id, lessons.c.starts_at)
Index("ix_lessons_teacher_starts", lessons.c.teacher_id, lessons.c.starts_at)
Index("ix_lessons_class_starts", lessons.c.class_id, lessons.c.starts_at)

# What the former teacher's calendar still shows of a lesson that somebody else took over.
handovers = Table(
    "handovers",
    metadata,
    Column("lesson_id", ForeignKey(lessons.c.id), primary_key=True),
    Column("teacher_id", ForeignKey(teachers.c.id), primary_key=True),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("changed_at", Instant, nullable=False),
)
Index("ix_handovers_teacher", handovers.c.teacher_id)

offers = Table(
    "offers",
    metadata,
    key(),
    Column("lesson_id", ForeignKey(lessons.c.id), nullable=False),
    Column("teacher_id", ForeignKey(teachers.c.id), nullable=False),
    Column("wave", Integer, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("deadline", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("accepted", Boolean),
    UniqueConstraint("lesson_id", "teacher_id", "wave"),
    CheckConstraint("(answered_at IS NULL) = (accepted IS NULL)", "answer"),
)

reports = Table(
    "reports",
    metadata,
    key(),
    Column("lesson_id", ForeignKey(lessons.c.id), nullable=False),
    Column("side", String(20), nullable=False),
    Column("held", Boolean, nullable=False),
    Column("cause", String(40), nullable=False),
    Column("note", String(1000), nullable=False),
    Column("reported_by", ForeignKey(persons.c.id), nullable=False),
    Column("reported_at", Instant, nullable=False),
    UniqueConstraint("lesson_id", "side"),
    CheckConstraint("side IN ('teacher', 'school')", "side"),
)

joint_sessions = Table(
    "joint_sessions",
    metadata,
    key(),
    Column("partnership_id", ForeignKey(partnerships.c.id), nullable=False, index=True),
    Column("uid", String(36), nullable=False, unique=True),
    Column("join_token", String(43), nullable=False, unique=True),
    Column("title", String(300), nullable=False),
    *one_of("state", LessonState),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("meeting_url", String(500)),
    Column("sequence", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    CheckConstraint("starts_at < ends_at", "span"),
)
