"""Who carries much and who waits: shares of teachers and schools, pledges, and rebalancing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.fairness import MOST_WEEKS, Share, Spread
from scheduler.domain.plans import PlanId, budget_words
from scheduler.domain.runs import MOST_CHANGES, Scope
from scheduler.errors import ChungTayError, Conflict, Invalid, NotFound, Text, text
from scheduler.services import fairness, plans, programmes, runs
from scheduler.services.context import Context
from scheduler.services.fairness import MOST_PLEDGED, Fairness
from scheduler.web import charts
from scheduler.web.forms import Fields
from scheduler.web.guard import CoordinatorActor, Ctx, Form
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/balance"
RUNS = "/coordinator/matching/runs"
SECONDS = 30.0  # that a search for a fairer plan takes
USUAL_BUDGET = "4"
TERM = ""  # all of it: what is planned counts as well
WINDOWS = (
    (TERM, text("The whole term")),
    ("4", text("4 weeks, up to this one")),
    ("8", text("8 weeks, up to this one")),
    ("12", text("12 weeks, up to this one")),
)
AT_ENDS = 6  # donor schools of either end, before all are asked for
WAITING_SHOWN = 6
CHOSEN_OF = 200  # donor schools to choose from; of more of them the name is written
_Weeks = Annotated[str, Query(max_length=4)]
_Shown = Annotated[str, Query(alias="schools", max_length=10)]


@dataclass(frozen=True, slots=True)
class Typed:
    """What was sent and could not be taken: its fields, what is wrong, and where."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, Text] = field(default_factory=dict)
    refused: Text | None = None
    status: int = 200


@dataclass(frozen=True, slots=True)
class Said:
    """What the page says first: the share of all schools, and how many teachers have less than
    half of what they promised."""

    coverage: Fraction | None
    lowest: Share | None
    under_half: int


@dataclass(frozen=True, slots=True)
class Draft:
    """What a draft would do, in words, and what its search was allowed to change."""

    plan_id: PlanId
    effect: Text
    allowed: Text | None


@router.get(HERE)
def page(
    request: Request, ctx: Ctx, actor: CoordinatorActor, weeks: _Weeks = TERM, shown: _Shown = ""
) -> Response:
    return _page(request, ctx, actor, weeks, all_schools=shown == "all")


@router.post(f"{HERE}/rebalance")
def rebalance(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    """Look for a plan that changes so many lessons at most."""
    fields = Fields(form)
    try:
        most = fields.number("most_lessons", 0, MOST_CHANGES)
        fields.check()
        term = programmes.present(ctx, actor)
        run = runs.start(ctx, actor, term.id, SECONDS, scope=Scope(most_lessons=most))
    except Invalid as error:
        return _again(request, ctx, actor, fields, error, status=422)
    except Conflict as error:
        return _again(request, ctx, actor, fields, error, status=409)
    return see_other(f"{RUNS}/{run}")


@router.post(f"{HERE}/pledge")
def pledge(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    fields = Fields(form)
    try:
        count = fields.number("lessons", 0, MOST_PLEDGED)
        fields.check()
        school = fairness.pledge(ctx, actor, fields.typed("school"), count, seen_of(fields))
    except (Invalid, NotFound) as error:
        return _again(request, ctx, actor, fields, error, status=422)
    except Conflict as error:
        return _again(request, ctx, actor, fields, error, status=409)
    said = text("Noted: {school} pledges {count} lessons.", school=school.label, count=count)
    return see_other(HERE, said)


def seen_of(fields: Fields) -> int:
    """What the form was filled in with; 0, so that anything is news, where it says nothing."""
    typed = fields.typed("seen")
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 19 else 0


def _again(
    request: Request,
    ctx: Context,
    actor: Actor,
    fields: Fields,
    error: ChungTayError,
    status: int,
) -> Response:
    names = ("most_lessons", "school", "lessons")
    typed = Typed(
        {name: fields.typed(name) for name in names},
        error.fields if isinstance(error, Invalid) else {},
        None if isinstance(error, Invalid) and error.fields else error.message,
        status,
    )
    return _page(request, ctx, actor, TERM, typed=typed)


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    weeks: str,
    *,
    all_schools: bool = False,
    typed: Typed | None = None,
) -> Response:
    said = typed or Typed()
    whole = not (weeks.isascii() and weeks.isdecimal() and 1 <= int(weeks) <= MOST_WEEKS)
    found = (
        fairness.figures(ctx, actor, MOST_WEEKS, date.max)
        if whole
        else fairness.figures(ctx, actor, int(weeks))
    )
    donors = [share for share in found.donor_schools.shares if share.ratio is not None]
    return render(
        request,
        "coordinator/balance.html",
        seen=fairness.last_pledge(ctx, actor),
        status=said.status,
        section=HERE,
        found=found,
        said=_said(found),
        bars=charts.bars(found.schools),
        columns=charts.columns(_ratios(found.teachers)),
        donors=_ends(donors, all_schools=all_schools),
        donor_count=len(donors),
        labels=[(name, name) for name in sorted(x.name for x in found.donor_schools.shares)],
        chosen_of=CHOSEN_OF,
        shown=WAITING_SHOWN,
        weeks=TERM if whole else weeks,
        windows=WINDOWS,
        typed=said,
        budget=said.values.get("most_lessons", USUAL_BUDGET),
        draft=_draft(ctx, actor, found),
    )


def _ratios(spread: Spread) -> list[Fraction]:
    return [share.ratio for share in spread.shares if share.ratio is not None]


def _said(found: Fairness) -> Said:
    due = sum((share.due for share in found.schools.shares), Fraction(0))
    counted = sum(share.counted for share in found.schools.shares)
    lowest = next((share for share in found.schools.shares if share.ratio is not None), None)
    under = sum(ratio < Fraction(1, 2) for ratio in _ratios(found.teachers))
    return Said(counted / due if due else None, lowest, under)


def _ends(donors: list[Share], *, all_schools: bool) -> list[tuple[Text, list[Share]]]:
    """Those with most to give still, and those who gave most; or all of them in one."""
    if all_schools or len(donors) <= 2 * AT_ENDS:
        return [(text("All donor schools"), donors)]
    busiest = sorted(donors[AT_ENDS:], key=lambda share: -share.counted)
    return [
        (text("With most still to give"), donors[:AT_ENDS]),
        (text("With most lessons"), busiest[:AT_ENDS]),
    ]


def _draft(ctx: Context, actor: Actor, found: Fairness) -> Draft | None:
    """What the last draft made under a budget would do now."""
    run = runs.latest_limited(ctx, actor, found.term.id)
    if run is None or run.plan_id is None:
        return None
    allowed = budget_words(run.scope.most_lessons, run.scope.most_teachers)
    return Draft(run.plan_id, plans.effect(ctx, actor, run.plan_id).words, allowed)
