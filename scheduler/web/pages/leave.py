"""Laying a role down: what will happen, and one button."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.departures import GrantId
from scheduler.domain.plans import Fingerprint
from scheduler.errors import Conflict, Text, text
from scheduler.services import people
from scheduler.services.context import Context
from scheduler.services.words import ROLES
from scheduler.web.forms import Fields
from scheduler.web.guard import Actor_, Ctx, Form, RowId
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/account/leave"


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: Actor_) -> Response:
    return _page(request, ctx, actor)


@router.post(f"{HERE}/{{grant_id}}")
def leave(request: Request, ctx: Ctx, actor: Actor_, grant_id: RowId, form: Form) -> Response:
    fields = Fields(form)
    if not fields.checked("sure"):
        return _page(request, ctx, actor, _TICK, grant_id)
    try:
        stays = people.leave(ctx, actor, GrantId(grant_id), Fingerprint(fields.typed("seen")))
    except Conflict as fault:
        return _page(request, ctx, actor, fault.message)
    said = text("You have laid this role down. Thank you for all you gave.")
    return see_other("/account" if stays else "/sign-in", said)


_TICK = text("Tick the box first: this cannot be undone by yourself.")


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    fault: Text | None = None,
    grant_id: int | None = None,
) -> Response:
    return render(
        request,
        "account/leave.html",
        status=(422 if grant_id else 409) if fault else 200,
        roles=[(each, ROLES[each.held.grant.role]) for each in people.leavings(ctx, actor)],
        fault=fault,
        unticked=grant_id,
    )
