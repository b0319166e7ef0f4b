"""The second factor: set up at the first sign-in, shown at every other, changed under the account.

All of it works by codes that are typed; passkeys come on top where the browser has JavaScript.
"""

from collections.abc import Callable
from typing import Annotated

import segno
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from scheduler.clock import SystemClock
from scheduler.domain import factors as rules
from scheduler.domain.accounts import LINK_LIFE, SESSION_LIFE, SessionSeen
from scheduler.domain.factors import Due
from scheduler.errors import Conflict, Invalid, NotFound, Text, TooMany, text
from scheduler.services import factors, passkeys
from scheduler.services.context import Context
from scheduler.services.factors import Added
from scheduler.web import errors, frame, guard, view
from scheduler.web.forms import Fields
from scheduler.web.guard import PROOF, Begun, Ctx, Form, ProofNeeded, RowId, Signed
from scheduler.web.view import see_other

router = APIRouter()

SET_UP = f"{PROOF}/set-up"
HERE = "/account/factor"
APP = f"{HERE}/app"
# Where a passkey's script asks what is to be signed, or made known.
ASK = f"{PROOF}/challenge"
ASK_NEW = f"{SET_UP}/challenge"
_JSON = "application/json"
_real = SystemClock()  # phones go by it, whatever day the programme plays
_Fault = Invalid | Conflict | TooMany


def _fresh(session: Signed, ctx: Ctx) -> SessionSeen:
    """Whoever has just shown the second factor; of the others nobody changes one."""
    if not session.strict:
        raise NotFound("There is nothing here.")
    if factors.due(ctx, session) is not Due.DONE:
        raise ProofNeeded(HERE)
    return session


Fresh = Annotated[SessionSeen, Depends(_fresh)]


# -- showing it


@router.get(PROOF)
def show_page(request: Request, ctx: Ctx, session: Begun, next: str = "") -> Response:
    wish = frame.local_path(next)
    on = wish if wish != "/" else _next(request)
    match factors.due(ctx, session):
        case Due.DONE:
            response = see_other(on)
        case Due.SET_UP:
            response = see_other(SET_UP)
        case Due.SHOW:
            response = _show_page(request, ctx, session)
    if wish != "/":
        _remember(request, response, "next", wish, int(LINK_LIFE.total_seconds()))
    return response


@router.post(PROOF)
def show(request: Request, ctx: Ctx, session: Begun, form: Form) -> Response:
    """Whichever of the three fields is filled in."""
    if factors.due(ctx, session) is not Due.SHOW:
        return see_other(PROOF)
    fields = Fields(form)
    try:
        token = _shown(ctx, session, fields)
    except (Invalid, Conflict, TooMany) as fault:
        return _show_page(request, ctx, session, fault, recovery=bool(fields.typed("recovery")))
    return _on(request, see_other(_next(request)), token)


def _shown(ctx: Context, session: SessionSeen, fields: Fields) -> str:
    answer, recovery = fields.typed("credential"), fields.typed("recovery")
    if answer:
        return passkeys.show(ctx, session, answer)
    if recovery:
        return factors.show_recovery_code(ctx, session, recovery)
    return factors.show_code(ctx, session, fields.typed("code"), _real.now())


def _show_page(
    request: Request,
    ctx: Context,
    session: SessionSeen,
    fault: _Fault | None = None,
    *,
    recovery: bool = False,
) -> Response:
    return _page(
        request,
        session,
        "account/factor_show.html",
        fault,
        held=factors.mine(ctx, session.actor),
        recovery=recovery,
        usable=passkeys.usable(ctx),
        action=PROOF,
        ask=ASK,
    )


@router.post(ASK)
def ask(ctx: Ctx, session: Begun, _form: Form) -> Response:
    return Response(passkeys.request_options(ctx, session), media_type=_JSON)


# -- setting up the first one


@router.get(SET_UP)
def set_up_page(request: Request, ctx: Ctx, session: Begun) -> Response:
    if factors.due(ctx, session) is not Due.SET_UP:
        return see_other(PROOF)
    return _set_up_page(request, ctx, session)


@router.post(SET_UP)
def set_up(request: Request, ctx: Ctx, session: Begun, form: Form) -> Response:
    """By an app's first code, or by a passkey just made."""
    if factors.due(ctx, session) is not Due.SET_UP:
        return see_other(PROOF)
    fields = Fields(form)
    try:
        added = _added(request, ctx, session, fields)
    except (Invalid, Conflict, TooMany) as fault:
        return _set_up_page(request, ctx, session, fault, fields.typed("sealed"))
    return _on(request, _codes_page(request, session, added.codes, _next(request)), added.token)


def _added(request: Request, ctx: Context, session: SessionSeen, fields: Fields) -> Added:
    answer = fields.typed("credential")
    if answer:
        return passkeys.register(ctx, session, answer, request.headers.get("user-agent", ""))
    sealed, typed = fields.typed("sealed"), fields.typed("code")
    return factors.set_up_app(ctx, session, sealed, typed, _real.now())


def _set_up_page(
    request: Request,
    ctx: Context,
    session: SessionSeen,
    fault: _Fault | None = None,
    sealed: str = "",
) -> Response:
    return _app_page(request, ctx, session, "account/factor_set_up.html", SET_UP, fault, sealed)


def _app_page(
    request: Request,
    ctx: Context,
    session: SessionSeen,
    template: str,
    action: str,
    fault: _Fault | None,
    sealed: str,
) -> Response:
    proposal = factors.propose(ctx, session, sealed)
    return _page(
        request,
        session,
        template,
        fault,
        qr=segno.make(proposal.uri, micro=False).svg_data_uri(border=1, omitsize=True),
        uri=proposal.uri,
        secret=rules.in_groups(proposal.secret, 4),
        sealed=proposal.sealed,
        usable=passkeys.usable(ctx),
        action=action,
        ask=ASK_NEW,
    )


@router.post(ASK_NEW)
def ask_new(ctx: Ctx, session: Begun, _form: Form) -> Response:
    return Response(passkeys.creation_options(ctx, session), media_type=_JSON)


# -- changing them


@router.get(HERE)
def page(request: Request, ctx: Ctx, session: Fresh) -> Response:
    return _list_page(request, ctx, session)


def _list_page(
    request: Request, ctx: Context, session: SessionSeen, fault: _Fault | None = None
) -> Response:
    held = factors.mine(ctx, session.actor)
    return _page(
        request,
        session,
        "account/factor.html",
        fault,
        held=held,
        kept=held.count == 1 and ctx.settings.second_factor,
        usable=passkeys.usable(ctx),
        zone=ctx.settings.timezone,
        here=HERE,
        ask=ASK_NEW,
    )


@router.get(APP)
def app_page(request: Request, ctx: Ctx, session: Fresh) -> Response:
    return _app_page(request, ctx, session, "account/factor_app.html", APP, None, "")


@router.post(APP)
def put_app(request: Request, ctx: Ctx, session: Fresh, form: Form) -> Response:
    """Another app, or the first one beside a passkey."""
    fields = Fields(form)
    sealed, typed = fields.typed("sealed"), fields.typed("code")
    try:
        added = factors.set_up_app(ctx, session, sealed, typed, _real.now())
    except (Invalid, TooMany) as fault:
        return _app_page(request, ctx, session, "account/factor_app.html", APP, fault, sealed)
    return _after(request, session, added, text("The app counts from now on."))


@router.post(f"{HERE}/passkeys")
def add_passkey(request: Request, ctx: Ctx, session: Fresh, form: Form) -> Response:
    answer = Fields(form).typed("credential")
    try:
        added = passkeys.register(ctx, session, answer, request.headers.get("user-agent", ""))
    except (Invalid, Conflict, TooMany) as fault:
        return _list_page(request, ctx, session, fault)
    return _after(request, session, added, text("The passkey counts from now on."))


def _after(request: Request, session: SessionSeen, added: Added, said: Text) -> Response:
    """The first factor of all comes with codes, whichever page it was made on."""
    if not added.codes:
        return see_other(HERE, said)
    return _on(request, _codes_page(request, session, added.codes, HERE), added.token)


@router.post(f"{APP}/remove")
def remove_app(request: Request, ctx: Ctx, session: Fresh, _form: Form) -> Response:
    return _removed(request, ctx, session, lambda: factors.remove_app(ctx, session))


@router.post(f"{HERE}/passkeys/{{passkey_id}}/remove")
def remove_passkey(
    request: Request, ctx: Ctx, session: Fresh, passkey_id: RowId, _form: Form
) -> Response:
    return _removed(request, ctx, session, lambda: factors.remove_passkey(ctx, session, passkey_id))


def _removed(
    request: Request, ctx: Context, session: SessionSeen, remove: Callable[[], None]
) -> Response:
    try:
        remove()
    except Conflict as fault:
        return _list_page(request, ctx, session, fault)
    return see_other(HERE, text("It counts no more."))


@router.post(f"{HERE}/codes")
def new_codes(request: Request, ctx: Ctx, session: Fresh, _form: Form) -> Response:
    return _codes_page(request, session, factors.new_codes(ctx, session), HERE)


# -- what all of them share


def _codes_page(
    request: Request, session: SessionSeen, codes: tuple[str, ...], on: str
) -> Response:
    """The only page ever to show these codes."""
    shown = [rules.in_groups(code, rules.RECOVERY_LETTERS // 2) for code in codes]
    return _page(request, session, "account/factor_codes.html", None, codes=shown, on=on)


def _page(
    request: Request,
    session: SessionSeen,
    template: str,
    fault: _Fault | None,
    **values: object,
) -> Response:
    """Also for a session that is only half signed in; with a fault, which the page then says."""
    status = errors.STATUS[type(fault)] if fault else 200
    said = fault.message if fault else None
    fields = fault.fields if isinstance(fault, Invalid) else {}
    values |= {"fault": said if not fields else None, "fields": fields}
    response = view.render_for(request, session, template, status, HERE, values)
    if isinstance(fault, TooMany):
        response.headers["retry-after"] = str(fault.retry_after)
    return response


def _next(request: Request) -> str:
    return frame.local_path(guard.cookie(request, "next"))


def _on(request: Request, response: Response, token: str) -> Response:
    """With the session's new secret; where to go on to is spent."""
    _remember(request, response, "sid", token, int(SESSION_LIFE.total_seconds()))
    _remember(request, response, "next", "", 0)
    return response


def _remember(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    guard.set_cookie(response, request.app.state.ctx.settings, name, value, seconds=seconds)
