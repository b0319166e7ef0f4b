"""From the bytes of a calendar to the times that its owner is busy.

Runs in the child process only, where time and memory have an end: see `busy`.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scheduler.domain import busy
from scheduler.domain.busy import (
    MOST_IN_ALL,
    MOST_OF_ONE_EVENT,
    BusyChoices,
    BusyReading,
    BusyTime,
)
from scheduler.domain.intervals import Interval
from scheduler.exchange import busy_events, busy_lines
from scheduler.exchange.busy_events import Event, Moment, Unclear
from scheduler.exchange.busy_lines import Component
from scheduler.exchange.busy_zones import Zones

_EVENTS = frozenset({"VEVENT", "VFREEBUSY"})
_FREE = frozenset({"FREE", "WORKINGELSEWHERE"})


class TooMany(Exception):
    """One event, or all together, happen more often than is read."""

    def __init__(self, *, together: bool) -> None:
        super().__init__()
        self.together = together


@dataclass(frozen=True, slots=True)
class _Asked:
    zones: Zones
    reach: Interval
    choices: BusyChoices
    own_uids: str  # how they end


@dataclass(frozen=True, slots=True)
class _Change:
    """An event that stands for one occurrence of a series; without softness it takes no time."""

    event: Event
    instead_of: Moment
    soft: bool | None

    @property
    def shift(self) -> timedelta:
        return self.event.start.local - self.instead_of.local

    def moved(self, moment: Moment) -> Moment:
        start = self.event.start
        return Moment(moment.local + self.shift, start.zone, start.day)


@dataclass(slots=True)
class _Found:
    """What is known so far; an event without a fate yet is one that takes time."""

    times: list[BusyTime] = field(default_factory=list)
    events: int = 0
    free: int = 0
    all_day_left_out: int = 0
    ours: int = 0
    unclear: int = 0
    series: list[tuple[Event, bool | None]] = field(default_factory=list)
    changes: dict[str, list[_Change]] = field(default_factory=dict)

    def take(self, times: list[BusyTime]) -> None:
        self.times += times
        if len(self.times) > MOST_IN_ALL:
            raise TooMany(together=True)


def read(
    body: bytes, zone: str, reach: Interval, choices: BusyChoices, own_domain: str
) -> BusyReading:
    """Raises busy_lines.Broken, busy_events.TooOften and TooMany."""
    zones = Zones(zone, *busy_lines.definitions(body))
    asked = _Asked(zones, reach, choices, f"@{own_domain}")
    found = _Found()
    for part in busy_lines.components(body, _EVENTS):
        found.events += 1
        try:
            if part.kind == "VFREEBUSY":
                _take_periods(part, asked, found)
            else:
                _take_event(part, asked, found)
        except (Unclear, OverflowError):
            found.unclear += 1
    for event, soft in found.series:
        try:
            _take_series(event, soft, asked, found)
        except (Unclear, OverflowError):
            found.unclear += 1
    return BusyReading(
        busy.merged(found.times),
        found.events,
        found.free,
        found.all_day_left_out,
        found.ours,
        found.unclear,
    )


def _take_periods(part: Component, asked: _Asked, found: _Found) -> None:
    for line, start, end in busy_events.periods(part.all("FREEBUSY"), asked.zones):
        kind = line.parameters.get("FBTYPE", "BUSY").upper()
        span = _within(start, end, asked.reach)
        if kind != "FREE" and span is not None:
            found.take([BusyTime(span, kind == "BUSY-TENTATIVE")])


def _take_event(part: Component, asked: _Asked, found: _Found) -> None:
    event = busy_events.event(part, asked.zones)
    soft = _softness(part, event, asked, found)
    if event.replaces is not None:
        change = _Change(event, event.replaces, soft)
        found.changes.setdefault(event.uid, []).append(change)
    if event.repeats:
        found.series.append((event, soft))
    elif soft is not None:
        span = _within(event.start.instant, event.length.end(event.start), asked.reach)
        found.take([BusyTime(span, soft)] if span else [])


def _softness(part: Component, event: Event, asked: _Asked, found: _Found) -> bool | None:
    """None for an event that takes no time, which is counted by its reason."""
    status, shown = part.word("STATUS"), part.word("X-MICROSOFT-CDO-BUSYSTATUS")
    if event.uid.startswith(("lesson-", "joint-")) and event.uid.endswith(asked.own_uids):
        found.ours += 1
        return None
    see_through = part.word("TRANSP") == "TRANSPARENT"
    if (
        status in ("CANCELLED", "CANCELED")
        or shown in _FREE
        or (see_through and (event.start.day or not asked.choices.shown_free))
    ):
        found.free += 1
        return None
    if event.start.day and not asked.choices.all_day:
        found.all_day_left_out += 1
        return None
    return "TENTATIVE" in (status, shown)


def _take_series(event: Event, soft: bool | None, asked: _Asked, found: _Found) -> None:
    """A series where it happens itself: less what is left out of it or has an event of its own."""
    changes = found.changes.get(event.uid, [])
    onwards = [each for each in changes if each.event.onwards]
    if soft is None and all(each.soft is None for each in onwards):
        return
    gone = event.without + tuple(each.instead_of for each in changes)
    days = {each.local.date() for each in gone if each.day or event.start.day}
    instants = {each.instant for each in gone if not each.day}
    times: list[BusyTime] = []
    for moment, length in busy_events.occurrences(event, *_around(asked.reach, onwards)):
        if moment.instant in instants or moment.local.date() in days:
            continue
        mood = soft
        change = _in_force(onwards, moment)
        if change is not None:
            mood, length = change.soft, change.event.length
            moment = change.moved(moment)
        span = _within(moment.instant, length.end(moment), asked.reach)
        if span is not None and mood is not None:
            times.append(BusyTime(span, mood))
            if len(times) > MOST_OF_ONE_EVENT:
                raise TooMany(together=False)
    found.take(times)


def _in_force(onwards: list[_Change], moment: Moment) -> _Change | None:
    """The last change of a series, from some occurrence onwards, that holds for this one."""
    before = [each for each in onwards if each.instead_of.instant <= moment.instant]
    return max(before, key=lambda each: each.instead_of.instant, default=None)


def _around(reach: Interval, onwards: list[_Change]) -> tuple[datetime, datetime]:
    """Wide enough for what a change moves into reach."""
    room = max((abs(each.shift) + each.event.length.most for each in onwards), default=timedelta())
    return reach.start - room, reach.end + room


def _within(start: datetime, end: datetime, reach: Interval) -> Interval | None:
    first, last = max(start, reach.start), min(end, reach.end)
    return Interval(first, last) if first < last else None
