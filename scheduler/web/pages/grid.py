"""The coordinator's week: all schools in one table, and what of it to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.grids import Line, Placed, Wish
from scheduler.domain.intervals import clock_text
from scheduler.domain.lessons import LessonState
from scheduler.domain.people import Level, ReceivingSchool, SchoolId
from scheduler.errors import Text, text
from scheduler.locale import Language, translate, wording
from scheduler.services import grids
from scheduler.services.grids import Grid
from scheduler.services.words import LEVELS
from scheduler.web import frame, guard
from scheduler.web.forms import asked_day
from scheduler.web.guard import LARGEST_ID, CoordinatorActor, Ctx
from scheduler.web.pages.people import Number, pages_of
from scheduler.web.pages.timetables import SIGNS, Item
from scheduler.web.view import render, shown_state

router = APIRouter()

HERE = "/coordinator/week"
_Typed = Annotated[str, Query(max_length=80)]
_Of = Annotated[str, Query(alias="school", max_length=10)]
AT_ONCE = 100  # schools
_USUAL_DAYS = 6  # Sunday stands there when it has a lesson


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """A school and its lessons day by day, ready to print: how many take place, and how many wait
    for a teacher."""

    id: int
    name: str
    district: str
    count: int
    open: int
    days: tuple[tuple[Item, ...], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for, as it was typed."""

    week: str
    school: str
    level: str
    needing: bool
    q: str
    page: int

    @property
    def shown(self) -> slice:
        """The schools of this page."""
        return slice((self.page - 1) * AT_ONCE, self.page * AT_ONCE)

    @property
    def wish(self) -> Wish:
        known = self.school.isascii() and self.school.isdecimal()
        school = int(self.school) if known and int(self.school) <= LARGEST_ID else None
        level = next((each for each in Level if each == self.level), None)
        return Wish(SchoolId(school) if school else None, level, self.needing, self.q)

    def at(self, week: date | None) -> str:
        """The same choice in another week; None: in the present one."""
        given = urlencode({name: value for name, value in self._typed(week).items() if value})
        return f"{HERE}?{given}" if given else HERE

    def pages(self, found: Grid) -> list[tuple[int, str | None]]:
        return pages_of(HERE, len(found.shown), self.page, self._typed(found.monday), AT_ONCE)

    def _typed(self, week: date | None) -> dict[str, str]:
        return {
            "week": f"{week:%d/%m/%Y}" if week else "",
            "school": self.school,
            "level": self.level,
            "needs": "yes" if self.needing else "",
            "q": self.q,
        }


@router.get(HERE)
def page(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    week: _Typed = "",
    school: _Of = "",
    level: _Typed = "",
    needs: _Typed = "",
    q: _Typed = "",
    number: Number = 1,
) -> Response:
    asked = Asked(week, school, level, bool(needs), q, number)
    day = asked_day(week)
    fault = day if isinstance(day, Text) else None
    found = grids.week(ctx, actor, day if isinstance(day, date) else None, asked.wish)
    language = frame.language_of(request, guard.seen(request))
    days = _days(found)
    return render(
        request,
        "coordinator/week.html",
        status=422 if fault else 200,
        section=HERE,
        grid=found,
        days=days,
        count=_teaching(found),
        rows=_rows(found, found.shown[asked.shown], len(days), language),
        pages=asked.pages(found),
        asked=asked,
        fault=fault,
        schools=[(x.id, x.name) for x in found.schools],
        levels=[(each.value, LEVELS[each]) for each in Level],
    )


def _teaching(found: Grid) -> int:
    """How many schools have lessons; where none has, how many there are."""
    placed = (line for line in found.lines if isinstance(line, Placed))
    having = {line.school_id for line in placed if line.state is not LessonState.CANCELLED}
    return len(having or found.shown)


def _days(found: Grid) -> list[date]:
    last = max((line.day.weekday() for line in found.lines), default=0)
    count = max(_USUAL_DAYS, last + 1)
    return [found.monday + timedelta(days=n) for n in range(count)]


def _rows(
    found: Grid, shown: Sequence[ReceivingSchool], days: int, language: Language
) -> list[SchoolRow]:
    there: dict[int, list[Line]] = {school.id: [] for school in found.shown}
    for line in found.lines:
        there[line.school_id].append(line)
    nobody = translate(text("nobody yet"), language)
    return [_row(x, there[x.id], found, days, language, nobody) for x in shown]


def _row(
    school: ReceivingSchool,
    lines: list[Line],
    found: Grid,
    days: int,
    language: Language,
    nobody: str,
) -> SchoolRow:
    cells: list[list[Item]] = [[] for _ in range(days)]
    for line in lines:
        cells[line.day.weekday()].append(_item(line, found, language, nobody))
    placed = [line for line in lines if isinstance(line, Placed)]
    return SchoolRow(
        school.id,
        school.name,
        school.district,
        sum(line.state is not LessonState.CANCELLED for line in placed),
        len(lines) - len(placed),
        tuple(map(tuple, cells)),
    )


def _item(line: Line, found: Grid, language: Language, nobody: str) -> Item:
    lead = clock_text(line.start)
    if line.half_day is not None and line.period is not None:
        lead = wording.half_day_letter(line.half_day, line.period, language)
    if not isinstance(line, Placed):
        to = f"/coordinator/plans/{line.plan_id}?gaps=all#gaps"
        return Item(lead, f"{line.class_name} {nobody}", "", to, "ask", "person")
    state = shown_state(line, found.now)
    called = " ".join(line.teacher_name.split()[-2:])
    tone, icon = SIGNS.get(state, ("", ""))
    href = f"/coordinator/lessons/{line.lesson_id}"
    return Item(lead, f"{line.class_name} {called}", state, href, tone, icon)
