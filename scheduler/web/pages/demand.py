"""Before a term: what is asked for, who is free, and what is certain to be short, week by week."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.people import HalfDay, Level
from scheduler.domain.shortages import Cell
from scheduler.errors import Text
from scheduler.locale import Language, wording
from scheduler.services import demand
from scheduler.services.demand import Demand
from scheduler.services.words import LEVELS
from scheduler.web import frame, guard
from scheduler.web.forms import asked_day
from scheduler.web.guard import CoordinatorActor, Ctx
from scheduler.web.terms import TermOf
from scheduler.web.view import render

router = APIRouter()

HERE = "/coordinator/demand"
CLASSES_SHOWN, PLACES_SHOWN = 3, 6  # of those that compete for the same teachers
_Typed = Annotated[str, Query(max_length=20)]


@dataclass(frozen=True, slots=True)
class Row:
    """A half-day by its name: its cells level by level, None: nobody asks for it."""

    name: str
    day: date
    cells: tuple[Cell | None, ...]


@router.get(HERE)
def page(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    week: _Typed = "",
    wanted: TermOf = None,
) -> Response:
    day = asked_day(week)
    fault = day if isinstance(day, Text) else None
    found = demand.of_week(ctx, actor, day if isinstance(day, date) else None, wanted)
    levels = [level for level in Level if any(cell.level is level for cell in found.cells)]
    return render(
        request,
        "coordinator/demand.html",
        status=422 if fault else 200,
        section=HERE,
        found=found,
        days=[found.monday + timedelta(days=n) for n in range(7)],
        rows=_rows(found, levels, frame.language_of(request, guard.seen(request))),
        levels=[LEVELS[level] for level in levels],
        names=LEVELS,
        shown=CLASSES_SHOWN,
        places_shown=PLACES_SHOWN,
        typed=week,
        fault=fault,
    )


def _rows(found: Demand, levels: list[Level], language: Language) -> list[Row]:
    known = {(cell.weekday, cell.half_day, cell.level): cell for cell in found.cells}
    places = {(cell.weekday, cell.half_day) for cell in found.cells}
    rows = []
    for weekday, half_day in sorted(places, key=lambda x: (x[0], list(HalfDay).index(x[1]))):
        day = found.monday + timedelta(days=weekday)
        name = wording.half_day_of(half_day.value, day, language)
        cells = tuple(known.get((weekday, half_day, level)) for level in levels)
        rows.append(Row(name[0].upper() + name[1:], day, cells))
    return rows
