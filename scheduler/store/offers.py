"""Offers: a teacher is asked to give a lesson that looks for cover; once in a call."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from scheduler.domain.cover import Offer, OfferEnd, OfferId, Wave
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import PersonId, TeacherId
from scheduler.store.tables import cover_calls, offers, persons, teachers


def add(
    db: Session,
    call_id: int,
    asked: Iterable[tuple[TeacherId, Wave]],
    deadline: datetime,
    now: datetime,
) -> None:
    """Ask these teachers; the caller holds the call's lesson and knows that none was asked."""
    rows = [
        {"call_id": call_id, "teacher_id": who, "wave": wave, "asked_at": now, "deadline": deadline}
        for who, wave in asked
    ]
    db.execute(insert(offers), rows)


def again(db: Session, offer_id: OfferId, deadline: datetime, now: datetime) -> None:
    """Ask somebody who was asked before in this call, by hand."""
    fresh = {"wave": Wave.BY_HAND, "asked_at": now, "deadline": deadline}
    ended = {"seen_at": None, "ended_at": None, "end": None, "reason": ""}
    db.execute(update(offers).where(offers.c.id == offer_id).values(fresh | ended))


def get(db: Session, offer_id: int) -> Offer | None:
    row = db.execute(_SELECT.where(offers.c.id == offer_id)).one_or_none()
    return None if row is None else _offer(row)


def of_call(db: Session, call_id: int) -> tuple[Offer, ...]:
    """Who was asked in this call, in that order."""
    return of_calls(db, [call_id])[call_id]


def of_calls(db: Session, call_ids: Collection[int]) -> dict[int, tuple[Offer, ...]]:
    """Who was asked in each of these calls, in that order."""
    query = _SELECT.where(offers.c.call_id.in_(list(call_ids)))
    found: dict[int, tuple[Offer, ...]] = dict.fromkeys(call_ids, ())
    for each in map(_offer, db.execute(query.order_by(offers.c.asked_at, offers.c.id))):
        found[each.call_id] += (each,)
    return found


def of_lesson(db: Session, lesson_id: LessonId) -> tuple[Offer, ...]:
    """Who was ever asked to give this lesson, in that order."""
    query = _SELECT.where(cover_calls.c.lesson_id == lesson_id)
    return tuple(map(_offer, db.execute(query.order_by(offers.c.asked_at, offers.c.id))))


def open_of(
    db: Session, lesson_ids: Collection[LessonId], people: Collection[PersonId]
) -> dict[tuple[LessonId, PersonId], Offer]:
    """The open offers of these lessons to these people."""
    query = _SELECT.where(
        cover_calls.c.lesson_id.in_(list(lesson_ids)),
        teachers.c.person_id.in_(list(people)),
        offers.c.ended_at.is_(None),
    )
    return {(each.lesson_id, each.person_id): each for each in map(_offer, db.execute(query))}


def waiting_for(db: Session, person: PersonId, now: datetime) -> tuple[Offer, ...]:
    """The offers that still wait for this person's answer, the most urgent first."""
    query = _SELECT.where(
        teachers.c.person_id == person,
        offers.c.ended_at.is_(None),
        offers.c.deadline > now,
        cover_calls.c.ended_at.is_(None),
    )
    return tuple(map(_offer, db.execute(query.order_by(offers.c.deadline, offers.c.id))))


def see(db: Session, offer_id: OfferId, now: datetime) -> None:
    """Note when its teacher answered first."""
    unseen = update(offers).where(offers.c.id == offer_id, offers.c.seen_at.is_(None))
    db.execute(unseen.values(seen_at=now))


def end(db: Session, offer_id: OfferId, how: OfferEnd, now: datetime, reason: str = "") -> bool:
    """End an offer; False when it had ended."""
    done = db.execute(
        update(offers)
        .where(offers.c.id == offer_id, offers.c.ended_at.is_(None))
        .values(ended_at=now, end=how, reason=reason)
        .returning(offers.c.id)
    )
    return done.first() is not None


def lapse(db: Session, call_id: int, now: datetime) -> None:
    """End the offers of a call whose deadline has passed, just then."""
    passed = (offers.c.call_id == call_id, offers.c.ended_at.is_(None), offers.c.deadline <= now)
    late = update(offers).where(*passed)
    db.execute(late.values(ended_at=offers.c.deadline, end=OfferEnd.LAPSED))


def lock_teacher(db: Session, teacher_id: TeacherId) -> None:
    """Let one teacher take over one lesson at a time: limits count them all."""
    row = select(teachers.c.id).where(teachers.c.id == teacher_id)
    db.execute(row.with_for_update(key_share=True))


_SELECT = (
    select(offers, cover_calls.c.lesson_id, teachers.c.person_id, persons.c.name)
    .join(cover_calls, offers.c.call_id == cover_calls.c.id)
    .join(teachers, offers.c.teacher_id == teachers.c.id)
    .join(persons, teachers.c.person_id == persons.c.id)
)


def _offer(row: Row[Any]) -> Offer:
    return Offer(
        id=row.id,
        call_id=row.call_id,
        lesson_id=row.lesson_id,
        teacher_id=row.teacher_id,
        person_id=row.person_id,
        name=row.name,
        wave=Wave(row.wave),
        asked_at=row.asked_at,
        deadline=row.deadline,
        seen_at=row.seen_at,
        ended_at=row.ended_at,
        end=OfferEnd(row.end) if row.end else None,
        reason=row.reason,
    )
