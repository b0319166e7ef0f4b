"""The line test of schools and teachers: will a lesson run from here?"""

import base64
import secrets
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain import line as rules
from scheduler.domain.access import Actor, Role
from scheduler.domain.limits import LINE_BYTES_BY_PERSON, LINE_PINGS_BY_PERSON
from scheduler.domain.line import Timing
from scheduler.errors import Conflict, Text
from scheduler.security import LONGEST_TOKEN
from scheduler.services import limits, line
from scheduler.services.context import Context
from scheduler.web import headers
from scheduler.web.guard import Actor_, Ctx, Form, SchoolActor, TeacherActor
from scheduler.web.view import render, see_other

router = APIRouter()

SCHOOL, TEACHER = "/school/line", "/teacher/line"
HOP = "/line/hop"
SIZE = 200_000  # octets: at the least speed that will do, three seconds
PAGE_SIZE = 45_000  # octets, in a page a third more: browsers without scripts wait for all of it
# What is as random as this does not shrink, and time spent on trying would count as the line's.
AS_IT_IS = {"content-encoding": "identity"}

Token = Annotated[str, Query(alias="t", max_length=LONGEST_TOKEN)]


@router.get(SCHOOL)
def of_school(request: Request, ctx: Ctx, actor: SchoolActor, token: Token = "") -> Response:
    return _page(request, ctx, actor, SCHOOL, token)


@router.post(SCHOOL)
def begin_at_school(ctx: Ctx, actor: SchoolActor, _form: Form) -> Response:
    return _on(line.begin(ctx, actor, SCHOOL))


@router.get(TEACHER)
def of_teacher(request: Request, ctx: Ctx, actor: TeacherActor, token: Token = "") -> Response:
    return _page(request, ctx, actor, TEACHER, token)


@router.post(TEACHER)
def begin_as_teacher(ctx: Ctx, actor: TeacherActor, _form: Form) -> Response:
    return _on(line.begin(ctx, actor, TEACHER))


def _page(request: Request, ctx: Context, actor: Actor, here: str, token: str) -> Response:
    rooms = line.rooms(ctx, actor)
    told, fault = _told(ctx, actor, token) if token else (None, None)
    response = render(
        request,
        "line/page.html",
        here=here,
        rooms=[(room, room.removeprefix("https://")) for room in rooms],
        good=rules.GOOD,
        fair=rules.FAIR,
        told=told,
        verdict=rules.verdict(told.trip_ms).value if told else "",
        kilobytes=PAGE_SIZE * 4 // 3000,
        fault=fault,
    )
    response.headers["content-security-policy"] = headers.policy(rooms)
    return response


def _told(ctx: Context, actor: Actor, token: str) -> tuple[Timing | None, Text | None]:
    try:
        return line.result(ctx, actor, token), None
    except Conflict as fault:
        return None, fault.message


# -- what is measured


@router.get("/line/ping")
def ping(ctx: Ctx, actor: Actor_) -> Response:
    limits.take(ctx, LINE_PINGS_BY_PERSON, str(actor.person_id))
    return Response(status_code=204)


@router.get("/line/bytes")
def some_bytes(ctx: Ctx, actor: Actor_) -> Response:
    limits.take(ctx, LINE_BYTES_BY_PERSON, str(actor.person_id))
    return Response(secrets.token_bytes(SIZE), 200, AS_IT_IS, "application/octet-stream")


@router.get(HOP)
def hop(request: Request, ctx: Ctx, actor: Actor_, token: Token = "") -> Response:
    """One of the redirects by which browsers without scripts are timed; the last is a page."""
    try:
        trail, signed = line.arrive(ctx, actor, token)
    except Conflict as fault:
        return see_other(SCHOOL if actor.with_role(Role.SCHOOL) else TEACHER, fault.message)
    if trail.is_over:
        return see_other(f"{trail.place}?t={quote(signed)}")
    limits.take(ctx, LINE_PINGS_BY_PERSON, str(actor.person_id))
    if not trail.is_page_next:
        return _on(signed)
    limits.take(ctx, LINE_BYTES_BY_PERSON, str(actor.person_id))
    padding = base64.b64encode(secrets.token_bytes(PAGE_SIZE)).decode()
    response = render(
        request, "line/wait.html", section=trail.place, on=_address(signed), padding=padding
    )
    response.headers.update(AS_IT_IS)
    return response


def _on(signed: str) -> Response:
    return see_other(_address(signed))


def _address(signed: str) -> str:
    return f"{HOP}?t={quote(signed)}"
