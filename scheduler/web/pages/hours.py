"""A school's own hours: bell times and rooms, closed days, and what moves with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.disruptions import Choice, Closure, Way
from scheduler.domain.hours import MOST_PERIODS, MOST_ROOMS, Fate, Hours
from scheduler.domain.intervals import DaySpan, clock_text
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import BellPeriod, HalfDay, ReceivingSchool, SchoolId
from scheduler.domain.plans import Fingerprint
from scheduler.errors import Conflict, Invalid, NotFound, Stale, Text, text
from scheduler.services import disruptions, hours, requests
from scheduler.services.context import Context
from scheduler.services.hours import Desk
from scheduler.web.forms import Fields
from scheduler.web.guard import LARGEST_ID, Ctx, Form, SchoolActor
from scheduler.web.view import PERIODS, render, see_other

router = APIRouter()

HERE = "/school/hours"
SPARE = 2  # empty rows under each half-day that has periods, to write new ones
Chosen = Annotated[int | None, Query(alias="school", ge=1, le=LARGEST_ID)]
Schools = tuple[ReceivingSchool, ...]

FATES = {
    Fate.COVER: text("Move it, and look for another teacher"),
    Fate.KEEP: text("Keep it at its old time"),
    Fate.CALL_OFF: text("Call it off for everyone"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A period in the form: the names of its two fields, and what is typed in them."""

    half_day: str
    number: int
    start: str
    end: str
    start_typed: str
    end_typed: str


def own_school(ctx: Context, actor: Actor, chosen: int | None) -> tuple[Schools, ReceivingSchool]:
    """The actor's schools and the one asked for, without a wish the first; raises NotFound."""
    own = requests.own_schools(ctx, actor)
    found = next((each for each in own if chosen in (None, each.id)), None)
    if found is None:
        raise NotFound("There is no such school here.")
    return own, found


def address(school_id: SchoolId) -> str:
    return f"{HERE}?school={school_id}"


# -- bell times and rooms


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: SchoolActor, chosen: Chosen = None) -> Response:
    own, school = own_school(ctx, actor, chosen)
    return _desk_page(request, own, hours.desk(ctx, actor, school.id))


@router.post(HERE)
def change(request: Request, ctx: Ctx, actor: SchoolActor, form: Form) -> Response:
    """What would move; sent again with the mark of what was seen, it is done."""
    fields = Fields(form)
    own, school = own_school(ctx, actor, fields.number("school", 1, LARGEST_ID))
    try:
        wanted = _wanted(fields)
        fields.check()
        seen = fields.typed("seen")
        if not seen:
            return _preview_page(request, ctx, actor, school.id, wanted, fields)
        done = hours.apply(ctx, actor, school.id, wanted, Fingerprint(seen), _fates(fields))
    except Invalid as error:
        if any(name.startswith("fate-") for name in error.fields):
            shown = _preview_page(request, ctx, actor, school.id, wanted, fields, error.fields)
            shown.status_code = 422
            return shown
        desk = hours.desk(ctx, actor, school.id)
        return _desk_page(request, own, desk, fields, error.fields, status=422)
    except (Stale, Conflict) as error:
        shown = _preview_page(request, ctx, actor, school.id, wanted, fields, refused=error.message)
        shown.status_code = 409
        return shown
    moved = sum(line.after is not None for line in done.following)
    word = text("Saved. From {day} on the new bells ring; lessons that move along: {count}.",
                day=wanted.from_day, count=moved)  # fmt: skip
    return see_other(address(school.id), word)


def _wanted(fields: Fields) -> Hours:
    return Hours(
        periods=tuple(_periods(fields)),
        rooms=fields.number("rooms", 1, MOST_ROOMS),
        from_day=fields.day("from_day"),
        reason=fields.text("reason"),
    )


def _periods(fields: Fields) -> Iterator[BellPeriod]:
    """The rows that are filled in; a row of which both fields are empty is no period."""
    for half_day in HalfDay:
        for number in range(1, MOST_PERIODS + 1):
            start, end = (f"{word}-{half_day}-{number}" for word in ("start", "end"))
            if fields.typed(start).strip() or fields.typed(end).strip():
                yield BellPeriod(half_day, number, fields.clock(start), fields.clock(end))


def _fates(fields: Fields) -> dict[LessonId, Fate]:
    """What was chosen for lessons that cannot move along."""
    chosen = {}
    for name in fields.form:
        kind, _, number = name.partition("-")
        if kind == "fate" and number.isdecimal() and len(number) < 10:
            chosen[LessonId(int(number))] = fields.choice(name, Fate)
    fields.check()
    return chosen


def _rows(desk: Desk, fields: Fields | None) -> list[tuple[str, list[Row]]]:
    """The form by half-days, as it was typed or as the school has it."""
    known = {(each.half_day, each.number): each for each in desk.school.periods}
    shown = []
    for half_day in HalfDay:
        last = max((n for half, n in known if half is half_day), default=0)
        numbers = range(1, min(last + SPARE, MOST_PERIODS) + 1)
        shown.append((half_day.value, [_row(half_day, n, known, fields) for n in numbers]))
    return shown


def _row(
    half_day: HalfDay,
    number: int,
    known: Mapping[tuple[HalfDay, int], BellPeriod],
    fields: Fields | None,
) -> Row:
    start, end = (f"{word}-{half_day}-{number}" for word in ("start", "end"))
    bell = known.get((half_day, number))
    if fields is not None:
        return Row(half_day, number, start, end, fields.typed(start), fields.typed(end))
    typed = (clock_text(bell.start), clock_text(bell.end)) if bell else ("", "")
    return Row(half_day, number, start, end, *typed)


def _desk_page(
    request: Request,
    own: Schools,
    desk: Desk,
    fields: Fields | None = None,
    errors: Mapping[str, Text] | None = None,
    status: int = 200,
) -> Response:
    names = ("rooms", "from_day", "reason", "first_day", "last_day", "closed_reason")
    typed = {name: fields.typed(name) if fields else "" for name in names}
    if not typed["rooms"]:
        typed["rooms"] = str(desk.school.rooms)
    typed["from_day"] = typed["from_day"] or f"{desk.first_day:%d/%m/%Y}"
    bells = fields if fields and fields.typed("rooms") else None
    return render(
        request,
        "school/hours.html",
        status=status,
        desk=desk,
        rows=_rows(desk, bells),
        typed=typed,
        errors=errors or {},
        problems=[(name, _named(name, said)) for name, said in (errors or {}).items()],
        schools=[(x, None if x.id == desk.school.id else address(x.id)) for x in own],
    )


_FIELDS = {
    "rooms": text("Rooms with internet"),
    "from_day": text("From which day on"),
    "reason": text("Why do the hours change?"),
    "periods": text("Bell times and rooms"),
    "first_day": text("First day"),
    "last_day": text("Last day"),
    "closed_reason": text("Why is the school closed?"),
}


def _named(name: str, said: Text) -> Text:
    """A fault with the name of its field ahead: above the form it stands away from it."""
    if name in _FIELDS:
        return text("{field}: {fault}", field=_FIELDS[name], fault=said)
    _, half_day, number = (*name.split("-"), "", "")[:3]
    if half_day not in PERIODS:
        return said
    period = Text(PERIODS[half_day], {"number": number})
    return text("{field}: {fault}", field=period, fault=said)


def _preview_page(
    request: Request,
    ctx: Context,
    actor: Actor,
    school_id: SchoolId,
    wanted: Hours,
    fields: Fields,
    errors: Mapping[str, Text] | None = None,
    refused: Text | None = None,
) -> Response:
    """`sent`: the fields that come again with the confirmation."""
    found = hours.preview(ctx, actor, school_id, wanted)
    sent = {n: fields.typed(n) for n in fields.form if not n.startswith(("csrf", "seen", "fate-"))}
    return render(
        request,
        "school/hours_preview.html",
        seen=found,
        clock=clock_text,
        fates=FATES,
        chosen={name: fields.typed(name) for name in fields.form if name.startswith("fate-")},
        sent=sent,
        errors=errors or {},
        refused=refused,
        back=address(school_id),
    )


# -- closed days


@router.post(f"{HERE}/closed")
def close(request: Request, ctx: Ctx, actor: SchoolActor, form: Form) -> Response:
    """What would become of the lessons of these days; sent again, it is done."""
    fields = Fields(form)
    own, school = own_school(ctx, actor, fields.number("school", 1, LARGEST_ID))
    try:
        closure = _closure(fields, school.id)
        seen = fields.typed("seen")
        if not seen:
            return _closing_page(request, ctx, actor, closure)
        choices = _choices(fields)
        done = disruptions.apply(ctx, actor, closure, Fingerprint(seen), choices)
    except Invalid as error:
        names = {"reason": "closed_reason"}
        errors = {names.get(name, name): said for name, said in error.fields.items()}
        desk = hours.desk(ctx, actor, school.id)
        return _desk_page(request, own, desk, fields, errors, status=422)
    except (Stale, Conflict) as error:
        shown = _closing_page(request, ctx, actor, closure, error.message)
        shown.status_code = 409
        return shown
    word = text(
        "The school is closed from {first} to {last}: {moved} lessons move, {off} are called off.",
        first=closure.span.first_day, last=closure.span.last_day,
        moved=done.counts[Way.MOVE], off=done.counts[Way.CALL_OFF],
    )  # fmt: skip
    return see_other(address(school.id), word)


@router.post(f"{HERE}/closed/withdraw")
def open_again(ctx: Ctx, actor: SchoolActor, form: Form) -> Response:
    fields = Fields(form)
    _, school = own_school(ctx, actor, fields.number("school", 1, LARGEST_ID))
    span = DaySpan(fields.day("first_day"), fields.day("last_day"))
    fields.check()
    disruptions.withdraw(ctx, actor, Closure((school.id,), span, ""))
    word = text("The days are open again. Lessons that moved or were called off stay so.")
    return see_other(address(school.id), word)


def _closure(fields: Fields, school_id: SchoolId) -> Closure:
    first = fields.day("first_day")
    last = fields.day("last_day") if fields.typed("last_day").strip() else first
    reason = fields.text("closed_reason")
    fields.check()
    return Closure((school_id,), DaySpan(first, last), reason)


def _choices(fields: Fields) -> dict[LessonId, Choice]:
    """The lessons that are called off though they could move."""
    named = (each for each in fields.many("off") if each.isdecimal() and len(each) < 10)
    return {LessonId(int(each)): Choice(Way.CALL_OFF) for each in named}


def _closing_page(
    request: Request, ctx: Context, actor: Actor, closure: Closure, refused: Text | None = None
) -> Response:
    return render(
        request,
        "school/closed_preview.html",
        seen=disruptions.preview(ctx, actor, closure),
        closure=closure,
        clock=clock_text,
        refused=refused,
        back=address(closure.school_ids[0]),
    )
