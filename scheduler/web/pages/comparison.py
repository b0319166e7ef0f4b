"""Plans side by side: what each would change, and what each costs in words."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.plans import Plan, PlanId, PlanState
from scheduler.errors import NotFound
from scheduler.services import differences, plans, programmes
from scheduler.web.guard import LARGEST_ID, CoordinatorActor, Ctx
from scheduler.web.pages.plans import SIGNS
from scheduler.web.terms import TermOf
from scheduler.web.view import render

router = APIRouter()

MOST = 4
_Id = Annotated[int, Query(ge=1, le=LARGEST_ID)]


@router.get("/coordinator/matching/compare")
def page(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    plan: Annotated[tuple[_Id, ...], Query()] = (),
    wanted: TermOf = None,
) -> Response:
    """Up to four plans of a term; without a wish the one in force and the newest drafts."""
    chosen = tuple(map(PlanId, dict.fromkeys(plan)))
    found = differences.side_by_side(ctx, actor, chosen[:MOST])
    term = found[0].plan.term_id if found else wanted
    if wanted not in (None, term):
        raise NotFound("There is no such plan here.")
    choice = programmes.chosen(ctx, actor, term)
    there = plans.of_term(ctx, actor, choice.term.id)
    if not chosen:
        chosen = _worth_comparing(there)
        found = differences.side_by_side(ctx, actor, chosen)
    terms = dict.fromkeys(charge for each in found for charge in each.bill)
    return render(
        request,
        "coordinator/compare.html",
        section="/coordinator/matching",
        choice=choice,
        found=found,
        rows=[(name, [each.bill.get(name) for each in found]) for name in terms],
        signs={sign: [each.counts[kind] for each in found] for kind, sign in SIGNS.items()},
        choices=there,
        chosen=chosen[:MOST],
        dropped=len(chosen) > MOST,
        most=MOST,
    )


def _worth_comparing(there: Sequence[Plan]) -> tuple[PlanId, ...]:
    in_force = [each.id for each in there if each.state is PlanState.PUBLISHED]
    drafts = [each.id for each in there if each.state is PlanState.DRAFT]
    return tuple((in_force + drafts)[: MOST - 1])
