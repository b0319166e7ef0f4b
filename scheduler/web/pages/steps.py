"""The first visit's three steps, put off: this browser shows them no more for the term."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.errors import text
from scheduler.services.context import Context
from scheduler.web.guard import Ctx, Form, SchoolActor, TeacherActor, cookie, set_cookie
from scheduler.web.view import see_other

router = APIRouter()

SECONDS = 120 * 24 * 3600
_LATER = "later"


@router.post("/teacher/steps")
def teacher_later(ctx: Ctx, _actor: TeacherActor, _form: Form) -> Response:
    return _put_off(ctx, "/teacher")


@router.post("/school/steps")
def school_later(ctx: Ctx, _actor: SchoolActor, _form: Form) -> Response:
    return _put_off(ctx, "/school")


def put_off(request: Request) -> bool:
    """Whether the reader of this browser said "later"."""
    return cookie(request, "steps") == _LATER


def _put_off(ctx: Context, home: str) -> Response:
    later = text("The steps are hidden. Each one stays in the menu.")
    response = see_other(home, later)
    set_cookie(response, ctx.settings, "steps", _LATER, seconds=SECONDS)
    return response
