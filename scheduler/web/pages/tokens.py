"""A person's access tokens for programs: made, shown once, listed, ended."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.access_tokens import DAYS, LONGEST_NAME
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.services import access_tokens
from scheduler.services.access_tokens import NewToken
from scheduler.services.context import Context
from scheduler.web.forms import Fields
from scheduler.web.guard import Actor_, Ctx, Form, RowId, Signed
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/account/tokens"
USUAL_DAYS = "30"


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: Actor_) -> Response:
    return _page(request, ctx, actor)


@router.post(HERE)
def make(request: Request, ctx: Ctx, session: Signed, form: Form) -> Response:
    """The answer to this form is the only page that ever shows the token."""
    actor, proved = session.actor, session.proved_at is not None
    fields = Fields(form)
    name, days = fields.text("name", most=LONGEST_NAME), fields.number("days", *DAYS)
    names = ("name", "days", "reads_only")
    typed = {each: fields.typed(each) for each in names}
    try:
        fields.check()
        reads = fields.checked("reads_only")
        made = access_tokens.make(ctx, actor, name, days, proved=proved, reads_only=reads)
    except Invalid as fault:
        return _page(request, ctx, actor, typed=typed, errors=fault.fields)
    except Conflict as fault:
        return _page(request, ctx, actor, typed=typed, errors={"": fault.message})
    return _page(request, ctx, actor, made=made)


@router.post(f"{HERE}/{{token_id}}/revoke")
def revoke(ctx: Ctx, actor: Actor_, token_id: RowId, _form: Form) -> Response:
    access_tokens.revoke(ctx, actor, token_id)
    return see_other(HERE, text("No program comes in with that token any more."))


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    *,
    made: NewToken | None = None,
    typed: dict[str, str] | None = None,
    errors: dict[str, Text] | None = None,
) -> Response:
    tokens = access_tokens.mine(ctx, actor)
    return render(
        request,
        "account/tokens.html",
        status=422 if errors else 200,
        made=made,
        tokens=tokens,
        shut=[each.id for each in tokens if access_tokens.shut(ctx, actor, each)],
        typed=typed or {"name": "", "days": USUAL_DAYS, "reads_only": ""},
        errors=errors or {},
        least=DAYS[0],
        most=DAYS[1],
        longest=LONGEST_NAME,
        here=HERE,
        now=ctx.now(),
        zone=ctx.settings.timezone,
    )
