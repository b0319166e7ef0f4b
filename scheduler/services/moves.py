"""A school asks to move one of its lessons; a coordinator agrees with one click.

Only times are offered at which class, room and the lesson's own teacher are free.  The proposal is
a message to the coordinators whose link names the time: nothing is kept of it, and nothing moves
until one of them says so; whoever it concerns is then told as of any other change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from scheduler.domain import access, remarks
from scheduler.domain import mailroom as notes
from scheduler.domain.access import Action, Actor, Role
from scheduler.domain.intervals import clock_text, dated
from scheduler.domain.lessons import Lesson, LessonId, placed
from scheduler.domain.messages import Channel, MessageKind, NewMessage
from scheduler.domain.people import Person
from scheduler.domain.plans import Placement
from scheduler.errors import Conflict, Invalid, NotFound, Text, text
from scheduler.locale import Language, translate, wording
from scheduler.services import outbox, rungs, sides, ways
from scheduler.services.context import Context
from scheduler.store import audits, covers, people, recipients, terms
from scheduler.store.database import Session

MOST_A_DAY = 20  # proposals of one person
_ASK = "ask_move"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Openings:
    """Where a lesson could go in its week, the class's first choice in front; `over`: why it
    cannot move at all any more."""

    lesson: Lesson
    times: tuple[Placement, ...]
    over: Text | None = None


def openings(ctx: Context, actor: Actor, lesson_id: LessonId) -> Openings:
    """For a contact of the lesson's school and for coordinators; raises NotFound for others."""
    with ctx.reading() as db:
        return _openings(ctx, db, actor, lesson_id)


def ask(
    ctx: Context, actor: Actor, lesson_id: LessonId, day: date, start: int, reason: str
) -> Openings:
    """Ask the coordinators to move the lesson to that time; once, however often it is sent.

    Raises Invalid without a reason, Conflict when the time is open no more or nobody can be asked.
    """
    reason, now = remarks.tidied(reason), ctx.now()
    if fault := remarks.fault(reason):
        raise Invalid("Say in a few words why.", fields={"reason": fault})
    with ctx.transaction() as db:
        seen = _openings(ctx, db, actor, lesson_id)
        place = _open(seen, day, start)
        asked = recipients.coordinators(db, seen.lesson.programme_id)
        channels = ways.first(ctx, db, asked)
        known = [who for each in asked if (who := people.person(db, each)) is not None]
        letters = [
            _letter(ctx, actor, seen.lesson, place, reason, who, channels[who.id]) for who in known
        ]
        if not letters:
            raise Conflict("There is no coordinator to ask. Call the lesson off, or teach it then.")
        if outbox.plan(ctx, db, letters):
            audits.record(
                db, now, actor.person_id, _ASK, "lesson", lesson_id, reason=reason,
                after={"day": day.isoformat(), "start": clock_text(start)},
            )  # fmt: skip
        if audits.count(db, actor.person_id, _ASK, now - _DAY) > MOST_A_DAY:
            raise Conflict(
                text("You can ask for {most} moves a day. Nothing was sent.", most=MOST_A_DAY)
            )
    return seen


def agree(ctx: Context, actor: Actor, lesson_id: LessonId, day: date, start: int) -> Lesson:
    """Move the lesson there with its own teacher, for coordinators; what stands there already is
    done.  Raises NotFound for strangers, Conflict, and says why, where it cannot be."""
    with ctx.transaction() as db:
        lesson = sides.seen_by(db, actor, lesson_id)
        access.require(actor, Action.FIND_COVER, lesson.programme_id)
        term = terms.of_lesson(db, lesson_id)
        if term is None:
            raise NotFound("There is no such lesson here.")
        terms.lock(db, term.id)  # rooms have no constraint that would stop two at once
        covers.lock(db, lesson_id)
        lesson = sides.seen_by(db, actor, lesson_id)
        here = placed(lesson)
        if (here.day, here.start) == (day, start):
            return lesson
        rungs.movable(ctx, db, lesson)
        return rungs.relocate(ctx, db, actor, term, lesson, day, start)


def _openings(ctx: Context, db: Session, actor: Actor, lesson_id: LessonId) -> Openings:
    lesson = sides.seen_by(db, actor, lesson_id)
    own = any(grant.school_id == lesson.school_id for grant in actor.with_role(Role.SCHOOL))
    if not own:
        access.require(actor, Action.FIND_COVER, lesson.programme_id)
    try:
        term = rungs.movable(ctx, db, lesson)
    except Conflict as over:
        return Openings(lesson, (), over.message)
    return Openings(lesson, rungs.open_times(ctx, db, term, lesson))


def _open(seen: Openings, day: date, start: int) -> Placement:
    if seen.over is not None:
        raise Conflict(seen.over)
    found = next((x for x in seen.times if (x.day, x.start) == (day, start)), None)
    if found is None:
        raise Conflict("This time is not free any more. See which ones are.")
    return found


# -- what coordinators read


def _letter(
    ctx: Context, actor: Actor, lesson: Lesson, place: Placement, reason: str,
    who: Person, channel: Channel,
) -> NewMessage:  # fmt: skip
    """One note a coordinator, the same however often it is asked for."""
    now, language = ctx.now(), Language(who.language)
    words = notes.note_text("\n".join(_lines(ctx, lesson, place, reason, language)))
    asked = f"{lesson.id}:{lesson.sequence}:{place.day}:{place.start}"
    return NewMessage(
        key=f"move:{asked}:{who.id}:{channel}",
        kind=MessageKind.NOTE,
        person_id=who.id,
        due_at=now,
        useless_after=max(lesson.starts_at, now + timedelta(hours=1)),
        programme_id=lesson.programme_id,
        payload={"words": words, "name": actor.name, "email": actor.email},
        channel=channel,
    )


def _lines(
    ctx: Context, lesson: Lesson, place: Placement, reason: str, language: Language
) -> Sequence[str]:
    there = {"day": place.day.isoformat(), "start": clock_text(place.start)}
    url = f"{ctx.settings.base_url}/coordinator/lessons/{lesson.id}/move?{urlencode(there)}"
    said = (
        text("{school} asks to move a lesson of class {name}.",
             school=lesson.school_name, name=lesson.class_name),
        text("Now: {when}, {teacher}", when=_when(lesson, placed(lesson), language),
             teacher=lesson.teacher_name),
        text("Wished: {when}", when=_when(lesson, place, language)),
        text("Why: {reason}", reason=reason),
        text("Class, room and teacher were free then when it was asked. To agree:"),
    )  # fmt: skip
    return (*(translate(each, language) for each in said), url)


def _when(lesson: Lesson, place: Placement, language: Language) -> str:
    span = dated(place.day, place.start, place.end, lesson.zone)
    zone = ZoneInfo(lesson.zone)
    return wording.when(span.start.astimezone(zone), span.end.astimezone(zone), language)
