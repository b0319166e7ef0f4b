"""What a browser shows, of what it kept, where it has no copy of a page and no network."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.web import frame, keeping
from scheduler.web.guard import Actor_
from scheduler.web.view import render

router = APIRouter()


@router.get(keeping.OFFLINE)
def page(request: Request, actor: Actor_) -> Response:
    kept = keeping.pages_of(actor)
    homes = (item for home in frame.homes_of(actor) for item in frame.nav_of(actor, home))
    return render(request, "offline.html", pages=[item for item in homes if item.href in kept])
