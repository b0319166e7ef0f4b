"""The matching engine: starting a run, watching it, and the plans it has made."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.runs import MOST_CHANGES, Point, Run, RunId, RunState, Scope, thinned
from scheduler.domain.terms import TermId
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.services import plans, programmes, runs, weights
from scheduler.services import trials as trying
from scheduler.services.context import Context
from scheduler.services.programmes import Overview
from scheduler.web.charts import Course, course
from scheduler.web.forms import Fields
from scheduler.web.guard import LARGEST_ID, CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages import trials
from scheduler.web.terms import TermOf, with_term
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/matching"
CHOICES = (  # seconds, as people say them
    (10, text("10 seconds")),
    (30, text("30 seconds")),
    (60, text("1 minute")),
    (300, text("5 minutes")),
)
USUAL = {"seconds": "30", "seed": "1", "most_lessons": "", "most_teachers": "", "from_day": ""}
POINTS_IN_TABLE = 8


@dataclass(frozen=True, slots=True)
class Look:
    """A run as pages show it: `why` it failed; its course as a picture, and some points of it as a
    table once it has ended: a part that is swapped every two seconds cannot be read."""

    run: Run
    why: Text | None
    course: Course | None
    points: tuple[Point, ...]


def look(run: Run) -> Look:
    axis = run.seconds_limit if run.open else run.elapsed
    return Look(
        run=run,
        why=run.error if run.state is RunState.FAILED else None,
        course=course(run.history, axis),
        points=() if run.open else thinned(run.history, POINTS_IN_TABLE),
    )


@router.get("/coordinator/matching")
def studio(request: Request, ctx: Ctx, actor: CoordinatorActor, wanted: TermOf = None) -> Response:
    return _page(request, ctx, actor, wanted, USUAL)


@router.post("/coordinator/matching")
def start(
    request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form, wanted: TermOf = None
) -> Response:
    fields = Fields(form)
    typed = {name: fields.typed(name) for name in USUAL}
    try:
        seconds = fields.number("seconds", 1, int(runs.LIMITS[1]))
        seed = fields.number("seed", 0, LARGEST_ID)
        scope = _scope(fields)
        fields.check()
        runs.start(ctx, actor, programmes.chosen(ctx, actor, wanted).term.id, seconds, seed, scope)
    except Invalid as error:
        return _page(request, ctx, actor, wanted, typed, error.fields, status=422)
    except Conflict as error:
        return _page(request, ctx, actor, wanted, typed, refused=error.message, status=409)
    return see_other(with_term(HERE, wanted))


def _scope(fields: Fields) -> Scope:
    """What it may change of the timetable in force; a field left empty allows anything."""
    lessons, teachers = (
        fields.number(name, 0, MOST_CHANGES) if fields.typed(name).strip() else None
        for name in ("most_lessons", "most_teachers")
    )
    day = fields.day("from_day") if fields.typed("from_day").strip() else None
    return Scope(day, lessons, teachers)


@router.get("/coordinator/matching/runs/{run_id}")
def progress(request: Request, ctx: Ctx, actor: CoordinatorActor, run_id: RowId) -> Response:
    """The state of one run: the fragment that htmx asks for, or a page around it."""
    found = runs.get(ctx, actor, RunId(run_id))
    fragment = bool(request.headers.get("hx-request"))
    template = "coordinator/_run.html" if fragment else "coordinator/run.html"
    return render(
        request,
        template,
        look=look(found),
        fragment=fragment,
        supposed=[] if fragment else trials.shown(trying.of_run(ctx, actor, found)),
        section="/coordinator/matching",
    )


@router.post("/coordinator/matching/runs/{run_id}/stop")
def stop(ctx: Ctx, actor: CoordinatorActor, run_id: RowId, _form: Form) -> Response:
    back = with_term(HERE, runs.get(ctx, actor, RunId(run_id)).term_id)
    try:
        runs.stop(ctx, actor, RunId(run_id))
    except Conflict as error:  # it came to its end by itself: the page shows how
        return see_other(back, error.message)
    told = text("The engine is told to stop. Its best plan so far becomes a draft.")
    return see_other(back, told)


@router.post("/coordinator/matching/runs/{run_id}/cancel")
def cancel(ctx: Ctx, actor: CoordinatorActor, run_id: RowId, _form: Form) -> Response:
    back = with_term(HERE, runs.get(ctx, actor, RunId(run_id)).term_id)
    try:
        runs.cancel(ctx, actor, RunId(run_id))
    except Conflict as error:
        return see_other(back, error.message)
    return see_other(back, text("The engine is told to stop, without a plan."))


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    wanted: TermId | None,
    typed: Mapping[str, str],
    errors: Mapping[str, Text] | None = None,
    refused: Text | None = None,
    status: int = 200,
) -> Response:
    seen = programmes.overview(ctx, actor, wanted)
    run = _worth_showing(seen)
    return render(
        request,
        "coordinator/matching.html",
        status=status,
        seen=seen,
        look=look(run) if run else None,
        fragment=False,
        own_weights=weights.of_programme(ctx, actor, seen.programme.id).own,
        plans=plans.of_term(ctx, actor, seen.term.id),
        choices=[(seconds, words, "", "") for seconds, words in CHOICES],
        typed=typed,
        errors=errors or {},
        refused=refused,
    )


def _worth_showing(seen: Overview) -> Run | None:
    """The newest run, until its plan has been published."""
    run = seen.run
    if run is None or run.plan_id is None:
        return run
    return run if any(draft.id == run.plan_id for draft in seen.drafts) else None
