"""Where lessons meet: the usual place of the programme, and rooms of a school's classes."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.meetings import LONGEST
from scheduler.domain.people import SchoolId
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.services import meetings
from scheduler.services.meetings import Rooms, Usual
from scheduler.web.forms import Fields
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/settings/meetings"
OF_SCHOOL = "/coordinator/schools/{school_id}/meetings"


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    return _usual(request, meetings.usual(ctx, actor))


@router.post(HERE)
def store(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    typed, seen = Fields(form).typed("pattern"), Fields(form).typed("seen")
    try:
        meetings.set_usual(ctx, actor, typed, seen)
    except Invalid as fault:
        return _usual(request, meetings.usual(ctx, actor), typed, fault.fields, status=422)
    except Conflict as fault:
        now_is = meetings.usual(ctx, actor)
        return _usual(request, now_is, typed, refused=fault.message, status=409)
    said = text("Stored. Links to lessons stay the same, and lead there from now on.")
    return see_other("/coordinator/settings", said)


def _usual(
    request: Request,
    found: Usual,
    typed: str | None = None,
    errors: Mapping[str, Text] | None = None,
    refused: Text | None = None,
    status: int = 200,
) -> Response:
    return render(
        request,
        "coordinator/meetings.html",
        status=status,
        section="/coordinator",
        found=found,
        typed=typed if typed is not None else found.own or "",
        errors=errors or {},
        refused=refused,
        most=LONGEST,
    )


@router.get(OF_SCHOOL)
def rooms(request: Request, ctx: Ctx, actor: CoordinatorActor, school_id: RowId) -> Response:
    return _rooms(request, meetings.of_school(ctx, actor, SchoolId(school_id)))


@router.post(OF_SCHOOL)
def store_rooms(
    request: Request, ctx: Ctx, actor: CoordinatorActor, school_id: RowId, form: Form
) -> Response:
    fields, school = Fields(form), SchoolId(school_id)
    found = meetings.of_school(ctx, actor, school)
    typed = {each.id: fields.typed(f"room-{each.id}") for each in found.classes}
    shown = {f"room-{key}": value for key, value in typed.items()}
    try:
        meetings.set_rooms(ctx, actor, school, typed, fields.typed("seen"))
    except Invalid as fault:
        return _rooms(request, found, shown, fault.fields, status=422)
    except Conflict as fault:
        now_is = meetings.of_school(ctx, actor, school)
        return _rooms(request, now_is, shown, refused=fault.message, status=409)
    said = text("Stored. Links to lessons stay the same, and lead there from now on.")
    return see_other(f"/coordinator/schools/{school_id}/profile", said)


def _rooms(
    request: Request,
    found: Rooms,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, Text] | None = None,
    refused: Text | None = None,
    status: int = 200,
) -> Response:
    kept = {f"room-{each.id}": found.own.get(each.id, "") for each in found.classes}
    return render(
        request,
        "coordinator/school_meetings.html",
        status=status,
        section="/coordinator/people",
        found=found,
        typed=typed or kept,
        errors=errors or {},
        refused=refused,
        most=LONGEST,
    )
