"""A plan before the coordinator: what it would change, what it lacks, and publishing it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.intervals import clock_text
from scheduler.domain.plans import ChangeKind, Fingerprint, LineId, Placement, PlanId, PlanState
from scheduler.errors import Conflict, Invalid, text
from scheduler.services import acceptances, mailroom, plans, recipients
from scheduler.services.context import Context
from scheduler.services.plans import DiffLine, Preview
from scheduler.services.recipients import Recipient
from scheduler.web.forms import Fields
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages import trials, weights
from scheduler.web.pages.gaps import shown
from scheduler.web.pages.messages import WAYS
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

    id: LineId
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


@router.post("/coordinator/plans/{plan_id}/accept")
def accept(
    request: Request, ctx: Ctx, actor: CoordinatorActor, plan_id: RowId, form: Form
) -> Response:
    """A new draft without the lines that were shown and are not ticked."""
    fields = Fields(form)
    left = {LineId(each) for each in set(fields.many("shown")) - set(fields.many("line"))}
    seen = Fingerprint(fields.typed("seen"))
    try:
        made = acceptances.accept_others(ctx, actor, PlanId(plan_id), left, seen)
    except (Conflict, Invalid) as error:
        return _refused(request, ctx, actor, PlanId(plan_id), error, left)
    told = text("A new draft without what you left out. Publish it, or look for more to leave out.")
    return see_other(f"/coordinator/plans/{made}", told)


def _refused(
    request: Request,
    ctx: Context,
    actor: Actor,
    plan_id: PlanId,
    error: Conflict | Invalid,
    left: Collection[LineId] = (),
) -> Response:
    """The difference as it is now, with the reason why nothing was done."""
    now_is = plans.preview(ctx, actor, plan_id)
    numbered = (n for n, line in enumerate(now_is.lines) if line.id in left)
    page = next(numbered, 0) // LINES_A_PAGE + 1
    return _page(request, ctx, actor, now_is, page, refused=error, left=left)


@router.get("/coordinator/plans/{plan_id}/told")
def told(request: Request, ctx: Ctx, actor: CoordinatorActor, plan_id: RowId) -> Response:
    """Who will be told, and how."""
    seen, found = recipients.of_plan(ctx, actor, PlanId(plan_id))
    return render(
        request,
        "coordinator/told.html",
        section="/coordinator/matching",
        plan=seen.plan,
        unsure=[who for who in found if not who.sure],
        sure=[who for who in found if who.sure],
        ways=WAYS,
    )


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    seen: Preview,
    page: int,
    *,
    all_gaps: bool = False,
    refused: Conflict | Invalid | None = None,
    left: Collection[LineId] = (),
) -> Response:
    last = max(1, -(-len(seen.lines) // LINES_A_PAGE))
    page = min(page, last)
    first = (page - 1) * LINES_A_PAGE
    here = f"/coordinator/plans/{seen.plan.id}"
    return render(
        request,
        "coordinator/plan.html",
        status=_status(refused),
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
        left=left,
        unsure=_unsure(ctx, seen),
        supposed=trials.shown(seen.supposed),
        news=mailroom.news(ctx, actor),
    )


def _unsure(ctx: Context, seen: Preview) -> list[Recipient]:
    """Who may not hear in time, while that can still be helped."""
    if seen.plan.state is PlanState.PUBLISHED:
        return []
    return [who for who in recipients.of_preview(ctx, seen) if not who.sure]


def _status(refused: Conflict | Invalid | None) -> int:
    if refused is None:
        return 200
    return 422 if isinstance(refused, Invalid) else 409


def row(line: DiffLine) -> Row:
    return Row(
        id=line.id,
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
