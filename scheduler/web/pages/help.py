"""Plain answers, those for the reader's role first."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import RUNNING, Actor, Role
from scheduler.web import guard
from scheduler.web.view import render

router = APIRouter()

_PARTS: tuple[tuple[str, tuple[Role, ...]], ...] = (
    ("teacher", (Role.TEACHER,)),
    ("school", (Role.SCHOOL,)),
    ("coordinator", RUNNING),
)


@router.get("/help")
def page(request: Request) -> Response:
    session = guard.seen(request)
    first = _first(session.actor if session else None)
    rest = [name for name, _ in _PARTS if name not in first]
    return render(request, "help/page.html", first=[*first, "everyone"], rest=rest)


def _first(actor: Actor | None) -> list[str]:
    return [name for name, roles in _PARTS if actor and actor.with_role(*roles)]
