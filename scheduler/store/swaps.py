"""Proposals to swap two lessons."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain.lessons import Lesson, LessonId
from scheduler.domain.people import TeacherId
from scheduler.domain.swaps import Swap, SwapEnd, SwapId
from scheduler.store.tables import lessons, swaps, teachers

_OPEN = swaps.c.ended_at.is_(None)


def lock(db: Session, ids: Collection[LessonId], who: Collection[TeacherId]) -> None:
    """Let nobody else change these lessons, nor swap with these teachers, until we are done.

    Lessons before teachers, each in order: as a publication meets them, so that nobody waits in a
    ring.  The teachers' rows make two swaps of one teacher take turns: together they could break
    a limit that each of them keeps.
    """
    query = select(lessons.c.id).where(lessons.c.id.in_(list(ids))).order_by(lessons.c.id)
    db.execute(query.with_for_update())
    people = select(teachers.c.id).where(teachers.c.id.in_(list(who))).order_by(teachers.c.id)
    db.execute(people.with_for_update(key_share=True))


def add(
    db: Session, given: Lesson, wanted: Lesson, words: str, now: datetime, deadline: datetime
) -> SwapId | None:
    """Propose to swap these lessons as they stand; None when it is proposed already."""
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    new = dialect.insert(swaps).values(
        given_id=given.id,
        given_sequence=given.sequence,
        asker_id=given.teacher_id,
        wanted_id=wanted.id,
        wanted_sequence=wanted.sequence,
        asked_id=wanted.teacher_id,
        words=words,
        asked_at=now,
        deadline=deadline,
    )
    once = new.on_conflict_do_nothing(
        index_elements=[swaps.c.given_id, swaps.c.wanted_id], index_where=_OPEN
    )
    made: int | None = db.scalar(once.returning(swaps.c.id))
    return None if made is None else SwapId(made)


def end(db: Session, swap_id: SwapId, how: SwapEnd, now: datetime) -> bool:
    """End a proposal; False when it had ended."""
    ended = update(swaps).where(swaps.c.id == swap_id, _OPEN).values(ended_at=now, end=how)
    return db.scalar(ended.returning(swaps.c.id)) is not None


def get(db: Session, swap_id: int) -> Swap | None:
    return next(iter(_read(db, swaps.c.id == swap_id)), None)


def by_ids(db: Session, ids: Collection[SwapId]) -> dict[SwapId, Swap]:
    return {swap.id: swap for swap in _read(db, swaps.c.id.in_(list(ids)))} if ids else {}


def open_of(db: Session, given: LessonId, wanted: LessonId) -> Swap | None:
    """The open proposal to give one for the other."""
    pair = (swaps.c.given_id == given, swaps.c.wanted_id == wanted)
    return next(iter(_read(db, _OPEN, *pair)), None)


def of_teachers(db: Session, ids: Collection[TeacherId]) -> tuple[Swap, ...]:
    """The proposals that any of these teachers made or got, the newest first."""
    mine = or_(swaps.c.asker_id.in_(list(ids)), swaps.c.asked_id.in_(list(ids)))
    return tuple(reversed(_read(db, mine)))


def of_programme(db: Session, programme_id: int) -> tuple[Swap, ...]:
    """All proposals of a programme, the newest first."""
    own = select(teachers.c.id).where(teachers.c.programme_id == programme_id)
    return tuple(reversed(_read(db, swaps.c.asker_id.in_(own))))


def count_open(db: Session, asker: TeacherId) -> int:
    query = select(func.count()).where(_OPEN, swaps.c.asker_id == asker)
    return int(db.scalar(query) or 0)


def stale(db: Session, now: datetime, most: int) -> tuple[Swap, ...]:
    """Open proposals past their deadline, or of lessons that changed since."""
    given, wanted = lessons.alias("given"), lessons.alias("wanted")
    changed = or_(
        given.c.sequence != swaps.c.given_sequence, wanted.c.sequence != swaps.c.wanted_sequence
    )
    query = (
        select(swaps)
        .join(given, swaps.c.given_id == given.c.id)
        .join(wanted, swaps.c.wanted_id == wanted.c.id)
        .where(_OPEN, or_(swaps.c.deadline <= now, changed))
        .order_by(swaps.c.id)
        .limit(most)
    )
    return tuple(map(_swap, db.execute(query)))


def _read(db: Session, *where: ColumnElement[bool]) -> tuple[Swap, ...]:
    return tuple(map(_swap, db.execute(select(swaps).where(*where).order_by(swaps.c.id))))


def _swap(row: Row[Any]) -> Swap:
    return Swap(
        id=SwapId(row.id),
        given_id=LessonId(row.given_id),
        given_sequence=row.given_sequence,
        asker_id=TeacherId(row.asker_id),
        wanted_id=LessonId(row.wanted_id),
        wanted_sequence=row.wanted_sequence,
        asked_id=TeacherId(row.asked_id),
        words=row.words,
        asked_at=row.asked_at,
        deadline=row.deadline,
        ended_at=row.ended_at,
        end=SwapEnd(row.end) if row.end else None,
    )
