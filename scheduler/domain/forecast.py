"""Whether what waits to be sent will go out in time, at the present rate.  Pure."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from scheduler.domain.messages import Channel

MEASURED_OVER = timedelta(minutes=10)


class RateSource(StrEnum):
    """How the rate is known: from what one message takes, from what went out, or not at all."""

    TIMED = "timed"
    MEASURED = "measured"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Load:
    """Messages of one channel that wait now and are of use until the same minute."""

    channel: Channel
    deadline: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of a channel: seconds that one message takes, messages sent of late, and the
    most that its relay takes a second; None where nobody knows."""

    send_seconds: float | None = None
    sent_lately: int = 0
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """Messages a second; 0 when it is unknown."""

    per_second: float
    source: RateSource


UNKNOWN = Rate(0.0, RateSource.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What becomes of the messages of one channel that wait now.

    `needs`: how long all of them take at this rate; None when the rate is unknown.  `deadline`:
    of all deadlines the one with the least time to spare, None for an empty queue.
    `will_be_late`: how many will not go out before theirs; None when nobody can know.
    """

    channel: Channel
    waiting: int
    rate: Rate
    needs: timedelta | None
    deadline: datetime | None
    will_be_late: int | None


def by_minute(waiting: Iterable[tuple[Channel, datetime, int]]) -> tuple[Load, ...]:
    """Counts by channel and exact deadline, gathered by the minute in which they end.

    A message counts for the whole minute before its deadline: the forecast errs to the safe side.
    """
    found: dict[tuple[Channel, datetime], int] = {}
    for channel, deadline, count in waiting:
        key = (channel, deadline.replace(second=0, microsecond=0))
        found[key] = found.get(key, 0) + count
    return tuple(Load(channel, at, count) for (channel, at), count in sorted(found.items()))


def rate_of(pace: Pace, senders: int) -> Rate:
    """The messages a second that so many senders give away at this pace."""
    limit = math.inf if pace.limit is None else pace.limit
    if pace.send_seconds and senders:
        return Rate(min(limit, senders / pace.send_seconds), RateSource.TIMED)
    if pace.sent_lately:
        measured = pace.sent_lately / MEASURED_OVER.total_seconds()
        return Rate(min(limit, measured), RateSource.MEASURED)
    return UNKNOWN


def forecasts(
    loads: Iterable[Load],
    paces: Mapping[Channel, Pace],
    senders: Mapping[Channel, int],
    now: datetime,
) -> tuple[Forecast, ...]:
    """One forecast for each channel that has something waiting, in the order of the channels."""
    ordered = sorted(loads, key=lambda load: list(Channel).index(load.channel))
    return tuple(
        of_channel(
            channel, tuple(own), rate_of(paces.get(channel, Pace()), senders.get(channel, 0)), now
        )
        for channel, own in groupby(ordered, key=lambda load: load.channel)
    )


def of_channel(channel: Channel, loads: Iterable[Load], rate: Rate, now: datetime) -> Forecast:
    """Send the earliest deadline first; what would be too late is not sent and takes no time."""
    queue = sorted((load for load in loads if load.count), key=lambda load: load.deadline)
    waiting = sum(load.count for load in queue)
    known = rate.source is not RateSource.UNKNOWN
    return Forecast(
        channel=channel,
        waiting=waiting,
        rate=rate,
        needs=_lasting(waiting, rate.per_second) if known else None,
        deadline=_tightest(queue, rate.per_second, now),
        will_be_late=waiting - _in_time(queue, rate.per_second, now) if known else None,
    )


def _in_time(queue: Iterable[Load], per_second: float, now: datetime) -> int:
    sent = 0
    for load in queue:
        room = _room(load.deadline - now, per_second, sent + load.count)
        sent = max(sent, min(sent + load.count, room))
    return sent


def _room(left: timedelta, per_second: float, most: int) -> int:
    """How many messages are out when `left` is over; never said to be more than `most`."""
    seconds = left.total_seconds()
    if seconds <= 0:
        return 0
    return most if seconds * per_second >= most else math.floor(seconds * per_second)


def _tightest(queue: Iterable[Load], per_second: float, now: datetime) -> datetime | None:
    spare: list[tuple[timedelta, datetime]] = []
    before = 0
    for load in queue:
        before += load.count
        needed = _lasting(before, per_second) if per_second else timedelta(0)
        spare.append((load.deadline - now - needed, load.deadline))
    return min(spare)[1] if spare else None


def _lasting(count: int, per_second: float) -> timedelta:
    """Not above a year: who needs longer needs another relay, not a number."""
    if not per_second:
        return timedelta(days=365)
    return timedelta(seconds=min(count / per_second, 365 * 86400))
