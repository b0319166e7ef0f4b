"""What the dates of one event of a calendar mean, and when a rule lets it happen again."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from dateutil import rrule

from scheduler.exchange.busy_lines import Component, Line
from scheduler.exchange.busy_zones import Zones

MOST_VALUES = 400  # of one part of a rule
MOST_TIMES_A_DAY = 24

_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?", re.ASCII)
_LENGTH = re.compile(
    r"\+?P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})S)?)?",
    re.ASCII,
)
_FREQUENCIES = {
    "YEARLY": rrule.YEARLY,
    "MONTHLY": rrule.MONTHLY,
    "WEEKLY": rrule.WEEKLY,
    "DAILY": rrule.DAILY,
}
_TOO_OFTEN = frozenset({"HOURLY", "MINUTELY", "SECONDLY"})
_TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")
_NUMBERS = ("BYSETPOS", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", *_TIMES)
_DAYS = {str(day): day for day in rrule.weekdays}
_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)


class Unclear(Exception):
    """This event cannot be understood."""


class TooOften(Exception):
    """An event that repeats within a day."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time on the wall clock of a zone; of a whole day, its midnight."""

    local: datetime
    zone: tzinfo
    day: bool = False

    @property
    def instant(self) -> datetime:
        return self.local.replace(tzinfo=self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Length:
    """Days go by the calendar, and what is left by the stopwatch."""

    days: int
    rest: timedelta = timedelta()

    def end(self, start: Moment) -> datetime:
        on_clock = Moment(start.local + timedelta(days=self.days), start.zone)
        return on_clock.instant + self.rest

    @property
    def most(self) -> timedelta:
        """No shorter than this length in any zone."""
        return timedelta(days=self.days + 1) + self.rest


@dataclass(frozen=True, slots=True)
class Event:
    """`replaces` is the occurrence that this one stands for, `onwards` with all after it."""

    uid: str
    start: Moment
    length: Length
    rules: tuple[str, ...] = ()
    more: tuple[tuple[Moment, Length], ...] = ()
    without: tuple[Moment, ...] = ()
    replaces: Moment | None = None
    onwards: bool = False

    @property
    def repeats(self) -> bool:
        return bool(self.rules or self.more) and self.replaces is None


def event(part: Component, zones: Zones) -> Event:
    """Raises Unclear."""
    uid, begins = part.first("UID"), part.first("DTSTART")
    if begins is None:
        raise Unclear
    start = _moment(begins.value, begins, zones)
    length = _length_of(part, start, zones)
    if part.word("X-MICROSOFT-CDO-ALLDAYEVENT") == "TRUE" and not start.day:
        start, length = _whole_days(start, length, zones)
    replaced = part.first("RECURRENCE-ID")
    return Event(
        uid.value.strip() if uid else "",
        start,
        length,
        tuple(line.value for line in part.all("RRULE")),
        tuple(_more(part.all("RDATE"), length, zones)),
        tuple(_moments(part.all("EXDATE"), zones)),
        None if replaced is None else _moment(replaced.value, replaced, zones),
        replaced is not None and replaced.parameters.get("RANGE", "").upper() == "THISANDFUTURE",
    )


def occurrences(found: Event, since: datetime, until: datetime) -> Iterator[tuple[Moment, Length]]:
    """Each time that it happens, near or inside two instants, with those that others replace.

    Raises Unclear and TooOften.
    """
    zone = found.start.zone
    first = since.astimezone(zone).replace(tzinfo=None) - found.length.most
    last = until.astimezone(zone).replace(tzinfo=None) + timedelta(days=1)
    seen: set[datetime] = set()
    first_of_all = () if _never_began(found) else ((found.start, found.length),)
    for moment, length in (*first_of_all, *found.more):
        if moment.instant not in seen:
            seen.add(moment.instant)
            yield moment, length
    for words in found.rules:
        for local in _repeated(words, found.start):
            if local > last:
                break
            if local < first:
                continue
            moment = Moment(local, zone, found.start.day)
            if moment.instant not in seen:
                seen.add(moment.instant)
                yield moment, found.length


def periods(lines: Iterable[Line], zones: Zones) -> Iterator[tuple[Line, datetime, datetime]]:
    """The spans of FREEBUSY lines.  Raises Unclear."""
    for line in lines:
        for value in line.value.split(","):
            start, length = _period(value, line, zones)
            yield line, start.instant, length.end(start)


def _moment(value: str, line: Line, zones: Zones) -> Moment:
    local, day, utc = _wall(value)
    if day:
        return Moment(local, zones.home, day=True)
    moment = Moment(local, UTC if utc else zones.of(line.parameters.get("TZID")))
    try:
        _ = moment.instant  # the first and last days of all time are none in another zone
    except (ValueError, OverflowError):
        raise Unclear from None
    return moment


def _wall(value: str) -> tuple[datetime, bool, bool]:
    """What a clock shows, whether it is a whole day's midnight, and whether it is UTC's clock."""
    found = _MOMENT.fullmatch(value.strip())
    if not found:
        raise Unclear
    year, month, day, hour, minute, second = (int(each or 0) for each in found.groups()[:6])
    try:
        local = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001 - a wall clock's
    except ValueError:
        raise Unclear from None
    return local, found[4] is None, bool(found[7])


def _moments(lines: Iterable[Line], zones: Zones) -> Iterator[Moment]:
    for line in lines:
        for value in line.value.split(","):
            if value.strip():
                yield _moment(value, line, zones)


def _length_of(part: Component, start: Moment, zones: Zones) -> Length:
    ends, lasts = part.first("DTEND"), part.first("DURATION")
    if ends is not None:
        return _between(start, _moment(ends.value, ends, zones))
    if lasts is not None:
        return _length(lasts.value)
    return Length(1 if start.day else 0)


def _between(start: Moment, end: Moment) -> Length:
    if start.day != end.day or end.instant < start.instant:
        raise Unclear
    if start.day:
        return Length(max(1, (end.local - start.local).days))
    return Length(0, end.instant - start.instant)


def _length(value: str) -> Length:
    found = _LENGTH.fullmatch(value.strip())
    if not found or not any(found.groups()):
        raise Unclear
    weeks, days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return Length(weeks * 7 + days, timedelta(hours=hours, minutes=minutes, seconds=seconds))


def _whole_days(start: Moment, length: Length, zones: Zones) -> tuple[Moment, Length]:
    """Outlook's way to write whole days: from midnight to midnight of its own zone."""
    days = round((length.end(start) - start.instant) / timedelta(days=1))
    midnight = start.local.replace(hour=0, minute=0, second=0)
    return Moment(midnight, zones.home, day=True), Length(max(1, days))


def _more(lines: Iterable[Line], length: Length, zones: Zones) -> Iterator[tuple[Moment, Length]]:
    for line in lines:
        for value in filter(str.strip, line.value.split(",")):
            if "/" in value:
                yield _period(value, line, zones)
            else:
                yield _moment(value, line, zones), length


def _period(value: str, line: Line, zones: Zones) -> tuple[Moment, Length]:
    begins, slash, ends = value.partition("/")
    if not slash:
        raise Unclear
    start = _moment(begins, line, zones)
    if ends.strip().startswith(("P", "+P")):
        return start, _length(ends)
    return start, _between(start, _moment(ends, line, zones))


def _never_began(found: Event) -> bool:
    """True for what Google leaves of a series when all that follows its first day is deleted."""
    ends = [parts["UNTIL"] for parts in map(_parts, found.rules) if "UNTIL" in parts]
    return any(_until(end, found.start) < found.start.local for end in ends)


def _parts(words: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in words.strip().upper().split(";") if pair)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _repeated(words: str, start: Moment) -> Iterator[datetime]:
    """The wall-clock times of a rule, from the first on."""
    parts = _parts(words)
    if parts.get("FREQ") in _TOO_OFTEN or _times_a_day(parts) > MOST_TIMES_A_DAY:
        raise TooOften
    try:
        rule = rrule.rrule(
            _FREQUENCIES[parts["FREQ"]],
            dtstart=start.local,
            interval=max(1, int(parts.get("INTERVAL", "1"))),
            wkst=_DAYS[parts.get("WKST", "MO")],
            count=int(parts["COUNT"]) if "COUNT" in parts else None,
            until=_until(parts["UNTIL"], start) if "UNTIL" in parts else None,
            byweekday=_weekdays(parts["BYDAY"]) if "BYDAY" in parts else None,
            **{name.lower(): _numbers(parts[name]) for name in _NUMBERS if name in parts},
        )
        yield from rule
    except (KeyError, ValueError, TypeError, OverflowError):
        raise Unclear from None


def _times_a_day(parts: dict[str, str]) -> int:
    times = 1
    for name in _TIMES:
        times *= len(parts.get(name, "").split(","))
    return times


def _numbers(value: str) -> list[int]:
    found = value.split(",")
    if len(found) > MOST_VALUES:
        raise Unclear
    return [int(each) for each in found]


def _weekdays(value: str) -> list[object]:
    found = [_DAY.fullmatch(each.strip()) for each in value.split(",")]
    if len(found) > MOST_VALUES:
        raise Unclear
    days: list[object] = []
    for each in found:
        if each is None:
            raise Unclear
        days.append(_DAYS[each[2]](int(each[1])) if each[1] else _DAYS[each[2]])
    return days


def _until(value: str, start: Moment) -> datetime:
    """On the event's own wall clock; a day counts to its end."""
    last, day, utc = _wall(value)
    if day or start.day:
        return last.replace(hour=23, minute=59, second=59)
    if utc:
        return last.replace(tzinfo=UTC).astimezone(start.zone).replace(tzinfo=None)
    return last
