"""The coordinator's flow as commands."""

from dataclasses import asdict

import click

from scheduler import console
from scheduler.commands import opening
from scheduler.domain.plans import ChangeKind, Fingerprint, Plan, PlanId
from scheduler.errors import Invalid, text
from scheduler.services import accounts, plans, programmes, runs


@click.group()
def plan() -> None:
    """The coordinator's flow: run, show, diff, publish."""


@plan.command("run")
@console.seconds_option(1, 3600)
@console.seed_option
@console.json_option
def plan_run(time_limit: float, seed: int, as_json: bool) -> None:
    """Match the newest term, here and now, and keep the draft."""
    with opening.ready_context() as ctx:
        actor = accounts.operator(ctx)
        term = programmes.overview(ctx, actor).term
        run = runs.work_here(ctx, runs.start(ctx, actor, term.id, time_limit, seed))
        if run is None or run.plan_id is None:
            raise Invalid((run and run.error) or text("Another worker has taken this run over."))
        found = {"taught": run.taught, "cost": run.cost, "lower_bound": run.bound, "gap": run.gap}
        console.show(as_json, {"plan": run.plan_id, **found})


@plan.command("show")
@console.json_option
def plan_show(as_json: bool) -> None:
    """Drafts and publications, the newest first."""
    with opening.ready_context() as ctx:
        actor = accounts.operator(ctx)
        found = plans.of_term(ctx, actor, programmes.overview(ctx, actor).term.id)
        console.show(
            as_json,
            {"plans": [asdict(p) | {"gap": p.gap} for p in found]},
            lambda: "\n".join(map(_plan_line, found)) or "-",
        )


def _plan_line(p: Plan) -> str:
    return (
        f"{p.id:4} {p.state.value:10} {p.taught}/{p.requested} "
        f"cost {p.cost:.0f} bound {p.lower_bound:.0f} gap {p.gap:.1%}"
    )


@plan.command("diff")
@click.argument("plan_id", type=int)
@console.json_option
def plan_diff(plan_id: int, as_json: bool) -> None:
    """What publishing a plan would change, with the fingerprint that `publish` wants."""
    with opening.ready_context() as ctx:
        seen = plans.preview(ctx, accounts.operator(ctx), PlanId(plan_id))
        counts = {kind.value: seen.diff.count(kind) for kind in ChangeKind}
        console.show(as_json, {"fingerprint": seen.fingerprint, "kept": seen.diff.kept, **counts})


@plan.command("publish")
@click.argument("plan_id", type=int)
@click.option(
    "--seen", required=True, metavar="FINGERPRINT", help="The fingerprint that `diff` printed."
)
@console.json_option
def plan_publish(plan_id: int, seen: str, as_json: bool) -> None:
    """Make a plan the timetable that everyone sees."""
    with opening.ready_context() as ctx:
        diff = plans.publish(ctx, accounts.operator(ctx), PlanId(plan_id), Fingerprint(seen))
        console.show(as_json, {kind.value: diff.count(kind) for kind in ChangeKind})
