"""Changing the timetable in force: the one way for publications, cover, swaps and hands.

Whoever changes lessons calls `carry_out`, or `call_off`, inside the transaction that decided it.
What follows from a change is done here and nowhere else: revisions, history, ended calls for cover,
reminders, news to exactly the people concerned, calendars.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scheduler import failpoints
from scheduler.domain.cover import CallEnd
from scheduler.domain.lessons import Deed, Lesson, LessonChange, LessonId
from scheduler.domain.people import PersonId
from scheduler.domain.plans import Change, ChangeKind, Placement
from scheduler.domain.terms import Term
from scheduler.services import news, reminders
from scheduler.services.context import Context
from scheduler.store import covers, feeds, history, timetable
from scheduler.store.database import Session


@dataclass(frozen=True, slots=True)
class Cause:
    """Why lessons change: `name` is unique to the event and names its news.

    Those who are told read `by_name`, and why where `said` tells it; `reason` is for the history.
    """

    deed: Deed
    name: str
    by: PersonId | None
    by_name: str
    reason: str = ""
    said: str = ""
    publication_id: int | None = None
    call_end: CallEnd = CallEnd.CHANGED


def carry_out(
    ctx: Context,
    db: Session,
    term: Term,
    changes: Sequence[Change],
    known: Mapping[Placement, LessonId],
    cause: Cause,
) -> tuple[LessonChange, ...]:
    """Change the lessons and tell whoever it concerns; `known` names the lessons in force.

    The caller has checked the changes against the rules and holds what it read; the database
    refuses a teacher or a class in two lessons at once (Conflict), and nothing is done then.
    """
    now = ctx.now()
    told = timetable.apply(db, term, changes, known, now, cause.by_name)
    failpoints.at("after_lessons")
    ids = [change.lesson_id for change in told]
    covers.settle(db, ids, cause.call_end, now)
    history.note(
        db, ids, cause.deed, cause.by, now,
        reason=cause.reason, publication_id=cause.publication_id,
    )  # fmt: skip
    failpoints.at("after_history")
    reminders.replan(ctx, db, ids)
    news.announce(ctx, db, cause.name, told, cause.by_name, cause.said)
    failpoints.at("after_news")
    former = {c.former_teacher_id for c in told if c.former_teacher_id is not None}
    feeds.mark_dirty(
        db,
        programme_id=term.programme_id,
        teacher_ids=former | {change.teacher_id for change in told},
        class_ids={change.class_id for change in told},
    )
    return told


def call_off(
    ctx: Context, db: Session, term: Term, lessons: Sequence[Lesson], cause: Cause
) -> tuple[LessonId, ...]:
    """Cancel lessons for everyone, with a reason that their people are told.

    Returns those that were not called off already; nothing else is done to the others.
    """
    now = ctx.now()
    gone = timetable.call_off(db, [x.id for x in lessons], now, cause.by_name, cause.reason)
    covers.settle(db, gone, CallEnd.CALLED_OFF, now)
    history.note(db, gone, cause.deed, cause.by, now, reason=cause.reason)
    reminders.replan(ctx, db, gone)
    news.call_off(ctx, db, gone, cause.name)
    feeds.mark_dirty(
        db,
        programme_id=term.programme_id,
        teacher_ids={lesson.teacher_id for lesson in lessons if lesson.id in gone},
        class_ids={lesson.class_id for lesson in lessons if lesson.id in gone},
    )
    return gone


def restore(ctx: Context, db: Session, term: Term, lessons: Sequence[Lesson], cause: Cause) -> None:
    """Let lessons that were called off take place where and when they were to; all are told.

    The caller holds them and has checked the rules; the database refuses as in `carry_out`.
    """
    now, ids = ctx.now(), [lesson.id for lesson in lessons]
    timetable.bring_back(db, ids, now)
    history.note(db, ids, cause.deed, cause.by, now, reason=cause.reason)
    reminders.replan(ctx, db, ids)
    back = [LessonChange(x.id, ChangeKind.ADDED, x.class_id, x.teacher_id, None) for x in lessons]
    news.announce(ctx, db, cause.name, back, cause.by_name, cause.said)
    feeds.mark_dirty(
        db,
        programme_id=term.programme_id,
        teacher_ids={lesson.teacher_id for lesson in lessons},
        class_ids={lesson.class_id for lesson in lessons},
    )


def merge(
    ctx: Context, db: Session, term: Term, lesson: Lesson, host: Lesson, cause: Cause
) -> None:
    """Call a lesson off whose class joins the host's, and tell the host's people as well.

    The caller holds both lessons and knows that the class can join.
    """
    timetable.join(db, lesson.id, host.id)
    covers.settle(db, [lesson.id], cause.call_end, ctx.now())
    call_off(ctx, db, term, [lesson], cause)
    news.join(ctx, db, lesson, host, cause.name, cause.by_name)
