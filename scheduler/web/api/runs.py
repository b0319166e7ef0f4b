"""Runs of the matching engine."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from scheduler.domain.access import Actor
from scheduler.domain.runs import Run, RunId, RunState, Scope
from scheduler.domain.terms import TermId
from scheduler.services import runs
from scheduler.web.api.bodies import Body, Count, Day, example
from scheduler.web.api.wording import told
from scheduler.web.guard import LARGEST_ID, ApiActor, Ctx, RowId

router = APIRouter(tags=["runs"])


@dataclass(frozen=True, slots=True)
class RunOut:
    """A run with its progress, 0 to 1; `plan` is its draft, `error` why there is none."""

    id: int
    term: int
    state: RunState
    asked_at: datetime
    seconds: float
    seed: int
    from_day: date | None
    most_lessons: int | None
    most_teachers: int | None
    progress: float
    cost: float | None
    bound: float | None
    gap: float | None
    taught: int | None
    requested: int | None
    stopping: bool
    plan: int | None
    error: str | None


class RunIn(Body):
    """How long it may search, from which day on, and how much of the timetable it may change."""

    seconds: Annotated[float, Field(strict=True, ge=0, le=86400, allow_inf_nan=False)] = 60.0
    seed: Annotated[int, Field(strict=True, ge=0, le=LARGEST_ID)] = 1
    from_day: Day | None = None
    most_lessons: Count | None = None
    most_teachers: Count | None = None

    model_config = example(seconds=60, from_day="2023-10-16", most_lessons=10, most_teachers=4)

    @property
    def scope(self) -> Scope:
        return Scope(self.from_day, self.most_lessons, self.most_teachers)


def _run(actor: Actor, run: Run) -> RunOut:
    return RunOut(
        id=run.id,
        term=run.term_id,
        state=run.state,
        asked_at=run.asked_at,
        seconds=run.seconds_limit,
        seed=run.seed,
        from_day=run.scope.from_day,
        most_lessons=run.scope.most_lessons,
        most_teachers=run.scope.most_teachers,
        progress=run.progress,
        cost=run.cost,
        bound=run.bound,
        gap=run.gap,
        taught=run.taught,
        requested=run.requested,
        stopping=run.stopping,
        plan=run.plan_id,
        error=told(run.error, actor),
    )


@router.post("/terms/{term_id}/runs", status_code=201)
def start(ctx: Ctx, actor: ApiActor, term_id: RowId, body: RunIn) -> RunOut:
    """Queue a run that starts from the timetable in force; a worker takes it up."""
    made = runs.start(ctx, actor, TermId(term_id), body.seconds, body.seed, body.scope)
    return _run(actor, runs.get(ctx, actor, made))


@router.get("/runs/{run_id}")
def one_run(ctx: Ctx, actor: ApiActor, run_id: RowId) -> RunOut:
    """One run with its progress."""
    return _run(actor, runs.get(ctx, actor, RunId(run_id)))


@router.post("/runs/{run_id}/stop")
def stop(ctx: Ctx, actor: ApiActor, run_id: RowId) -> RunOut:
    """Ask a run to end now and keep its best plan so far."""
    runs.stop(ctx, actor, RunId(run_id))
    return _run(actor, runs.get(ctx, actor, RunId(run_id)))


@router.post("/runs/{run_id}/cancel")
def cancel(ctx: Ctx, actor: ApiActor, run_id: RowId) -> RunOut:
    """Ask a run to end now without a draft."""
    runs.cancel(ctx, actor, RunId(run_id))
    return _run(actor, runs.get(ctx, actor, RunId(run_id)))
