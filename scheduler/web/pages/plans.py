"""A plan before the coordinator: what it would change, what it lacks, and publishing it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.intervals import clock_text
from scheduler.domain.plans import ChangeKind, Fingerprint, Placement, PlanId
from scheduler.errors import Conflict, Text, text
from scheduler.services import mailroom, plans
from scheduler.services.context import Context
from scheduler.services.plans import DiffLine, Preview
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages import weights
from scheduler.web.pages.gaps import shown
from scheduler.web.view import render, see_other

router = APIRouter()

LINES_A_PAGE = 50
GAPS_SHOWN = 20
MOST_PAGES = 10_000
SIGNS = {
    ChangeKind.ADDED: "add",
    ChangeKind.MOVED: "move",
    ChangeKind.RESTAFFED: "restaff",
    ChangeKind.DROPPED: "drop",
}
PageNumber = Annotated[int, Query(ge=1, le=MOST_PAGES)]


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a change: the day, its clock times, and who teaches."""

    day: date
    clock: str
    teacher: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the difference; `before` is None when added, `after` when dropped."""

    sign: str
    count: int
    class_name: str
    school_name: str
    first_day: date
    before: Side | None
    after: Side | None


@router.get("/coordinator/plans/{plan_id}")
def plan(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    plan_id: RowId,
    page: PageNumber = 1,
    gaps: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    seen = plans.preview(ctx, actor, PlanId(plan_id))
    return _page(request, ctx, actor, seen, page, all_gaps=gaps == "all")


@router.post("/coordinator/plans/{plan_id}/publish")
def publish(
    request: Request, ctx: Ctx, actor: CoordinatorActor, plan_id: RowId, form: Form
) -> Response:
    given = form.get("seen")
    seen = Fingerprint(given if isinstance(given, str) else "")
    try:
        done = plans.publish(ctx, actor, PlanId(plan_id), seen)
    except Conflict as error:
        return _refused(request, ctx, actor, PlanId(plan_id), error)
    told = text("Published: {count} changes.", count=len(done.changes))
    return see_other(f"/coordinator/plans/{plan_id}", told)


def _refused(
    request: Request, ctx: Context, actor: Actor, plan_id: PlanId, error: Conflict
) -> Response:
    """The difference as it is now, with the reason why nothing was published."""
    now_is = plans.preview(ctx, actor, plan_id)
    return _page(request, ctx, actor, now_is, 1, refused=error.message, status=409)


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    seen: Preview,
    page: int,
    *,
    all_gaps: bool = False,
    refused: Text | None = None,
    status: int = 200,
) -> Response:
    last = max(1, -(-len(seen.lines) // LINES_A_PAGE))
    page = min(page, last)
    first = (page - 1) * LINES_A_PAGE
    here = f"/coordinator/plans/{seen.plan.id}"
    return render(
        request,
        "coordinator/plan.html",
        status=status,
        section="/coordinator/matching",
        seen=seen,
        rows=[row(line) for line in seen.lines[first : first + LINES_A_PAGE]],
        pages=list(pager(page, last, here)),
        counts={SIGNS[kind]: seen.diff.count(kind) for kind in ChangeKind},
        touched=seen.changes - seen.diff.count(ChangeKind.ADDED),
        gaps=[shown(gap) for gap in (seen.gaps if all_gaps else seen.gaps[:GAPS_SHOWN])],
        unusual=list(weights.unusual(seen.plan.weights)) if seen.plan.weights else [],
        missing=sum(gap.missing for gap in seen.gaps),
        here=here,
        refused=refused,
        news=mailroom.news(ctx, actor),
    )


def row(line: DiffLine) -> Row:
    return Row(
        sign=SIGNS[line.kind],
        count=line.count,
        class_name=line.request.class_name,
        school_name=line.school_name,
        first_day=line.first_day,
        before=_side(line.before, line.teacher_before),
        after=_side(line.after, line.teacher_after),
    )


def _side(placement: Placement | None, teacher: str) -> Side | None:
    if placement is None:
        return None
    clock = f"{clock_text(placement.start)}–{clock_text(placement.end)}"
    return Side(placement.day, clock, teacher)


def pager(page: int, last: int, here: str) -> Iterator[tuple[int, str | None]]:
    """The first page, the last, and those around this one; the page shown has no address."""
    if last == 1:
        return
    for number in sorted({1, last, *range(max(1, page - 2), min(last, page + 2) + 1)}):
        yield number, None if number == page else f"{here}?page={number}"
