"""Busy time from a teacher's own calendar: what is understood of it, and for how long it counts.
Pure: no clock, no database.  No title, place or guest of anybody's appointment comes this far.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit
from zlib import crc32
from zoneinfo import ZoneInfo

from scheduler.domain.intervals import Interval, midnight
from scheduler.domain.people import TeacherId
from scheduler.errors import Invalid, Text, text

KEEPS = timedelta(days=3)  # an older copy says nothing of free time
LOOKS_BACK, LOOKS_AHEAD = timedelta(days=1), timedelta(days=366)  # a term and more
WEARS_AFTER = timedelta(days=7)
LONGEST_ADDRESS = 2000
MOST_OF_ONE_EVENT, MOST_IN_ALL = 1_000, 10_000  # times that are read of a calendar
_PLAIN = re.compile(r"[!-~]+")  # a browser writes no other signs into an address
EVERY, SLOWEST = timedelta(hours=1), timedelta(days=1)


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


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the events of the last good copy; `free` are those shown as free."""

    events: int = 0
    free: int = 0
    all_day_left_out: int = 0
    ours: int = 0
    unclear: int = 0


@dataclass(frozen=True, slots=True)
class BusySource:
    """A teacher's own calendar as it stands: when it was read, and what the last try said.

    `known_until` is how far ahead the last good copy was looked through; `fault` is the sentence
    of the last try, None when that went well.
    """

    teacher_id: TeacherId
    choices: BusyChoices
    last_try_at: datetime | None
    last_good_at: datetime | None
    known_until: datetime | None
    failures: int
    fault: Text | None
    next_try_at: datetime
    counts: Counts

    def is_old(self, now: datetime) -> bool:
        """True when what was read says nothing of free time any more."""
        return self.last_good_at is None or now - self.last_good_at > KEEPS


def availability(
    source: BusySource | None, times: Iterable[BusyTime], at: Interval, now: datetime
) -> Availability:
    """Whether a teacher is free at some time; UNKNOWN: ask first.

    Times that were read count as busy however old they are: a calendar that cannot be read must
    never free its teacher.  Who has no calendar here is free unless a time says otherwise.
    """
    met = [time for time in times if time.span.overlaps(at)]
    if any(not time.soft for time in met):
        return Availability.BUSY
    if met:
        return Availability.UNKNOWN
    if source is None:
        return Availability.FREE
    beyond = source.known_until is None or source.known_until < at.end
    return Availability.UNKNOWN if beyond or source.is_old(now) else Availability.FREE


def address_of(typed: str) -> str:
    """A calendar's secret address as it is read, over https; raises Invalid for anything else."""
    address = typed.strip()
    scheme, _, rest = address.partition("://")
    if scheme.lower() in ("webcal", "webcals"):
        address = f"https://{rest}"
    if not host_of(address) or len(address) > LONGEST_ADDRESS or not _PLAIN.fullmatch(address):
        fault = text("Copy the whole address. It begins with https:// or webcal://.")
        raise Invalid("The address was not saved.", fields={"address": fault})
    return address


def host_of(address: str) -> str:
    """The host of an https address, all of it that may be shown; empty for anything else."""
    try:
        parts = urlsplit(address)
    except ValueError:  # what the standard library raises for half an IPv6 address
        return ""
    return parts.hostname or "" if parts.scheme == "https" else ""


def reach(now: datetime) -> Interval:
    """The time that is looked through in a calendar read now."""
    return Interval(now - LOOKS_BACK, now + LOOKS_AHEAD)


def is_worn(known_until: datetime | None, now: datetime) -> bool:
    """True when a copy must be read anew though it did not change: its look ahead has shrunk."""
    return known_until is None or known_until - now < LOOKS_AHEAD - WEARS_AFTER


def emptied(reading: BusyReading, kept: int) -> bool:
    """True for a copy that tells nothing where times were kept: more often a fault than leisure.

    Such a copy frees nobody, unless the teacher asked for the reading and sees what came of it.
    """
    understood = reading.events - reading.unclear
    return kept > 0 and understood == 0


def next_try(failures: int, seed: int, now: datetime) -> datetime:
    """When to read again: after an hour, after failures twice as long each time, at most a day.

    The seed spreads calendars over a fifth of that, so that they do not all come at once.
    """
    wait: timedelta = min(EVERY * 2.0 ** min(failures, 10), SLOWEST)
    share = crc32(f"{seed}:{failures}".encode()) / 2**32
    return now + wait * (0.9 + 0.2 * share)


def tidied(times: Iterable[BusyTime]) -> tuple[BusyTime, ...]:
    """In whole minutes, merged.

    Rounded outwards: an event of seconds is a minute, and no lesson begins within one.
    """
    return merged(map(_in_minutes, times))


def merged(times: Iterable[BusyTime]) -> tuple[BusyTime, ...]:
    """In order; those of one softness neither overlap nor touch."""
    kept: list[BusyTime] = []
    last: dict[bool, int] = {}
    for time in sorted(times):
        place = last.get(time.soft)
        if place is not None and time.span.start <= kept[place].span.end:
            end = max(time.span.end, kept[place].span.end)
            kept[place] = BusyTime(Interval(kept[place].span.start, end), time.soft)
        else:
            last[time.soft] = len(kept)
            kept.append(time)
    return tuple(sorted(kept))


def _in_minutes(time: BusyTime) -> BusyTime:
    start = time.span.start.replace(second=0, microsecond=0)
    end = time.span.end.replace(second=0, microsecond=0)
    if end < time.span.end or end == start:
        end += timedelta(minutes=1)
    return BusyTime(Interval(start, end), time.soft)


# -- as a teacher looks at it


@dataclass(frozen=True, slots=True)
class BusyPart:
    """A part of one day, on the wall clock of the teacher's zone; a whole day has no clock."""

    start: datetime
    end: datetime
    soft: bool
    whole_day: bool


@dataclass(frozen=True, slots=True)
class BusyDay:
    day: date
    parts: tuple[BusyPart, ...]


def by_day(times: Iterable[BusyTime], zone: str, first: date, days: int) -> tuple[BusyDay, ...]:
    """The days that hold busy times, of `days` from `first` on."""
    ordered = tidied(times)
    found = (
        BusyDay(day, tuple(_parts(ordered, day, zone)))
        for day in (first + timedelta(days=n) for n in range(days))
    )
    return tuple(each for each in found if each.parts)


def _parts(times: Iterable[BusyTime], day: date, zone: str) -> Iterator[BusyPart]:
    there = ZoneInfo(zone)
    whole = Interval(midnight(day, zone), midnight(day + timedelta(days=1), zone))
    for each in times:
        if each.span.overlaps(whole):
            span = Interval(max(each.span.start, whole.start), min(each.span.end, whole.end))
            start, end = span.start.astimezone(there), span.end.astimezone(there)
            yield BusyPart(start, end, each.soft, whole_day=span == whole)
