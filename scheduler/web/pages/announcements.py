"""A coordinator writes to a part of her programme: whom, in which words, a look, sending."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.announcements import Audience
from scheduler.domain.mailroom import LONGEST_NOTE
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.services import announcements
from scheduler.services.announcements import Draft
from scheduler.services.context import Context
from scheduler.web.forms import Fields
from scheduler.web.guard import CoordinatorActor, Ctx, Form
from scheduler.web.pages.messages import HERE as MESSAGES
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/announce"
NAMED = 200  # of those it goes to
WORDS = {
    Audience.TEACHERS: text("All volunteer teachers"),
    Audience.AHEAD: text("Teachers with lessons to come"),
    Audience.IDLE: text("Teachers without a lesson this term"),
    Audience.SCHOOLS: text("Contact people of the schools"),
}


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was sent."""

    audience: str = Audience.TEACHERS.value
    district: str = ""
    text: str = ""


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    return _page(request, ctx, actor, Typed())


@router.post(HERE)
def preview(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    fields = Fields(form)
    typed = _typed(fields)
    try:
        audience = fields.choice("audience", Audience)
        fields.check()
        draft = announcements.preview(ctx, actor, audience, typed.district, typed.text)
    except Invalid as error:
        return _page(request, ctx, actor, typed, errors=error.fields)
    return _page(request, ctx, actor, typed, draft)


@router.post(f"{HERE}/send")
def send(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    fields = Fields(form)
    typed = _typed(fields)
    audience, token = fields.choice("audience", Audience), fields.typed("token")
    try:
        fields.check()
        sent = announcements.send(ctx, actor, audience, typed.district, typed.text, token)
    except Invalid as error:
        if not error.fields:
            raise
        return _page(request, ctx, actor, typed, errors=error.fields)
    except Conflict as error:
        return _page(request, ctx, actor, typed, errors={"text": error.message})
    if not sent:
        return see_other(MESSAGES, text("This message is on its way already."))
    return see_other(MESSAGES, text("Your message is on its way: {count}.", count=sent))


def _typed(fields: Fields) -> Typed:
    return Typed(fields.typed("audience"), fields.typed("district"), fields.typed("text"))


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    typed: Typed,
    draft: Draft | None = None,
    errors: Mapping[str, Text] | None = None,
) -> Response:
    room = announcements.room(ctx, actor)
    return render(
        request,
        "coordinator/announce.html",
        status=422 if errors else 200,
        section=MESSAGES,
        audiences=[(each.value, WORDS[each], len(room.listeners[each])) for each in Audience],
        districts=room.districts,
        typed=typed,
        draft=draft,
        named=draft.to[:NAMED] if draft else (),
        errors=errors or {},
        sender=actor.name,
        reply=actor.email,
        most=LONGEST_NOTE,
    )
