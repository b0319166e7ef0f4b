"""Whether a lesson will run on a line: what was measured, and what that means.  Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median_low
from urllib.parse import urlsplit

from scheduler.domain.limits import milliseconds

HOPS = 8  # round trips that a browser without scripts is sent on
LIFE = timedelta(minutes=2)  # of such a test, from its first request on
SOON = timedelta(days=2)  # so near a lesson, its line should be tried
MOST_ROOMS = 5  # hosts that one page tries
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*")


class Verdict(StrEnum):
    GOOD = "good"
    FAIR = "fair"
    BAD = "bad"


def is_near(starts_at: datetime, now: datetime) -> bool:
    """Whether it is time to try the line of a lesson."""
    return timedelta() < starts_at - now <= SOON


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a line may need at most for a round trip, may lose at most, and must carry."""

    trip_ms: int
    lost_percent: float
    mbits: float


GOOD = Bounds(150, 1, 1.5)
FAIR = Bounds(300, 5, 0.6)


def verdict(trip_ms: int) -> Verdict:
    """What the round trip alone says; the page's script weighs the rest by the same bounds."""
    if trip_ms <= GOOD.trip_ms:
        return Verdict.GOOD
    return Verdict.FAIR if trip_ms <= FAIR.trip_ms else Verdict.BAD


def origin(address: str) -> str | None:
    """`https://host[:port]` of an address, fit for a page's policy; None: no page could ask it."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme != "https" or len(host) > 253 or not _HOST.fullmatch(host):
        return None
    return f"https://{host}:{port}" if port else f"https://{host}"


def origins(addresses: Iterable[str]) -> tuple[str, ...]:
    """Those of these addresses, each once, the first ones first."""
    found = dict.fromkeys(filter(None, map(origin, addresses)))
    return tuple(found)[:MOST_ROOMS]


# -- without scripts: redirects, one after the other


@dataclass(frozen=True, slots=True)
class Trail:
    """When a browser's requests came in, in milliseconds since 1970; `place`: the page it began on.

    The first is its form; from each to the next is one round trip, but from the last but one to the
    last also the time of a whole page.
    """

    person: int
    place: str
    arrivals: tuple[int, ...]

    @property
    def is_page_next(self) -> bool:
        return len(self.arrivals) == HOPS + 1

    @property
    def is_over(self) -> bool:
        return len(self.arrivals) == HOPS + 2

    def after(self, now: datetime) -> "Trail":
        """With one more request that came in."""
        return replace(self, arrivals=(*self.arrivals, milliseconds(now)))


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds: the median round trip, the longest, and what the page took beyond one."""

    trip_ms: int
    worst_ms: int
    page_ms: int


def timing(arrivals: Sequence[int]) -> Timing:
    """What a whole trail says; a clock that was set back in between counts as no time."""
    gaps = [max(0, after - before) for before, after in pairwise(arrivals)]
    *trips, page = gaps
    trip = median_low(trips)
    return Timing(trip, max(trips), max(0, page - trip))
