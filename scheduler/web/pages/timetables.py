"""The timetable of a school: week by week or the usual one, and on paper for the wall."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.intervals import clock_text
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.people import SchoolId
from scheduler.domain.walls import Cell, Time
from scheduler.locale import Language
from scheduler.services import walls
from scheduler.services.context import Context
from scheduler.services.walls import Wall
from scheduler.web import frame, guard
from scheduler.web.guard import Ctx, SchoolActor
from scheduler.web.pages.hours import Chosen, own_school
from scheduler.web.view import render, shown_state

router = APIRouter()

HERE = "/school/timetable"
PDF = "application/pdf"
WeekOf = Annotated[date | None, Query(alias="week")]
View = Annotated[str, Query(max_length=10)]
BY_CLASS, USUAL = "class", "usual"
# Of a lesson that is not ordinary: the tone of its line, and its icon.
SIGNS = {
    "cover": ("warn", "hand"),
    "cancelled": ("off", "off"),
    "held": ("", "check"),
    "not_held": ("bad", "x"),
    "live": ("", "live"),
    "unknown": ("ask", "ask"),
    "disputed": ("warn", "ask"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """A lesson in the table, ready to print: what stands ahead, its name, and its state."""

    lead: str
    name: str
    state: str
    href: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class Row:
    """`time`: of a period, None: the row of a class by that name."""

    name: str
    time: Time | None
    clock: str
    days: tuple[tuple[Item, ...], ...]


@router.get(HERE)
def page(
    request: Request,
    ctx: Ctx,
    actor: SchoolActor,
    chosen: Chosen = None,
    day: WeekOf = None,
    by: View = "",
    show: View = "",
) -> Response:
    own, school = own_school(ctx, actor, chosen)
    found = _wall(ctx, actor, school.id, day, show)
    by_class = by == BY_CLASS
    rows = _by_class(found, ctx.now()) if by_class else _by_period(found, ctx.now())
    return render(
        request,
        "school/timetable.html",
        wall=found,
        rows=rows,
        by_class=by_class,
        days=[found.monday + timedelta(days=n) for n in range(found.days)],
        count=sum(x.lesson.state is not LessonState.CANCELLED for x in found.cells),
        here=_Addresses(school.id, found.week, by_class),
        schools=[(x, None if x == school else f"{HERE}?school={x.id}") for x in own],
    )


@router.get(f"{HERE}/print")
def sheet(
    request: Request,
    ctx: Ctx,
    actor: SchoolActor,
    chosen: Chosen = None,
    day: WeekOf = None,
    show: View = "",
) -> Response:
    """A sheet for the wall: what a browser prints, with nothing around it."""
    _, school = own_school(ctx, actor, chosen)
    found = _wall(ctx, actor, school.id, day, show)
    return render(
        request,
        "school/wall.html",
        paper=walls.paper(ctx, found, _language(request)),
        back=_Addresses(school.id, found.week, by_class=False),
    )


@router.get(f"{HERE}.pdf")
def pdf(
    request: Request,
    ctx: Ctx,
    actor: SchoolActor,
    chosen: Chosen = None,
    day: WeekOf = None,
    show: View = "",
) -> Response:
    _, school = own_school(ctx, actor, chosen)
    found = _wall(ctx, actor, school.id, day, show)
    printed = walls.printed(ctx, actor, found, _language(request))
    name = f'inline; filename="thoi-khoa-bieu-{school.id}.pdf"'
    return Response(printed, media_type=PDF, headers={"content-disposition": name})


def _wall(ctx: Context, actor: Actor, school: SchoolId, day: date | None, show: str) -> Wall:
    return (
        walls.usual(ctx, actor, school) if show == USUAL else walls.of_week(ctx, actor, school, day)
    )


def _language(request: Request) -> Language:
    return frame.language_of(request, guard.seen(request))


@dataclass(frozen=True, slots=True)
class _Addresses:
    """Where the links of the page lead: the same week of the same school, seen otherwise."""

    school_id: SchoolId
    week: date | None
    by_class: bool

    def at(self, week: date | None) -> str:
        return self._to(HERE, week, by_class=self.by_class)

    @property
    def by_periods(self) -> str:
        return self._to(HERE, self.week, by_class=False)

    @property
    def by_classes(self) -> str:
        return self._to(HERE, self.week, by_class=True)

    @property
    def now(self) -> str:
        return f"{HERE}?school={self.school_id}" + (f"&by={BY_CLASS}" if self.by_class else "")

    @property
    def print(self) -> str:
        return self._to(f"{HERE}/print", self.week, by_class=False)

    @property
    def pdf(self) -> str:
        return self._to(f"{HERE}.pdf", self.week, by_class=False)

    def _to(self, path: str, week: date | None, *, by_class: bool) -> str:
        asked: dict[str, object] = {"school": self.school_id}
        asked |= {"week": week} if week else {"show": USUAL}
        asked |= {"by": BY_CLASS} if by_class else {}
        return f"{path}?{urlencode(asked)}"


# -- rows


def _by_period(found: Wall, now: datetime) -> list[Row]:
    rows = []
    for time in found.times:
        there = [x for x in found.cells if x.time == time]
        days = tuple(
            tuple(_item(found, x, now, x.lesson.class_name, _short(x.lesson))
                  for x in there if x.weekday == n)
            for n in range(found.days)
        )  # fmt: skip
        rows.append(Row("", time, _clock(time), days))
    return rows


def _by_class(found: Wall, now: datetime) -> list[Row]:
    rows = []
    for name in found.classes:
        there = [x for x in found.cells if x.lesson.class_name == name]
        days = tuple(
            tuple(_item(found, x, now, clock_text(x.time.start), _short(x.lesson))
                  for x in there if x.weekday == n)
            for n in range(found.days)
        )  # fmt: skip
        rows.append(Row(name, None, "", days))
    return rows


def _item(found: Wall, cell: Cell, now: datetime, lead: str, name: str) -> Item:
    lesson = cell.lesson
    week = f"/school?school={found.school.id}&week={found.monday}"
    state = shown_state(lesson, now) if found.week else "scheduled"
    tone, icon = SIGNS.get(state, ("", ""))
    return Item(lead, name, state, week, tone, icon)


def _short(lesson: Lesson) -> str:
    """The last two words of a name: what teachers are called by."""
    return " ".join(lesson.teacher_name.split()[-2:])


def _clock(time: Time) -> str:
    return f"{clock_text(time.start)}–{clock_text(time.end)}"
