"""One's own data: what is kept and for how long, a copy of it, and taking it away."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.retention import PROCESSORS, RULES
from scheduler.errors import text
from scheduler.services import own_data
from scheduler.web.guard import Actor_, Ctx, Form
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/account/data"
LEAVE = "/account/leave"


@router.get("/privacy")
def privacy(request: Request) -> Response:
    """For anybody, signed in or not."""
    return render(request, "privacy.html", rules=RULES, processors=PROCESSORS)


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: Actor_) -> Response:
    return render(request, "account/data.html", found=own_data.standing(ctx, actor), leave=LEAVE)


@router.post(f"{HERE}/copy")
def copy(ctx: Ctx, actor: Actor_, _form: Form) -> Response:
    """All of it as a file; a form, because taking it is noted in the record."""
    made = own_data.copy(ctx, actor.person_id, by=actor.person_id)
    name = 'attachment; filename="chung-tay.json"'
    return Response(made, media_type="application/json", headers={"content-disposition": name})


@router.get(f"{HERE}/erase")
def second_look(request: Request, ctx: Ctx, actor: Actor_) -> Response:
    found = own_data.standing(ctx, actor)
    return render(request, "account/data_erase.html", found=found, leave=LEAVE, email=actor.email)


@router.post(f"{HERE}/erase")
def erase(ctx: Ctx, actor: Actor_, _form: Form) -> Response:
    own_data.ask_erasure(ctx, actor.person_id, by=actor.person_id)
    return see_other(HERE, text("A last mail is on its way to you. Then your data are gone."))
