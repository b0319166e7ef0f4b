"""How the house does, in figures for those who watch over it.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from scheduler.domain.runs import RunState
from scheduler.domain.terms import TermId

LATELY = timedelta(hours=1)  # lateness is that of the reminders sent since then
SEARCHES_SINCE = timedelta(days=30)
FEEDS_LATE = timedelta(minutes=10)
LEAST_FREE = 0.05  # share of a disk
MOST_WAL = 64 * 1024 * 1024  # octets: past them some reader keeps the log from being emptied


@dataclass(frozen=True, slots=True)
class Lateness:
    """Of the reminders sent lately: seconds from the moment at which each could go."""

    count: int
    median: float
    p99: float
    most: float


@dataclass(frozen=True, slots=True)
class Search:
    """The newest matching run of a term that searches, or has; `bound` is None while nothing is
    proved, `gap` a share of the cost."""

    term_id: TermId
    seconds: float
    cost: float
    bound: float | None
    gap: float | None


@dataclass(frozen=True, slots=True)
class RunTally:
    """Matching runs by state; `abandoned`: those at work whose worker does not say any more that
    it is; `waits_seconds`: how long the first has been in the queue."""

    by_state: Mapping[RunState, int]
    abandoned: int
    waits_seconds: float


@dataclass(frozen=True, slots=True)
class Backlog:
    """Feeds that are out of date, and how long one of them has been so at least."""

    feeds: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Sources:
    """Teachers' own calendars: how many, and how many could not be read the last time."""

    total: int
    failing: int


@dataclass(frozen=True, slots=True)
class Footprint:
    """Octets of the database, and of the log of its newest writes where that is a file of ours."""

    database: int
    wal: int | None


@dataclass(frozen=True, slots=True)
class Pool:
    """Connections of this process to the database: lent at this moment, and the most there are."""

    name: str
    lent: int
    most: int


@dataclass(frozen=True, slots=True)
class Disk:
    """Octets of the disk that holds our files."""

    free: int
    total: int

    @property
    def is_full(self) -> bool:
        return self.free < LEAST_FREE * self.total
