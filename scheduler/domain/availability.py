"""What a volunteer promises for a term, and when.  Pure: no clock, no database."""

from dataclasses import dataclass
from datetime import date

from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import Level


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A weekly free window: weekday 0 = Monday, minutes since midnight, both days included."""

    weekday: int
    start: int
    end: int
    first_day: date | None = None
    last_day: date | None = None
    if_needed: bool = False


@dataclass(frozen=True, slots=True)
class Pledge:
    """A teacher's promise for one term; `wishes` are school codes, empty for no wish."""

    levels: tuple[Level, ...]
    max_per_day: int
    max_per_week: int
    max_total: int
    windows: tuple[Window, ...] = ()
    absences: tuple[DaySpan, ...] = ()
    wishes: tuple[str, ...] = ()
