"""What was published, by whom and when; undoing one of them; the timetable of an earlier day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.plans import ChangeKind, PublicationId
from scheduler.domain.terms import Choice
from scheduler.errors import Conflict, Text, text
from scheduler.services import programmes, publications
from scheduler.services.context import Context
from scheduler.services.publications import Left, Told, Undoing
from scheduler.store.publications import Then
from scheduler.web.forms import read_day
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages.plans import SIGNS, pager
from scheduler.web.terms import TermOf, in_term
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/publications"
LESSONS_A_PAGE = 60
LEFT = {
    Left.CHANGED: text("changed again since then"),
    Left.BEGUN: text("today or before"),
    Left.PINNED: text("pinned"),
    Left.CALLED_OFF: text("called off for that day"),
    Left.CLASH: text("the teacher or the class has another lesson there by now"),
}
On = Annotated[str, Query(max_length=20)]
School = Annotated[str, Query(max_length=200)]
Number = Annotated[int, Query(ge=1, le=10_000)]


@dataclass(frozen=True, slots=True)
class Line:
    """A publication, and its changes by sign."""

    told: Told
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Past:
    """The timetable as it stood at the end of a day: one page of one school's, or of all."""

    day: date
    schools: tuple[str, ...]
    count: int
    lessons: tuple[Then, ...]
    pages: tuple[tuple[str, str | None], ...]


@router.get(HERE)
def page(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    on: On = "",
    school: School = "",
    page: Number = 1,
    wanted: TermOf = None,
) -> Response:
    day = read_day(on) if on else None
    choice = programmes.chosen(ctx, actor, wanted)
    past = _past(ctx, actor, choice, day, school, page) if isinstance(day, date) else None
    return _page(
        request, ctx, actor, choice, past, on, school, day if isinstance(day, Text) else None
    )


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    choice: Choice,
    past: Past | None,
    on: str,
    school: str,
    error: Text | None = None,
    refused: Text | None = None,
) -> Response:
    found = publications.of_term(ctx, actor, choice.term.id)
    return render(
        request,
        "coordinator/publications.html",
        status=409 if refused else 422 if error else 200,
        section="/coordinator/matching",
        choice=choice,
        term=choice.term,
        lines=[Line(each, _signs(each)) for each in found],
        past=past,
        on=on,
        school=school,
        error=error,
        refused=refused,
    )


def _signs(told: Told) -> dict[str, int]:
    return {SIGNS[kind]: told.counts[kind] for kind in ChangeKind if told.counts[kind]}


def _past(ctx: Context, actor: Actor, choice: Choice, day: date, school: str, page: int) -> Past:
    then = publications.as_of(ctx, actor, choice.term.id, day)
    schools = tuple(sorted({lesson.school_name for lesson in then}))
    chosen = [each for each in then if school in ("", each.school_name)]
    ordered = sorted(chosen, key=lambda x: (x.starts_at, x.school_name, x.class_name))
    last = max(1, -(-len(ordered) // LESSONS_A_PAGE))
    page = min(page, last)
    asked = urlencode({"on": f"{day:%d/%m/%Y}", "school": school})
    here = in_term(f"{HERE}?{asked}", choice)
    pages = tuple((str(n), href and f"{here}&page={n}") for n, href in pager(page, last, here))
    return Past(day, schools, len(ordered), _slice(ordered, page), pages)


def _slice(ordered: Sequence[Then], page: int) -> tuple[Then, ...]:
    first = (page - 1) * LESSONS_A_PAGE
    return tuple(ordered[first : first + LESSONS_A_PAGE])


@router.post(f"{HERE}/{{publication_id}}/undo")
def undo(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    publication_id: RowId,
    _form: Form,
    wanted: TermOf = None,
) -> Response:
    """A draft that puts it back; what it has to leave alone is told first."""
    try:
        done = publications.undo(ctx, actor, PublicationId(publication_id))
    except Conflict as error:
        choice = programmes.chosen(ctx, actor, wanted)
        return _page(request, ctx, actor, choice, None, "", "", refused=error.message)
    if done.left or done.broken:
        return _undone(request, done)
    told = text("Look at what would be put back, then publish it.")
    return see_other(f"/coordinator/plans/{done.plan_id}", told)


def _undone(request: Request, done: Undoing) -> Response:
    return render(
        request,
        "coordinator/undone.html",
        section="/coordinator/matching",
        done=done,
        left=[(lesson, LEFT[why]) for lesson, why in done.left],
    )
