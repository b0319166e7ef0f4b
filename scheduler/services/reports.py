"""How a lesson went: both sides report, and coordinators settle what they do not agree on.

Nothing counts as held by itself: two reports say so, or a coordinator does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from scheduler.domain import access, remarks
from scheduler.domain import reports as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.cover import CallEnd
from scheduler.domain.lessons import Cause, Deed, Lesson, LessonId, LessonState, Move
from scheduler.domain.people import PersonId
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Filed, Report, Waiting
from scheduler.domain.terms import ProgrammeId
from scheduler.errors import Conflict, Invalid, NotFound, Stale, Text, text
from scheduler.services import sides
from scheduler.services.context import Context
from scheduler.services.sides import Speaker
from scheduler.store import audits, covers, history, lessons, reports, webhook_events
from scheduler.store.database import Session

_STATES = {True: LessonState.HELD, False: LessonState.NOT_HELD}


@dataclass(frozen=True, slots=True)
class Account:
    """A lesson and what was said of it; `closed`: why its sides can say no more, or not yet."""

    lesson: Lesson
    filed: Mapping[Side, Filed]
    closed: Text | None


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A lesson that waits for a coordinator's decision, and why."""

    lesson: Lesson
    filed: Mapping[Side, Filed]
    why: Waiting


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a coordinator decides, and why."""

    held: bool
    cause: Cause | None
    words: str


def account(ctx: Context, speaker: Speaker) -> Account:
    """What was said of the lesson until now; looking changes nothing.  Raises NotFound."""
    with ctx.reading() as db:
        return _account(ctx, db, sides.lesson_of(db, speaker))


def seen(ctx: Context, actor: Actor, lesson_id: LessonId) -> Account:
    """The same for whoever sees the lesson; raises NotFound."""
    with ctx.reading() as db:
        return _account(ctx, db, sides.seen_by(db, actor, lesson_id))


def report(ctx: Context, speaker: Speaker, said: Report) -> Account:
    """Keep what one side says, instead of what it said before, and do what follows from both.

    Saying the same twice is saying it once.  Raises Invalid for a report that does not fit the
    lesson, Conflict when it is too early, too late, settled, or the other side's reporter speaks.
    """
    now = ctx.now()
    with ctx.transaction() as db:
        covers.lock(db, speaker.lesson_id)
        lesson = sides.lesson_of(db, speaker)
        said = rules.tidied(said, lesson)
        filed = reports.of_lessons(db, [lesson.id])[lesson.id]
        before = filed.get(speaker.side)
        if before is None or before.report != said:
            _refuse_unless_open(lesson, speaker, filed, now)
            reports.save(db, lesson.id, speaker.side, said, speaker.person_id, now)
            _record_report(db, speaker, before, said, now)
            webhook_events.report_given(db, lesson.id, speaker.side, said, now)
            _conclude(db, lesson, speaker, filed, said, now)
        return _account(ctx, db, sides.lesson_of(db, speaker))


def take_back(ctx: Context, speaker: Speaker) -> Account:
    """As if this side had said nothing yet; taking it back twice is taking it back once.

    Raises Conflict where a report can be changed no more, and once both sides differ: then one of
    them changes what it said, or a coordinator decides.
    """
    now = ctx.now()
    with ctx.transaction() as db:
        covers.lock(db, speaker.lesson_id)
        lesson = sides.lesson_of(db, speaker)
        filed = reports.of_lessons(db, [lesson.id])[lesson.id]
        before = filed.get(speaker.side)
        if before is not None:
            _refuse_unless_open(lesson, speaker, filed, now)
            if not rules.may_take_back(lesson):
                raise Conflict("Both sides said different things. Change what you said instead.")
            reports.remove(db, lesson.id, speaker.side)
            audits.record(
                db, now, speaker.person_id, "take_report_back", "lesson", lesson.id,
                before={"side": speaker.side.value, **_fields(before.report)},
            )  # fmt: skip
        return _account(ctx, db, lesson)


def _refuse_unless_open(
    lesson: Lesson, speaker: Speaker, filed: Mapping[Side, Filed], now: datetime
) -> None:
    why = rules.closed(lesson, now)
    if why is not None:
        raise Conflict(why)
    others = [each for each in filed.values() if each.side is not speaker.side]
    if any(each.by == speaker.person_id for each in others):
        raise Conflict(
            "One person cannot report for both sides. Let the other side report, or a coordinator "
            "settle it."
        )


def _conclude(
    db: Session,
    lesson: Lesson,
    speaker: Speaker,
    filed: Mapping[Side, Filed],
    said: Report,
    now: datetime,
) -> None:
    told = {side: each.report for side, each in filed.items()} | {speaker.side: said}
    found = rules.verdict(told)
    disputed_still = found.move is Move.DISPUTE and lesson.state is LessonState.DISPUTED
    if found.move is None or disputed_still:
        return
    _decide(db, lesson, found.move, found.cause, now)
    history.note(db, [lesson.id], Deed.REPORTED, speaker.person_id, now, reason=said.note)


def _decide(db: Session, lesson: Lesson, move: Move, cause: Cause | None, now: datetime) -> None:
    reports.decide(db, lesson, move, cause)
    covers.settle(db, [lesson.id], CallEnd.MISSED, now)  # it began: nobody takes it over any more


def _record_report(
    db: Session, speaker: Speaker, before: Filed | None, said: Report, now: datetime
) -> None:
    audits.record(
        db, now, speaker.person_id, "report_lesson", "lesson", speaker.lesson_id,
        before={"side": speaker.side.value, **_fields(before.report)} if before else None,
        after={"side": speaker.side.value, **_fields(said)},
    )  # fmt: skip


def _fields(said: Report) -> dict[str, object]:
    return {"held": said.held, "minutes_late": said.minutes_late, "cause": said.cause}


def settle(
    ctx: Context,
    actor: Actor,
    lesson_id: LessonId,
    made: Settlement,
    seen: LessonState | None = None,
) -> Account:
    """Decide for both sides how a lesson went; a later decision replaces it, a report does not.

    Only a coordinator may.  `seen`: how it stood when she looked; raises Stale when it does not
    stand so any more, Invalid without a cause of loss or without words, Conflict for
    a lesson that was called off or has not begun.
    """
    now = ctx.now()
    words = _checked(made)
    with ctx.transaction() as db:
        covers.lock(db, lesson_id)
        lesson = sides.seen_by(db, actor, lesson_id)
        access.require(actor, Action.SETTLE_LESSON, lesson.programme_id)
        why = rules.not_to_be_told(lesson, now)
        if why is not None:
            raise Conflict(why)
        if seen not in (None, lesson.state):
            raise Stale(
                "What is known of this lesson changed while you were looking. See it again."
            )
        state = _STATES[made.held]
        if (lesson.state, lesson.cause) != (state, made.cause):
            if lesson.state is state:
                reports.correct(db, lesson, made.cause)
            else:
                move = Move.HOLD if made.held else Move.MISS
                _decide(db, lesson, move, made.cause, now)
            history.note(db, [lesson.id], Deed.SETTLED, actor.person_id, now, reason=words)
            _record_settlement(db, actor.person_id, lesson, made, words, now)
        return _account(ctx, db, sides.seen_by(db, actor, lesson_id))


def _checked(made: Settlement) -> str:
    words = remarks.tidied(made.words)
    faults = dict(rules.note_faults(words))
    if not words:
        faults["note"] = text("Say in a few words why you decide so.")
    if made.held and made.cause is not None:
        faults["cause"] = text("A lesson that was held has no cause of loss.")
    if not made.held and made.cause is None:
        faults["cause"] = text("Say why it was not held.")
    if faults:
        raise Invalid("Some fields need another look.", fields=faults)
    return words


def _record_settlement(
    db: Session, by: PersonId, lesson: Lesson, made: Settlement, words: str, now: datetime
) -> None:
    audits.record(
        db, now, by, "settle_lesson", "lesson", lesson.id,
        reason=words,
        before={"state": lesson.state, "cause": lesson.cause},
        after={"state": _STATES[made.held], "cause": made.cause},
    )  # fmt: skip


def open_questions(ctx: Context, actor: Actor) -> tuple[OpenQuestion, ...]:
    """The lessons that wait for a decision of this coordinator, in order of time.

    Raises NotFound for who settles nothing.
    """
    mine = {x.programme_id for x in actor.grants if actor.can(Action.SETTLE_LESSON, x.programme_id)}
    if not mine:
        raise NotFound("There is nothing here.")
    with ctx.reading() as db:
        return _open_questions(db, mine, ctx.now())


def _open_questions(
    db: Session, programmes: set[ProgrammeId], now: datetime
) -> tuple[OpenQuestion, ...]:
    ids = reports.unsettled(db, programmes, now - rules.ALONE_TOO_LONG)
    filed = reports.of_lessons(db, ids)
    asked = (
        (lesson, filed[lesson.id], rules.waiting(lesson, filed[lesson.id], now))
        for lesson in lessons.find(db, ids=ids)
    )
    return tuple(OpenQuestion(lesson, told, why) for lesson, told, why in asked if why)


def _account(ctx: Context, db: Session, lesson: Lesson) -> Account:
    filed = reports.of_lessons(db, [lesson.id])[lesson.id]
    return Account(lesson, filed, rules.closed(lesson, ctx.now()))
