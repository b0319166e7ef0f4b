"""Who sees a lesson, and who speaks for one side of it: by a link in a mail, or signed in."""

from dataclasses import dataclass

from scheduler import security
from scheduler.domain.access import Action, Actor, Role
from scheduler.domain.lessons import Lesson, LessonId
from scheduler.domain.people import Person, PersonId
from scheduler.domain.reminders import Side
from scheduler.errors import Invalid, NotFound, text
from scheduler.services import links
from scheduler.services.context import Context
from scheduler.store import accounts, lessons, people, tables
from scheduler.store.database import Session
from scheduler.store.visibility import sees


@dataclass(frozen=True, slots=True)
class Speaker:
    """A person who speaks for one side of one lesson, as far as they still may: see `lesson_of`."""

    lesson_id: LessonId
    side: Side
    person_id: PersonId


def of_link(ctx: Context, purpose: security.Purpose, token: str) -> Speaker:
    """Whom a signed address lets speak, and of what; raises NotFound."""
    return Speaker(*links.side_subject(ctx, purpose, token))


def of_actor(ctx: Context, actor: Actor, lesson_id: LessonId, side: Side | None = None) -> Speaker:
    """The actor for the side they stand on, or for one of both that they name.

    A coordinator stands on neither and may write down what one of them said on the telephone:
    raises Invalid without a side.  Raises NotFound for a stranger to the lesson.
    """
    with ctx.reading() as db:
        lesson = lessons.get(db, lesson_id)
    own = _sides(actor, lesson) if lesson else frozenset()
    if lesson is None or not own or (side is not None and side not in own):
        raise NotFound("There is no such lesson here.")
    if side is None and len(own) > 1:
        raise Invalid(
            "Say for which side you speak.", fields={"side": text("Choose one of these.")}
        )
    return Speaker(lesson_id, side or next(iter(own)), actor.person_id)


def lesson_of(db: Session, speaker: Speaker) -> Lesson:
    """The lesson, if the person may speak for that side of it at this moment; raises NotFound."""
    actor, lesson = accounts.actor_of(db, speaker.person_id), lessons.get(db, speaker.lesson_id)
    if actor is None or lesson is None or speaker.side not in _sides(actor, lesson):
        raise NotFound("There is no such lesson here.")
    return lesson


def seen_by(db: Session, actor: Actor, lesson_id: LessonId) -> Lesson:
    """One lesson, if the actor may see it; raises NotFound else."""
    found = lessons.get(db, lesson_id) if sees(db, actor, tables.lessons, lesson_id) else None
    if found is None:
        raise NotFound("There is no such lesson here.")
    return found


def person_of(ctx: Context, speaker: Speaker) -> Person:
    """Who speaks, if they may; raises NotFound."""
    with ctx.reading() as db:
        lesson_of(db, speaker)
        found = people.person(db, speaker.person_id)
    if found is None:
        raise NotFound("There is no such lesson here.")
    return found


def _sides(actor: Actor, lesson: Lesson) -> frozenset[Side]:
    if actor.can(Action.SETTLE_LESSON, lesson.programme_id):
        return frozenset(Side)
    teaches = any(g.teacher_id == lesson.teacher_id for g in actor.with_role(Role.TEACHER))
    hosts = any(g.school_id == lesson.school_id for g in actor.with_role(Role.SCHOOL))
    own = ((Side.TEACHER, teaches), (Side.SCHOOL, hosts))
    return frozenset(side for side, stands in own if stands)
