"""Runs of the matching engine.  Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from scheduler.domain.people import PersonId
from scheduler.domain.plans import PlanId
from scheduler.domain.terms import TermId
from scheduler.errors import Text

RunId = NewType("RunId", int)

MOST_POINTS = 60  # of a run's history: what a chart can show


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Wish(StrEnum):
    """What somebody asks of a run that is at work."""

    STOP = "stop"  # and keep the best plan so far
    CANCEL = "cancel"  # and keep none


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run is: the best plan so far, and the proved bound on any plan's cost (0: none)."""

    elapsed: float
    cost: float
    taught: int
    requested: int
    bound: float
    moves_per_second: float


@dataclass(frozen=True, slots=True)
class Point:
    """The best cost and the bound after some seconds."""

    elapsed: float
    cost: float
    bound: float


def thinned(points: Iterable[Point], most: int = MOST_POINTS) -> tuple[Point, ...]:
    """At most so many points, the ends among them; those go that the curves miss least."""
    kept = list(points)
    while len(kept) > max(2, most):
        inner = range(1, len(kept) - 1)
        kept.pop(min(inner, key=lambda n: _bend(*kept[n - 1 : n + 2])))
    return tuple(kept)


def _bend(before: Point, here: Point, after: Point) -> float:
    """How much area both curves lose without the point in the middle, doubled."""
    ahead, back = after.elapsed - here.elapsed, here.elapsed - before.elapsed
    cost = abs((here.cost - before.cost) * ahead - (after.cost - here.cost) * back)
    bound = abs((here.bound - before.bound) * ahead - (after.bound - here.bound) * back)
    return cost + bound


@dataclass(frozen=True, slots=True)
class Run:
    """One run: what was asked, how far it is, and its draft.

    Told to stop it keeps the best plan so far, told to cancel it keeps none; either one is heard
    within a second or two, unless the run ends by itself before.
    """

    id: RunId
    term_id: TermId
    state: RunState
    asked_by: PersonId | None
    asked_at: datetime
    seconds_limit: float
    seed: int
    elapsed: float
    cost: float | None
    taught: int | None
    requested: int | None
    plan_id: PlanId | None
    error: Text | None
    stop_asked: bool
    cancel_asked: bool
    bound: float | None
    moves_per_second: float | None
    history: tuple[Point, ...]

    @property
    def open(self) -> bool:
        return self.state in (RunState.QUEUED, RunState.RUNNING)

    @property
    def stopping(self) -> bool:
        return self.open and (self.stop_asked or self.cancel_asked)

    @property
    def gap(self) -> float | None:
        """How much better than the best so far a plan may be, as a share of its cost; None while
        nothing is proved."""
        if self.cost is None or not self.bound:
            return None
        return max(0.0, (self.cost - self.bound) / self.cost) if self.cost else 0.0

    @property
    def progress(self) -> float:
        """Share of the time limit used, 0 to 1."""
        if not self.open:
            return 1.0
        return min(1.0, self.elapsed / self.seconds_limit) if self.seconds_limit else 0.0
