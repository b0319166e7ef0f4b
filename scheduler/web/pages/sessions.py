"""Where a person is signed in: one browser or all others are signed out from here."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain import devices
from scheduler.domain.accounts import OpenSession
from scheduler.errors import Text, text
from scheduler.services import sessions
from scheduler.web.guard import Actor_, Ctx, Form, RowId, Signed
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/account/sessions"


@dataclass(frozen=True, slots=True)
class Line:
    """A browser as the page shows it; `here`: the one that shows it."""

    id: int
    device: Text
    address: str
    since: datetime
    seen: datetime
    here: bool


@router.get(HERE)
def page(request: Request, ctx: Ctx, session: Signed) -> Response:
    found = [_line(each, session.id) for each in sessions.mine(ctx, session.actor)]
    return render(
        request,
        "account/sessions.html",
        lines=sorted(found, key=lambda line: not line.here),
        here=HERE,
        now=ctx.now(),
        zone=ctx.settings.timezone,
    )


def _line(found: OpenSession, own: int) -> Line:
    device = devices.said(found.device)
    return Line(found.id, device, found.address, found.created_at, found.seen_at, found.id == own)


@router.post(f"{HERE}/{{session_id}}/end")
def end(ctx: Ctx, actor: Actor_, session_id: RowId, _form: Form) -> Response:
    sessions.end(ctx, actor, session_id)
    return see_other(HERE, text("You are signed out there."))


@router.post(f"{HERE}/end-others")
def end_others(ctx: Ctx, session: Signed, _form: Form) -> Response:
    sessions.end_others(ctx, session.actor, session.id)
    return see_other(HERE, text("You are signed in on this device only."))
