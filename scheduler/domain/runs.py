"""Runs of the matching engine.  Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from scheduler.domain.people import PersonId
from scheduler.domain.plans import PlanId
from scheduler.domain.terms import TermId
from scheduler.errors import Text

RunId = NewType("RunId", int)


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Run:
    """One run: what was asked, how far it is (cost, taught, requested), and its draft."""

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
    cancel_asked: bool

    @property
    def open(self) -> bool:
        return self.state in (RunState.QUEUED, RunState.RUNNING)

    @property
    def progress(self) -> float:
        """Share of the time limit used, 0 to 1."""
        if not self.open:
            return 1.0
        return min(1.0, self.elapsed / self.seconds_limit) if self.seconds_limit else 0.0
