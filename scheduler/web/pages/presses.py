"""Long papers of the report: ordered, waited for while they are printed, and taken."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.errors import Conflict, Text, text
from scheduler.services import presses
from scheduler.services.context import Context
from scheduler.services.presses import Paper
from scheduler.web.forms import Fields
from scheduler.web.guard import CoordinatorActor, Ctx, Form
from scheduler.web.pages.imports import download
from scheduler.web.pages.summaries import CERTIFICATES, First, Last, sound
from scheduler.web.pages.summaries import HERE as REPORT
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = f"{REPORT}/papers"
WORDS = {Paper.CERTIFICATES: text("All certificates"), Paper.REPORT: text("The whole report")}
_FILES = {Paper.CERTIFICATES: "giay-xac-nhan", Paper.REPORT: "bao-cao-day-du"}


@router.get(f"{HERE}/{{paper}}")
def page(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    paper: Paper,
    first: First = "",
    last: Last = "",
) -> Response:
    """How far it is; the part that tells so asks for itself while it is printed."""
    return _page(request, ctx, actor, paper, first, last)


@router.post(f"{HERE}/{{paper}}")
def begin(
    request: Request, ctx: Ctx, actor: CoordinatorActor, paper: Paper, form: Form
) -> Response:
    fields = Fields(form)
    first, last = fields.typed("from"), fields.typed("to")
    days = sound(first, last)
    try:
        presses.begin(ctx, actor, paper, days.first, days.last)
    except Conflict as fault:
        return _page(request, ctx, actor, paper, first, last, fault.message)
    return see_other(days.at(f"{HERE}/{paper}"))


@router.get(f"{HERE}/{{paper}}/file")
def file(
    ctx: Ctx, actor: CoordinatorActor, paper: Paper, first: First = "", last: Last = ""
) -> Response:
    days = sound(first, last)
    made = presses.take(ctx, actor, paper, days.first, days.last)
    return download(f"{_FILES[paper]}.pdf", "application/pdf", made)


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    paper: Paper,
    first: str,
    last: str,
    refused: Text | None = None,
) -> Response:
    days = sound(first, last)
    work = presses.look(ctx, actor, paper, days.first, days.last)
    fragment = request.headers.get("hx-request") == "true" and refused is None
    return render(
        request,
        "coordinator/_press.html" if fragment else "coordinator/press.html",
        status=409 if refused else 200,
        section=REPORT,
        work=work,
        word=WORDS[paper],
        days=days,
        here=days.at(f"{HERE}/{paper}"),
        action=f"{HERE}/{paper}",
        file=days.at(f"{HERE}/{paper}/file"),
        above=days.at(CERTIFICATES if paper is Paper.CERTIFICATES else REPORT),
        refused=refused,
        fragment=fragment,
    )
