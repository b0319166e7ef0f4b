"""The metronome: APScheduler beats, and holds no jobs of ours.  What is due is in the database."""

import logging
import signal
import threading
from datetime import UTC
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from scheduler.clock import SystemClock
from scheduler.jobs.tick import read_calendars, tick
from scheduler.services import outbox, ways
from scheduler.services.context import Context

_log = logging.getLogger(__name__)


class Loop:
    """A running metronome; `stop` lets the message in flight end and gives the rest back."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.transport = ways.mail(ctx)
        self.stopping = threading.Event()
        self.metronome = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(1), "calendars": ThreadPoolExecutor(1)},
            timezone=UTC,
        )
        for executor, work in (("default", self.beat), ("calendars", self.read_calendars)):
            self.metronome.add_job(
                work,
                "interval",
                executor=executor,
                seconds=ctx.settings.tick_seconds,
                next_run_time=SystemClock().now(),
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )

    def beat(self) -> None:
        if not self.stopping.is_set():
            tick(self.ctx, self.transport, go_on=lambda: not self.stopping.is_set())

    def read_calendars(self) -> None:
        if not self.stopping.is_set():
            read_calendars(self.ctx, go_on=lambda: not self.stopping.is_set())

    def stop(self, wait: bool = True) -> None:
        """End the loop; a second call does nothing."""
        if not self.stopping.is_set():
            self.stopping.set()
            self.metronome.shutdown(wait=wait)


def start(ctx: Context) -> Loop:
    """Begin to beat in a thread of this process."""
    # A beat longer than the pause skips the next one, which is meant; APScheduler warns each time.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    loop = Loop(ctx)
    loop.metronome.start()
    return loop


def run_forever(ctx: Context) -> None:
    """Beat until SIGTERM or SIGINT; returns when the message in flight has ended."""
    told = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    loop = start(ctx)
    _log.info("the loop beats", extra={"seconds": ctx.settings.tick_seconds})
    told.wait()
    loop.stop(wait=True)


def ready(ctx: Context) -> bool:
    """Whether some worker of this database beat within the last minute."""
    return outbox.is_beating(ctx)
