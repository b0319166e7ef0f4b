"""Which changes of their lessons teachers said that they saw, and how those came about."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Row, func, literal, select, union
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain.lessons import Deed, LessonId, LessonState
from scheduler.domain.people import PersonId, TeacherId
from scheduler.domain.sightings import Turn
from scheduler.store.tables import (
    confirmations,
    handovers,
    lesson_history,
    lessons,
    persons,
    teachers,
    terms,
)
from scheduler.store.tables import sightings as table

# By lesson: its turns, the oldest first, and as which it was last seen.
Stories = tuple[tuple[tuple[Turn, ...], int | None], ...]


def of_teacher(db: Session, teacher_id: TeacherId, person_id: PersonId, now: datetime) -> Stories:
    """The lessons ahead that the teacher gives, or gave until somebody else took them over: one
    query.  Who confirmed a lesson as it stood saw it so."""
    own = select(lessons.c.id).where(lessons.c.teacher_id == teacher_id, lessons.c.ends_at > now)
    gone = select(handovers.c.lesson_id).where(
        handovers.c.teacher_id == teacher_id, handovers.c.ends_at > now
    )
    confirmed = (
        select(func.max(confirmations.c.sequence))
        .where(
            confirmations.c.lesson_id == lesson_history.c.lesson_id,
            confirmations.c.person_id == person_id,
        )
        .scalar_subquery()
    )
    rows = db.execute(
        select(
            lesson_history,
            func.coalesce(persons.c.name, "").label("by_name"),
            literal(teacher_id).label("reader_id"),
            literal(person_id).label("reader"),
            table.c.sequence.label("seen"),
            confirmed.label("confirmed"),
        )
        .outerjoin(persons, lesson_history.c.person_id == persons.c.id)
        .outerjoin(
            table,
            (table.c.lesson_id == lesson_history.c.lesson_id) & (table.c.person_id == person_id),
        )
        .where(lesson_history.c.lesson_id.in_(union(own, gone)))
        .order_by(lesson_history.c.lesson_id, lesson_history.c.id)
    )
    return tuple((turns, seen) for _, turns, seen in _stories(rows))


def of_programme(
    db: Session, programme_id: int, since: datetime, until: datetime
) -> tuple[tuple[PersonId, tuple[Turn, ...], int | None], ...]:
    """The same of every lesson that begins in the span, for the teacher who gives it: whose it is,
    its turns, as which it was last seen; one query."""
    confirmed = (
        select(func.max(confirmations.c.sequence))
        .where(
            confirmations.c.lesson_id == lesson_history.c.lesson_id,
            confirmations.c.person_id == teachers.c.person_id,
        )
        .scalar_subquery()
    )
    query = (
        select(
            lesson_history,
            func.coalesce(persons.c.name, "").label("by_name"),
            lessons.c.teacher_id.label("reader_id"),
            teachers.c.person_id.label("reader"),
            table.c.sequence.label("seen"),
            confirmed.label("confirmed"),
        )
        .join(lessons, lesson_history.c.lesson_id == lessons.c.id)
        .join(terms, lessons.c.term_id == terms.c.id)
        .join(teachers, lessons.c.teacher_id == teachers.c.id)
        .outerjoin(persons, lesson_history.c.person_id == persons.c.id)
        .outerjoin(
            table,
            (table.c.lesson_id == lesson_history.c.lesson_id)
            & (table.c.person_id == teachers.c.person_id),
        )
        .where(
            terms.c.programme_id == programme_id,
            lessons.c.starts_at > since,
            lessons.c.starts_at < until,
        )
        .order_by(lesson_history.c.lesson_id, lesson_history.c.id)
    )
    return _stories(db.execute(query))


def _stories(
    rows: Iterable[Row[Any]],
) -> tuple[tuple[PersonId, tuple[Turn, ...], int | None], ...]:
    """`rows`: versions of lessons, those of one together and the oldest first."""
    found = []
    for _, group in groupby(rows, key=lambda row: int(row.lesson_id)):
        told = tuple(group)
        marks = [x for x in (told[0].seen, told[0].confirmed) if x is not None]
        reader = PersonId(told[0].reader)
        found.append((reader, tuple(map(_turn, told)), max(marks, default=None)))
    return tuple(found)


def _turn(row: Row[Any]) -> Turn:
    return Turn(
        lesson_id=LessonId(row.lesson_id),
        sequence=row.sequence,
        deed=Deed(row.deed),
        by=None if row.person_id is None else PersonId(row.person_id),
        by_name=row.by_name,
        reason=row.reason,
        state=LessonState(row.state),
        own=row.teacher_id == row.reader_id,
        starts_at=row.starts_at,
    )


def note(
    db: Session, lesson_id: LessonId, person_id: PersonId, sequence: int, now: datetime
) -> bool:
    """Note that a lesson was seen as it stood at `sequence`; False when that was known."""
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    new = dialect.insert(table).values(
        lesson_id=lesson_id, person_id=person_id, sequence=sequence, at=now
    )
    newer = new.on_conflict_do_update(
        index_elements=["lesson_id", "person_id"],
        set_={"sequence": sequence, "at": now},
        where=table.c.sequence < sequence,
    )
    return db.execute(newer.returning(table.c.lesson_id)).first() is not None
