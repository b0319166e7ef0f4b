"""The quiet a reader asked for, on their own wall: may go past midnight.  Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scheduler.domain.intervals import MINUTES_A_DAY, minute_of

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Quiet:
    """From one wall-clock minute to another in `zone`; the same minute twice is no quiet."""

    start: int
    end: int
    zone: str

    def covers(self, at: datetime) -> bool:
        minute = minute_of(at.astimezone(ZoneInfo(self.zone)))
        return (minute - self.start) % MINUTES_A_DAY < (self.end - self.start) % MINUTES_A_DAY

    def ends(self, at: datetime) -> datetime:
        """The end of the quiet that covers `at`; where clocks jump, the first loud minute then."""
        return self._loud(self._wall(at, self.end, days=1), _MINUTE)

    def begins(self, at: datetime) -> datetime:
        """The last loud minute before the quiet that covers `at`."""
        return self._loud(self._wall(at, self.start, days=-1) - _MINUTE, -_MINUTE)

    def _wall(self, at: datetime, minute: int, days: int) -> datetime:
        """When the wall shows `minute`: the next time after `at` for 1 day, the last for -1."""
        zone = ZoneInfo(self.zone)
        day = at.astimezone(zone).date()
        for shift in (0, days):
            clock = datetime.combine(day + shift * timedelta(days=1), time(*divmod(minute, 60)))
            found = clock.replace(tzinfo=zone).astimezone(UTC)
            if (found - at) * days > timedelta(0) or shift:
                break
        return found

    def _loud(self, at: datetime, step: timedelta) -> datetime:
        while self.covers(at):  # only where the clocks jump: at most an hour or two of minutes
            at += step
        return at


def reminder_time(
    at: datetime, useless_after: datetime, use: timedelta, quiet: Quiet | None
) -> datetime:
    """When a reminder goes out that is due at `at`: not in the quiet.

    After it, if that leaves `use` until nobody needs it any more; else just before it begins.
    """
    if quiet is None or not quiet.covers(at):
        return at
    after = quiet.ends(at)
    return after if after + use <= useless_after else quiet.begins(at)


def reminder_wait(
    now: datetime, useless_after: datetime, use: timedelta, quiet: Quiet | None
) -> datetime | None:
    """Until when a reminder waits that would go out now; `now` when it does not wait.

    None: the quiet lasts until nobody needs it, and the moment before it has passed.
    """
    when = reminder_time(now, useless_after, use, quiet)
    if when >= now or quiet is None:
        return when
    after = quiet.ends(now)
    return after if after < useless_after else None


def news_wait(now: datetime, useless_after: datetime, quiet: Quiet | None) -> datetime:
    """Until when news waits: for the end of the quiet, unless nobody needs it by then."""
    if quiet is None or not quiet.covers(now):
        return now
    after = quiet.ends(now)
    return after if after < useless_after else now
