"""A teacher's own calendar: its address goes in, and what was understood of it is shown."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from scheduler.delivery import fetching
from scheduler.domain.access import Actor
from scheduler.domain.busy import LONGEST_ADDRESS, BusyChoices
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.services import busy
from scheduler.services.busy import Fetch
from scheduler.services.context import Context
from scheduler.web.forms import Fields
from scheduler.web.guard import Ctx, Form, TeacherActor
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/teacher/busy"


def fetcher() -> Fetch:
    """What goes out for a calendar: a test puts its own far end of the wire here."""
    return fetching.fetch


Fetcher = Annotated[Fetch, Depends(fetcher)]


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: TeacherActor) -> Response:
    return _page(request, ctx, actor)


@router.post(HERE)
def save(request: Request, ctx: Ctx, actor: TeacherActor, form: Form, fetch: Fetcher) -> Response:
    """Set the calendar, or only how it is read, and read it at once."""
    fields = Fields(form)
    choices = BusyChoices(fields.checked("all_day"), fields.checked("shown_free"))
    address = fields.typed("address").strip()
    try:
        if address:
            busy.set_source(ctx, actor, address, choices)
        else:
            busy.choose(ctx, actor, choices)
    except Invalid as fault:
        return _page(request, ctx, actor, choices, fault.fields)
    return _read(ctx, actor, fetch)


@router.post(f"{HERE}/read")
def read(ctx: Ctx, actor: TeacherActor, _form: Form, fetch: Fetcher) -> Response:
    return _read(ctx, actor, fetch)


@router.post(f"{HERE}/remove")
def remove(ctx: Ctx, actor: TeacherActor, _form: Form) -> Response:
    busy.remove_source(ctx, actor)
    return see_other(HERE, text("Your calendar and its times are forgotten."))


def _read(ctx: Context, actor: Actor, fetch: Fetch) -> Response:
    try:
        busy.read_now(ctx, actor, fetch)
    except Conflict as fault:
        return see_other(HERE, fault.message)
    source = busy.desk(ctx, actor).source
    failed = source is None or source.fault is not None
    return see_other(HERE, None if failed else text("Your calendar was read."))


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    typed: BusyChoices | None = None,
    errors: Mapping[str, Text] | None = None,
) -> Response:
    desk = busy.desk(ctx, actor)
    kept = desk.source.choices if desk.source else BusyChoices()
    return render(
        request,
        "teacher/busy.html",
        status=422 if errors else 200,
        section="/calendar",
        now=ctx.now(),
        desk=desk,
        source=desk.source,
        choices=typed or kept,
        errors=errors or {},
        most=LONGEST_ADDRESS,
        here=HERE,
    )
