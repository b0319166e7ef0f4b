"""Another mail address: asked for on the account's page, confirmed by the new mailbox."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.errors import Invalid, NotFound, Text, text
from scheduler.services import address_changes
from scheduler.services.context import Context
from scheduler.web.forms import Fields
from scheduler.web.guard import Actor_, Ctx, Form, KeyedForm
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/account/address"


@router.get(HERE)
def page(request: Request, actor: Actor_) -> Response:
    return _page(request, actor.email)


@router.post(HERE)
def ask(request: Request, ctx: Ctx, actor: Actor_, form: Form) -> Response:
    """The same answer whether the address is free or somebody's."""
    typed = Fields(form).typed("email").strip()
    try:
        address_changes.ask(ctx, actor, typed)
    except Invalid as fault:
        return _page(request, actor.email, typed, fault.fields.get("email"))
    said = text("A mail is on its way to {email}. Open the link in it within an hour.", email=typed)
    return see_other(HERE, said)


def _page(request: Request, email: str, typed: str = "", error: Text | None = None) -> Response:
    return render(
        request,
        "account/address.html",
        status=422 if error else 200,
        email=email,
        typed=typed,
        error=error,
    )


@router.get("/address/{token}")
def link_page(request: Request, ctx: Ctx, token: str) -> Response:
    """Looking never changes anything: mail scanners look."""
    return _link_page(request, ctx, token)


@router.post("/address/{token}")
def confirm(request: Request, ctx: Ctx, token: str, form: KeyedForm) -> Response:
    if not form.get("confirm"):  # some programs that look through mail send forms
        return _link_page(request, ctx, token)
    try:
        request.state.language = address_changes.look(ctx, token)[1]
        email = address_changes.confirm(ctx, token)
    except NotFound as fault:
        return _dead(request, fault.message)
    said = text("Your address is now {email}. Sign in with it.", email=email)
    return see_other("/sign-in", said)


def _link_page(request: Request, ctx: Context, token: str) -> Response:
    try:
        email, language = address_changes.look(ctx, token)
    except NotFound as fault:
        return _dead(request, fault.message)
    request.state.language = language
    return render(request, "account/address_confirm.html", email=email, action=f"/address/{token}")


def _dead(request: Request, why: Text) -> Response:
    return render(request, "account/address_over.html", status=410, why=why)
