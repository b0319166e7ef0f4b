"""The metronome: APScheduler beats, and holds no jobs of ours.  What is due is in the database.

A watchdog beside it goes by a clock that never jumps: it beats at once when the wall clock was
set, and says so when a beat is overdue.
"""

import logging
import signal
import threading
from collections.abc import Callable
from datetime import UTC
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from scheduler import clock
from scheduler.clock import SystemClock
from scheduler.errors import Busy
from scheduler.jobs import senders
from scheduler.jobs.senders import Transports
from scheduler.jobs.tick import read_calendars, tell_programs, tick, tidy, watch, work_on_runs
from scheduler.services import schemas, workers
from scheduler.services.context import Context
from scheduler.services.outbox import BEAT_DEAD
from scheduler.services.workers import DRIFT_NOTED, Timekeeper

SLICE = 5.0  # seconds: the longest that a clock which was set may keep us silent
WATCH_SECONDS = 30.0
TIDY_SECONDS = 600.0  # whether the day's tidying is still to be done
_log = logging.getLogger(__name__)


class Loop:
    """A running metronome; `stop` lets the messages in flight end and gives the rest back."""

    def __init__(self, ctx: Context, transports: Transports | None = None) -> None:
        self.ctx = ctx
        self.senders = senders.of(ctx) if transports is None else senders.Senders(ctx, transports)
        self.time = Timekeeper(ctx)
        self.last_beat = clock.monotonic()
        self.stopping = threading.Event()
        self.dead = threading.Event()
        self.watchdog = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self.jobs = self._jobs()
        self.metronome = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={name: ThreadPoolExecutor(1) for name in self.jobs},
            timezone=UTC,
        )
        for name, (work, seconds) in self.jobs.items():
            self.metronome.add_job(
                work,
                "interval",
                id=name,
                executor=name,
                seconds=seconds,
                next_run_time=SystemClock().now(),
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )

    def start(self) -> None:
        self.metronome.start()
        self.watchdog.start()

    def beat(self) -> None:
        if self.may_go_on():
            tick(self.ctx, self.senders, self.may_go_on)
        if self._goes():
            self.last_beat = clock.monotonic()

    def _jobs(self) -> dict[str, tuple[Callable[[], object], float]]:
        """What is done again and again, and the seconds between.

        Each has a thread of its own: what takes long must not keep the beat waiting.
        """
        seconds = self.ctx.settings.tick_seconds
        return {
            "beat": (self.beat, seconds),
            "calendars": (lambda: read_calendars(self.ctx, self._goes), seconds),
            "webhooks": (lambda: tell_programs(self.ctx, self._goes), seconds),
            "runs": (lambda: self._goes() and work_on_runs(self.ctx), seconds),
            "watch": (lambda: self._goes() and watch(self.ctx), WATCH_SECONDS),
            "tidy": (lambda: self._goes() and tidy(self.ctx, self._goes), TIDY_SECONDS),
        }

    def _goes(self) -> bool:
        """Not to the end of this process, nor while the schema is another program's."""
        return not self.stopping.is_set() and not self.ctx.database.moved

    def may_go_on(self) -> bool:
        return self._goes() and self.time.is_steady()

    def is_alive(self) -> bool:
        """Whether this process itself beat within the last minute, on a clock without jumps."""
        return clock.monotonic() - self.last_beat < BEAT_DEAD.total_seconds()

    def stop(self, wait: bool = True) -> None:
        """End the loop; a second call does nothing."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        self.watchdog.join()  # a clock set just now must not make it reach for a job that is gone
        self.metronome.shutdown(wait=wait)
        self.senders.close(wait=wait)
        try:
            workers.leave(self.ctx)
        except Busy:
            _log.warning("the end of this worker could not be noted")

    def _watch(self) -> None:
        before = SystemClock().now(), clock.monotonic()
        while not self.stopping.wait(min(SLICE, self.ctx.settings.tick_seconds)):
            now = SystemClock().now(), clock.monotonic()
            drift = (now[0] - before[0]).total_seconds() - (now[1] - before[1])
            before = now
            if abs(drift) > DRIFT_NOTED.total_seconds():
                self._beat_at_once()
            if not self.is_alive() and not self.dead.is_set():
                _log.critical("no beat for a minute: this process must be started again")
                self.dead.set()

    def _beat_at_once(self) -> None:
        """The metronome waits for an instant that the clock may not show again for hours."""
        for name in self.jobs:
            self.metronome.modify_job(name, next_run_time=SystemClock().now())


def start(ctx: Context, transports: Transports | None = None) -> Loop:
    """Begin to beat in a thread of this process."""
    # A beat longer than the pause skips the next one, which is meant; APScheduler warns each time.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    loop = Loop(ctx, transports)
    loop.start()
    return loop


def run_forever(ctx: Context) -> bool:
    """Beat until SIGTERM or SIGINT; returns when the messages in flight have ended.

    False: no beat came for a minute, and whoever watches over this process must start it again.
    """
    told = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with schemas.watched(ctx):
        loop = start(ctx)
        _log.info("the loop beats", extra={"seconds": ctx.settings.tick_seconds})
        while not told.wait(0.5):
            if loop.dead.is_set():
                return False
        loop.stop(wait=True)
    return True


def ready(ctx: Context) -> bool:
    """Whether some worker of this database beat within the last minute."""
    return workers.is_beating(ctx)
