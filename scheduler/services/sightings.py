"""Changes of a teacher's lessons: shown until the teacher says that they saw them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduler.domain import sightings as rules
from scheduler.domain.access import Actor
from scheduler.domain.lessons import Lesson, LessonId
from scheduler.domain.news import News
from scheduler.domain.sightings import Unseen
from scheduler.errors import Invalid, NotFound
from scheduler.services import records
from scheduler.services.context import Context
from scheduler.store import audits, lessons, sightings
from scheduler.store.database import Session

_STALE = timedelta(days=1)  # how old a page may be whose button is pressed


@dataclass(frozen=True, slots=True)
class Changed:
    """A change to be seen.  `lesson`: where it stands now, or where the reader knew it to be when
    it is no longer theirs; `was`: the time it moved from."""

    lesson: Lesson
    news: News
    was: datetime | None
    by: str
    reason: str
    sequence: int


def waiting(ctx: Context, actor: Actor) -> tuple[Changed, ...]:
    """What changed for a teacher, the next lesson first; looking changes nothing.

    Raises NotFound for who is no teacher.
    """
    with ctx.reading() as db:
        return waiting_for(ctx, db, actor)


def waiting_for(ctx: Context, db: Session, actor: Actor) -> tuple[Changed, ...]:
    """The same, inside a look at the database."""
    found = _unseen(ctx, db, actor)
    if not found:
        return ()
    known = {lesson.id: lesson for lesson in lessons.find(db, ids=found)}
    told = (_changed(known[key], each) for key, each in found.items())
    return tuple(sorted(told, key=lambda each: (each.lesson.starts_at, each.lesson.id)))


def see(ctx: Context, actor: Actor, lesson_id: LessonId, sequence: int | None) -> None:
    """Note that the actor saw a change as it stood at `sequence`; what came after it stays new.

    Saying it twice is saying it once.  Raises NotFound for a lesson that is not theirs, and was
    not, Invalid without a number.
    """
    own = records.own_teacher(actor)
    with ctx.transaction() as db:
        stories = sightings.of_teacher(db, own, actor.person_id, ctx.now() - _STALE)
        turns = next((turns for turns, _ in stories if turns[0].lesson_id == lesson_id), None)
        if turns is None:
            raise NotFound("There is no such lesson here.")
        if sequence is None:
            raise Invalid("Nothing was sent yet.")
        seen = min(sequence, turns[-1].sequence)
        if sightings.note(db, lesson_id, actor.person_id, seen, ctx.now()):
            audits.record(
                db, ctx.now(), actor.person_id, "see_change", "lesson", lesson_id,
                after={"sequence": seen},
            )  # fmt: skip


def _unseen(ctx: Context, db: Session, actor: Actor) -> dict[LessonId, Unseen]:
    own = records.own_teacher(actor)
    stories = sightings.of_teacher(db, own, actor.person_id, ctx.now())
    found = (rules.unseen(turns, actor.person_id, seen) for turns, seen in stories)
    return {each.lesson_id: each for each in found if each is not None}


def _changed(lesson: Lesson, told: Unseen) -> Changed:
    """What is no longer theirs stands at the time that they knew: where it is now is not theirs to
    know."""
    was, by = told.was, told.by
    if told.news is News.GIVEN_AWAY and was is not None and was != lesson.starts_at:
        ends = was + (lesson.ends_at - lesson.starts_at)
        lesson = replace(lesson, starts_at=was, ends_at=ends, half_day=None, period=None)
    moved = was if told.news is News.MOVED else None
    return Changed(lesson, told.news, moved, by, told.reason, told.sequence)
