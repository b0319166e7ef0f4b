"""Busy time from a teacher's own calendar: what is understood of it, and for how long it counts.
Pure: no clock, no database.  No title, place or guest of anybody's appointment comes this far.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduler.domain.intervals import Interval


@dataclass(frozen=True, slots=True)
class BusyChoices:
    """How a teacher wants the calendar read.

    `all_day`: events without times take the day; `shown_free`: timed events that the calendar
    shows as free take their time as well.
    """

    all_day: bool = False
    shown_free: bool = False


@dataclass(frozen=True, slots=True, order=True)
class BusyTime:
    """A span that is taken; a soft one is tentative."""

    span: Interval
    soft: bool = False


@dataclass(frozen=True, slots=True)
class BusyReading:
    """What was understood of a calendar: times in order, and events by what became of them.

    Events are counted once each, however often they happen and whenever.  `ours` are lessons of
    this system that the calendar mirrors back; they never make busy.  `unclear` could not be read.
    """

    times: tuple[BusyTime, ...]
    events: int
    free: int
    all_day_left_out: int
    ours: int
    unclear: int = 0


class Availability(StrEnum):
    """What the calendar says of a teacher at some time; unknown: no copy is young enough."""

    BUSY = "busy"
    FREE = "free"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A calendar as it was read: its bytes, and what makes the next reading cheap."""

    body: bytes
    etag: str | None
    last_modified: str | None
    at: datetime
