"""A plan held against the timetable in force: both sides, and several plans beside each other."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from scheduler.domain import plans as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.lessons import LessonId
from scheduler.domain.plans import ChangeKind, Placement, Plan, PlanId, PlanOrigin, PlanState
from scheduler.domain.terms import Term
from scheduler.domain.weights import Charge, bill
from scheduler.errors import NotFound
from scheduler.services.context import Context
from scheduler.services.terms import allowed
from scheduler.store import lessons, tables
from scheduler.store import plans as rows
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
        sides = both_sides(ctx, db, plan, term, lessons.placements(db, term.id))
        found = rules.diff(*sides)
        counts = {kind: found.count(kind) for kind in ChangeKind}
    charges = bill(plan.terms, plan.weights, plan.requested - plan.taught) if plan.weights else ()
    return Beside(plan, counts, {charge.term: charge for charge in charges})


def visible(db: Session, actor: Actor, plan_id: PlanId) -> Plan:
    """One plan; raises NotFound for strangers."""
    found = rows.get(db, plan_id) if sees(db, actor, tables.plans, plan_id) else None
    if found is None:
        raise NotFound("There is no such plan here.")
    return found


def both_sides(
    ctx: Context, db: Session, plan: Plan, term: Term, current: Mapping[Placement, LessonId]
) -> tuple[tuple[Placement, ...], tuple[Placement, ...]]:
    """What is in force and what the plan wants, without the days that have passed and those before
    the plan's own first day.

    What has begun stays; only a term's first publication may hold days before today, for a
    programme that brings its year along.  What somebody called off for a day, no plan brings back
    on that day; only undoing a publication does, for what that one called off.
    """
    off = lessons.called_off(db, term.id, undoing=plan.origin is PlanOrigin.UNDO)
    wanted = tuple(p for p in rows.placements(db, plan.id) if (p.request_id, p.day) not in off)
    first = plan.from_day or term.first_day
    if rows.published(db, term.id) is not None:
        first = max(first, term.today(ctx.now()) + timedelta(days=1))
    elif plan.from_day is None:
        return tuple(rules.in_order(current)), wanted
    return (
        tuple(rules.in_order(p for p in current if p.day >= first)),
        tuple(p for p in wanted if p.day >= first),
    )
