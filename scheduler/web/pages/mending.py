"""A school takes up the smallest change that would cover its missing lessons."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.plans import FixKind
from scheduler.domain.requests import RequestId
from scheduler.errors import Conflict, Text, text
from scheduler.services import mending, requests
from scheduler.services.context import Context
from scheduler.services.mending import Remedy
from scheduler.web.forms import Fields
from scheduler.web.guard import Ctx, Form, RowId, SchoolActor
from scheduler.web.pages import gaps
from scheduler.web.pages.school import choose, own_schools, requests_path
from scheduler.web.view import render, see_other

router = APIRouter()

Kind = Annotated[FixKind, Query()]


@router.get("/school/requests/{request_id}/fix")
def fix_page(
    request: Request,
    ctx: Ctx,
    actor: SchoolActor,
    request_id: RowId,
    kind: Kind = FixKind.SLOT,
) -> Response:
    """What the fix would do, and the button: a fragment in the list, or a page around it."""
    back = _own(ctx, actor, request_id)
    return _page(request, mending.remedy(ctx, actor, RequestId(request_id), kind), back)


@router.post("/school/requests/{request_id}/fix")
def fix(request: Request, ctx: Ctx, actor: SchoolActor, request_id: RowId, form: Form) -> Response:
    back, kind = _own(ctx, actor, request_id), _kind(form)
    try:
        mending.take(ctx, actor, RequestId(request_id), kind, Fields(form).typed("seen"))
    except Conflict as error:
        now_is = mending.remedy(ctx, actor, RequestId(request_id), kind)
        return _page(request, now_is, back, error.message, status=409)
    name = requests.get(ctx, actor, RequestId(request_id)).class_name
    done = text("Asked for class {name}. The next plan takes it in; until then you can undo it.",
                name=name)  # fmt: skip
    return see_other(back, done)


@router.post("/school/requests/{request_id}/fix/undo")
def undo(ctx: Ctx, actor: SchoolActor, request_id: RowId, form: Form) -> Response:
    back = _own(ctx, actor, request_id)
    mending.undo(ctx, actor, RequestId(request_id), _kind(form))
    name = requests.get(ctx, actor, RequestId(request_id)).class_name
    return see_other(back, text("Undone: class {name} asks as before.", name=name))


def _own(ctx: Context, actor: Actor, request_id: int) -> str:
    """Where the request is listed; raises NotFound unless the actor speaks for its school."""
    found = requests.get(ctx, actor, RequestId(request_id))
    school = choose(own_schools(ctx, actor), found.school_id)
    term = requests.its_term(ctx, found)
    return f"{requests_path(school.id, term.id)}#r-{found.id}"


def _kind(form: FormData) -> FixKind:
    """The fix that the form is about; what is none is as little there as what is gone."""
    typed = Fields(form).typed("kind")
    return next((kind for kind in FixKind if kind.value == typed), FixKind.SLOT)


def _page(
    request: Request, found: Remedy, back: str, refused: Text | None = None, status: int = 200
) -> Response:
    fragment = bool(request.headers.get("hx-request"))
    shown = gaps.shown(found.gap)
    return render(
        request,
        "school/_fix.html" if fragment else "school/fix.html",
        status=status,
        section="/school/requests",
        asked=found.request,
        gap=shown,
        fix=next(each for each in shown.fixes if each.kind == found.line.fix.kind.value),
        done=found.done,
        seen=found.seen,
        refused=refused,
        back=back,
    )
