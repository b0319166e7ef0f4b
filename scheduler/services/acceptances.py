"""Taking a plan line by line: a new draft of the timetable in force with some of its changes."""

from collections.abc import Collection

from scheduler.domain import plan_changes
from scheduler.domain import plans as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.plans import Fingerprint, LineId, PlanId, PlanOrigin
from scheduler.errors import Invalid, Stale
from scheduler.services import differences, drafts, snapshots
from scheduler.services.context import Context
from scheduler.services.terms import allowed
from scheduler.store import audits, lessons, plans, terms


def accept(ctx: Context, actor: Actor, plan_id: PlanId, lines: Collection[LineId]) -> PlanId:
    """Make a new draft of the timetable in force with some lines of a plan's preview alone.

    It is priced again, and read by the independent verifier; pressed twice it is one draft.  Raises
    Invalid when what was chosen cannot stand without the rest, with each rule and the lessons that
    break it together, and Stale when a line is no longer in the preview.
    """
    with ctx.reading() as db:
        plan = differences.visible(db, actor, plan_id)
        term = allowed(db, actor, plan.term_id, Action.PUBLISH)
        known = lessons.placements(db, term.id)
        changes = differences.between(ctx, db, plan, term).diff.changes
    chosen = plan_changes.chosen(changes, lines)
    if not chosen:
        raise Invalid("Choose at least one line of the plan.")
    if not set(lines) <= plan_changes.lines(changes).keys():
        raise Stale("The timetable changed while you were looking. See the new difference.")
    snapshot = snapshots.take(ctx, term.id, plan.from_day)
    draft = drafts.weigh(snapshot, known, chosen)
    if draft.broken:
        raise Invalid(
            "These changes cannot stand without others. Choose those too, or leave these out.",
            drafts.problems(draft),
        )
    with ctx.transaction() as db:
        terms.lock(db, term.id)  # who presses twice waits here, and finds the first draft
        drafts.require_unchanged(db, term, known)
        there = plans.same_draft(
            db, term.id, PlanOrigin.ACCEPTED, snapshot.input_hash, draft.placements, plan.from_day
        )
        if there is not None:
            return there
        made = drafts.keep(
            db, draft, term, actor, ctx.now(), PlanOrigin.ACCEPTED,
            from_day=plan.from_day,
            lower_bound=plan.lower_bound if plan.input_hash == snapshot.input_hash else 0.0,
        )  # fmt: skip
        after = {"of": plan_id, "lines": sorted(set(lines)), "changes": len(chosen)}
        audits.record(db, ctx.now(), actor.person_id, "accept_lines", "plan", made, after=after)
    return made


def accept_others(
    ctx: Context,
    actor: Actor,
    plan_id: PlanId,
    left: Collection[LineId],
    seen: Fingerprint,
) -> PlanId:
    """`accept` of every line of the preview that was `seen`, but these; raises as it does."""
    with ctx.reading() as db:
        plan = differences.visible(db, actor, plan_id)
        term = allowed(db, actor, plan.term_id, Action.PUBLISH)
        diff = differences.between(ctx, db, plan, term).diff
    if rules.fingerprint(plan_id, diff) != seen:
        raise Stale("The timetable changed while you were looking. See the new difference.")
    lines = plan_changes.lines(diff.changes).keys()
    if not lines & set(left):
        raise Invalid("Untick the lines that should stay as they are published now.")
    return accept(ctx, actor, plan_id, lines - set(left))
