"""Pasting a school's list of requests: the text, what each row means, and saving that."""

from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain import intervals
from scheduler.domain.pasting import Effect, Line
from scheduler.domain.people import BellPeriod, ReceivingSchool
from scheduler.domain.terms import TermId
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.services import pasting
from scheduler.services.pasting import Preview
from scheduler.web.forms import Fields
from scheduler.web.guard import LARGEST_ID, Ctx, Form, SchoolActor
from scheduler.web.pages.school import Chosen, choose, own_schools, requests_path
from scheduler.web.terms import TermOf
from scheduler.web.view import render, see_other

router = APIRouter()

_MONDAY = date(2001, 1, 1)


@dataclass(frozen=True, slots=True)
class SlotShown:
    """A slot as understood; `on` is any day of its weekday."""

    rank: int
    on: date
    period: BellPeriod
    starts: str
    ends: str


@dataclass(frozen=True, slots=True)
class LineShown:
    line: Line
    slots: tuple[SlotShown, ...]


@router.get("/school/requests/paste")
def paste_page(
    request: Request,
    ctx: Ctx,
    actor: SchoolActor,
    chosen: Chosen = None,
    wanted: TermOf = None,
) -> Response:
    school = choose(own_schools(ctx, actor), chosen)
    term = pasting.term_of(ctx, actor, school.id, wanted)
    return _page(request, school, "", term.id)


@router.post("/school/requests/paste")
def paste(
    request: Request, ctx: Ctx, actor: SchoolActor, form: Form, wanted: TermOf = None
) -> Response:
    """What saving would do; nothing is saved yet."""
    fields = Fields(form)
    school = choose(own_schools(ctx, actor), fields.number("school", 1, LARGEST_ID))
    typed = fields.typed("rows")
    try:
        shown = pasting.preview(ctx, actor, school.id, typed, wanted)
    except Invalid as error:
        return _page(request, school, typed, wanted, error=error.fields.get("rows"), status=422)
    return _page(request, school, typed, wanted, shown)


@router.post("/school/requests/paste/save")
def save(
    request: Request, ctx: Ctx, actor: SchoolActor, form: Form, wanted: TermOf = None
) -> Response:
    fields = Fields(form)
    school = choose(own_schools(ctx, actor), fields.number("school", 1, LARGEST_ID))
    typed, only_sound = fields.typed("rows"), fields.typed("which") == "sound"
    try:
        saved = pasting.save(
            ctx, actor, school.id, typed, fields.typed("seen"), wanted, only_sound=only_sound
        )
    except Conflict as error:
        now_is = pasting.preview(ctx, actor, school.id, typed, wanted)
        return _page(request, school, typed, wanted, now_is, refused=error.message, status=409)
    except Invalid as error:
        try:
            now_is = pasting.preview(ctx, actor, school.id, typed, wanted)
        except Invalid:
            return _page(request, school, typed, wanted, error=error.fields.get("rows"), status=422)
        return _page(
            request, school, typed, wanted, now_is, error=error.fields.get("rows"), status=422
        )
    done = text(
        "Saved. New: {new}, changed: {changed}, left out: {left_out}.",
        new=saved.new,
        changed=saved.changed,
        left_out=saved.left_out,
    )
    return see_other(requests_path(school.id, wanted), done)


def _page(
    request: Request,
    school: ReceivingSchool,
    typed: str,
    wanted: TermId | None,
    shown: Preview | None = None,
    error: Text | None = None,
    refused: Text | None = None,
    status: int = 200,
) -> Response:
    return render(
        request,
        "school/paste.html",
        status=status,
        school=school,
        typed=typed,
        preview=shown,
        lines=[_shown(line, school) for line in shown.lines] if shown else [],
        counts={effect.value: shown.count(effect) for effect in Effect} if shown else {},
        error=error,
        refused=refused,
        wanted=wanted,
        back=requests_path(school.id, wanted),
    )


def _shown(line: Line, school: ReceivingSchool) -> LineShown:
    bells = {(bell.start, bell.end): bell for bell in school.periods}
    slots = line.row.new.slots if line.row.new else ()
    return LineShown(
        line,
        tuple(
            SlotShown(
                slot.rank + 1,
                _MONDAY + timedelta(days=slot.weekday),
                bells[slot.start, slot.end],
                intervals.clock_text(slot.start),
                intervals.clock_text(slot.end),
            )
            for slot in slots
        ),
    )
