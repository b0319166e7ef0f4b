"""The page behind an invitation's link: who invites to what, and one button."""

from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.invitations import Invitation, InvitationState
from scheduler.errors import Conflict, NotFound, Text, text
from scheduler.services import invitations
from scheduler.services.context import Context
from scheduler.services.words import ROLES
from scheduler.web import guard
from scheduler.web.guard import Ctx, KeyedForm
from scheduler.web.pages.account import LINK_SECONDS, MINUTES
from scheduler.web.view import render, see_other

router = APIRouter()

_ENDS: dict[InvitationState, Text] = {
    InvitationState.ACCEPTED: text("You have accepted this invitation. Sign in with your address."),
    InvitationState.REVOKED: text("It was taken back, or a newer one took its place."),
    InvitationState.EXPIRED: text("It was good for seven days. Ask for a new one."),
}


@router.get("/invitation/{token}")
def page(request: Request, ctx: Ctx, token: str) -> Response:
    """Looking never accepts: mail scanners look."""
    return _page(request, ctx, token)


@router.post("/invitation/{token}")
def accept(request: Request, ctx: Ctx, token: str, form: KeyedForm) -> Response:
    """From here on as for everybody: the mailbox must answer, whoever pressed the button."""
    if not form.get("accept"):  # some programs that look through mail send forms
        return _page(request, ctx, token)
    try:
        accepted = invitations.accept(ctx, token)
    except (NotFound, Conflict) as fault:
        return _page(request, ctx, token, fault.message)
    request.state.language = accepted.language
    if not accepted.browser:
        return see_other("/sign-in", _ENDS[InvitationState.ACCEPTED])
    response = render(
        request,
        "account/sign_in_sent.html",
        status=202,
        email=accepted.email,
        minutes=MINUTES,
        action="/sign-in/code",
        error=None,
        tries_left=None,
    )
    guard.set_cookie(response, ctx.settings, "pending", accepted.browser, seconds=LINK_SECONDS)
    return response


def _page(request: Request, ctx: Context, token: str, fault: Text | None = None) -> Response:
    """One that never was looks like one that has passed."""
    try:
        found, state = invitations.look(ctx, token)
    except NotFound:
        return _dead(request, _ENDS[InvitationState.EXPIRED], state=InvitationState.EXPIRED)
    request.state.language = found.language
    if state is not InvitationState.OPEN:
        return _dead(request, _ENDS[state], state=state)
    return render(
        request,
        "account/invitation.html",
        status=409 if fault else 200,
        found=found,
        role=ROLES[found.place.role],
        until=_until(ctx, found),
        fault=fault,
        action=f"/invitation/{token}",
    )


def _until(ctx: Context, found: Invitation) -> object:
    return found.expires_at.astimezone(ZoneInfo(ctx.settings.timezone))


def _dead(request: Request, why: Text, state: InvitationState) -> Response:
    accepted = state is InvitationState.ACCEPTED
    return render(request, "account/invitation_over.html", status=410, why=why, accepted=accepted)
