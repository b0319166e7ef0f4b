"""A coordinator writes a few lines to people of her programme: words, a look at them, sending."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.mailroom import LONGEST_NOTE
from scheduler.domain.plans import FixKind, PlanId
from scheduler.domain.requests import RequestId
from scheduler.errors import Conflict, Invalid, NotFound, Text, text
from scheduler.locale import Language
from scheduler.services import asking, notes
from scheduler.services.context import Context
from scheduler.services.notes import Draft
from scheduler.web.forms import Fields
from scheduler.web.guard import LARGEST_ID, CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages import gaps
from scheduler.web.pages.messages import HERE as MESSAGES
from scheduler.web.view import render, see_other, words

router = APIRouter()

HERE = "/coordinator/write"
_Id = Annotated[int, Query(ge=1, le=LARGEST_ID)]


@router.get(HERE)
def page(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    to: Annotated[tuple[_Id, ...], Query()] = (),
) -> Response:
    return _page(request, ctx, actor, to)


@router.get("/coordinator/plans/{plan_id}/gaps/{request_id}/ask")
def ask(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    plan_id: RowId,
    request_id: RowId,
    kind: FixKind = FixKind.SLOT,
) -> Response:
    """The same page with words to start from: what would make a gap smaller."""
    try:
        asked = asking.question(ctx, actor, PlanId(plan_id), RequestId(request_id), kind)
    except Conflict as error:
        return see_other(f"/coordinator/plans/{plan_id}", error.message)
    gap = gaps.shown(asked.gap)
    fix = next(each for each in gap.fixes if each.kind == kind)
    typed = words("coordinator/_ask.html", Language(asked.language), gap=gap, fix=fix)
    return _page(request, ctx, actor, asked.to, typed=typed)


@router.post(HERE)
def preview(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    fields = Fields(form)
    to, typed = _to(fields), fields.typed("text")
    try:
        draft = notes.preview(ctx, actor, to, typed)
    except Invalid as error:
        return _page(request, ctx, actor, to, typed=typed, errors=error.fields)
    return _page(request, ctx, actor, to, typed=draft.words, draft=draft)


@router.post(f"{HERE}/send")
def send(ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    fields = Fields(form)
    sent = notes.send(ctx, actor, _to(fields), fields.typed("text"), fields.typed("token"))
    if not sent:
        return see_other(MESSAGES, text("This message is on its way already."))
    return see_other(MESSAGES, text("Your message is on its way: {count}.", count=sent))


def _to(fields: Fields) -> tuple[int, ...]:
    given = fields.many("to")
    if not all(each.isascii() and each.isdecimal() and len(each) <= 10 for each in given):
        raise NotFound("There is no such person here.")
    return tuple(map(int, given))


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    to: Sequence[int],
    *,
    typed: str = "",
    draft: Draft | None = None,
    errors: Mapping[str, Text] | None = None,
) -> Response:
    return render(
        request,
        "coordinator/write.html",
        status=422 if errors else 200,
        section=MESSAGES,
        to=notes.addressees(ctx, actor, to),
        draft=draft,
        typed=typed,
        errors=errors or {},
        sender=actor.name,
        reply=actor.email,
        most=LONGEST_NOTE,
    )
