"""Spans of time and of days.  Pure: no clock, no database."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Two aware instants; the end is not part of it."""

    start: datetime
    end: datetime

    def overlaps(self, other: "Interval") -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True, order=True)
class DaySpan:
    """Days from the first to the last, both part of it."""

    first_day: date
    last_day: date

    def __contains__(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day

    def days(self) -> tuple[date, ...]:
        count = (self.last_day - self.first_day).days + 1
        return tuple(self.first_day + timedelta(days=n) for n in range(count))


def monday(day: date) -> date:
    """The Monday of the week of `day`."""
    return day - timedelta(days=day.weekday())


def midnight(day: date, zone: str) -> datetime:
    """When `day` begins on the wall of `zone`, in UTC: two times of one zone would be compared by
    their clocks, blind to a change of the hour."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def end_of(day: date, zone: str) -> datetime:
    """The last instant of `day` on the wall of `zone`."""
    return midnight(day + timedelta(days=1), zone) - timedelta(microseconds=1)


def clock_text(minute: int) -> str:
    """Minutes since midnight as HH:MM."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def minutes_of(clock: str) -> int:
    """HH:MM as minutes since midnight."""
    return minute_of(time.fromisoformat(clock))


def minute_of(value: time | datetime) -> int:
    """Minutes since midnight of a wall-clock time."""
    return value.hour * 60 + value.minute


@lru_cache(maxsize=4096)  # one lesson is held against hundreds of teachers
def dated(day: date, start: int, end: int, zone: str) -> Interval:
    """The instants, in UTC, of minutes `start` to `end` of `day` on the wall clock of `zone`."""
    there = ZoneInfo(zone)
    midnight = datetime.combine(day, time(), there)
    return Interval(
        (midnight + timedelta(minutes=start)).astimezone(UTC),
        (midnight + timedelta(minutes=end)).astimezone(UTC),
    )
