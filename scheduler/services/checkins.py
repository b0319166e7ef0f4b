"""Both sides check in to a lesson, and coordinators see who is missing while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.domain import checkins as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.checkins import Presence
from scheduler.domain.lessons import Lesson, LessonId
from scheduler.domain.reminders import Side
from scheduler.errors import Conflict, NotFound, Text
from scheduler.services import sides
from scheduler.services.context import Context
from scheduler.services.sides import Speaker
from scheduler.store import audits, checkins, covers, lessons
from scheduler.store.database import Session


@dataclass(frozen=True, slots=True)
class Attendance:
    """A lesson and when each side came; `closed`: why nobody can check in, or not yet."""

    lesson: Lesson
    arrived: Mapping[Side, datetime]
    closed: Text | None


@dataclass(frozen=True, slots=True)
class Watched:
    """A lesson that runs or is about to, and how it stands with each side."""

    lesson: Lesson
    arrived: Mapping[Side, datetime]
    sides: Mapping[Side, Presence]

    @property
    def red(self) -> bool:
        """A side should be there and is not."""
        return Presence.MISSING in self.sides.values()


def attendance(ctx: Context, speaker: Speaker) -> Attendance:
    """How it stands now; looking changes nothing.  Raises NotFound."""
    with ctx.reading() as db:
        return _attendance(ctx, db, sides.lesson_of(db, speaker))


def seen(ctx: Context, actor: Actor, lesson_id: LessonId) -> Attendance:
    """The same for whoever sees the lesson; raises NotFound."""
    with ctx.reading() as db:
        return _attendance(ctx, db, sides.seen_by(db, actor, lesson_id))


def check_in(ctx: Context, speaker: Speaker) -> Attendance:
    """Say that a side is there; the first time counts, however often it is said.

    Raises Conflict earlier than 15 minutes before the lesson, after it, or when it is called off.
    """
    now = ctx.now()
    with ctx.transaction() as db:
        covers.lock(db, speaker.lesson_id)
        found = _attendance(ctx, db, sides.lesson_of(db, speaker))
        if speaker.side in found.arrived:
            return found
        if found.closed is not None:
            raise Conflict(found.closed)
        if checkins.add(db, found.lesson.id, speaker.side, speaker.person_id, now):
            audits.record(
                db, now, speaker.person_id, "check_in", "lesson", found.lesson.id,
                after={"side": speaker.side.value},
            )  # fmt: skip
        return _attendance(ctx, db, found.lesson)


def board(ctx: Context, actor: Actor) -> tuple[Watched, ...]:
    """The lessons that run now or begin within 15 minutes, those of a missing side first.

    Raises NotFound for who coordinates nothing.
    """
    mine = {x.programme_id for x in actor.grants if actor.can(Action.SEE_PROGRAMME, x.programme_id)}
    if not mine:
        raise NotFound("There is nothing here.")
    now = ctx.now()
    soon = now + rules.OPENS + timedelta(microseconds=1)  # one that begins just then, too
    with ctx.reading() as db:
        near = [
            lesson
            for programme in sorted(mine)
            for lesson in lessons.find(db, programme_id=programme, since=now, until=soon)
            if rules.watched(lesson, now)
        ]
        arrived = checkins.of_lessons(db, [lesson.id for lesson in near])
    shown = (_watched(lesson, arrived[lesson.id], now) for lesson in near)
    return tuple(sorted(shown, key=lambda x: (not x.red, x.lesson.starts_at, x.lesson.id)))


def _watched(lesson: Lesson, arrived: Mapping[Side, datetime], now: datetime) -> Watched:
    stand = {side: rules.presence(lesson, arrived.get(side), now) for side in Side}
    return Watched(lesson, arrived, stand)


def _attendance(ctx: Context, db: Session, lesson: Lesson) -> Attendance:
    arrived = checkins.of_lessons(db, [lesson.id])[lesson.id]
    return Attendance(lesson, arrived, rules.refusal(lesson, ctx.now()))
