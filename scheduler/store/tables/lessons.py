"""Tables of the published timetable and of what happens to its lessons.

That no teacher and no class is in two lessons at once is held by the first migration: an exclusion
constraint on PostgreSQL, triggers on SQLite.  A cancelled lesson takes nobody's time.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from scheduler.domain.lessons import LessonState
from scheduler.domain.swaps import SwapEnd
from scheduler.store.tables.columns import Instant, ends, key, metadata, one_of
from scheduler.store.tables.people import persons, teachers
from scheduler.store.tables.requests import requests
from scheduler.store.tables.terms import classes, partnerships, receiving_schools, terms

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
    Column("meeting_url", String(500)),
    Column("cancel_reason", String(200), nullable=False),
    Column("cancelled_by", String(200), nullable=False),
    Column("cause", String(20), nullable=False, server_default=""),  # why it was not held
    Column("merged_into_id", ForeignKey("lessons.id")),  # the lesson its class joins instead
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

# A lesson as it was after each change; the newest line is how it stands.
lesson_history = Table(
    "lesson_history",
    metadata,
    key(),
    Column("lesson_id", ForeignKey(lessons.c.id), nullable=False),
    Column("at", Instant, nullable=False),
    Column("deed", String(20), nullable=False),
    Column("person_id", ForeignKey(persons.c.id)),
    Column("reason", String(200), nullable=False),
    Column("publication_id", ForeignKey("publications.id")),
    Column("state", String(20), nullable=False),
    Column("teacher_id", ForeignKey(teachers.c.id), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("sequence", Integer, nullable=False),
)
Index("ix_lesson_history_lesson", lesson_history.c.lesson_id, lesson_history.c.id)
Index("ix_lesson_history_publication", lesson_history.c.publication_id)
Index("ix_lesson_history_teacher", lesson_history.c.teacher_id, lesson_history.c.starts_at)

# A teacher said of a lesson that changed: I have seen how it stands at that sequence.
sightings = Table(
    "sightings",
    metadata,
    Column("lesson_id", ForeignKey(lessons.c.id), primary_key=True),
    Column("person_id", ForeignKey(persons.c.id), primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("at", Instant, nullable=False),
)

# A lesson that no plan may touch until that day, and who wants it so.
pins = Table(
    "pins",
    metadata,
    Column("lesson_id", ForeignKey(lessons.c.id), primary_key=True),
    Column("owner_id", ForeignKey(persons.c.id)),
    Column("note", String(200), nullable=False),
    Column("until", Date),
    Column("made_at", Instant, nullable=False),
)

# Two teachers of two lessons: the asker gives one and wants the other.
swaps = Table(
    "swaps",
    metadata,
    key(),
    Column("given_id", ForeignKey(lessons.c.id), nullable=False),
    Column("given_sequence", Integer, nullable=False),
    Column("asker_id", ForeignKey(teachers.c.id), nullable=False, index=True),
    Column("wanted_id", ForeignKey(lessons.c.id), nullable=False),
    Column("wanted_sequence", Integer, nullable=False),
    Column("asked_id", ForeignKey(teachers.c.id), nullable=False, index=True),
    Column("words", String(200), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("deadline", Instant, nullable=False),
    Column("ended_at", Instant),
    *ends(SwapEnd),
)
Index(
    "uq_swaps_open",
    swaps.c.given_id,
    swaps.c.wanted_id,
    unique=True,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

reports = Table(
    "reports",
    metadata,
    key(),
    Column("lesson_id", ForeignKey(lessons.c.id), nullable=False),
    Column("side", String(20), nullable=False),
    Column("held", Boolean, nullable=False),
    Column("minutes_late", Integer, nullable=False, server_default="0"),
    Column("cause", String(40), nullable=False),
    Column("note", String(1000), nullable=False),
    Column("reported_by", ForeignKey(persons.c.id), nullable=False),
    Column("reported_at", Instant, nullable=False),
    UniqueConstraint("lesson_id", "side"),
    CheckConstraint("side IN ('teacher', 'school')", "side"),
)

check_ins = Table(
    "check_ins",
    metadata,
    Column("lesson_id", ForeignKey(lessons.c.id), primary_key=True),
    Column("side", String(20), primary_key=True),
    Column("person_id", ForeignKey(persons.c.id)),  # empty: by a link that a whole side shares
    Column("at", Instant, nullable=False),
    CheckConstraint("side IN ('teacher', 'school')", "side"),
)

# What a class did in a lesson, and what comes next: read by whoever teaches it then.
briefs = Table(
    "briefs",
    metadata,
    Column("lesson_id", ForeignKey(lessons.c.id), primary_key=True),
    Column("unit", String(200), nullable=False),
    Column("pages", String(60), nullable=False),
    Column("done", String(1000), nullable=False),
    Column("next", String(1000), nullable=False),
    Column("written_by", ForeignKey(persons.c.id), nullable=False),
    Column("written_at", Instant, nullable=False),
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
    Column("moved_from", Instant),
    Column("cancel_reason", String(200), nullable=False, server_default=""),
    Column("cancelled_by", String(200), nullable=False, server_default=""),
    CheckConstraint("starts_at < ends_at", "span"),
)

# Whom a joint session invites, as a volunteer or as the contact of a school.  Who is invited no
# more stays, for calendars that showed it.
joint_session_attendees = Table(
    "joint_session_attendees",
    metadata,
    Column("session_id", ForeignKey(joint_sessions.c.id), primary_key=True),
    Column("person_id", ForeignKey(persons.c.id), primary_key=True),
    Column("teacher_id", ForeignKey(teachers.c.id), index=True),
    Column("school_id", ForeignKey(receiving_schools.c.id), index=True),
    Column("invited", Boolean, nullable=False),
    Column("answer", String(20)),
    Column("answered_at", Instant),
    Column("attended", Boolean),
    CheckConstraint("answer IN ('coming', 'cannot')", "answer"),
    CheckConstraint("(teacher_id IS NULL) <> (school_id IS NULL)", "side"),
)
Index("ix_joint_session_attendees_person_id", joint_session_attendees.c.person_id)
