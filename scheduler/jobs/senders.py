"""The sender threads of a process: a few for each way out, each with a transport of its own."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from scheduler import clock
from scheduler.delivery.channels import Transport
from scheduler.domain.messages import Channel
from scheduler.services import sending, ways
from scheduler.services.context import Context
from scheduler.services.sending import NOTHING, SendSummary

SENDING_SECONDS = 20.0  # after that a thread looks whether its way still has something to do
TOKEN_PAUSE = 0.1  # seconds between two looks for a message that the rate lets through
_log = logging.getLogger(__name__)

Transports = Mapping[Channel, Sequence[Transport]]


class Senders:
    """At most one message is in flight in each thread, so a process that is killed leaves at
    most as many of unknown fate as it has transports.

    A connection stays open from batch to batch, and is closed when nothing is left to send.
    """

    def __init__(self, ctx: Context, transports: Transports) -> None:
        self.ctx = ctx
        self.lines = [(way, each) for way, several in transports.items() for each in several]
        self.pool = ThreadPoolExecutor(max(1, len(self.lines)), thread_name_prefix="sender")
        self.working: dict[int, Future[SendSummary]] = {}

    def count(self, channel: Channel) -> int:
        """How many threads serve this way."""
        return sum(way is channel for way, _ in self.lines)

    def kick(self, go_on: Callable[[], bool]) -> None:
        """Set every idle thread to work whose way has something to do; waits for none."""
        due = sending.due_channels(self.ctx)
        for number, (channel, transport) in enumerate(self.lines):
            running = self.working.get(number)
            if channel in due and (running is None or running.done()):
                self.working[number] = self.pool.submit(self._work, channel, transport, go_on)

    def settle(self) -> SendSummary:
        """Wait until all are idle; what they did since the last kick."""
        done = [each.result() for each in self.working.values()]
        self.working.clear()
        return sum(done, NOTHING)

    def close(self, wait: bool = True) -> None:
        self.pool.shutdown(wait=wait)

    def _work(
        self, channel: Channel, transport: Transport, go_on: Callable[[], bool]
    ) -> SendSummary:
        total = NOTHING
        try:
            total = self._batches(channel, transport, go_on)
        except Exception:  # noqa: BLE001 - the next kick tries again
            _log.exception("sending failed", extra={"channel": channel.value})
        finally:
            transport.close()
        return total

    def _batches(
        self, channel: Channel, transport: Transport, go_on: Callable[[], bool]
    ) -> SendSummary:
        """Batch after batch, while there is something to send and time is left."""
        began, total = clock.monotonic(), NOTHING
        while go_on() and clock.monotonic() - began < SENDING_SECONDS:
            done = sending.send_due(self.ctx, transport, channel=channel, go_on=go_on)
            total += done
            if not done.claimed:
                if not sending.any_due(self.ctx, channel):
                    break
                threading.Event().wait(TOKEN_PAUSE)
        return total


def of(ctx: Context) -> Senders:
    """The threads that the settings ask for, on every way that this installation has."""
    return Senders(ctx, {channel: _transports(ctx, channel) for channel in Channel})


def _transports(ctx: Context, channel: Channel) -> list[Transport]:
    wanted = ctx.settings.mail_connections if channel is Channel.MAIL else 1
    made = (ways.transport(ctx, channel) for _ in range(wanted))
    return [transport for transport in made if transport is not None]
