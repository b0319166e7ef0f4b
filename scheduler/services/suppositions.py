"""A term as a plan supposes it, in the engine's words: the plan at hand in force, and its fixes."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from scheduler.domain import trials as rules
from scheduler.domain.plans import Fix, Mark, Placement, PlanState, Supposition
from scheduler.errors import Conflict
from scheduler.matching import fixes, replan
from scheduler.matching import plan as solver_plan
from scheduler.matching.plan import FixCode, Plan, Unfilled
from scheduler.matching.problem import Instance
from scheduler.services.context import Context
from scheduler.services.snapshots import Snapshot
from scheduler.store import plans
from scheduler.store.database import Session


def with_all(ctx: Context, snapshot: Snapshot, supposes: Sequence[Supposition]) -> Snapshot:
    """The term with the plan that is tried in force, and with all that is supposed.

    Raises Conflict when a class or a teacher of that is no more.
    """
    with ctx.reading() as db:
        in_force = _in_force(db, supposes)
        placements = plans.placements(db, supposes[-1].plan_id)
        meant = plans.marks(db, supposes[-1].plan_id)
    # lessons in force have changed since by other hands: the term knows them
    instance = snapshot.instance if in_force else _with_plan(snapshot, placements, meant)
    for each in supposes:
        instance = _with(snapshot, instance, each)
    return replace(snapshot, instance=instance)


def marks(db: Session, supposes: Sequence[Supposition]) -> list[Mark]:
    """What hands meant in the plan that is tried, and the make-up lessons that are supposed."""
    here = supposes and not _in_force(db, supposes)
    before = plans.marks(db, supposes[-1].plan_id) if here else ()
    found = {(mark.request_id, mark.day): mark for mark in (*before, *rules.marks(supposes))}
    return list(found.values())


def _in_force(db: Session, supposes: Sequence[Supposition]) -> bool:
    plan = plans.get(db, supposes[-1].plan_id)
    return plan is not None and plan.state is PlanState.PUBLISHED


def _with_plan(
    snapshot: Snapshot, placements: Iterable[Placement], meant: Iterable[Mark]
) -> Instance:
    """What has begun stays as published; what hands placed beside the weekly times stays too."""
    instance = snapshot.instance
    by_hand = {(mark.request_id, mark.day): mark for mark in meant}
    off = {key for key, mark in by_hand.items() if mark.called_off}
    there = {teacher.id for teacher in instance.teachers}
    kept = [p for p in placements if (p.request_id, p.day) not in off]
    lessons = tuple(
        x for x in snapshot.planned(kept) if x.teacher in there and not instance.is_past(x.day)
    )
    placed = replan.with_plan(instance, Plan(lessons))
    current = tuple(
        replace(x, pinned=x.pinned or (snapshot.request_ids[x.request], x.day) in by_hand)
        for x in placed.current
    )
    return replace(placed, current=current)


def _with(snapshot: Snapshot, instance: Instance, supposed: Supposition) -> Instance:
    keys = {ours: theirs for theirs, ours in snapshot.request_ids.items()}
    key = keys.get(supposed.request_id)
    fix = _theirs(snapshot, supposed.fix)
    known = {teacher.id for teacher in instance.teachers}
    if key is None or (fix.teacher is not None and fix.teacher not in known):
        raise Conflict("The class or the teacher of this change is no longer here.")
    gap = Unfilled(key, instance.term.first_day, 1, ())
    return fixes.apply(instance, gap, fix)


def _theirs(snapshot: Snapshot, fix: Fix) -> solver_plan.Fix:
    mails = {ours: theirs for theirs, ours in snapshot.teacher_ids.items()}
    return solver_plan.Fix(
        code=FixCode(fix.kind.value),
        covers=fix.covers,
        teacher=None if fix.teacher_id is None else mails.get(fix.teacher_id, ""),
        weekday=fix.weekday,
        start=fix.start,
        end=fix.end,
        day=fix.day,
        limit=fix.limit,
        free=fix.free,
        changes=fix.changes,
    )
