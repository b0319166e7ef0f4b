"""What was published, by whom and when; undoing one of them; the timetable on an earlier day."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from scheduler.domain import plan_changes
from scheduler.domain.access import Action, Actor
from scheduler.domain.intervals import end_of
from scheduler.domain.lessons import Lesson, LessonId
from scheduler.domain.plans import (
    Change,
    ChangeKind,
    Placement,
    PlanId,
    PlanOrigin,
    PublicationId,
)
from scheduler.domain.requests import RequestId
from scheduler.domain.terms import Term, TermId
from scheduler.errors import Conflict, NotFound, Problem
from scheduler.services import drafts, snapshots
from scheduler.services.context import Context
from scheduler.services.terms import allowed
from scheduler.store import audits, lessons, pins, tables
from scheduler.store import publications as rows
from scheduler.store.database import Session
from scheduler.store.publications import Publication, Step, Then
from scheduler.store.visibility import sees


@dataclass(frozen=True, slots=True)
class Told:
    """A publication, and how many lessons it added, moved, gave to others and dropped."""

    publication: Publication
    counts: Mapping[ChangeKind, int]


class Left(StrEnum):
    """Why a lesson stays as it is when a publication is undone."""

    CHANGED = "changed"  # again, since then
    BEGUN = "begun"  # or is today, before or after
    PINNED = "pinned"
    CALLED_OFF = "called_off"  # somebody called its class's lesson of that day off
    CLASH = "clash"  # its teacher or its class has another lesson there by now


@dataclass(frozen=True, slots=True)
class Undoing:
    """The draft that puts a publication back: so many lessons, and those it leaves alone.

    `broken`: rules that the timetable then breaks though it keeps them now: someone went away.
    """

    plan_id: PlanId
    lessons: int
    left: tuple[tuple[Lesson, Left], ...]
    broken: tuple[Problem, ...]


def of_term(ctx: Context, actor: Actor, term_id: TermId) -> tuple[Told, ...]:
    """All publications of a term, the newest first; raises NotFound for strangers."""
    with ctx.reading() as db:
        term = allowed(db, actor, term_id, Action.SEE_PROGRAMME)
        found = rows.of_term(db, term.id)
        tallies = rows.tallies(db, term.id)
    counts = {each.id: dict.fromkeys(ChangeKind, 0) for each in found}
    for each in tallies:
        kind = plan_changes.kind_of(was=each.was, is_=each.is_, same_time=each.same_time)
        counts[each.publication_id][kind] += each.lessons
    return tuple(Told(each, counts[each.id]) for each in found)


def as_of(ctx: Context, actor: Actor, term_id: TermId, day: date) -> tuple[Then, ...]:
    """The whole timetable as it stood at the end of that day, lessons called off too."""
    with ctx.reading() as db:
        term = allowed(db, actor, term_id, Action.SEE_PROGRAMME)
        return rows.timetable_at(db, term.id, end_of(day, term.zone))


def newest(ctx: Context, actor: Actor, term_id: TermId) -> PublicationId:
    """The last publication of a term; raises NotFound where there is none."""
    with ctx.reading() as db:
        found = rows.of_term(db, allowed(db, actor, term_id, Action.SEE_PROGRAMME).id)
    if not found:
        raise NotFound("Nothing has been published yet.")
    return found[0].id


def undo(ctx: Context, actor: Actor, publication_id: PublicationId) -> Undoing:
    """Make a draft that puts back what a publication changed, as far as it still stands.

    What has changed since, has begun, is pinned or finds its place taken is left alone and named.
    Raises NotFound for strangers, Conflict when nothing is left to put back.
    """
    with ctx.reading() as db:
        found = rows.get(db, publication_id)
        if found is None or not sees(db, actor, tables.plans, found.plan_id):
            raise NotFound("There is no such publication here.")
        term = allowed(db, actor, found.term_id, Action.PUBLISH)
        known = lessons.placements(db, term.id)
        back, left = _sorted_out(ctx, db, term, known, found.id)
        named = {lesson.id: lesson for lesson in lessons.find(db, ids=list(left))}
    if not back:
        raise Conflict(
            "Nothing of this publication can be put back: its lessons have changed again, have "
            "begun or are pinned."
        )
    draft = drafts.weigh(snapshots.take(ctx, term.id), known, back)
    with ctx.transaction() as db:
        drafts.require_unchanged(db, term, known)
        plan_id = drafts.keep(db, draft, term, actor, ctx.now(), PlanOrigin.UNDO, undoes=found.id)
        after = {"plan": plan_id, "lessons": len(back), "left": len(left)}
        audits.record(db, ctx.now(), actor.person_id, "undo", "publication", found.id, after=after)
    in_order = sorted(named.values(), key=lambda x: (x.starts_at, x.id))
    return Undoing(
        plan_id, len(back), tuple((x, left[x.id]) for x in in_order), drafts.problems(draft)
    )


def _sorted_out(
    ctx: Context,
    db: Session,
    term: Term,
    known: Mapping[Placement, LessonId],
    publication_id: PublicationId,
) -> tuple[tuple[Change, ...], dict[LessonId, Left]]:
    """What can be put back, and which lessons cannot, and why."""
    today = term.today(ctx.now())
    pinned = pins.of_term(db, term.id, today)
    off = lessons.called_off(db, term.id, undoing=True)
    back: dict[Change, LessonId] = {}
    left: dict[LessonId, Left] = {}
    for step in rows.steps(db, term.id, publication_id):
        change = _back(step)
        why = _obstacle(step, change, today, off)
        if why is None and step.lesson_id in pinned:
            why = Left.PINNED
        if why is None:
            back[change] = step.lesson_id
        else:
            left[step.lesson_id] = why
    requests = {place.request_id for place in known} | {change.request_id for change in back}
    fits = plan_changes.fitting(known, back, rows.classes_of(db, requests))
    clash = {back[change]: Left.CLASH for change in back.keys() - set(fits)}
    return fits, left | clash


def _back(step: Step) -> Change:
    return plan_changes.reversed_(step.before, step.after)


def _obstacle(
    step: Step, change: Change, today: date, off: Collection[tuple[RequestId, date]]
) -> Left | None:
    if not step.stands:
        return Left.CHANGED
    sides = [place for place in (change.before, change.after) if place is not None]
    if any(place.day <= today for place in sides):
        return Left.BEGUN
    if change.after is not None and (change.request_id, change.after.day) in off:
        return Left.CALLED_OFF
    return None
