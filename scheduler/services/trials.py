"""A fix of a gap tried in a click: a draft that supposes it, and making true what one supposes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from scheduler.domain import mending
from scheduler.domain import requests as request_rules
from scheduler.domain import trials as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.hours import Hours
from scheduler.domain.people import ReceivingSchool
from scheduler.domain.plans import FixKind, Plan, PlanId, PlanState, Supposition
from scheduler.domain.requests import Request, RequestId
from scheduler.domain.runs import Run, RunId, Scope
from scheduler.domain.terms import Term
from scheduler.errors import Conflict, NotFound, Stale, text
from scheduler.services import differences, drafts, gaps, hours, requests, snapshots
from scheduler.services.baskets import WEEKLY
from scheduler.services.context import Context
from scheduler.services.gaps import FixLine
from scheduler.services.terms import allowed
from scheduler.store import audits, availability, lessons, people, plans, runs, terms
from scheduler.store import requests as request_rows
from scheduler.store.database import Session

SECONDS = 3.0  # what trying a change takes at the most, its own gaps looked at included
TWICE = timedelta(minutes=10)  # within which trying the same again shows what there is


@dataclass(frozen=True, slots=True)
class Supposed:
    """What a plan supposes, in words' reach: its request, its school, and the fix with names.

    `holds`: it is so by now; `ours`: whoever runs the programme can make it so from here.
    """

    supposition: Supposition
    request: Request
    school: ReceivingSchool
    line: FixLine
    holds: bool
    ours: bool


def start(
    ctx: Context, actor: Actor, plan_id: PlanId, request_id: RequestId, kind: FixKind
) -> RunId:
    """Queue a run that makes a draft of this plan with the fix, and nothing else, changed.

    Pressed twice it is the same run.  Raises NotFound for strangers, Stale when the plan has no
    such fix, Conflict while the engine is at work and for who is not there yet.
    """
    now = ctx.now()
    with ctx.transaction() as db:
        plan = differences.visible(db, actor, plan_id)
        term = allowed(db, actor, plan.term_id, Action.RUN_MATCHING)
        terms.lock(db, term.id)
        supposes = (*plan.supposes, _wanted(db, plan, term, request_id, kind))
        for run in runs.trials_since(db, term.id, now - TWICE):
            if rules.same(run.supposes, supposes):
                return run.id
        if runs.open_of(db, term.id) is not None:
            raise Conflict("The matching engine is already at work on this term.")
        scope = Scope(_still(plan, term, ctx))
        run_id = runs.add(
            db, term_id=term.id, asked_by=actor.person_id, now=now, seconds=SECONDS, seed=plan.seed,
            scope=scope, supposes=supposes,
        )  # fmt: skip
        after = {"plan": plan_id, "request": request_id, "fix": kind.value}
        audits.record(db, now, actor.person_id, "try_fix", "run", run_id, after=after)
        return run_id


def _wanted(
    db: Session, plan: Plan, term: Term, request_id: RequestId, kind: FixKind
) -> Supposition:
    asked = {x.id: x for x in request_rows.of_term(db, term.id) if x.id == request_id}
    schools = {x.id: x for x in terms.schools(db, term.programme_id)}
    lines = gaps.lines(plans.gaps(db, plan.id), asked, schools, {})
    found = next((x.fix for gap in lines for x in gap.fixes if x.fix.kind is kind), None)
    if found is None:
        raise Stale("This plan has no such way for this class any more.")
    if not rules.can_be_tried(found):
        raise Conflict("Invite a teacher first: nobody can be given lessons before they are here.")
    return Supposition(plan.id, request_id, found)


def _still(plan: Plan, term: Term, ctx: Context) -> date | None:
    """The day before which the plan changes nothing, while that lies ahead."""
    return plan.from_day if plan.from_day and plan.from_day > term.today(ctx.now()) else None


# -- what a plan supposes


def of_plan(ctx: Context, actor: Actor, plan_id: PlanId) -> tuple[Supposed, ...]:
    """What the plan supposes, in the order in which it was tried; raises NotFound for strangers."""
    with ctx.reading() as db:
        plan = differences.visible(db, actor, plan_id)
        return supposed(db, allowed(db, actor, plan.term_id, Action.SEE_PROGRAMME), plan.supposes)


def of_run(ctx: Context, actor: Actor, run: Run) -> tuple[Supposed, ...]:
    """What a run that the actor has seen supposes."""
    with ctx.reading() as db:
        return supposed(db, allowed(db, actor, run.term_id, Action.SEE_PROGRAMME), run.supposes)


def supposed(db: Session, term: Term, supposes: Iterable[Supposition]) -> tuple[Supposed, ...]:
    """For use cases that show or need it; no query where nothing is supposed."""
    kept = tuple(supposes)
    if not kept:
        return ()
    there = {x.id: x for x in request_rows.of_term(db, term.id)}
    asked = {x.id: x for x in request_rows.by_ids(db, {each.request_id for each in kept})}
    schools = {x.id: x for x in terms.schools(db, term.programme_id)}
    names = {x.id: x for x in people.teachers(db, term.programme_id)}
    pledges = availability.pledges(db, term.id)
    found = []
    for each in kept:
        request = asked[each.request_id]
        school, who = schools[request.school_id], each.fix.teacher_id
        pledge = pledges.get(who) if who is not None else None
        made_up = each.fix.kind is FixKind.MAKE_UP and mending.is_done(
            request, each.fix, there.values()
        )
        holds = not made_up and rules.holds(each, there.get(request.id), school, pledge)
        ours = not holds and not made_up and request.id in there and each.fix.kind in OURS
        line = gaps.line_of(each.fix, school, names)
        found.append(Supposed(each, request, school, line, holds, ours))
    return tuple(found)


# What a coordinator may enter for a school that said yes; a promise is its teacher's own to give.
OURS = (FixKind.SLOT, FixKind.ROOM, FixKind.MAKE_UP)


def make_so(ctx: Context, actor: Actor, plan_id: PlanId, number: int) -> Supposed:
    """Enter what the plan supposes, the first of it being number 0: the school has said yes.

    So already, it is done.  Raises NotFound for strangers and numbers that are none, Conflict for
    what others must say themselves.
    """
    found = of_plan(ctx, actor, plan_id)
    if not 0 <= number < len(found):
        raise NotFound("There is no such plan here.")
    one = found[number]
    if one.holds:
        return one
    if not one.ours:
        raise Conflict("This is not yours to enter. Ask whoever could make it so.")
    fix, request = one.supposition.fix, one.request
    if fix.kind is FixKind.SLOT:
        requests.change(
            ctx, actor, request.id, mending.mended(request, fix), request_rules.seen_as(request)
        )
    elif fix.kind is FixKind.ROOM:
        _open_rooms(ctx, actor, one)
    else:
        _agree(ctx, actor, plan_id, number)
    return one


def _open_rooms(ctx: Context, actor: Actor, one: Supposed) -> None:
    desk = hours.desk(ctx, actor, one.school.id)
    # nothing moves, so nobody reads the reason but whoever looks into the record
    why = f"plan {one.supposition.plan_id}"
    wanted = Hours(one.school.periods, one.supposition.fix.limit or 0, desk.first_day, why)
    seen = hours.preview(ctx, actor, one.school.id, wanted)
    hours.apply(ctx, actor, one.school.id, wanted, seen.fingerprint)


def _agree(ctx: Context, actor: Actor, plan_id: PlanId, number: int) -> None:
    with ctx.transaction() as db:
        plan = differences.visible(db, actor, plan_id)
        allowed(db, actor, plan.term_id, Action.PUBLISH)
        plan = plans.lock(db, plan_id) or plan
        if plan.state is not PlanState.DRAFT:
            raise Conflict("This plan is already the published timetable.")
        agreed = [
            replace(each, agreed=each.agreed or n == number) for n, each in enumerate(plan.supposes)
        ]
        plans.agree(db, plan_id, agreed)
        audits.record(
            db, ctx.now(), actor.person_id, "agree_make_up", "plan", plan_id,
            after={"request": plan.supposes[number].request_id},
        )  # fmt: skip


# -- publishing


def require_so(db: Session, term: Term, plan: Plan) -> None:
    """Raise Conflict while something that the plan supposes is not so."""
    open_ = [each for each in supposed(db, term, plan.supposes) if not each.holds]
    if open_:
        raise Conflict(
            text(
                "This plan supposes what is not so yet, of {classes}. It can be published once it "
                "is.",
                classes=[f"{each.request.class_name} ({each.school.name})" for each in open_],
            )
        )


def require_sound(ctx: Context, actor: Actor, plan_id: PlanId) -> None:
    """Raise Conflict unless the plan keeps the rules as things are now, not as it supposes them.

    Slow enough to stay out of the transaction that publishes it.  A plan that supposes nothing was
    verified when it was made.
    """
    with ctx.reading() as db:
        plan = differences.visible(db, actor, plan_id)
        if not plan.supposes:
            return
        term = allowed(db, actor, plan.term_id, Action.PUBLISH)
        require_so(db, term, plan)
        known = lessons.placements(db, term.id)
        changes = differences.between(ctx, db, plan, term).diff.changes
        alone = {(mark.request_id, mark.day) for mark in plans.marks(db, plan_id)}
    snapshot = snapshots.take(ctx, term.id, plan.from_day)
    draft = drafts.weigh(snapshot, known, changes)
    broken = [
        each
        for each in draft.broken
        if each.rule not in WEEKLY
        or not any((snapshot.request_ids[x.request], x.day) in alone for x in each.lessons)
    ]
    if broken:
        rule = text(broken[0].rule)
        raise Conflict(text("This would break a rule: {rule}.", rule=rule))
