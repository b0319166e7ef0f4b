"""Pins: lessons that no plan may touch, who wants it so, and until when."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete, or_, select
from sqlalchemy.orm import Session

from scheduler.domain.lessons import LessonId
from scheduler.domain.people import PersonId
from scheduler.store.tables import lessons, persons, pins


@dataclass(frozen=True, slots=True)
class Pin:
    """`until`: the last day on which it holds, None: always."""

    lesson_id: LessonId
    owner_id: PersonId | None
    owner: str
    note: str
    until: date | None
    made_at: datetime


def put(
    db: Session,
    ids: Collection[LessonId],
    owner: PersonId | None,
    note: str,
    until: date | None,
    now: datetime,
) -> None:
    """Pin these lessons; a former pin of one of them is gone."""
    remove(db, ids)
    rows = [
        {"lesson_id": each, "owner_id": owner, "note": note, "until": until, "made_at": now}
        for each in sorted(ids)
    ]
    if rows:
        db.execute(pins.insert(), rows)


def remove(db: Session, ids: Collection[LessonId]) -> int:
    """Unpin these lessons; how many were pinned."""
    gone = db.execute(
        delete(pins).where(pins.c.lesson_id.in_(list(ids))).returning(pins.c.lesson_id)
    )
    return len(gone.all())


def lock(db: Session, ids: Sequence[LessonId]) -> None:
    """Let nobody change these lessons until the transaction ends; always in the same order."""
    query = select(lessons.c.id).where(lessons.c.id.in_(ids))
    db.execute(query.order_by(lessons.c.id).with_for_update())


def of_lessons(db: Session, ids: Collection[LessonId]) -> dict[LessonId, Pin]:
    """The pins of these lessons, over or not."""
    found = db.execute(_SELECT.where(pins.c.lesson_id.in_(list(ids))))
    return {LessonId(row.lesson_id): _pin(row) for row in found}


def of_term(db: Session, term_id: int, today: date) -> dict[LessonId, Pin]:
    """The pins of a term's lessons that hold today."""
    query = (
        _SELECT.join(lessons, pins.c.lesson_id == lessons.c.id)
        .where(lessons.c.term_id == term_id, or_(pins.c.until.is_(None), pins.c.until >= today))
        .order_by(pins.c.lesson_id)
    )
    return {LessonId(row.lesson_id): _pin(row) for row in db.execute(query)}


_SELECT = select(pins, persons.c.name).outerjoin(persons, pins.c.owner_id == persons.c.id)


def _pin(row: Row[Any]) -> Pin:
    return Pin(
        LessonId(row.lesson_id), row.owner_id, row.name or "", row.note, row.until, row.made_at
    )
