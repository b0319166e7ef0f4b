"""Cover before the coordinator: who could stand in, who was asked, and what a hand can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from scheduler.domain import access, remarks
from scheduler.domain.access import Action, Actor
from scheduler.domain.candidates import Obstacle
from scheduler.domain.cover import CallEnd, Offer, OfferEnd, Ranked, is_too_late
from scheduler.domain.lessons import Deed, Lesson, LessonId, LessonState, Move, after
from scheduler.domain.people import TeacherId
from scheduler.errors import Conflict, Invalid, NotFound, Stale, text
from scheduler.services import news, offers, programmes, waves
from scheduler.services.context import Context
from scheduler.services.timetable import Cause
from scheduler.services.words import obstacle_words
from scheduler.store import audits, candidates, covers, lessons, pins, tables, terms
from scheduler.store import offers as offer_rows
from scheduler.store.covers import CoverCall
from scheduler.store.database import Session
from scheduler.store.visibility import sees

# What no agreement by telephone can waive; the rest are a teacher's own promises.
_FIRM = (Obstacle.NOT_QUALIFIED, Obstacle.TEACHING)


@dataclass(frozen=True, slots=True)
class Search:
    """A lesson that looks for cover: who was asked and what became of it, in that order."""

    lesson: Lesson
    call: CoverCall
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One lesson, its open call if there is one, everybody who was ever asked to give it, and who
    could: those who fit first, in the order in which they are asked."""

    lesson: Lesson
    call: CoverCall | None
    offers: tuple[Offer, ...]
    ranked: tuple[Ranked, ...]


def searches(ctx: Context, actor: Actor) -> tuple[Search, ...]:
    """Every lesson of the coordinator's programme that looks for cover, the most urgent first."""
    programme_id = programmes.own(actor)
    access.require(actor, Action.FIND_COVER, programme_id)
    with ctx.reading() as db:
        calls = covers.of_programme(db, programme_id, ctx.now())
        known = {x.id: x for x in lessons.find(db, ids=[call.lesson_id for call in calls])}
        asked = offer_rows.of_calls(db, [call.id for call in calls])
    return tuple(Search(known[call.lesson_id], call, asked[call.id]) for call in calls)


def board(ctx: Context, actor: Actor, lesson_id: LessonId) -> Board:
    """How it stands with one lesson; raises NotFound for strangers."""
    with ctx.reading() as db:
        lesson = must_see(db, actor, lesson_id)
        return Board(
            lesson=lesson,
            call=covers.of_lessons(db, [lesson_id]).get(lesson_id),
            offers=offer_rows.of_lesson(db, lesson_id),
            ranked=waves.ranking(db, candidates.need(db, lesson), ctx.now()),
        )


def ranking(ctx: Context, actor: Actor, lesson_id: LessonId) -> tuple[Ranked, ...]:
    """Who could give a lesson instead, with reasons: those who fit first, in the order in which
    they are asked; then the others, with what stands in the way."""
    with ctx.reading() as db:
        need = candidates.need(db, must_see(db, actor, lesson_id))
        return waves.ranking(db, need, ctx.now())


# -- by hand


def ask(ctx: Context, actor: Actor, lesson_id: LessonId, reason: str) -> Lesson:
    """Look for cover for a teacher who said by telephone that they cannot come."""
    reason = worded(reason)
    with ctx.transaction() as db:
        lesson = _held(db, actor, lesson_id)
        if lesson.starts_at <= ctx.now():
            raise Conflict("This lesson has begun.")
        if after(lesson.state, Move.ASK_COVER) is None or not waves.begin(
            ctx, db, lesson, reason, actor.person_id
        ):
            raise Conflict("Nobody can be looked for: see how this lesson stands.")
        _record(ctx, db, actor, "ask_for_cover", lesson, {"state": LessonState.COVER})
        return must_see(db, actor, lesson_id)


def offer(ctx: Context, actor: Actor, lesson_id: LessonId, teacher_id: TeacherId) -> datetime:
    """Ask one teacher, again if need be; until when the answer counts.

    Raises Conflict for one who may not give the lesson, or was asked and has not answered yet.
    """
    with ctx.transaction() as db:
        lesson = _held(db, actor, lesson_id)
        call = _open_call(db, lesson)
        if is_too_late(ctx.now(), lesson.starts_at):
            raise Conflict("There is no time for a message any more. Please telephone.")
        who = _candidate(ctx, db, lesson, teacher_id)
        if who.obstacles:
            raise _hindered(who, who.obstacles[0])
        waiting = [x for x in offer_rows.of_call(db, call.id) if x.teacher_id == teacher_id]
        if any(x.end is None and ctx.now() < x.deadline for x in waiting):
            raise Conflict(
                text("{name} was asked already and may still answer.", name=who.who.name)
            )
        until = waves.by_hand(ctx, db, call, lesson, who)
        _record(ctx, db, actor, "offer_lesson", lesson, {"asked": teacher_id})
        return until


def next_wave(ctx: Context, actor: Actor, lesson_id: LessonId, seen: int) -> int:
    """Ask the next ones now, without waiting until the deadline of the last has passed; how many.

    `seen`: how many had been asked when the actor looked.  Raises Stale when more were since,
    Conflict when nobody is left, or no time.
    """
    with ctx.transaction() as db:
        lesson = _held(db, actor, lesson_id)
        call = _open_call(db, lesson)
        before = len(offer_rows.of_call(db, call.id))
        if before != seen:
            raise Stale("Others were asked while you were looking. See who they are.")
        waves.ask_next(ctx, db, call, lesson)
        made = len(offer_rows.of_call(db, call.id)) - before
        if not made:
            raise Conflict("Nobody is left who could be asked by message. Please telephone.")
        _record(ctx, db, actor, "ask_next_wave", lesson, {"asked": made})
        return made


def take(
    ctx: Context,
    actor: Actor,
    lesson_id: LessonId,
    teacher_id: TeacherId,
    reason: str,
    seen: TeacherId | None = None,
) -> Lesson:
    """Give the lesson to a teacher who agreed by telephone; `reason` is kept.

    A teacher may agree to more than was promised: the lesson is pinned then, so that the engine
    does not take it away again.  `seen`: whose it was when the actor looked; raises Stale when it
    is somebody else's since, Conflict for what no agreement can waive.
    """
    reason = worded(reason)
    now = ctx.now()
    with ctx.transaction() as db:
        lesson = _held(db, actor, lesson_id)
        if seen not in (None, lesson.teacher_id):
            raise Stale(
                text("{name} has taken this lesson over meanwhile.", name=lesson.teacher_name)
            )
        if lesson.ends_at <= now or after(lesson.state, Move.TAKE_OVER) is None:
            raise Conflict("Nobody can take this lesson over any more.")
        offer_rows.lock_teacher(db, teacher_id)
        who = _candidate(ctx, db, lesson, teacher_id)
        firm = [each for each in who.obstacles if each in _FIRM]
        if firm:
            raise _hindered(who, firm[0])
        call = covers.of_lessons(db, [lesson_id]).get(lesson_id)
        _accepted(db, call, teacher_id, now)
        need = candidates.need(db, lesson)
        name = f"taken:{lesson_id}:{lesson.sequence}"
        end = CallEnd.TAKEN
        cause = Cause(
            Deed.TAKEN_OVER, name, actor.person_id, actor.name, reason=reason, call_end=end
        )
        offers.hand_over(ctx, db, need, teacher_id, cause)
        if who.obstacles:
            pins.put(db, [lesson_id], actor.person_id, reason, None, now)
        news.thank(ctx, db, lesson_id, who.who.person_id)
        _record(ctx, db, actor, "assign_lesson", lesson, {"teacher": teacher_id}, reason)
        return must_see(db, actor, lesson_id)


def _accepted(db: Session, call: CoverCall | None, teacher_id: TeacherId, now: datetime) -> None:
    """Who was asked and agrees by telephone has accepted."""
    for each in offer_rows.of_call(db, call.id) if call else ():
        if each.teacher_id == teacher_id:
            offer_rows.end(db, each.id, OfferEnd.ACCEPTED, now)


def close(ctx: Context, actor: Actor, lesson_id: LessonId) -> Lesson:
    """The teacher comes after all: nobody is looked for any more."""
    with ctx.transaction() as db:
        lesson = _held(db, actor, lesson_id)
        waves.end(ctx, db, _open_call(db, lesson), lesson, actor.person_id)
        _record(ctx, db, actor, "end_cover", lesson, {"state": LessonState.SCHEDULED})
        return must_see(db, actor, lesson_id)


def automatic(ctx: Context, actor: Actor, *, on: bool | None = None) -> bool:
    """Whether teachers are asked by themselves, wave after wave; `on` changes it from now on."""
    programme_id = programmes.own(actor)
    access.require(actor, Action.FIND_COVER, programme_id)
    if on is None:  # who only looks does not take the writers' turn
        with ctx.reading() as db:
            return terms.asks_for_cover(db, programme_id)
    with ctx.transaction() as db:
        before = terms.asks_for_cover(db, programme_id)
        if on is before:
            return before
        terms.set_asking(db, programme_id, asks=on)
        audits.record(
            db, ctx.now(), actor.person_id, "set_cover", "programme", programme_id,
            before={"automatic": before}, after={"automatic": on},
        )  # fmt: skip
        return on


# -- what all of them look at first


def must_see(db: Session, actor: Actor, lesson_id: LessonId) -> Lesson:
    """The lesson, for whoever may find cover for it; raises NotFound for strangers."""
    lesson = lessons.get(db, lesson_id) if sees(db, actor, tables.lessons, lesson_id) else None
    if lesson is None:
        raise NotFound("There is no such lesson here.")
    access.require(actor, Action.FIND_COVER, lesson.programme_id)
    return lesson


def _held(db: Session, actor: Actor, lesson_id: LessonId) -> Lesson:
    """The lesson as it stands, and nobody else changes it until the transaction ends."""
    must_see(db, actor, lesson_id)
    covers.lock(db, lesson_id)
    return must_see(db, actor, lesson_id)


def worded(reason: str) -> str:
    """The reason in one line; raises Invalid without one."""
    reason = remarks.tidied(reason)
    if fault := remarks.fault(reason):
        raise Invalid("Say in a few words why.", fields={"reason": fault})
    return reason


def _open_call(db: Session, lesson: Lesson) -> CoverCall:
    call = covers.of_lessons(db, [lesson.id]).get(lesson.id)
    if call is None:
        raise Conflict("Nobody is looked for to give this lesson.")
    return call


def _candidate(ctx: Context, db: Session, lesson: Lesson, teacher_id: TeacherId) -> Ranked:
    lines = waves.ranking(db, candidates.need(db, lesson), ctx.now())
    found = next((line for line in lines if line.who.teacher_id == teacher_id), None)
    if found is None:
        raise NotFound("There is no other teacher of this number who gives lessons this term.")
    return found


def _hindered(who: Ranked, obstacle: Obstacle) -> Conflict:
    why = obstacle_words(obstacle)
    return Conflict(text("{name} cannot give this lesson: {why}.", name=who.who.name, why=why))


def _record(
    ctx: Context,
    db: Session,
    actor: Actor,
    action: str,
    lesson: Lesson,
    changed: Mapping[str, object],
    reason: str = "",
) -> None:
    """`lesson` as it was."""
    before = {"state": lesson.state, "teacher": lesson.teacher_id}
    audits.record(
        db, ctx.now(), actor.person_id, action, "lesson", lesson.id,
        reason=reason, before=before, after=changed,
    )  # fmt: skip
