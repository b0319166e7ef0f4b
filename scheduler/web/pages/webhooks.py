"""Programs that are told of changes: added, looked after, and told once more."""

import json
from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.webhooks import (
    LONGEST_ADDRESS,
    LONGEST_NAME,
    TEST,
    Delivery,
    DeliveryState,
    Event,
    Trouble,
)
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.services import webhooks
from scheduler.services.context import Context
from scheduler.services.webhooks import NewSecret
from scheduler.web.forms import Fields
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/settings/webhooks"
SECTION = "/coordinator"
ONE = f"{HERE}/{{webhook_id}}"
WAY = f"{ONE}/deliveries/{{delivery_id}}"

EVENTS: dict[str, Text] = {
    Event.LESSON_CREATED: text("A lesson is new in the timetable"),
    Event.LESSON_MOVED: text("A lesson moves"),
    Event.LESSON_RESTAFFED: text("Another teacher gives a lesson"),
    Event.LESSON_CANCELLED: text("A lesson is called off"),
    Event.LESSON_RESTORED: text("A lesson that was called off takes place after all"),
    Event.PLAN_PUBLISHED: text("A plan is published"),
    Event.COVER_SOUGHT: text("A lesson needs cover"),
    Event.COVER_FOUND: text("Somebody stands in"),
    Event.COVER_ENDED: text("Nobody is looked for any more"),
    Event.REPORT_GIVEN: text("A side reports how a lesson went"),
    Event.REPORT_SETTLED: text("It is settled how a lesson went"),
}
TROUBLES: dict[Trouble, Text] = {
    Trouble.ADDRESS: text("This address leads to where nothing is sent."),
    Trouble.AWAY: text("Nobody took it: the server is away or its certificate is not good."),
    Trouble.SILENT: text("It was sent, and no answer came."),
    Trouble.ANSWER: text("The program refused it."),
    Trouble.SECRET: text("Its secret or address can no longer be opened here. Add it anew."),
}
STATES: dict[DeliveryState, tuple[Text, str, str]] = {
    DeliveryState.WAITING: (text("On its way"), "clock", "plan"),
    DeliveryState.DELIVERED: (text("Arrived"), "check", "ok"),
    DeliveryState.FAILED: (text("Given up"), "x", "bad"),
}


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    return _list(request, ctx, actor)


@router.post(HERE)
def add(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    """The answer to this form is the only page that ever shows the secret."""
    fields = Fields(form)
    typed = {"name": fields.typed("name"), "address": fields.typed("address")}
    try:
        name, events = _wish(fields)
        made = webhooks.add(ctx, actor, name, fields.typed("address"), events)
    except Invalid as fault:
        chosen = fields.many("events")
        return _list(request, ctx, actor, typed, fault.fields, chosen, status=422)
    except Conflict as fault:
        return _list(
            request, ctx, actor, typed, {}, fields.many("events"), fault.message, status=409
        )
    return _secret(request, ctx, actor, made)


def _wish(fields: Fields) -> tuple[str, frozenset[Event]]:
    known = {each.value for each in Event}
    ticked = [each for each in fields.many("events") if each in known]
    return fields.typed("name").strip(), frozenset(Event(each) for each in ticked)


def _list(
    request: Request,
    ctx: Context,
    actor: Actor,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, Text] | None = None,
    chosen: tuple[str, ...] = (),
    refused: Text | None = None,
    status: int = 200,
) -> Response:
    """`chosen`: the events ticked in a form that was not taken."""
    return render(
        request,
        "coordinator/webhooks.html",
        status=status,
        section=SECTION,
        found=webhooks.listed(ctx, actor),
        events=EVENTS,
        typed=typed or {"name": "", "address": ""},
        chosen=chosen or (() if typed else tuple(EVENTS)),
        errors=errors or {},
        refused=refused,
        longest=(LONGEST_NAME, LONGEST_ADDRESS),
    )


def _secret(request: Request, ctx: Context, actor: Actor, made: NewSecret) -> Response:
    desk = webhooks.desk(ctx, actor, made.endpoint_id)
    return render(request, "coordinator/webhook_secret.html", section=SECTION, desk=desk, made=made)


@router.get(ONE)
def one(
    request: Request, ctx: Ctx, actor: CoordinatorActor, webhook_id: RowId, before: str = ""
) -> Response:
    return _one(request, ctx, actor, webhook_id, before=before)


def _one(
    request: Request,
    ctx: Context,
    actor: Actor,
    webhook_id: int,
    *,
    before: str = "",
    name: str | None = None,
    chosen: tuple[str, ...] = (),
    errors: Mapping[str, Text] | None = None,
    status: int = 200,
) -> Response:
    older = int(before) if before.isascii() and before.isdigit() and len(before) < 10 else None
    desk = webhooks.desk(ctx, actor, webhook_id, older)
    return render(
        request,
        "coordinator/webhook.html",
        status=status,
        section=SECTION,
        desk=desk,
        events=EVENTS,
        name=desk.shown.endpoint.name if name is None else name,
        chosen=desk.shown.endpoint.events if name is None else chosen,
        errors=errors or {},
        what=_what,
        states=STATES,
        troubles=TROUBLES,
        paged=older is not None,
        longest=LONGEST_NAME,
    )


def _what(way: Delivery) -> Text:
    if way.event == TEST:
        return text("A test")
    return EVENTS.get(way.event) or Text("{name}", {"name": way.event})


@router.post(f"{ONE}/change")
def change(
    request: Request, ctx: Ctx, actor: CoordinatorActor, webhook_id: RowId, form: Form
) -> Response:
    fields = Fields(form)
    name, events = _wish(fields)
    try:
        webhooks.change(ctx, actor, webhook_id, name, events)
    except Invalid as fault:
        return _one(
            request, ctx, actor, webhook_id,
            name=name, chosen=fields.many("events"), errors=fault.fields, status=422,
        )  # fmt: skip
    return see_other(f"{HERE}/{webhook_id}", text("Stored. It holds for what happens from now on."))


@router.post(f"{ONE}/rotate")
def rotate(
    request: Request, ctx: Ctx, actor: CoordinatorActor, webhook_id: RowId, _form: Form
) -> Response:
    """The answer to this form is the only page that ever shows the new secret."""
    return _secret(request, ctx, actor, webhooks.rotate(ctx, actor, webhook_id))


@router.post(f"{ONE}/pause")
def pause(ctx: Ctx, actor: CoordinatorActor, webhook_id: RowId, _form: Form) -> Response:
    webhooks.pause(ctx, actor, webhook_id)
    said = text("Paused. What happens meanwhile is kept, and told when you let it go on.")
    return see_other(f"{HERE}/{webhook_id}", said)


@router.post(f"{ONE}/resume")
def resume(ctx: Ctx, actor: CoordinatorActor, webhook_id: RowId, _form: Form) -> Response:
    webhooks.resume(ctx, actor, webhook_id)
    return see_other(f"{HERE}/{webhook_id}", text("It goes on, with what was kept first."))


@router.post(f"{ONE}/remove")
def remove(ctx: Ctx, actor: CoordinatorActor, webhook_id: RowId, _form: Form) -> Response:
    name = webhooks.remove(ctx, actor, webhook_id)
    return see_other(HERE, text("“{name}” is told nothing any more.", name=name))


@router.post(f"{ONE}/test")
def test(ctx: Ctx, actor: CoordinatorActor, webhook_id: RowId, _form: Form) -> Response:
    webhooks.test(ctx, actor, webhook_id)
    said = text("A test is on its way. Load the page again in a moment to see the answer.")
    return see_other(f"{HERE}/{webhook_id}", said)


@router.post(f"{ONE}/again")
def again_all(ctx: Ctx, actor: CoordinatorActor, webhook_id: RowId, _form: Form) -> Response:
    count = webhooks.again_all(ctx, actor, webhook_id)
    said = text("On their way once more: {count}.", count=count)
    return see_other(f"{HERE}/{webhook_id}", said)


@router.get(WAY)
def delivery(
    request: Request, ctx: Ctx, actor: CoordinatorActor, webhook_id: RowId, delivery_id: RowId
) -> Response:
    way, body = webhooks.told(ctx, actor, webhook_id, delivery_id)
    desk = webhooks.desk(ctx, actor, webhook_id)
    return render(
        request,
        "coordinator/webhook_delivery.html",
        section=SECTION,
        desk=desk,
        way=way,
        body=_in_lines(body),
        word=_what(way),
        states=STATES,
        troubles=TROUBLES,
    )


def _in_lines(body: str) -> str:
    """Indented by spaces that stay where lines may break."""
    lines = json.dumps(json.loads(body), indent=2, ensure_ascii=False).splitlines()
    bare = [line.lstrip(" ") for line in lines]
    return "\n".join(
        "\u00a0" * (len(line) - len(words)) + words for line, words in zip(lines, bare, strict=True)
    )


@router.post(f"{WAY}/again")
def again(
    ctx: Ctx, actor: CoordinatorActor, webhook_id: RowId, delivery_id: RowId, _form: Form
) -> Response:
    webhooks.again(ctx, actor, webhook_id, delivery_id)
    return see_other(f"{HERE}/{webhook_id}", text("On its way once more."))
