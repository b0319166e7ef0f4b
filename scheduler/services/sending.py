"""Sending messages: claim a few at a time, take each to its end, sweep up after the others."""

import logging
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from scheduler import clock, failpoints, security
from scheduler.delivery.channels import Transport
from scheduler.domain.messages import Channel, Claimed
from scheduler.domain.relays import PauseReason
from scheduler.services import batches, room
from scheduler.services.batches import Batch, Fate
from scheduler.services.context import Context
from scheduler.services.workers import own_name
from scheduler.store import queue, relays, switches

BATCH = 20  # few, so that what a message tells is fresh when its turn comes
LEASE = timedelta(seconds=120)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SendSummary:
    """How many messages were claimed, and how many of them met each fate."""

    claimed: int
    fates: dict[Fate, int]

    def count(self, fate: Fate) -> int:
        return self.fates.get(fate, 0)

    def __add__(self, other: "SendSummary") -> "SendSummary":
        fates = Counter(self.fates) + Counter(other.fates)
        return SendSummary(self.claimed + other.claimed, dict(fates))


NOTHING = SendSummary(0, {})


def send_due(
    ctx: Context,
    transport: Transport,
    limit: int = BATCH,
    *,
    channel: Channel = Channel.MAIL,
    lease: timedelta = LEASE,
    go_on: Callable[[], bool] = lambda: True,
) -> SendSummary:
    """Send one batch of what is due, the most urgent first; what cannot be tried in time is
    given back.  Nothing is, while there is hardly room to note it.

    `go_on` is asked before each message: False ends the batch after the one in flight.
    """
    began = clock.monotonic()
    claimed = () if room.is_short(ctx) else _claim(ctx, channel, limit, lease)
    if not claimed:
        return NOTHING
    failpoints.at("after_claim")
    batch = Batch(ctx, channel, transport, began, lease.total_seconds(), go_on, deque(claimed))
    batch.send()
    return SendSummary(len(claimed), dict(+batch.fates))


def due_channels(ctx: Context) -> tuple[Channel, ...]:
    """The ways by which something may go out at this moment."""
    with ctx.reading() as db:
        found = queue.due_channels(db, ctx.now())
        return tuple(
            way for way in found if relays.may_take(db, way, batches.limit_of(ctx, way), 1)
        )


def any_due(ctx: Context, channel: Channel) -> bool:
    """Whether something waits on this way that is only held up by its rate."""
    with ctx.reading() as db:
        return (
            channel not in relays.closed(db)
            and not switches.is_on(db, switches.SENDING_PAUSED)
            and queue.any_due(db, channel, ctx.now())
        )


def sweep(ctx: Context, steady: Callable[[], bool] = lambda: True) -> queue.Swept | None:
    """Expire what is too late, free what vanished workers held; None when there was nothing.

    While the clock cannot be trusted, nothing is.  `steady` is asked after the time was read, so
    that a clock which is set in between expires nothing.
    """
    now = ctx.now()
    if not steady():
        return None
    with ctx.reading() as db:
        if switches.value(db, switches.SENDING_PAUSED) == PauseReason.CLOCK:
            return None
        if not queue.any_to_sweep(db, now):
            return None
    with ctx.transaction() as db:
        swept = queue.sweep(db, now)
    failpoints.at("after_sweep")
    if swept.expired or swept.unknown:
        counts = {"expired": swept.expired, "unknown": swept.unknown}
        _log.warning("messages expired or of unknown fate", extra=counts)
    return swept


def _claim(ctx: Context, channel: Channel, limit: int, lease: timedelta) -> tuple[Claimed, ...]:
    now, rate = ctx.now(), batches.limit_of(ctx, channel)
    with ctx.reading() as db:  # most looks find nothing: do not take the writers' turn for that
        if not queue.any_due(db, channel, now) or not relays.may_take(db, channel, rate, limit):
            return ()
    with ctx.transaction() as db:
        allowed = relays.take(db, channel, rate, limit)
        if not allowed:
            return ()
        token = security.new_token()
        claimed = queue.claim(db, channel, own_name(), token, now, allowed, lease)
        relays.put_back(db, channel, rate, allowed - len(claimed))
    return claimed
