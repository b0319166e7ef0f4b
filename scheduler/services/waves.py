"""Asking teachers to stand in, wave after wave, until somebody takes the lesson over."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from scheduler.domain import cover as rules
from scheduler.domain.cover import CallEnd, Offer, Ranked, Wave
from scheduler.domain.lessons import Deed, Lesson, LessonId
from scheduler.domain.people import PersonId
from scheduler.services import news
from scheduler.services.context import Context
from scheduler.store import (
    candidates,
    confirmations,
    covers,
    feeds,
    history,
    lessons,
    offers,
    terms,
)
from scheduler.store.candidates import Need
from scheduler.store.covers import CoverCall
from scheduler.store.database import Session

CALLS_AT_ONCE = 50  # in one beat; the rest come with the next
_log = logging.getLogger(__name__)


def begin(ctx: Context, db: Session, lesson: Lesson, reason: str, by: PersonId) -> bool:
    """Look for cover and, where the programme wants it so, ask the first ones; False when cover is
    looked for already.  The caller holds the lesson and knows that it has not begun."""
    now, asks = ctx.now(), terms.asks_for_cover(db, lesson.programme_id)
    first = now if asks else lesson.starts_at
    # whatever the teacher may have confirmed
    confirmations.remove(db, lesson.id, lesson.sequence, lesson.teacher_person_id)
    made = covers.call(db, lesson.id, lesson.teacher_id, reason, now, first)
    if made is None:
        return False
    history.note(db, [lesson.id], Deed.COVER_ASKED, by, now, reason=reason)
    _mark_feeds(db, lesson)
    news.want_cover(ctx, db, lesson, made)
    call = covers.of_lessons(db, [lesson.id])[lesson.id]
    if asks:
        ask_next(ctx, db, call, lesson)
    return True


def end(
    ctx: Context,
    db: Session,
    call: CoverCall,
    lesson: Lesson,
    by: PersonId | None,
    how: CallEnd = CallEnd.WITHDRAWN,
) -> bool:
    """End a call that leaves the lesson to its teacher; False when it had ended."""
    now = ctx.now()
    if not covers.withdraw(db, call.id, lesson.id, now, how):
        return False
    history.note(db, [lesson.id], Deed.COVER_WITHDRAWN, by, now)
    _mark_feeds(db, lesson)
    return True


def ranking(db: Session, need: Need, now: datetime) -> tuple[Ranked, ...]:
    """Everybody who could give a lesson instead, in the order in which they are asked, and who
    could not."""
    found = candidates.find(db, need.term, need.want, now)
    return rules.rank(found, need.want, need.lesson.teacher_id, need.donor_school_id)


# -- by the beat


def advance(ctx: Context, go_on: Callable[[], bool] = lambda: True) -> int:
    """Look at the calls that are due: ask the next ones, say that nobody is left, or end what
    began with nobody.  Safe in any number of processes; returns how many were looked at."""
    with ctx.reading() as db:  # most beats find nothing: do not take the writers' turn for that
        due = covers.due(db, ctx.now(), CALLS_AT_ONCE)
    return sum(_attempt(ctx, lesson_id) for lesson_id in due if go_on())


def _attempt(ctx: Context, lesson_id: LessonId) -> bool:
    try:
        with ctx.transaction() as db:
            return _look(ctx, db, lesson_id)
    except Exception:  # noqa: BLE001 - one broken call must not keep the others waiting
        _log.exception("a call for cover could not be looked at", extra={"lesson": lesson_id})
        return False


def _look(ctx: Context, db: Session, lesson_id: LessonId) -> bool:
    now = ctx.now()
    call, lesson = covers.claim(db, lesson_id, now), lessons.get(db, lesson_id)
    if call is None or lesson is None:
        return False
    offers.lapse(db, call.id, now)
    if lesson.starts_at <= now:
        end(ctx, db, call, lesson, None, CallEnd.MISSED)
    elif terms.asks_for_cover(db, lesson.programme_id):
        ask_next(ctx, db, call, lesson)
    else:
        covers.asked(db, call.id, call.wave, lesson.starts_at)
    return True


def ask_next(ctx: Context, db: Session, call: CoverCall, lesson: Lesson) -> None:
    """Ask the wave after the last one, or say that nobody is left; the caller holds the lesson."""
    now = ctx.now()
    before = offers.of_call(db, call.id)
    known = {offer.teacher_id for offer in before}
    ranked = ranking(db, candidates.need(db, lesson), now)
    chosen = rules.next_wave(ranked, known, call.wave, now, lesson.starts_at)
    if not chosen:
        _nobody_left(ctx, db, call, lesson, before, now)
        return
    last = chosen[-1][0]
    until = rules.deadline(now, lesson.starts_at, last)
    offers.add(db, call.id, [(line.who.teacher_id, wave) for wave, line in chosen], until, now)
    covers.asked(db, call.id, last, until)
    news.offer(ctx, db, lesson.id, [line.who.person_id for _, line in chosen], call.id, until)


def _nobody_left(
    ctx: Context,
    db: Session,
    call: CoverCall,
    lesson: Lesson,
    before: Sequence[Offer],
    now: datetime,
) -> None:
    """Somebody whom a coordinator asked by hand may still answer; else say so, once."""
    still = [offer.deadline for offer in before if offer.end is None]
    if still:
        covers.asked(db, call.id, call.wave, max(still))
        return
    covers.exhaust(db, call.id, now, lesson.starts_at)
    news.nobody_left(ctx, db, lesson, call.id, len(before))


def by_hand(ctx: Context, db: Session, call: CoverCall, lesson: Lesson, who: Ranked) -> datetime:
    """Ask one teacher whom a coordinator chose, again if need be; until when."""
    now = ctx.now()
    until = rules.deadline(now, lesson.starts_at, Wave.BY_HAND)
    known = {offer.teacher_id: offer for offer in offers.of_call(db, call.id)}
    if who.who.teacher_id in known:
        offers.again(db, known[who.who.teacher_id].id, until, now)
    else:
        offers.add(db, call.id, [(who.who.teacher_id, Wave.BY_HAND)], until, now)
    news.offer(ctx, db, lesson.id, [who.who.person_id], call.id, until)
    return until


def _mark_feeds(db: Session, lesson: Lesson) -> None:
    feeds.mark_dirty(
        db,
        programme_id=lesson.programme_id,
        teacher_ids=[lesson.teacher_id],
        class_ids=[lesson.class_id],
    )
