"""When a teacher can teach: half-days first, periods where they are needed, limits and wishes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.availability import (
    MOST_PER_DAY,
    MOST_PER_WEEK,
    MOST_TOTAL,
    Pledge,
    Wanted,
)
from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import Level
from scheduler.domain.plans import Fingerprint
from scheduler.domain.terms import TermId
from scheduler.domain.weeks import Choice, Ease, Place
from scheduler.errors import Invalid, Stale, Text, text
from scheduler.services import availability
from scheduler.services.availability import Desk, Wish
from scheduler.services.context import Context
from scheduler.web.forms import Fields
from scheduler.web.guard import LARGEST_ID, Ctx, Form, TeacherActor
from scheduler.web.pages import week
from scheduler.web.terms import TermOf, with_term
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/teacher/availability"
SHOWN_OUTSIDE = 5
Saved = Annotated[str, Query(max_length=10)]
DayShown = Annotated[int, Query(ge=2, le=8)]
_PER_DAY, _PER_WEEK = range(1, 5), range(1, 9)
_TOTALS = (2, 4, 6, 8, 10, 12, 16, 20, 24, 30, 40)


@router.get(HERE)
def page(
    request: Request,
    ctx: Ctx,
    actor: TeacherActor,
    saved: Saved = "",
    day: DayShown | None = None,
    wanted: TermOf = None,
) -> Response:
    return page_of(request, availability.desk(ctx, actor, wanted), saved=bool(saved), day=day)


@router.post(HERE)
def save(
    request: Request, ctx: Ctx, actor: TeacherActor, form: Form, wanted: TermOf = None
) -> Response:
    fields, desk = Fields(form), availability.desk(ctx, actor, wanted)
    try:
        wish = _wish(fields, desk)
        fields.check()
        availability.save(ctx, actor, wish, Fingerprint(fields.typed("seen")), wanted)
    except Invalid as fault:
        return page_of(request, desk, fields, fault.fields, day=_day(fields), status=422)
    except Stale as fault:
        now = availability.desk(ctx, actor, wanted)
        told = week.changed(fields.typed("was"), now.halves, now.week)
        return page_of(
            request, now, fields, day=_day(fields), status=409, stale=(fault.message, told)
        )
    return see_other(with_term(f"{HERE}?saved=yes&day={_day(fields) or 2}", wanted))


@router.post(f"{HERE}/fit")
def fit(
    request: Request, ctx: Ctx, actor: TeacherActor, form: Form, wanted: TermOf = None
) -> Response:
    """Only the line that says who fits, while the choices change."""
    fields, desk = Fields(form), availability.desk(ctx, actor, wanted)
    wish = _wish(fields, desk)
    if fields.errors:
        return Response(status_code=204)  # the line stays; the fault is said on saving
    return render(request, "teacher/_fit.html", fit=availability.fit(ctx, actor, wish, wanted))


@router.post(f"{HERE}/copy")
def copy(ctx: Ctx, actor: TeacherActor, form: Form, wanted: TermOf = None) -> Response:
    fields = Fields(form)
    former = fields.number("term", 1, LARGEST_ID)
    fields.check()
    availability.copy_from(ctx, actor, TermId(former), wanted)
    return see_other(with_term(f"{HERE}?saved=yes", wanted))


@router.post(f"{HERE}/undo")
def undo(ctx: Ctx, actor: TeacherActor, form: Form, wanted: TermOf = None) -> Response:
    here = with_term(HERE, wanted)
    try:
        availability.undo(ctx, actor, Fingerprint(Fields(form).typed("seen")), wanted)
    except Stale as fault:
        return see_other(here, fault.message)
    return see_other(here, text("Your hours are as they were before."))


# -- reading the form


def _wish(fields: Fields, desk: Desk) -> Wish:
    first, last = desk.days.first_day, desk.days.last_day
    return Wish(
        week=dict(_chosen(fields, desk)),
        days=DaySpan(
            fields.day("first_day") if fields.typed("first_day") else first,
            fields.day("last_day") if fields.typed("last_day") else last,
        ),
        pledge=replace(
            desk.pledge,
            levels=tuple(level for level in Level if level in fields.many("level")),
            max_per_day=fields.number("max_per_day", 1, MOST_PER_DAY),
            max_per_week=fields.number("max_per_week", 1, MOST_PER_WEEK),
            max_total=fields.number("max_total", 1, MOST_TOTAL),
            wishes=fields.many("wish"),
        ),
        wanted=fields.choice("wanted", Wanted),
    )


def _chosen(fields: Fields, desk: Desk) -> Iterable[tuple[Place, Choice]]:
    """What the form says; a place that it does not name stays as it is."""
    halves = {half.half_day: half for half in desk.halves}
    for weekday, half_day in desk.week:
        name = week.name_of(weekday, half_day)
        cells = halves[half_day].cells
        periods = tuple(week.ease(fields.typed(f"{name}{cell.number}")) for cell in cells)
        yield (weekday, half_day), Choice(week.ease(fields.typed(name)), periods)


def _day(fields: Fields) -> int | None:
    """Which day a phone shows."""
    typed = fields.typed("day")
    return int(typed) if typed in {"2", "3", "4", "5", "6", "7", "8"} else None


# -- the page


def page_of(
    request: Request,
    desk: Desk,
    fields: Fields | None = None,
    errors: Mapping[str, Text] | None = None,
    *,
    saved: bool = False,
    day: int | None = None,
    status: int = 200,
    stale: tuple[Text, tuple[week.Told, ...]] | None = None,
    away: Mapping[str, str] | None = None,
) -> Response:
    """The choices as they stand, or as they were typed; `away`: days as typed, with a fault."""
    pledge, wanted = _typed(fields, desk)
    chosen = dict(_chosen(fields, desk)) if fields else {}
    if stale and fields:  # what she did not touch is shown as it is now
        chosen = week.touched(fields.typed("was"), desk.halves, chosen)
    days = week.days(desk, {p: c for p, c in chosen.items() if c.ease is not Ease.KEEP})
    spans = {"first_day": desk.days.first_day, "last_day": desk.days.last_day}
    return render(
        request,
        "teacher/availability.html",
        status=status,
        desk=desk,
        days=days,
        day=day or desk.days.first_day.weekday() + 2,
        pledge=pledge,
        wanted=wanted.value,
        typed_days={
            name: (fields.typed(name) if fields else "") or f"{at:%d/%m/%Y}"
            for name, at in spans.items()
        },
        per_day=_options(_PER_DAY, pledge.max_per_day),
        per_week=_options(_PER_WEEK, pledge.max_per_week),
        totals=_options(_TOTALS, pledge.max_total),
        levels=[level.value for level in Level],
        districts=_districts(desk),
        was=week.spelled(desk.halves, desk.week),
        outside=desk.outside[:SHOWN_OUTSIDE],
        more=len(desk.outside) - SHOWN_OUTSIDE,
        saved=saved and not errors,
        stale=stale,
        errors={} if away else errors or {},
        away=away or {},
        away_errors=(errors or {}) if away else {},
        here=HERE,
    )


def _typed(fields: Fields | None, desk: Desk) -> tuple[Pledge, Wanted]:
    """What the form said, as far as it can be shown again."""
    if fields is None:
        return desk.pledge, desk.own.wanted
    wish = _wish(Fields(fields.form), desk)
    return wish.pledge, wish.wanted


def _options(usual: Iterable[int], kept: int) -> list[int]:
    return sorted({*usual, kept})


def _districts(desk: Desk) -> list[tuple[str, list[tuple[str, str]]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for school in desk.schools:
        found.setdefault(school.district, []).append((school.code, school.name))
    return sorted(found.items())


def refused(
    request: Request,
    ctx: Context,
    actor: Actor,
    typed: Mapping[str, str],
    fault: Invalid,
    wanted: TermId | None = None,
) -> Response:
    """The page again, with what is wrong about days away."""
    desk = availability.desk(ctx, actor, wanted)
    return page_of(request, desk, errors=fault.fields, away=typed, status=422)
