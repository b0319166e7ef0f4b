"""A way out and its limits: how many messages it takes, and when it is left alone.  Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.domain.messages import Claimed, back_off

FAILURES_TO_OPEN = 5
OPEN_FIRST = timedelta(seconds=30)
OPEN_LONGEST = timedelta(minutes=15)
PROBE = timedelta(seconds=90)  # how long the one message that tries a closed door may take
LAST_TRY = timedelta(minutes=1)  # so long before it is useless a message is tried once more
_NEWEST = 0.2  # the share of the newest batch in the mean of how long a message takes


class PauseReason(StrEnum):
    """Why nothing is sent."""

    HAND = "hand"
    RESTORED = "restored"  # what the old state holds as unsent may have been sent since
    CLOCK = "clock"  # it jumped by more than a day: no due time can be trusted


@dataclass(frozen=True, slots=True)
class Relay:
    """`tokens`: messages it may take at once, as counted at `refilled_at`; `failures` in a row:
    it did not answer; until `open_until` nobody tries."""

    tokens: float
    refilled_at: datetime
    failures: int = 0
    open_until: datetime | None = None
    send_seconds: float | None = None
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """Messages a second; 0: as many as it takes."""

    rate: float = 0.0

    @property
    def most(self) -> float:
        """What an idle relay saves up: one second's messages, and never less than one."""
        return max(1.0, self.rate)


def may_take(relay: Relay, limit: Limit, now: datetime, wanted: int) -> int:
    """How many messages may begin now: one alone where the relay was away until now."""
    if relay.open_until is not None and relay.open_until > now:
        return 0
    allowed = wanted if relay.failures < FAILURES_TO_OPEN else min(1, wanted)
    return allowed if not limit.rate else min(allowed, int(_tokens(relay, limit, now)))


def taken(relay: Relay, limit: Limit, now: datetime, count: int) -> Relay:
    """After `count` messages were begun; a probe keeps everybody else away while it lasts."""
    probing = relay.failures >= FAILURES_TO_OPEN and count > 0
    return replace(
        relay,
        tokens=_tokens(relay, limit, now) - count,
        refilled_at=now,
        open_until=now + PROBE if probing else relay.open_until,
    )


def put_back(relay: Relay, limit: Limit, count: int) -> Relay:
    """After messages that were to begin did not, so that others can."""
    return replace(relay, tokens=min(limit.most, relay.tokens + count))


def answered(relay: Relay, seconds: float) -> Relay:
    """It answers; a message took so long in the mean of the newest batch."""
    before = seconds if relay.send_seconds is None else relay.send_seconds
    mean = before + _NEWEST * (seconds - before)
    return replace(relay, failures=0, open_until=None, send_seconds=mean, last_error="")


def away(relay: Relay, now: datetime, error: str) -> Relay:
    """It did not answer; from the fifth time on it is left alone, twice as long each time."""
    failures = relay.failures + 1
    over = failures - FAILURES_TO_OPEN
    pause = min(OPEN_FIRST * 2 ** min(max(over, 0), 10), OPEN_LONGEST)
    open_until = now + pause if over >= 0 else None
    return replace(relay, failures=failures, open_until=open_until, last_error=error)


def next_try(message: Claimed, now: datetime) -> datetime | None:
    """When a message that was not sent is tried again; None: there is no time for that."""
    last = message.useless_after - LAST_TRY
    again = min(now + back_off(message.key, message.attempts + 1), last)
    return again if again > now else None


def _tokens(relay: Relay, limit: Limit, now: datetime) -> float:
    waited = max(0.0, (now - relay.refilled_at).total_seconds())
    return min(limit.most, relay.tokens + waited * limit.rate)
