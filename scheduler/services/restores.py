"""A calling off is taken back: the lesson takes place after all, if nothing has come in its way."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from scheduler.domain.access import Action, Actor
from scheduler.domain.candidates import Obstacle
from scheduler.domain.lessons import Deed, Lesson, LessonId, LessonState, placed
from scheduler.domain.openings import Board, Situation
from scheduler.domain.terms import Term
from scheduler.errors import Conflict, Text, text
from scheduler.locale import Language, translate
from scheduler.services import sides, situations, timetable, waves
from scheduler.services.context import Context
from scheduler.services.timetable import Cause
from scheduler.services.words import obstacle_words
from scheduler.store import audits, covers, history, offers, recipients, terms
from scheduler.store.database import Session

# What looking for somebody else does not mend, and what it does.  Promised hours and limits are
# neither: the teacher had this lesson already.
_FIRM = (Obstacle.TEACHING, Obstacle.NOT_QUALIFIED)
_SOFT = (Obstacle.AWAY, Obstacle.BUSY)
_NO_PART = text("This teacher gives no lessons this term.")


@dataclass(frozen=True, slots=True)
class Return:
    """A lesson that was called off.  `why`: what keeps it off, None: nothing; `cover`: why its
    teacher cannot come, so that somebody else is looked for, empty: it comes back as it was."""

    lesson: Lesson
    why: Text | None
    cover: str = ""


def look(ctx: Context, actor: Actor, lesson_id: LessonId) -> Return | None:
    """What taking its calling off back would do; None where there is none that the actor may.

    A school takes back what it called off itself.  Raises NotFound for strangers.
    """
    with ctx.reading() as db:
        lesson = sides.seen_by(db, actor, lesson_id)
        term = terms.of_lesson(db, lesson_id)
        if term is None or not _may(ctx, db, actor, lesson):
            return None
        return returns(ctx, db, situations.take(db, term, ctx.now()), [lesson])[0]


def restore(ctx: Context, actor: Actor, lesson_id: LessonId) -> Return:
    """Let a lesson that was called off take place where and when it was to; all are told.

    Raises NotFound for strangers, Conflict, and says why, where it cannot be.
    """
    with ctx.transaction() as db:
        lesson, term = sides.seen_by(db, actor, lesson_id), terms.of_lesson(db, lesson_id)
        if term is None:
            raise Conflict(_NOT_BACK)
        terms.lock(db, term.id)  # rooms have no constraint that would stop two at once
        covers.lock(db, lesson_id)
        lesson = sides.seen_by(db, actor, lesson_id)
        if not _may(ctx, db, actor, lesson):
            raise Conflict(_NOT_BACK)
        offers.lock_teacher(db, lesson.teacher_id)
        found = returns(ctx, db, situations.take(db, term, ctx.now()), [lesson])[0]
        if found.why is not None:
            raise Conflict(found.why)
        bring_back(ctx, db, actor, term, [found], f"restored:{lesson_id}:{lesson.sequence + 1}")
        audits.record(
            db, ctx.now(), actor.person_id, "restore_lesson", "lesson", lesson_id,
            before={"state": lesson.state, "reason": lesson.cancel_reason},
            after={"state": LessonState.COVER if found.cover else LessonState.SCHEDULED},
        )  # fmt: skip
        return Return(sides.seen_by(db, actor, lesson_id), None, found.cover)


_NOT_BACK = text("This lesson cannot be brought back here: see how it stands.")


def _may(ctx: Context, db: Session, actor: Actor, lesson: Lesson) -> bool:
    if lesson.state is not LessonState.CANCELLED or lesson.starts_at <= ctx.now():
        return False
    last = history.as_of(db, [lesson.id], ctx.now()).get(lesson.id)
    if last is None or last.deed is not Deed.CALLED_OFF:
        return False  # a plan dropped it, or its class joined another
    if actor.can(Action.CANCEL_LESSON, lesson.programme_id):
        return True
    own = recipients.of_schools(db, [lesson.school_id])[lesson.school_id]
    return lesson.school_id in actor.schools and last.by_id in (*own, actor.person_id)


# -- of many at once


def returns(
    ctx: Context, db: Session, situation: Situation, lessons: Sequence[Lesson]
) -> tuple[Return, ...]:
    """Of lessons that were called off, in order of time, how each would come back: those ahead of
    it in the list are back already."""
    board, broken = Board(situation), covers.broken_off(db, [lesson.id for lesson in lessons])
    language = Language(ctx.settings.locale)
    found = []
    for lesson in sorted(lessons, key=lambda each: (each.starts_at, each.id)):
        found.append(one := _return(board, lesson, broken.get(lesson.id, ""), language))
        if one.why is None:
            board.put(lesson.id, placed(lesson))
    return tuple(found)


def hindered(board: Board, lesson: Lesson) -> Text | None:
    """What keeps its own teacher from a lesson that looks for somebody else; None: nothing."""
    found = board.hindrances(lesson.id, placed(lesson))
    if found is None:
        return _NO_PART
    return _firm(lesson, found, (*_FIRM, Obstacle.AWAY))


def _firm(lesson: Lesson, found: Iterable[Obstacle], firm: Collection[Obstacle]) -> Text | None:
    there = next((each for each in found if each in firm), None)
    if there is None:
        return None
    name, why = lesson.teacher_name, obstacle_words(there)
    return text("{name} cannot give this lesson: {why}.", name=name, why=why)


def _return(board: Board, lesson: Lesson, broken: str, language: Language) -> Return:
    place = placed(lesson)
    if lesson.starts_at <= board.situation.now:
        return Return(lesson, text("It is over."))
    if (fault := board.kept_off(lesson.id, place)) is not None:
        return Return(lesson, fault)
    found = board.hindrances(lesson.id, place)
    if found is None:
        return Return(lesson, _NO_PART)
    if (why := _firm(lesson, found, _FIRM)) is not None:
        return Return(lesson, why)
    soft = next((each for each in found if each in _SOFT), None)
    return Return(
        lesson, None, broken or (translate(obstacle_words(soft), language) if soft else "")
    )


def bring_back(
    ctx: Context,
    db: Session,
    actor: Actor,
    term: Term,
    found: Iterable[Return],
    name: str,
) -> None:
    """Let those of them take place that nothing keeps off; `name` is unique to the event.  The
    caller holds term, lessons and teachers."""
    back = [each for each in found if each.why is None]
    if not back:
        return
    cause = Cause(Deed.RESTORED, name, actor.person_id, actor.name)
    timetable.restore(ctx, db, term, [each.lesson for each in back], cause)
    for each in back:
        if each.cover:
            lesson = sides.seen_by(db, actor, each.lesson.id)
            waves.begin(ctx, db, lesson, each.cover, actor.person_id)
