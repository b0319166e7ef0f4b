"""A time zone's offsets as two yearly rules, which every calendar program reads alike.  Pure.

Outlook drops a zone with two STANDARD parts or with lists of dates, so a zone whose changes in the
years asked for follow no such rule has none, and its lessons are told in UTC.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

_NTHS = (-1, 1, 2, 3, 4)  # the last one of a month first: most zones of Europe
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock's


@cache
def known() -> frozenset[str]:
    """Every zone of the world that this machine knows; none that means its own clock."""
    return frozenset(available_timezones()) - {"Factory", "localtime"}


@dataclass(frozen=True, slots=True)
class Yearly:
    """The n-th `weekday` (0 = Monday) of a month, the last one for -1; `at` by the old clock."""

    month: int
    weekday: int
    nth: int
    at: timedelta

    def in_year(self, year: int) -> datetime:
        """The wall clock's reading, by the old offset, when the new one begins."""
        first, days = calendar.monthrange(year, self.month)
        day = 1 + (self.weekday - first) % 7 + 7 * (self.nth - 1)
        if self.nth < 0:
            day = days - (first + days - 1 - self.weekday) % 7
        return datetime(year, self.month, day) + self.at  # noqa: DTZ001 - a wall clock's


@dataclass(frozen=True, slots=True)
class Observance:
    """From `since`, a wall clock's reading by the offset before, the clock is `offset` from UTC."""

    since: datetime
    before: timedelta
    offset: timedelta
    name: str
    yearly: Yearly | None = None


@dataclass(frozen=True, slots=True)
class ZoneRules:
    """A zone without summer time has no `daylight`."""

    zone: str
    standard: Observance
    daylight: Observance | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    wall: datetime  # by the old offset
    before: timedelta
    after: timedelta
    name: str


@lru_cache(maxsize=64)
def rules(zone: str, first_year: int, last_year: int) -> ZoneRules | None:
    """The rules that hold in all of these years; None where there are no such."""
    info = ZoneInfo(zone)
    changes = [list(_changes(info, year)) for year in range(first_year, last_year + 1)]
    if not any(changes):
        start = datetime(first_year, 1, 1, tzinfo=UTC).astimezone(info)
        offset = _offset(start)
        if offset.seconds % 60:
            return None
        return ZoneRules(zone, Observance(_EPOCH, offset, offset, start.tzname() or zone))
    up = [change for year in changes for change in year if change.after > change.before]
    down = [change for year in changes for change in year if change.after < change.before]
    if any(len(year) != 2 for year in changes) or len(up) != len(down):
        return None
    standard, daylight = _observance(down), _observance(up)
    if standard is None or daylight is None or standard.offset != daylight.before:
        return None
    return ZoneRules(zone, standard, daylight)


def _changes(info: ZoneInfo, year: int) -> list[_Change]:
    """What becomes of the offset in a year of UTC, to the minute."""
    begins, ends = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    days = [begins + timedelta(days=n) for n in range((ends - begins).days + 1)]
    found = []
    for low, high in pairwise(days):
        if _offset(low.astimezone(info)) == _offset(high.astimezone(info)):
            continue
        before = low.astimezone(info)
        while high - low > timedelta(minutes=1):
            middle = low + (high - low) // 2
            middle = middle.replace(second=0, microsecond=0)
            if _offset(middle.astimezone(info)) == _offset(before):
                low = middle
            else:
                high = middle
        after = high.astimezone(info)
        wall = high.replace(tzinfo=None) + _offset(before)
        found.append(_Change(wall, _offset(before), _offset(after), after.tzname() or str(info)))
    return found


def _observance(changes: list[_Change]) -> Observance | None:
    """One part of the zone, where one yearly rule gives all these changes."""
    first = changes[0]
    if {(x.before, x.after, x.name) for x in changes} != {(first.before, first.after, first.name)}:
        return None
    for nth in _NTHS:
        day = first.wall.replace(hour=0, minute=0)
        yearly = Yearly(first.wall.month, first.wall.weekday(), nth, first.wall - day)
        if all(yearly.in_year(x.wall.year) == x.wall for x in changes):
            since = yearly.in_year(_EPOCH.year)
            return Observance(since, first.before, first.after, first.name, yearly)
    return None


def _offset(moment: datetime) -> timedelta:
    offset = moment.utcoffset()
    assert offset is not None  # noqa: S101 - an aware instant
    return offset
