"""Calls for cover: a teacher said of a lesson that they cannot come.

Whoever changes a call holds its lesson (`lock`): a teacher who accepts, the teacher who comes after
all, the beat that asks the next ones and a publication take turns.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain.cover import CallEnd, OfferEnd, Wave
from scheduler.domain.lessons import Deed, LessonId, LessonState
from scheduler.domain.people import TeacherId
from scheduler.store import gathered, webhook_events
from scheduler.store.tables import cover_calls, lesson_history, lessons, offers, terms

_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class CoverCall:
    """An open call; the teacher stays responsible for the lesson until somebody takes it over.

    `wave` was asked last; `look_at`: when it is looked at next; `exhausted_at`: since when nobody
    is left to ask.
    """

    id: int
    lesson_id: LessonId
    teacher_id: TeacherId
    reason: str
    asked_at: datetime
    wave: Wave
    look_at: datetime | None
    exhausted_at: datetime | None


def of_lessons(db: Session, ids: Collection[LessonId]) -> dict[LessonId, CoverCall]:
    """The open calls for these lessons."""
    rows = db.execute(_OPEN.where(cover_calls.c.lesson_id.in_(list(ids))))
    return {LessonId(row.lesson_id): _call(row) for row in rows}


def of_programme(db: Session, programme_id: int, now: datetime) -> tuple[CoverCall, ...]:
    """The open calls for lessons that have not begun, the most urgent first."""
    query = (
        _OPEN.join(terms, lessons.c.term_id == terms.c.id)
        .where(terms.c.programme_id == programme_id, lessons.c.starts_at > now)
        .order_by(lessons.c.starts_at, lessons.c.id)
    )
    return tuple(map(_call, db.execute(query)))


def lock(db: Session, lesson_id: LessonId) -> None:
    """Let nobody else answer for this lesson until the transaction ends."""
    db.execute(select(lessons.c.id).where(lessons.c.id == lesson_id).with_for_update())


def due(db: Session, now: datetime, most: int) -> tuple[LessonId, ...]:
    """The lessons whose calls are to be looked at now, the most urgent first."""
    query = (
        _OPEN.where(cover_calls.c.next_wave_at <= now)
        .with_only_columns(lessons.c.id)
        .order_by(lessons.c.starts_at, lessons.c.id)
        .limit(most)
    )
    return tuple(map(LessonId, db.scalars(query)))


def claim(db: Session, lesson_id: LessonId, now: datetime) -> CoverCall | None:
    """Hold the lesson and its call, if it is still to be looked at and nobody holds it."""
    row = select(lessons.c.id).where(lessons.c.id == lesson_id).with_for_update(skip_locked=True)
    if db.scalar(row) is None:
        return None
    found = of_lessons(db, [lesson_id]).get(lesson_id)  # only now: it may have ended meanwhile
    return found if found and found.look_at and found.look_at <= now else None


def asked(db: Session, call_id: int, wave: Wave, look_at: datetime) -> None:
    """Note that a wave was asked, and when it will be over."""
    values = {"wave": wave, "next_wave_at": look_at, "exhausted_at": None}
    db.execute(update(cover_calls).where(cover_calls.c.id == call_id).values(values))


def exhaust(db: Session, call_id: int, now: datetime, look_at: datetime) -> None:
    """Note that nobody is left to ask."""
    since = func.coalesce(cover_calls.c.exhausted_at, literal(now, cover_calls.c.exhausted_at.type))
    values = {"next_wave_at": look_at, "exhausted_at": since}
    db.execute(update(cover_calls).where(cover_calls.c.id == call_id).values(values))


def hasten(db: Session, call_id: int, now: datetime) -> None:
    """Let the next wave be asked at once, if one would be: nobody who was asked is left."""
    begins = select(lessons.c.starts_at).where(lessons.c.id == cover_calls.c.lesson_id)
    waits = and_(
        cover_calls.c.next_wave_at > now, cover_calls.c.next_wave_at < begins.scalar_subquery()
    )
    open_offer = select(offers.c.id).where(offers.c.call_id == call_id, offers.c.ended_at.is_(None))
    db.execute(
        update(cover_calls)
        .where(cover_calls.c.id == call_id, waits, ~open_offer.exists())
        .values(next_wave_at=now)
    )


def settle(db: Session, ids: Collection[LessonId], how: CallEnd, now: datetime) -> int:
    """End the open calls for these lessons; how many there were."""
    wanted = sorted(ids)
    ended = 0
    for start in range(0, len(wanted), _AT_ONCE):
        some = cover_calls.c.lesson_id.in_(wanted[start : start + _AT_ONCE])
        calls = _ended(db, some, how, now)
        webhook_events.cover_ended(db, calls, how, now)
        ended += len(calls)
    return ended


def _ended(db: Session, which: ColumnElement[bool], how: CallEnd, now: datetime) -> list[int]:
    """The calls that this ends, with the offers that were open in them and what still waits to be
    sent of them."""
    calls = db.scalars(
        update(cover_calls)
        .where(which, cover_calls.c.ended_at.is_(None))
        .values(ended_at=now, end=how)
        .returning(cover_calls.c.id)
    ).all()
    if calls:
        over = OfferEnd.TAKEN if how is CallEnd.TAKEN else OfferEnd.WITHDRAWN
        db.execute(
            update(offers)
            .where(offers.c.call_id.in_(calls), offers.c.ended_at.is_(None))
            .values(ended_at=now, end=over)
        )
        gathered.void_calls(db, calls)
    return list(calls)


def broken_off(db: Session, ids: Collection[LessonId]) -> dict[LessonId, str]:
    """Why its teacher could not come, of lessons called off while cover was looked for."""
    called_off_at = (
        select(func.max(lesson_history.c.at))
        .where(
            lesson_history.c.lesson_id == cover_calls.c.lesson_id,
            lesson_history.c.deed == Deed.CALLED_OFF,
        )
        .correlate(cover_calls)
        .scalar_subquery()
    )
    rows = db.execute(
        select(cover_calls.c.lesson_id, cover_calls.c.reason)
        .join(lessons, cover_calls.c.lesson_id == lessons.c.id)
        .where(
            cover_calls.c.lesson_id.in_(list(ids)),
            cover_calls.c.end == CallEnd.CALLED_OFF,
            cover_calls.c.teacher_id == lessons.c.teacher_id,
            cover_calls.c.ended_at >= called_off_at,  # no earlier calling off, taken back since
        )
    )
    return {LessonId(row.lesson_id): row.reason for row in rows}


def call(
    db: Session,
    lesson_id: LessonId,
    teacher_id: TeacherId,
    reason: str,
    now: datetime,
    look_at: datetime,
) -> int | None:
    """Look for cover: a new call's number; None when it is looked for already.

    `look_at`: when the beat looks at it first.
    """
    _end_others(db, lesson_id, teacher_id, now)
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    new = dialect.insert(cover_calls).values(
        lesson_id=lesson_id,
        teacher_id=teacher_id,
        reason=reason,
        asked_at=now,
        next_wave_at=look_at,
    )
    once = new.on_conflict_do_nothing(
        index_elements=[cover_calls.c.lesson_id], index_where=cover_calls.c.ended_at.is_(None)
    )
    made: int | None = db.scalar(once.returning(cover_calls.c.id))
    if made is not None:
        _put(db, lesson_id, LessonState.SCHEDULED, LessonState.COVER)
        webhook_events.cover_sought(db, lesson_id, now)
    return made


def withdraw(
    db: Session,
    call_id: int,
    lesson_id: LessonId,
    now: datetime,
    how: CallEnd = CallEnd.WITHDRAWN,
) -> bool:
    """End a call that leaves the lesson to its teacher; False when it had ended."""
    ended = _ended(db, cover_calls.c.id == call_id, how, now)
    if ended:
        _put(db, lesson_id, LessonState.COVER, LessonState.SCHEDULED)
        webhook_events.cover_ended(db, ended, how, now)
    return bool(ended)


def _end_others(db: Session, lesson_id: LessonId, teacher_id: TeacherId, now: datetime) -> None:
    """Calls of teachers from whom the lesson was taken since, or that a publication settled."""
    settled = select(lessons.c.id).where(
        lessons.c.id == lesson_id, lessons.c.state != LessonState.COVER
    )
    stale = (cover_calls.c.teacher_id != teacher_id) | cover_calls.c.lesson_id.in_(settled)
    which = and_(cover_calls.c.lesson_id == lesson_id, stale)
    calls = _ended(db, which, CallEnd.CHANGED, now)
    webhook_events.cover_ended(db, calls, CallEnd.CHANGED, now)


def _put(db: Session, lesson_id: LessonId, before: LessonState, after: LessonState) -> None:
    """Calendars do not show it: no sequence rises."""
    db.execute(
        update(lessons)
        .where(lessons.c.id == lesson_id, lessons.c.state == before)
        .values(state=after)
    )


_OPEN = (
    select(cover_calls)
    .join(lessons, cover_calls.c.lesson_id == lessons.c.id)
    .where(
        cover_calls.c.ended_at.is_(None),
        lessons.c.state == LessonState.COVER,
        lessons.c.teacher_id == cover_calls.c.teacher_id,
    )
)


def _call(row: Row[Any]) -> CoverCall:
    return CoverCall(
        id=row.id,
        lesson_id=row.lesson_id,
        teacher_id=row.teacher_id,
        reason=row.reason,
        asked_at=row.asked_at,
        wave=Wave(row.wave),
        look_at=row.next_wave_at,
        exhausted_at=row.exhausted_at,
    )
