"""The programme's clock: the only place that asks what time it is."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the programme's present instant, aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ShiftedClock:
    """Starts at a chosen instant and lets time run from there (drills, the demo)."""

    offset: timedelta

    @classmethod
    def starting_at(cls, instant: datetime) -> "ShiftedClock":
        """The clock that shows `instant`, which must be aware, at this moment."""
        return cls(instant - datetime.now(UTC))

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset


@dataclass(frozen=True, slots=True)
class FastClock:
    """Showed `start` when the machine's own clock showed `since`, and runs `speed` times as fast.

    For drills of hours and days: processes that are given the same three agree on the time.
    """

    start: datetime
    since: datetime
    speed: float

    def now(self) -> datetime:
        return self.start + (datetime.now(UTC) - self.since) * self.speed


def monotonic() -> float:
    """Seconds on a clock that never jumps; only differences mean anything."""
    return time.monotonic()
