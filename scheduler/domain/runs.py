"""Runs of the matching engine.  Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType

from scheduler.domain.people import PersonId
from scheduler.domain.plans import PlanId, Supposition
from scheduler.domain.terms import Term, TermId
from scheduler.errors import Text, text

RunId = NewType("RunId", int)

MOST_POINTS = 60  # of a run's history: what a chart can show
MOST_CHANGES = 100_000  # that a budget can name


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
class Scope:
    """What a run may change of the timetable in force: nothing before a day, and at most so many
    lessons, of at most so many teachers; None: whatever pays.

    A lesson that cannot stay as it is, because its teacher is away for instance, does not count.
    """

    from_day: date | None = None
    most_lessons: int | None = None
    most_teachers: int | None = None

    @property
    def limited(self) -> bool:
        return self.most_lessons is not None or self.most_teachers is not None


WHOLE = Scope()


def faults(scope: Scope, term: Term, now: datetime, in_force: bool) -> dict[str, Text]:
    """What is wrong with a scope, by field; `in_force`: whether the term has a timetable."""
    found = {
        name: text("Write a number from {least} to {most}.", least=0, most=MOST_CHANGES)
        for name, most in (
            ("most_lessons", scope.most_lessons),
            ("most_teachers", scope.most_teachers),
        )
        if most is not None and not 0 <= most <= MOST_CHANGES
    }
    first = max(term.first_day, term.today(now) + timedelta(days=1))
    if scope.from_day is not None and not first <= scope.from_day <= term.last_day:
        found["from_day"] = text(
            "Choose a day from {first} to {last}.", first=first, last=term.last_day
        )
    if scope.limited and not in_force:
        found.setdefault("most_lessons", text("Nothing is published yet that a run could change."))
    return found


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
    scope: Scope = WHOLE
    supposes: tuple[Supposition, ...] = ()  # what it tries, from the plan that the last one names

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
