"""How many volunteers could come to a school's periods: figures only, nobody's name."""

from dataclasses import dataclass
from datetime import date

from scheduler.domain import availability
from scheduler.domain.access import Actor
from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import BellPeriod, Level, SchoolId
from scheduler.domain.requests import Slot
from scheduler.services import programmes
from scheduler.services.context import Context
from scheduler.services.lessons import visible_school
from scheduler.services.programmes import Wanted
from scheduler.store import availability as promised
from scheduler.store import terms


@dataclass(frozen=True, slots=True)
class Best:
    """The period of a school in which most teachers of a level are free."""

    level: Level
    weekday: int
    period: BellPeriod
    free: int


def best(
    ctx: Context,
    actor: Actor,
    school_id: SchoolId,
    class_name: str = "",
    days: tuple[date, date] | None = None,
    weekdays: int = 6,
    wanted: Wanted = None,
) -> Best | None:
    """Where teachers of a class's level are freest, in `days` or the term; of equals the first.

    Without a class of that name: of the school's level.  None where nobody is free at all.
    """
    with ctx.reading() as db:
        school = visible_school(db, actor, school_id)
        term = programmes.choose_at(db, school_id, wanted, ctx.now()).term
        levels = {each.name: each.level for each in terms.classes(db, school_id)}
        level = levels.get(class_name, school.level)
        windows = promised.windows_of_level(db, term.id, level)
    span = DaySpan(*(days or (term.first_day, term.last_day)))
    found = (
        Best(level, weekday, bell, availability.free_at(windows, _slot(weekday, bell), span))
        for weekday in range(weekdays)
        for bell in school.periods
    )
    top = max(found, key=lambda each: each.free, default=None)
    return top if top and top.free else None


def _slot(weekday: int, bell: BellPeriod) -> Slot:
    return Slot(weekday, bell.start, bell.end, 0)
