"""The first visit's three steps, put off or done: this browser shows them no more for the term."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
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


def are_over(request: Request, actor: Actor) -> bool:
    """Whether the reader of this browser said "later", or has done them all: then nobody looks."""
    return cookie(request, "steps") in (_LATER, _done(actor))


def over(ctx: Context, actor: Actor, response: Response) -> Response:
    """The same answer, after which this browser knows that its reader has done all steps."""
    set_cookie(response, ctx.settings, "steps", _done(actor), seconds=SECONDS)
    return response


def _done(actor: Actor) -> str:
    return f"done-{actor.person_id}"  # others may read in this browser


def _put_off(ctx: Context, home: str) -> Response:
    later = text("The steps are hidden. Each one stays in the menu.")
    response = see_other(home, later)
    set_cookie(response, ctx.settings, "steps", _LATER, seconds=SECONDS)
    return response
