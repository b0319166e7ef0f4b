"""What this process answered: how often, how long it took.

Written on the event loop alone and without a lock: a calendar's 304 pays two looks at a clock and a
few additions.  Who reads it in another thread may miss the newest answer.
"""

from bisect import bisect_left
from collections import Counter
from typing import NamedTuple

# Seconds.  Among them what is promised of calendars (0.02) and of pages (0.3).
BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
FEED = "/feeds/{token}/{name}"
NO_ROUTE = "(none)"  # whatever stood in the address, it is no label
OTHER = "(other)"
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


def known_method(method: str) -> str:
    """A method is whatever a client wrote: what nobody knows must not make a row of its own."""
    return method if method in METHODS else OTHER


class Kind(NamedTuple):
    """Answers that are counted together; `status`: the first of its three figures."""

    route: str
    method: str
    status: int


class Durations:
    """How many answers took how long: one count for each bound and one for what took longer."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def note(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


class Tally:
    """All of it, since the process began."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str, int], Durations] = {}
        self.feeds: Counter[int] = Counter()  # by status

    def note(self, route: str, method: str, status: int, seconds: float) -> None:
        """One more answer of a route, which is named by its template."""
        known = self.answers.get((route, method, status // 100))
        (known or self._first(route, method, status // 100)).note(seconds)

    def note_feed(self, method: str, status: int, seconds: float) -> None:
        """One more answer to a calendar client."""
        self.feeds[status] += 1
        self.note(FEED, method, status, seconds)

    def _first(self, route: str, method: str, status: int) -> Durations:
        kind = Kind(route, known_method(method), status)
        return self.answers.setdefault(kind, Durations())
