"""What a volunteer promises for a term, and when.  Pure: no clock, no database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import Level
from scheduler.domain.requests import Slot


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


def free_at(windows: Iterable[tuple[int, Window]], slot: Slot, days: DaySpan) -> int:
    """How many of those whose windows these are could come to a slot in some week of the span."""
    return len({owner for owner, window in windows if _covers(window, slot, days)})


def _covers(window: Window, slot: Slot, days: DaySpan) -> bool:
    return (
        window.weekday == slot.weekday
        and window.start <= slot.start
        and slot.end <= window.end
        and (window.first_day is None or window.first_day <= days.last_day)
        and (window.last_day is None or days.first_day <= window.last_day)
    )
