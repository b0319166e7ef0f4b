"""The requests of a receiving school: the list, asking, changing, taking back."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain import intervals
from scheduler.domain import requests as rules
from scheduler.domain.access import Actor
from scheduler.domain.people import BellPeriod, ReceivingSchool, SchoolId
from scheduler.domain.plans import FixKind
from scheduler.domain.requests import (
    MOST_A_WEEK,
    PRIORITIES,
    NewRequest,
    RequestId,
    Slot,
)
from scheduler.domain.terms import TermId
from scheduler.errors import Conflict, Invalid, Stale, Text, text
from scheduler.services import requests, supply
from scheduler.services.context import Context
from scheduler.services.requests import RequestLine, SchoolDesk
from scheduler.web.forms import Fields, read_day
from scheduler.web.guard import LARGEST_ID, Ctx, Form, RowId, SchoolActor
from scheduler.web.pages import gaps
from scheduler.web.pages.gaps import GapShown
from scheduler.web.pages.school import Chosen, choose, own_schools, requests_path
from scheduler.web.terms import TermOf, in_term
from scheduler.web.view import render, see_other

router = APIRouter()

LESSON_DAYS = 6  # Monday to Saturday
A_PAGE = 8
USUAL_RANKS = 3
Page = Annotated[int, Query(ge=1, le=LARGEST_ID)]


@dataclass(frozen=True, slots=True)
class Entry:
    """The form: what stands in it by field, what is wrong, and which request it changes.

    `seen` names that request as the form was filled from it; `refused`: why it was not taken.
    """

    typed: Mapping[str, str]
    errors: Mapping[str, Text]
    changing: rules.Request | None = None
    seen: str = ""
    refused: Text | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list: `share` of 100 that is planned; `gap`: why not all; `mended`: fixes
    that the school has taken up."""

    line: RequestLine
    share: int
    gap: GapShown | None
    mended: frozenset[FixKind]


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen in the grid so far, and where teachers are freest, ready to print."""

    slots: int
    days: int
    needed: int
    best: supply.Best | None
    on: date | None


@router.get("/school/requests")
def desk(
    request: Request,
    ctx: Ctx,
    actor: SchoolActor,
    chosen: Chosen = None,
    page: Page = 1,
    wanted: TermOf = None,
) -> Response:
    own = own_schools(ctx, actor)
    shown = requests.desk(ctx, actor, choose(own, chosen).id, wanted)
    return _page(request, ctx, actor, own, shown, Entry(_blank(shown, ctx.now()), {}), page=page)


@router.post("/school/requests")
def submit(
    request: Request, ctx: Ctx, actor: SchoolActor, form: Form, wanted: TermOf = None
) -> Response:
    own = own_schools(ctx, actor)
    fields = Fields(form)
    school = choose(own, fields.number("school", 1, LARGEST_ID))
    try:
        new = _new_request(fields, school.periods, None)
        fields.check()
        requests.submit(ctx, actor, school.id, new, wanted)
    except Invalid as error:
        shown = requests.desk(ctx, actor, school.id, wanted)
        entry = Entry({name: fields.typed(name) for name in form}, error.fields)
        return _page(request, ctx, actor, own, shown, entry, status=422)
    done = text("Asked: class {name}. The next plan takes it in.", name=new.class_name)
    return see_other(requests_path(school.id, wanted), done)


@router.post("/school/requests/hint")
def hint(
    request: Request, ctx: Ctx, actor: SchoolActor, form: Form, wanted: TermOf = None
) -> Response:
    """What the page says of the choice so far: the fragment alone."""
    fields = Fields(form)
    school = choose(own_schools(ctx, actor), fields.number("school", 1, LARGEST_ID))
    typed = {name: fields.typed(name) for name in form}
    choice = _choice(ctx, actor, school, typed, wanted)
    return render(request, "school/_choice.html", choice=choice)


@router.get("/school/requests/{request_id}/change")
def change_page(request: Request, ctx: Ctx, actor: SchoolActor, request_id: RowId) -> Response:
    found, own, shown = _found(ctx, actor, request_id)
    entry = Entry(_typed(found), {}, found, rules.seen_as(found))
    return _page(request, ctx, actor, own, shown, entry)


@router.post("/school/requests/{request_id}/change")
def change(
    request: Request, ctx: Ctx, actor: SchoolActor, request_id: RowId, form: Form
) -> Response:
    found, own, shown = _found(ctx, actor, request_id)
    fields = Fields(form)
    typed = {name: fields.typed(name) for name in form} | {"class_name": found.class_name}
    seen = fields.typed("seen")
    try:
        new = _new_request(fields, shown.school.periods, found)
        fields.check()
        requests.change(ctx, actor, found.id, new, seen)
    except Invalid as error:
        return _page(
            request, ctx, actor, own, shown, Entry(typed, error.fields, found, seen), status=422
        )
    except Stale as error:
        # What was chosen stays in the form; sent once more it is meant for the request as it is.
        now_is = requests.get(ctx, actor, found.id)
        entry = Entry(typed, {}, now_is, rules.seen_as(now_is), error.message)
        return _page(request, ctx, actor, own, shown, entry, status=409)
    done = text("Changed: class {name}. The next plan takes it in.", name=found.class_name)
    return see_other(_back(shown), done)


@router.post("/school/requests/{request_id}/withdraw")
def withdraw(ctx: Ctx, actor: SchoolActor, request_id: RowId, _form: Form) -> Response:
    found, _, shown = _found(ctx, actor, request_id)
    requests.withdraw(ctx, actor, found.id)
    done = text(
        "The request of class {name} is taken back. Lessons already published stay until the next"
        " plan.",
        name=found.class_name,
    )
    return see_other(_back(shown), done)


@router.post("/school/requests/{request_id}/restore")
def restore(ctx: Ctx, actor: SchoolActor, request_id: RowId, _form: Form) -> Response:
    found, _, shown = _found(ctx, actor, request_id)
    try:
        requests.restore(ctx, actor, found.id)
    except Conflict as error:  # the list shows how it stands
        return see_other(_back(shown), error.message)
    done = text("Asked again: class {name}. The next plan takes it in.", name=found.class_name)
    return see_other(_back(shown), done)


_Found = tuple[rules.Request, tuple[ReceivingSchool, ...], SchoolDesk]


def _found(ctx: Context, actor: Actor, request_id: int) -> _Found:
    """A request of a school that the actor speaks for, with the school's desk."""
    own = own_schools(ctx, actor)
    found = requests.get(ctx, actor, RequestId(request_id))
    choose(own, found.school_id)
    return found, own, requests.desk_of(ctx, actor, found)


def _path(school_id: SchoolId, shown: SchoolDesk) -> str:
    return in_term(requests_path(school_id), shown.choice)


def _back(shown: SchoolDesk) -> str:
    return _path(shown.school.id, shown)


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    own: tuple[ReceivingSchool, ...],
    shown: SchoolDesk,
    entry: Entry,
    page: int = 1,
    status: int = 200,
) -> Response:
    first = intervals.monday(shown.term.first_day)
    pages = max(1, -(-len(shown.lines) // A_PAGE))
    page = min(page, pages)
    return render(
        request,
        "school/requests.html",
        status=status,
        desk=shown,
        entry=entry,
        rows=[_row(line) for line in shown.lines[(page - 1) * A_PAGE : page * A_PAGE]],
        pages=_pages(_back(shown), page, pages),
        wanted=sum(line.wanted for line in shown.lines),
        missing=sum(line.missing for line in shown.lines),
        today=shown.term.today(ctx.now()),
        weekdays=[first + timedelta(days=n) for n in range(LESSON_DAYS)],
        clocks={p: f"{_clock(p.start)}–{_clock(p.end)}" for p in shown.school.periods},
        most=MOST_A_WEEK,
        ranks=_ranks(entry.changing),
        full=shown.full(entry.changing),
        choice=_choice(ctx, actor, shown.school, entry.typed, shown.term.id),
        schools=[(x, None if x.id == shown.school.id else _path(x.id, shown)) for x in own],
    )


def _row(line: RequestLine) -> Row:
    share = min(100, 100 * line.planned // line.wanted) if line.wanted else 100
    gap = gaps.shown(line.gap) if line.gap and line.missing else None
    return Row(line, share, gap, line.mended)


def _pages(path: str, page: int, pages: int) -> list[tuple[Text | str, str | None]]:
    """What leads to each page of the list and to the next; nothing when there is only one."""
    if pages == 1:
        return []
    found: list[tuple[Text | str, str | None]] = [
        (str(n), None if n == page else f"{path}&page={n}") for n in range(1, pages + 1)
    ]
    if page < pages:
        found.append((text("Next page"), f"{path}&page={page + 1}"))
    return found


def _choice(
    ctx: Context,
    actor: Actor,
    school: ReceivingSchool,
    typed: Mapping[str, str],
    term: TermId | None,
) -> Choice:
    chosen = [
        name.split("-") for name, value in typed.items() if name.startswith("slot-") and value
    ]
    first, last = read_day(typed.get("first_day", "")), read_day(typed.get("last_day", ""))
    days = (first, last) if isinstance(first, date) and isinstance(last, date) else None
    class_name = typed.get("class_name", "")
    best = supply.best(ctx, actor, school.id, class_name, days, LESSON_DAYS, term)
    needed = typed.get("lessons_per_week", "")
    return Choice(
        slots=len(chosen),
        days=len({parts[1] for parts in chosen}),
        needed=int(needed) if needed in map(str, range(1, MOST_A_WEEK + 1)) else 1,
        best=best,
        on=date(2001, 1, 1) + timedelta(days=best.weekday) if best else None,  # that was a Monday
    )


def _ranks(changing: rules.Request | None) -> Collection[int]:
    """The choices of a cell: three, or as many as an imported request makes use of."""
    used = max((slot.rank + 1 for slot in changing.slots), default=0) if changing else 0
    return range(1, max(USUAL_RANKS, used) + 1)


def _clock(minute: int) -> str:
    return intervals.clock_text(minute)


def _blank(shown: SchoolDesk, now: datetime) -> dict[str, str]:
    """The form before anybody types: one lesson a week for the rest of the term."""
    term = shown.term
    first = min(max(term.today(now), term.first_day), term.last_day)
    return {
        "class_name": "",
        "lessons_per_week": "1",
        "first_day": f"{first:%d/%m/%Y}",
        "last_day": f"{term.last_day:%d/%m/%Y}",
        "priority": "1",
    }


def _typed(found: rules.Request) -> dict[str, str]:
    """The form as it would have been filled in to get this request."""
    slots = {f"slot-{slot.weekday}-{slot.start}": str(slot.rank + 1) for slot in found.slots}
    return {
        "class_name": found.class_name,
        "lessons_per_week": str(found.lessons_per_week),
        "first_day": f"{found.first_day:%d/%m/%Y}",
        "last_day": f"{found.last_day:%d/%m/%Y}",
        "priority": str(found.priority),
        **slots,
    }


def _new_request(
    fields: Fields, periods: tuple[BellPeriod, ...], changing: rules.Request | None
) -> NewRequest:
    """A request that is changed stays with its class."""
    return NewRequest(
        class_name=changing.class_name if changing else fields.text("class_name"),
        lessons_per_week=fields.number("lessons_per_week", 1, MOST_A_WEEK),
        first_day=fields.day("first_day"),
        last_day=fields.day("last_day"),
        priority=fields.number("priority", PRIORITIES[0], PRIORITIES[-1]),
        slots=_slots(fields, periods, max(_ranks(changing))),
    )


def _slots(fields: Fields, periods: tuple[BellPeriod, ...], ranks: int) -> tuple[Slot, ...]:
    """The cells with a number, in order of preference: 1 in a cell is rank 0."""
    chosen = []
    for weekday in range(LESSON_DAYS):
        for period in periods:
            name = f"slot-{weekday}-{period.start}"
            if fields.typed(name):
                rank = fields.number(name, 1, ranks) - 1
                chosen.append(Slot(weekday, period.start, period.end, rank))
    return tuple(sorted(chosen, key=lambda slot: (slot.rank, slot.weekday, slot.start)))
