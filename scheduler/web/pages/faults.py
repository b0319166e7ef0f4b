"""Addresses that take no mail: a coordinator's tasks."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.mailroom import Why
from scheduler.domain.people import PersonId
from scheduler.errors import Invalid, Text, text
from scheduler.services import addresses
from scheduler.services.context import Context
from scheduler.web.forms import Fields
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages.messages import HERE as MESSAGES
from scheduler.web.pages.messages import WHYS, line
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/addresses"
MISSED_SHOWN = 5


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    return _page(request, ctx, actor)


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    typed: tuple[int, str] | None = None,
    errors: Mapping[str, Text] | None = None,
) -> Response:
    found = addresses.tasks(ctx, actor)
    return render(
        request,
        "coordinator/addresses.html",
        status=422 if errors else 200,
        section=MESSAGES,
        zone=found.zone,
        rows=[
            (task, WHYS[task.why or Why.REFUSED], [line(x) for x in task.missed[:MISSED_SHOWN]])
            for task in found.tasks
        ],
        typed=typed,
        errors=errors or {},
    )


@router.post(f"{HERE}/{{person_id}}/correct")
def correct(
    request: Request, ctx: Ctx, actor: CoordinatorActor, person_id: RowId, form: Form
) -> Response:
    fields = Fields(form)
    try:
        planned = addresses.correct(ctx, actor, PersonId(person_id), fields.typed("email"))
    except Invalid as error:
        return _page(request, ctx, actor, (person_id, fields.typed("email")), error.fields)
    return see_other(HERE, _told(text("The address is changed."), planned))


@router.post(f"{HERE}/{{person_id}}/try")
def try_again(ctx: Ctx, actor: CoordinatorActor, person_id: RowId, _form: Form) -> Response:
    planned = addresses.try_again(ctx, actor, PersonId(person_id))
    return see_other(HERE, _told(text("The address is tried again."), planned))


def _told(done: Text, planned: int) -> Text:
    if not planned:
        return done
    return text("{done} Sent again: {count}.", done=done, count=planned)
