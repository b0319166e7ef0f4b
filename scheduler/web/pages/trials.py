"""A fix of a plan's gap tried in a click, and what a plan supposes made so."""

from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from scheduler.domain.plans import FixKind, PlanId
from scheduler.domain.requests import RequestId
from scheduler.errors import Conflict, Invalid, text
from scheduler.services import trials
from scheduler.services.trials import Supposed
from scheduler.web.forms import Fields
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages.gaps import FixShown, fix_shown
from scheduler.web.view import see_other

router = APIRouter()


@dataclass(frozen=True, slots=True)
class SupposedShown:
    """What a plan supposes, in values ready to print; `plan_id`: whose gap it mends."""

    number: int
    plan_id: PlanId
    request_id: RequestId
    class_name: str
    school_name: str
    fix: FixShown
    holds: bool
    ours: bool


def shown(found: Iterable[Supposed]) -> list[SupposedShown]:
    return [
        SupposedShown(
            number=number,
            plan_id=each.supposition.plan_id,
            request_id=each.request.id,
            class_name=each.request.class_name,
            school_name=each.school.name,
            fix=fix_shown(each.request, each.line),
            holds=each.holds,
            ours=each.ours,
        )
        for number, each in enumerate(found)
    ]


@router.post("/coordinator/plans/{plan_id}/gaps/{request_id}/try")
def try_fix(
    ctx: Ctx, actor: CoordinatorActor, plan_id: RowId, request_id: RowId, form: Form
) -> Response:
    """Off to the run that tries it; it takes a moment."""
    typed = Fields(form).typed("kind")
    kind = next((each for each in FixKind if each.value == typed), FixKind.SLOT)
    try:
        run = trials.start(ctx, actor, PlanId(plan_id), RequestId(request_id), kind)
    except Conflict as error:
        return see_other(f"/coordinator/plans/{plan_id}", error.message)
    return see_other(f"/coordinator/matching/runs/{run}")


@router.post("/coordinator/plans/{plan_id}/supposed/{number}")
def make_so(
    ctx: Ctx, actor: CoordinatorActor, plan_id: RowId, number: RowId, _form: Form
) -> Response:
    """Enter the first (1), second … of what the plan supposes."""
    here = f"/coordinator/plans/{plan_id}"
    try:
        done = trials.make_so(ctx, actor, PlanId(plan_id), number - 1)
    except Invalid as error:
        why = next(iter(error.fields.values()), error.message)
        return see_other(here, text("It could not be entered. {why}", why=why))
    except Conflict as error:
        return see_other(here, error.message)
    return see_other(here, text("Entered for class {name}.", name=done.request.class_name))
