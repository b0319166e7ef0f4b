"""When a teacher is free, day by day of the week, in values ready to print."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.domain.availability import Window
from scheduler.domain.intervals import clock_text
from scheduler.domain.terms import Term

_MONDAY = date(2001, 1, 1)


@dataclass(frozen=True, slots=True)
class Free:
    """`days`: from when to when, empty where it holds for the whole term."""

    clock: str
    if_needed: bool
    days: str


def free(windows: Iterable[Window], term: Term) -> list[tuple[date, list[Free]]]:
    """Any day of each weekday with free times, and those times, the earliest first."""
    found: dict[int, list[Free]] = {}
    for window in sorted(windows):
        found.setdefault(window.weekday, []).append(_free(window, term))
    return [(_MONDAY + timedelta(days=weekday), times) for weekday, times in found.items()]


def _free(window: Window, term: Term) -> Free:
    clock = f"{clock_text(window.start)}–{clock_text(window.end)}"
    first, last = window.first_day or term.first_day, window.last_day or term.last_day
    whole = first <= term.first_day and term.last_day <= last
    return Free(clock, window.if_needed, "" if whole else f"{first:%d/%m} – {last:%d/%m}")
