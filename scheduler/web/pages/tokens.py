"""A person's access tokens for programs: made, shown once, listed, ended."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain import scopes
from scheduler.domain.access import Actor
from scheduler.domain.access_tokens import DAYS, LONGEST_NAME, AccessToken
from scheduler.domain.scopes import Noun, Scope
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
USUAL = tuple(sorted(scopes.READING))
NOUNS: dict[Noun, Text] = {
    Noun.LISTS: text("Lists: schools, classes, requests, people"),
    Noun.LESSONS: text("Lessons, cover, days off, joint sessions"),
    Noun.PLANS: text("Plans, runs, pins"),
    Noun.RECORDS: text("Reports, records, certificates"),
    Noun.HOURS: text("Your own hours and answers"),
    Noun.WEBHOOKS: text("Programs that are told of changes"),
}


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: Actor_) -> Response:
    return _page(request, ctx, actor)


@router.post(HERE)
def make(request: Request, ctx: Ctx, session: Signed, form: Form) -> Response:
    """The answer to this form is the only page that ever shows the token."""
    actor, proved = session.actor, session.proved_at is not None
    fields = Fields(form)
    name, days = fields.text("name", most=LONGEST_NAME), fields.number("days", *DAYS)
    typed = {each: fields.typed(each) for each in ("name", "days")}
    chosen = tuple(each for each in Scope if each in fields.many("scopes"))
    try:
        fields.check()
        made = access_tokens.make(ctx, actor, name, days, proved=proved, scopes=chosen)
    except Invalid as fault:
        return _page(request, ctx, actor, typed=typed, chosen=chosen, errors=fault.fields)
    except Conflict as fault:
        errors = {"": fault.message}
        return _page(request, ctx, actor, typed=typed, chosen=chosen, errors=errors)
    return _page(request, ctx, actor, made=made)


@router.post(f"{HERE}/{{token_id}}/revoke")
def revoke(ctx: Ctx, actor: Actor_, token_id: RowId, _form: Form) -> Response:
    access_tokens.revoke(ctx, actor, token_id)
    return see_other(HERE, text("No program comes in with that token any more."))


def _in_short(token: AccessToken) -> list[Text]:
    """What a token may do, in words: all of it in one."""
    if token.scopes == scopes.ALL:
        return [text("may do all that you may do")]
    if token.scopes == scopes.READING:
        return [text("only reads, all that you may see")]
    changes = [NOUNS[each] for each in Noun if scopes.scope(each, writes=True) in token.scopes]
    reads = [NOUNS[each] for each in Noun if scopes.scope(each, writes=False) in token.scopes]
    return [
        *(text("changes: {what}", what=each) for each in changes),
        *(text("reads: {what}", what=each) for each in reads if each not in changes),
    ]


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    *,
    made: NewToken | None = None,
    typed: dict[str, str] | None = None,
    chosen: tuple[Scope, ...] = USUAL,
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
        typed=typed or {"name": "", "days": USUAL_DAYS},
        nouns=NOUNS,
        chosen=chosen,
        whole={each.id: _in_short(each) for each in tokens},
        errors=errors or {},
        least=DAYS[0],
        most=DAYS[1],
        longest=LONGEST_NAME,
        here=HERE,
        now=ctx.now(),
        zone=ctx.settings.timezone,
    )
