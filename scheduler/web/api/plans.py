"""Draft plans: what one would change, some of its lines, and publishing exactly what was seen."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.intervals import clock_text
from scheduler.domain.plans import (
    ChangeKind,
    LineId,
    Placement,
    Plan,
    PlanDiff,
    PlanId,
    PlanOrigin,
    PlanState,
)
from scheduler.domain.terms import TermId
from scheduler.services import acceptances, plans
from scheduler.services.gaps import GapLine
from scheduler.services.plans import DiffLine, Preview
from scheduler.web.api.beliefs import Believed, tag
from scheduler.web.api.bodies import MOST_ITEMS, Body, Name, Seen, example
from scheduler.web.api.paging import Paged, newest_first
from scheduler.web.api.wording import said
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(tags=["plans"])


@dataclass(frozen=True, slots=True)
class PlanOut:
    """`gap`: how far the cost may lie above the best possible, as a share of it."""

    id: int
    term: int
    state: PlanState
    origin: PlanOrigin
    note: str
    created_at: datetime
    published_at: datetime | None
    from_day: date | None
    undoes: int | None
    requested: int
    taught: int
    cost: float
    lower_bound: float
    gap: float


@dataclass(frozen=True, slots=True)
class SideOut:
    """A weekly series before or after: of its first lesson the day, and the term's wall clock."""

    day: date
    start: str
    end: str
    teacher: str


@dataclass(frozen=True, slots=True)
class LineOut:
    """Equal changes of one weekly series; `id` is what accepting wants to be told."""

    id: str
    kind: ChangeKind
    request: str
    school: str
    lessons: int
    first_day: date
    last_day: date
    before: SideOut | None
    after: SideOut | None


@dataclass(frozen=True, slots=True)
class GapOut:
    """What a request still lacks: reason codes with the teachers that each rules out."""

    request: str
    school: str
    missing: int
    weeks: int
    reasons: dict[str, int]
    rivals: list[str]


@dataclass(frozen=True, slots=True)
class ChangesOut:
    """Lessons by what becomes of them."""

    added: int
    moved: int
    restaffed: int
    dropped: int
    kept: int


@dataclass(frozen=True, slots=True)
class PreviewOut:
    """What publishing would change; `fingerprint` is what it wants to be told.

    `pinned`: lessons that it changes and that are pinned; `soon`: lessons that change before the
    end of tomorrow, `unseen`: the teachers whose calendars will hardly show it in time.
    """

    plan: PlanOut
    fingerprint: str
    words: list[str]
    changes: ChangesOut
    lines: list[LineOut]
    gaps: list[GapOut]
    teachers_told: int
    schools_told: int
    soon: int
    unseen: list[str]
    bill: dict[str, float]
    run: int | None
    pinned: list[int]


@dataclass(frozen=True, slots=True)
class DraftOut:
    """The new draft."""

    plan: int


class AcceptIn(Body):
    """The lines of the preview that are wanted, by their ids."""

    lines: Annotated[list[Name], Field(min_length=1, max_length=MOST_ITEMS)]

    model_config = example(lines=["0a1b2c3d4e"])


class PublishIn(Body):
    """The fingerprint that the preview showed, where it is not sent as If-Match."""

    fingerprint: Seen | None = None

    model_config = example(fingerprint="0123456789abcdef0123456789abcdef")


def plan_out(plan: Plan) -> PlanOut:
    return PlanOut(
        id=plan.id,
        term=plan.term_id,
        state=plan.state,
        origin=plan.origin,
        note=plan.note,
        created_at=plan.created_at,
        published_at=plan.published_at,
        from_day=plan.from_day,
        undoes=plan.undoes,
        requested=plan.requested,
        taught=plan.taught,
        cost=plan.cost,
        lower_bound=plan.lower_bound,
        gap=plan.gap,
    )


def _changes(diff: PlanDiff) -> ChangesOut:
    counts = {kind.value: diff.count(kind) for kind in ChangeKind}
    return ChangesOut(**counts, kept=diff.kept)


def _side(place: Placement | None, teacher: str) -> SideOut | None:
    if place is None:
        return None
    return SideOut(place.day, clock_text(place.start), clock_text(place.end), teacher)


def _line(line: DiffLine) -> LineOut:
    return LineOut(
        id=line.id,
        kind=line.kind,
        request=line.request.key,
        school=line.school_name,
        lessons=line.count,
        first_day=line.first_day,
        last_day=line.last_day,
        before=_side(line.before, line.teacher_before),
        after=_side(line.after, line.teacher_after),
    )


def _gap(gap: GapLine) -> GapOut:
    return GapOut(
        request=gap.request.key,
        school=gap.school_name,
        missing=gap.missing,
        weeks=gap.weeks,
        reasons=dict(gap.reasons),
        rivals=list(gap.rivals),
    )


def _preview(actor: Actor, found: Preview) -> PreviewOut:
    return PreviewOut(
        plan=plan_out(found.plan),
        fingerprint=found.fingerprint,
        words=[said(each, actor) for each in found.words],
        changes=_changes(found.diff),
        lines=[_line(each) for each in found.lines],
        gaps=[_gap(each) for each in found.gaps],
        teachers_told=found.teachers_told,
        schools_told=found.schools_told,
        soon=found.soon,
        unseen=[teacher.name for teacher in found.unseen],
        bill={charge.term: charge.points for charge in found.bill},
        run=found.run,
        pinned=[pin.lesson_id for pin in found.pinned],
    )


@router.get("/terms/{term_id}/plans")
def of_term(ctx: Ctx, actor: ApiActor, term_id: RowId, paged: Paged) -> list[PlanOut]:
    """Drafts and publications of a term, the newest first."""
    found = plans.of_term(ctx, actor, TermId(term_id))
    return [plan_out(each) for each in paged.cut(found, lambda each: newest_first(each.id))]


@router.get("/plans/{plan_id}")
def preview(ctx: Ctx, actor: ApiActor, plan_id: RowId, response: Response) -> PreviewOut:
    """What publishing a plan would change now, line by line."""
    found = plans.preview(ctx, actor, PlanId(plan_id))
    tag(response, found.fingerprint)
    return _preview(actor, found)


@router.post("/plans/{plan_id}/accept", status_code=201)
def accept(ctx: Ctx, actor: ApiActor, plan_id: RowId, body: AcceptIn) -> DraftOut:
    """Make a new draft of the timetable in force with some lines of a plan alone."""
    lines = [LineId(each) for each in body.lines]
    return DraftOut(acceptances.accept(ctx, actor, PlanId(plan_id), lines))


@router.post("/plans/{plan_id}/publish")
def publish(
    ctx: Ctx, actor: ApiActor, plan_id: RowId, belief: Believed, body: PublishIn
) -> ChangesOut:
    """Make a plan the timetable that everyone sees, exactly as previewed."""
    seen = belief.seen(body.fingerprint)
    return _changes(plans.publish(ctx, actor, PlanId(plan_id), seen))
