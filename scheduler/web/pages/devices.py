"""Messages on a phone or computer: a browser is signed up, tried out, forgotten."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import FileResponse, Response

from scheduler import security
from scheduler.delivery.channels import Transport
from scheduler.domain.access import Actor
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.services import devices, ways
from scheduler.services.context import Context
from scheduler.web import keeping, view
from scheduler.web.forms import Fields
from scheduler.web.guard import Actor_, Ctx, Form, RowId
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/devices"
# What a kept page needs to look and work as usual.
_FILES = (
    view.STYLESHEET,
    "icons.svg",
    "favicon.svg",
    "app.js",
    "htmx.min.js",
)


def transport(ctx: Ctx) -> Transport:
    """What a trial goes out by: a test puts its own far end of the wire here."""
    return ways.push(ctx)


Push = Annotated[Transport, Depends(transport)]


@router.get("/sw.js")
def service_worker() -> Response:
    """From the first folder, so that it may answer for every page; asked for anew each time."""
    headers = {"cache-control": "no-cache"}
    return FileResponse(view.STATIC / "sw.js", media_type="text/javascript", headers=headers)


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: Actor_) -> Response:
    return _page(request, ctx, actor)


@router.post(HERE)
def sign_up(request: Request, ctx: Ctx, actor: Actor_, form: Form) -> Response:
    """What the page's script was told by the browser; without it the fields are empty."""
    fields = Fields(form)
    endpoint, p256dh, auth = map(fields.typed, ("endpoint", "p256dh", "auth"))
    user_agent = request.headers.get("user-agent", "")
    try:
        devices.sign_up(ctx, actor, endpoint, p256dh, auth, user_agent)
    except (Invalid, Conflict) as fault:
        return _page(request, ctx, actor, fault.message)
    return see_other(HERE, text("Messages now come to this device as well."))


@router.post(f"{HERE}/{{device_id}}/test")
def try_out(
    request: Request, ctx: Ctx, actor: Actor_, device_id: RowId, _form: Form, post: Push
) -> Response:
    try:
        devices.try_out(ctx, actor, device_id, post)
    except Conflict as fault:
        return _page(request, ctx, actor, fault.message)
    return see_other(HERE, text("A message is on its way to the device."))


@router.post(f"{HERE}/{{device_id}}/remove")
def remove(ctx: Ctx, actor: Actor_, device_id: RowId, _form: Form) -> Response:
    devices.remove(ctx, actor, device_id)
    return see_other(HERE, text("No more messages go to that device."))


def _page(request: Request, ctx: Context, actor: Actor, fault: Text | None = None) -> Response:
    return render(
        request,
        "teacher/devices.html",
        status=422 if fault else 200,
        fault=fault,
        devices=devices.mine(ctx, actor),
        key=security.push_name(ctx.key),
        keeps=keeping.pages_of(actor),
        reader=keeping.reader(ctx.key, actor),
        files=_FILES,
        now=ctx.now(),
        zone=ctx.settings.timezone,
        here=HERE,
    )
