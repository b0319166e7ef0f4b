"""Pins: lessons that no plan may touch, with who wants it so, why and until when."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from scheduler.domain import access, remarks
from scheduler.domain.access import Action, Actor
from scheduler.domain.lessons import Lesson, LessonId, LessonState
from scheduler.domain.people import PersonId
from scheduler.domain.terms import TermId
from scheduler.errors import Conflict, Invalid, NotFound, Text, text
from scheduler.services import sides
from scheduler.services.context import Context
from scheduler.services.terms import allowed
from scheduler.store import audits, lessons, tables
from scheduler.store import pins as rows
from scheduler.store.database import Session
from scheduler.store.pins import Pin
from scheduler.store.visibility import seen_among


@dataclass(frozen=True, slots=True)
class PinnedLesson:
    pin: Pin
    lesson: Lesson


def put(
    ctx: Context,
    actor: Actor,
    ids: Collection[LessonId],
    note: str,
    until: date | None = None,
) -> tuple[PinnedLesson, ...]:
    """Pin lessons as they stand, to the end of a day or for good; a former pin is replaced.

    Raises NotFound for strangers, Invalid for an odd note or day, Conflict for a lesson that has
    begun or was called off.
    """
    note = remarks.tidied(note)
    now = ctx.now()
    with ctx.transaction() as db:
        found = _locked(db, actor, ids)
        if faults := _faults(note, until, now.astimezone(ZoneInfo(found[0].zone)).date()):
            raise Invalid("Some fields need another look.", fields=faults)
        if any(x.starts_at <= now or x.state is LessonState.CANCELLED for x in found):
            raise Conflict("Only lessons that are still to come can be pinned.")
        former = rows.of_lessons(db, [lesson.id for lesson in found])
        same = (actor.person_id, note, until)
        wanted = [x.id for x in found if x.id not in former or _said(former[x.id]) != same]
        rows.put(db, wanted, actor.person_id, note, until, now)
        after = {"until": until and until.isoformat()}
        for each in wanted:
            audits.record(db, now, actor.person_id, "pin", "lesson", each, reason=note, after=after)
        held = rows.of_lessons(db, [lesson.id for lesson in found])
    return tuple(PinnedLesson(held[lesson.id], lesson) for lesson in found)


def remove(ctx: Context, actor: Actor, ids: Collection[LessonId]) -> int:
    """Let plans touch these lessons again; how many were pinned.  Raises NotFound."""
    with ctx.transaction() as db:
        found = _locked(db, actor, ids)
        pinned = [lesson.id for lesson in found if rows.remove(db, [lesson.id])]
        for lesson_id in pinned:
            audits.record(db, ctx.now(), actor.person_id, "unpin", "lesson", lesson_id)
    return len(pinned)


def of_term(ctx: Context, actor: Actor, term_id: TermId) -> tuple[PinnedLesson, ...]:
    """The pins that hold today, by the lessons' time; raises NotFound for strangers."""
    with ctx.reading() as db:
        term = allowed(db, actor, term_id, Action.PIN_LESSON)
        held = rows.of_term(db, term.id, term.today(ctx.now()))
        found = lessons.find(db, ids=list(held))
    return tuple(PinnedLesson(held[lesson.id], lesson) for lesson in found)


def of_lesson(ctx: Context, actor: Actor, lesson_id: LessonId) -> Pin | None:
    """The pin that holds a lesson today, for whoever may put one; raises NotFound for others."""
    with ctx.reading() as db:
        lesson = sides.seen_by(db, actor, lesson_id)
        access.require(actor, Action.PIN_LESSON, lesson.programme_id)
        found = rows.of_lessons(db, [lesson_id]).get(lesson_id)
    today = ctx.now().astimezone(ZoneInfo(lesson.zone)).date()
    return found if found and (found.until is None or found.until >= today) else None


def _said(pin: Pin) -> tuple[PersonId | None, str, date | None]:
    return pin.owner_id, pin.note, pin.until


def _faults(note: str, until: date | None, today: date) -> dict[str, Text]:
    found = {}
    if fault := remarks.fault(note):
        found["note"] = fault
    if until is not None and until < today:
        found["until"] = text("Choose today or a later day.")
    return found


def _locked(db: Session, actor: Actor, ids: Collection[LessonId]) -> tuple[Lesson, ...]:
    """The lessons, held against publishers until the transaction ends."""
    wanted = sorted(set(ids))
    if not wanted or seen_among(db, actor, tables.lessons, wanted) != set(wanted):
        raise NotFound("There is no such lesson here.")
    rows.lock(db, wanted)
    found = lessons.find(db, ids=wanted)
    for programme in {lesson.programme_id for lesson in found}:
        access.require(actor, Action.PIN_LESSON, programme)
    return found
