"""Would you swap?  The page behind a mail's button, and the same for who is signed in."""

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from scheduler.domain.swaps import Reply, SwapEnd, SwapId
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.locale import Language
from scheduler.services import swaps
from scheduler.services.context import Context
from scheduler.services.swaps import Asked, Proposal
from scheduler.services.words import Wall
from scheduler.web import frame, guard
from scheduler.web.forms import Fields
from scheduler.web.guard import Ctx, Form, KeyedForm, RowId, TeacherActor
from scheduler.web.view import render, see_other

router = APIRouter()

_HEADINGS: dict[SwapEnd | None, Text] = {
    None: text("Would you swap?"),
    SwapEnd.AGREED: text("You have swapped. Thank you!"),
    SwapEnd.DECLINED: text("This swap was declined"),
    SwapEnd.WITHDRAWN: text("This proposal was taken back"),
    SwapEnd.LAPSED: text("The time to answer is over"),
    SwapEnd.OVERTAKEN: text("One of the two lessons has changed since"),
}
_UNCHANGED = text("Nothing changes: each teacher gives the lesson as before.")
_NOTES: dict[SwapEnd | None, Text] = {
    SwapEnd.AGREED: text("Both calendars and both schools will know it in a few minutes."),
    SwapEnd.DECLINED: _UNCHANGED,
    SwapEnd.WITHDRAWN: _UNCHANGED,
    SwapEnd.LAPSED: _UNCHANGED,
    SwapEnd.OVERTAKEN: text("So it cannot be swapped any more as it was proposed."),
}


@router.get("/w/{token}")
def mailed_page(request: Request, ctx: Ctx, token: str) -> Response:
    found = swaps.proposal(ctx, swaps.of_link(ctx, token))
    request.state.language = found.person.language
    return _page(request, found, f"/w/{token}")


@router.post("/w/{token}")
def mailed_answer(request: Request, ctx: Ctx, token: str, form: KeyedForm) -> Response:
    asked = swaps.of_link(ctx, token)
    request.state.language = swaps.proposal(ctx, asked).person.language
    return _answer(request, ctx, asked, form, f"/w/{token}")


@router.get("/teacher/swaps/{swap_id}")
def own_page(request: Request, ctx: Ctx, actor: TeacherActor, swap_id: RowId) -> Response:
    found = swaps.proposal(ctx, swaps.of_actor(actor, SwapId(swap_id)))
    return _page(request, found, f"/teacher/swaps/{swap_id}")


@router.post("/teacher/swaps/{swap_id}")
def own_answer(
    request: Request, ctx: Ctx, actor: TeacherActor, swap_id: RowId, form: Form
) -> Response:
    asked = swaps.of_actor(actor, SwapId(swap_id))
    return _answer(request, ctx, asked, form, f"/teacher/swaps/{swap_id}")


def _answer(request: Request, ctx: Context, asked: Asked, form: FormData, here: str) -> Response:
    """A form without a choice acts on nothing: some programs that look through mail send forms."""
    fields = Fields(form)
    try:
        if not fields.typed("answer"):
            fields.errors["answer"] = text("Choose your answer, then send it.")
        fields.check(text("Nothing was sent yet."))
        said = fields.choice("answer", Reply)
        fields.check(text("Nothing was sent yet."))
        swaps.answer(ctx, asked, said)
    except Invalid as fault:
        return _page(request, swaps.proposal(ctx, asked), here, fault.fields.get("answer"))
    except Conflict as fault:
        return _page(request, swaps.proposal(ctx, asked), here, fault.message)
    return see_other(here)


def _page(request: Request, found: Proposal, here: str, fault: Text | None = None) -> Response:
    language = Language(frame.language_of(request, guard.seen(request)))
    wall, swap = Wall(language, found.person.zone), found.swap
    return render(
        request,
        "join/swap.html",
        status=422 if fault else 200,
        section="/teacher",
        found=found,
        gives_when=wall.when(found.gives.starts_at, found.gives.ends_at, found.gives.zone),
        gets_when=wall.when(found.gets.starts_at, found.gets.ends_at, found.gets.zone),
        until=wall.moment(swap.deadline, found.gives.zone),
        heading=_HEADINGS[found.end] if found.asked or found.end else text("Your proposal"),
        note=_NOTES.get(found.end),
        fault=fault,
        problems=[("answer", fault)] if fault else [],
        title=text("Nothing was sent yet.") if fault else "",
        here=here,
    )
