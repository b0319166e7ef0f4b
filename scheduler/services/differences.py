"""A plan held against the timetable in force, and several plans beside each other."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.domain import plans as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.lessons import LessonId
from scheduler.domain.plans import (
    ChangeKind,
    Placement,
    Plan,
    PlanDiff,
    PlanId,
    PlanOrigin,
    PlanState,
)
from scheduler.domain.terms import Term
from scheduler.domain.weights import Charge, bill
from scheduler.errors import NotFound
from scheduler.services.context import Context
from scheduler.services.terms import allowed
from scheduler.store import differences as rows
from scheduler.store import lessons, plans, tables
from scheduler.store.database import Session
from scheduler.store.visibility import sees


@dataclass(frozen=True, slots=True)
class Beside:
    """A plan among others: what publishing it would change now, and what it costs and why."""

    plan: Plan
    counts: Mapping[ChangeKind, int]
    bill: Mapping[str, Charge]


def side_by_side(ctx: Context, actor: Actor, ids: Collection[PlanId]) -> tuple[Beside, ...]:
    """These plans of one term, in the order given; raises NotFound unless all can be seen, and
    are of one term: there is nothing to compare between two."""
    with ctx.reading() as db:
        found = tuple(_beside(ctx, db, actor, plan_id) for plan_id in ids)
    if len({each.plan.term_id for each in found}) > 1:
        raise NotFound("There is no such plan here.")
    return found


def _beside(ctx: Context, db: Session, actor: Actor, plan_id: PlanId) -> Beside:
    plan = visible(db, actor, plan_id)
    term = allowed(db, actor, plan.term_id, Action.SEE_PROGRAMME)
    counts = dict.fromkeys(ChangeKind, 0)
    if plan.state is not PlanState.PUBLISHED:
        found = between(ctx, db, plan, term)
        counts = {kind: found.diff.count(kind) for kind in ChangeKind}
    charges = bill(plan.terms, plan.weights, plan.requested - plan.taught) if plan.weights else ()
    return Beside(plan, counts, {charge.term: charge for charge in charges})


def visible(db: Session, actor: Actor, plan_id: PlanId) -> Plan:
    """One plan; raises NotFound for strangers."""
    found = plans.get(db, plan_id) if sees(db, actor, tables.plans, plan_id) else None
    if found is None:
        raise NotFound("There is no such plan here.")
    return found


@dataclass(frozen=True, slots=True)
class Difference:
    """What publishing a plan would change; `lessons` names those in force that it would."""

    diff: PlanDiff
    lessons: Mapping[Placement, LessonId]


def between(ctx: Context, db: Session, plan: Plan, term: Term) -> Difference:
    """What publishing the plan would change now, on days that have not passed and from the plan's
    own first day on.

    What has begun stays; only a term's first publication may hold days before today, for a
    programme that brings its year along.  What somebody called off for a day, no plan brings back
    on that day; only undoing a publication does, for what that one called off.
    """
    off = lessons.called_off(db, term.id, undoing=plan.origin is PlanOrigin.UNDO)
    found = rows.of_plan(db, plan.id, term, _first_day(ctx, db, plan, term), off)
    return Difference(rules.paired(found.gone, found.come, found.kept), found.gone)


def _first_day(ctx: Context, db: Session, plan: Plan, term: Term) -> date | None:
    """The first day that the plan may touch; None: any."""
    if plans.published(db, term.id) is None:
        return plan.from_day
    tomorrow = term.today(ctx.now()) + timedelta(days=1)
    return max(plan.from_day or term.first_day, tomorrow)
