"""Asking whoever could make a gap smaller: a teacher or a school, in words to start from."""

from dataclasses import dataclass

from scheduler.domain.access import Action, Actor
from scheduler.domain.people import PersonId
from scheduler.domain.plans import Fix, FixKind, PlanId
from scheduler.domain.requests import Request, RequestId
from scheduler.errors import Conflict, NotFound, Stale
from scheduler.services import differences, gaps
from scheduler.services.context import Context
from scheduler.services.gaps import FixLine, GapLine
from scheduler.services.terms import allowed
from scheduler.store import people, plans, recipients, requests, terms
from scheduler.store.database import Session

# The school's own word is needed; all others but a newcomer are a teacher's to give.
OF_SCHOOLS = (FixKind.SLOT, FixKind.MAKE_UP, FixKind.ROOM)


@dataclass(frozen=True, slots=True)
class Question:
    """Whom to ask for which change of what; `language`: what the first of them reads."""

    to: tuple[PersonId, ...]
    language: str
    gap: GapLine
    line: FixLine


def question(
    ctx: Context, actor: Actor, plan_id: PlanId, request_id: RequestId, kind: FixKind
) -> Question:
    """Who could take up this fix of a plan's gap.

    Raises NotFound for strangers, Stale when the plan has no such fix, Conflict when nobody can be
    asked: a newcomer is invited, and a school without a contact is called.
    """
    with ctx.reading() as db:
        plan = differences.visible(db, actor, plan_id)
        term = allowed(db, actor, plan.term_id, Action.MANAGE_MESSAGES)
        asked = requests.get(db, request_id)
        if asked is None:
            raise NotFound("There is no such request here.")
        missing = plans.gaps(db, plan_id, asked.school_id)
        schools = {s.id: s for s in terms.schools(db, term.programme_id)}
        names = {t.id: t for t in people.teachers(db, term.programme_id)}
        lines = gaps.lines(missing, {asked.id: asked}, schools, names)
        found = next(((gap, x) for gap in lines for x in gap.fixes if x.fix.kind is kind), None)
        if found is None:
            raise Stale("This plan has no such way for this class any more.")
        teacher = names.get(found[1].fix.teacher_id) if found[1].fix.teacher_id else None
        to = _to(db, asked, found[1].fix, teacher.person_id if teacher else None)
        readers = recipients.people(db, to)
    if not readers:
        raise Conflict("Nobody can be asked for this by a message. Call the school.")
    first = next(each for each in to if each in readers)
    return Question(tuple(readers), readers[first].language, *found)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom a plan lacks: somebody new, of the request's level, free as the fix says."""

    request: Request
    school_name: str
    line: FixLine


def newcomer(ctx: Context, actor: Actor, plan_id: PlanId, request_id: RequestId) -> Wanted | None:
    """Who would have to come for this gap; None where the plan lacks nobody new for it any more.

    Raises NotFound for strangers.
    """
    with ctx.reading() as db:
        plan = differences.visible(db, actor, plan_id)
        term = allowed(db, actor, plan.term_id, Action.MANAGE_MESSAGES)
        asked = {x.id: x for x in requests.of_term(db, term.id) if x.id == request_id}
        schools = {x.id: x for x in terms.schools(db, term.programme_id)}
        lines = gaps.lines(plans.gaps(db, plan_id), asked, schools, {})
    found = [
        Wanted(gap.request, gap.school_name, fix)
        for gap in lines
        for fix in gap.fixes
        if fix.fix.kind is FixKind.NEW_TEACHER
    ]
    return next(iter(found), None)


def _to(db: Session, request: Request, fix: Fix, teacher: PersonId | None) -> tuple[PersonId, ...]:
    if fix.kind in OF_SCHOOLS:
        return recipients.of_schools(db, [request.school_id])[request.school_id]
    return (teacher,) if teacher is not None else ()
