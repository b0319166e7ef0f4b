"""A calendar of days without lessons -> a table of them, as a workbook would have it.

Only whole days are taken: what begins at some hour, or again and again, is left to be told.
Titles are not read.
"""

import re
from datetime import date, timedelta
from itertools import islice

from scheduler.exchange import busy_lines, layout, refusals
from scheduler.exchange.busy_lines import Component
from scheduler.exchange.faults import Cell
from scheduler.exchange.grids import MOST_ROWS, Grid

_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,100}BEGIN:VCALENDAR", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_EVENTS = frozenset({"VEVENT"})


def is_calendar(data: bytes) -> bool:
    return bool(_BEGINS.match(data))


def grid(data: bytes) -> Grid:
    """One row for each event that stands, below the names; raises UnreadableError."""
    heads: tuple[Cell, ...] = (layout.FIRST_DAY, layout.LAST_DAY)
    try:
        parts = list(islice(busy_lines.components(data, _EVENTS), MOST_ROWS))
    except busy_lines.Broken:
        raise refusals.error(refusals.BROKEN_CALENDAR) from None
    rows = [_row(part) for part in parts if part.word("STATUS") not in ("CANCELLED", "CANCELED")]
    if len(rows) >= MOST_ROWS:
        raise refusals.error(refusals.BEYOND)
    return Grid(layout.CLOSED.sheet, tuple(enumerate([heads, *rows], start=1)))


def _row(part: Component) -> tuple[Cell, ...]:
    """First and last day; the words of the calendar where these are no whole days, once."""
    begins, ends = _value(part, "DTSTART"), _value(part, "DTEND")
    first, after = _day(begins), _day(ends)
    if first is None or part.first("RRULE") or part.first("DURATION"):
        return (" ".join((begins, _value(part, "RRULE"), _value(part, "DURATION"))).strip() or "?",)
    if not ends:
        return (first,)
    return first, ends if after is None else max(first, after - timedelta(days=1))


def _value(part: Component, name: str) -> str:
    line = part.first(name)
    return line.value.strip() if line else ""


def _day(said: str) -> date | None:
    found = _DAY.fullmatch(said)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None
