"""What a class did last time, for whoever teaches it next."""

from dataclasses import dataclass

from scheduler.domain import briefs as rules
from scheduler.domain.access import Actor
from scheduler.domain.briefs import Brief, Written
from scheduler.domain.lessons import Lesson, LessonId, LessonState
from scheduler.domain.people import Level
from scheduler.domain.reminders import Side
from scheduler.errors import Conflict, NotFound
from scheduler.services import sides
from scheduler.services.context import Context
from scheduler.services.sides import Speaker
from scheduler.store import audits, briefs, covers, terms
from scheduler.store.database import Session


@dataclass(frozen=True, slots=True)
class LessonBrief:
    """What a teacher reads before a lesson: its class, what is written of the lesson itself, and
    the last brief of the same class before it."""

    lesson: Lesson
    level: Level
    own: Written | None
    last: Written | None


def of_lesson(ctx: Context, actor: Actor, lesson_id: LessonId) -> LessonBrief:
    """What there is to read before this lesson, for whoever sees it; raises NotFound."""
    with ctx.reading() as db:
        return _brief(db, sides.seen_by(db, actor, lesson_id))


def of_speaker(ctx: Context, speaker: Speaker) -> LessonBrief:
    """The same for the teacher of the lesson; raises NotFound."""
    with ctx.reading() as db:
        return _brief(db, _own(db, speaker))


def write(ctx: Context, speaker: Speaker, brief: Brief) -> LessonBrief:
    """Leave a brief of the lesson instead of what was written of it before.

    Before the lesson, too: whoever stands in reads it.  Raises NotFound for who does not teach the
    lesson, Invalid for a brief that is empty or too long, Conflict for a lesson called off.
    """
    brief = rules.tidied(brief)
    now = ctx.now()
    with ctx.transaction() as db:
        covers.lock(db, speaker.lesson_id)
        lesson = _own(db, speaker)
        if lesson.state is LessonState.CANCELLED:
            raise Conflict("This lesson was called off. There is nothing to write about it.")
        before = briefs.of_lesson(db, lesson.id)
        if before is None or before.brief != brief:
            briefs.save(db, lesson.id, brief, speaker.person_id, now)
            audits.record(
                db, now, speaker.person_id, "write_brief", "lesson", lesson.id
            )  # fmt: skip
        return _brief(db, lesson)


def _own(db: Session, speaker: Speaker) -> Lesson:
    """The lesson of its teacher: nobody else knows what the class did."""
    lesson = sides.lesson_of(db, speaker)
    if speaker.side is not Side.TEACHER or lesson.teacher_person_id != speaker.person_id:
        raise NotFound("There is no such lesson here.")
    return lesson


def _brief(db: Session, lesson: Lesson) -> LessonBrief:
    classes = {each.id: each for each in terms.classes(db, lesson.school_id)}
    level = classes[lesson.class_id].level
    return LessonBrief(lesson, level, briefs.of_lesson(db, lesson.id), briefs.before(db, lesson))
