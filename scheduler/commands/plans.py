"""The coordinator's flow as commands."""

from dataclasses import asdict
from datetime import datetime

import click

from scheduler import console
from scheduler.commands import opening, telling
from scheduler.domain.intervals import clock_text
from scheduler.domain.plans import (
    ChangeKind,
    Fingerprint,
    LineId,
    Placement,
    Plan,
    PlanId,
    PublicationId,
)
from scheduler.domain.runs import Scope
from scheduler.errors import Invalid, text
from scheduler.locale import Language, translate
from scheduler.services import acceptances, accounts, plans, programmes, publications, runs
from scheduler.services.plans import DiffLine
from scheduler.services.publications import Told


@click.group()
def plan() -> None:
    """The coordinator's flow: run, show, diff, lines, accept, publish, undo, history."""


day_type = click.DateTime(["%Y-%m-%d"])


@plan.command("run")
@console.seconds_option(1, 3600)
@console.seed_option
@click.option("--from", "since", type=day_type, help="Change nothing before this day.")
@click.option("--most-lessons", type=int, help="Change at most so many published lessons.")
@click.option("--most-teachers", type=int, help="Change lessons of at most so many teachers.")
@console.term_option
@console.json_option
def plan_run(
    time_limit: float,
    seed: int,
    since: datetime | None,
    most_lessons: int | None,
    most_teachers: int | None,
    term_code: str | None,
    as_json: bool,
) -> None:
    """Match a term, the newest if none is named, here and now, and keep the draft.

    What is published is where it starts from.
    """
    scope = Scope(since.date() if since else None, most_lessons, most_teachers)
    with opening.ready_context() as ctx:
        actor = accounts.operator(ctx)
        term = programmes.chosen(ctx, actor, term_code).term
        run = runs.work_here(ctx, runs.start(ctx, actor, term.id, time_limit, seed, scope))
        if run is None or run.plan_id is None:
            raise Invalid((run and run.error) or text("Another worker has taken this run over."))
        found = {"taught": run.taught, "cost": run.cost, "lower_bound": run.bound, "gap": run.gap}
        console.show(as_json, {"plan": run.plan_id, **found})


@plan.command("show")
@console.term_option
@console.json_option
def plan_show(term_code: str | None, as_json: bool) -> None:
    """Drafts and publications, the newest first."""
    with opening.ready_context() as ctx:
        actor = accounts.operator(ctx)
        found = plans.of_term(ctx, actor, programmes.chosen(ctx, actor, term_code).term.id)
        console.show(
            as_json,
            {"plans": [asdict(p) | {"gap": p.gap} for p in found]},
            lambda: "\n".join(map(_plan_line, found)) or "-",
        )


def _plan_line(p: Plan) -> str:
    return f"{p.id:4} {p.state.value:10} {p.taught}/{p.requested} cost {p.cost:.0f}" + (
        f" bound {p.lower_bound:.0f} gap {p.gap:.1%}" if p.is_proved else f" {p.origin.value}"
    )


@plan.command("diff")
@click.argument("plan_id", type=int)
@console.json_option
def plan_diff(plan_id: int, as_json: bool) -> None:
    """What publishing a plan would change, with the fingerprint that `publish` wants."""
    with opening.ready_context() as ctx:
        seen = plans.preview(ctx, accounts.operator(ctx), PlanId(plan_id))
        counts = {kind.value: seen.diff.count(kind) for kind in ChangeKind}
        told = {"fingerprint": seen.fingerprint, "kept": seen.diff.kept, **counts}
        told |= asdict(seen.effect) | {"pinned": [pin.lesson_id for pin in seen.pinned]}
        told |= {"words": " ".join(translate(each, Language.EN) for each in seen.words)}
        console.show(as_json, told)


@plan.command("lines")
@click.argument("plan_id", type=int)
@console.json_option
def plan_lines(plan_id: int, as_json: bool) -> None:
    """The changes a plan would make, line by line, with the names that `accept` wants."""
    with opening.ready_context() as ctx:
        seen = plans.preview(ctx, accounts.operator(ctx), PlanId(plan_id))
        console.show(
            as_json,
            {"lines": [_told_line(line) for line in seen.lines]},
            lambda: "\n".join(map(_line_of, seen.lines)) or "-",
        )


def _told_line(line: DiffLine) -> dict[str, object]:
    return {
        "line": line.id,
        "kind": line.kind.value,
        "request": line.request.key,
        "lessons": line.count,
        "first_day": line.first_day.isoformat(),
        "last_day": line.last_day.isoformat(),
        "before": _side(line.before, line.teacher_before),
        "after": _side(line.after, line.teacher_after),
    }


def _side(placement: Placement | None, teacher: str) -> str | None:
    if placement is None:
        return None
    return f"{placement.day:%a} {clock_text(placement.start)} {teacher}"


def _line_of(line: DiffLine) -> str:
    told = _told_line(line)
    return (
        f"{line.id} {line.kind.value:9} {line.request.key} x{line.count} {line.first_day} to "
        f"{line.last_day}: {told['before'] or '-'} -> {told['after'] or '-'}"
    )


@plan.command("accept")
@click.argument("plan_id", type=int)
@click.argument("lines", nargs=-1, required=True)
@console.json_option
def plan_accept(plan_id: int, lines: tuple[str, ...], as_json: bool) -> None:
    """Make a new draft of what is published with some lines of a plan alone."""
    with opening.ready_context() as ctx:
        chosen = [LineId(line) for line in lines]
        made = acceptances.accept(ctx, accounts.operator(ctx), PlanId(plan_id), chosen)
        console.show(as_json, {"plan": made})


@plan.command("undo")
@click.argument("publication", type=int, required=False)
@console.term_option
@console.json_option
def plan_undo(publication: int | None, term_code: str | None, as_json: bool) -> None:
    """Make a draft that puts a publication back, the last one if none is named."""
    with opening.ready_context() as ctx:
        actor = accounts.operator(ctx)
        if publication is None:
            term = programmes.chosen(ctx, actor, term_code).term
            publication = publications.newest(ctx, actor, term.id)
        done = publications.undo(ctx, actor, PublicationId(publication))
        left = [{"lesson": lesson.id, "why": why.value} for lesson, why in done.left]
        broken = [str(problem) for problem in done.broken]
        console.show(
            as_json,
            {"plan": done.plan_id, "lessons": done.lessons, "left": left, "broken": broken},
        )


@plan.command("history")
@click.option("--day", type=day_type, help="Print the timetable as it stood at the end of it.")
@console.term_option
@console.json_option
def plan_history(day: datetime | None, term_code: str | None, as_json: bool) -> None:
    """What was published, the newest first; or the timetable as it was on a day."""
    with opening.ready_context() as ctx:
        actor = accounts.operator(ctx)
        term = programmes.chosen(ctx, actor, term_code).term
        if day is not None:
            then = publications.as_of(ctx, actor, term.id, day.date())
            console.show(
                as_json, {"day": day.date().isoformat(), "lessons": list(map(asdict, then))}
            )
            return
        found = publications.of_term(ctx, actor, term.id)
        console.show(
            as_json,
            {"publications": [_told_publication(each) for each in found]},
            lambda: "\n".join(_publication_line(each, term.zone) for each in found) or "-",
        )


def _told_publication(each: Told) -> dict[str, object]:
    counts = {kind.value: n for kind, n in each.counts.items()}
    return asdict(each.publication) | {"origin": each.publication.origin.value, **counts}


def _publication_line(each: Told, zone: str) -> str:
    done = each.publication
    counts = ", ".join(f"{n} {kind.value}" for kind, n in each.counts.items() if n)
    undoes = f", undoes {done.undoes}" if done.undoes else ""
    return f"{done.id:4} {telling.moment(done.at, zone)}  {done.by}: {counts or '-'}{undoes}"


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
