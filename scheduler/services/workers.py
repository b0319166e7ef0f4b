"""The processes that send: that they live, and that their clock can be trusted."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from datetime import timedelta

from scheduler import clock
from scheduler.clock import Clock, SystemClock
from scheduler.services import outbox
from scheduler.services.context import Context
from scheduler.services.outbox import BEAT_DEAD
from scheduler.store import leases, switches, workers

BEAT_EVERY = timedelta(seconds=10)
DRIFT_NOTED = timedelta(seconds=2)
DRIFT_MOST = timedelta(days=1)
_LONGEST_NAME = 80
_log = logging.getLogger(__name__)


def own_name() -> str:
    """Host and process: what leases and beats of this process are signed with."""
    process = f":{os.getpid()}"
    return socket.gethostname()[: _LONGEST_NAME - len(process)] + process


def note_beat(ctx: Context, senders: int = 0, host: Clock | None = None) -> None:
    """Write down that this process lives, every ten seconds at most.

    When the machine (`host`) and the database show different days, sending is paused.
    """
    name = own_name()
    with ctx.reading() as db:
        age = workers.age(db, name)
        if age is not None and timedelta(0) <= age < BEAT_EVERY:
            return
        apart = (host or SystemClock()).now() - leases.database_now(db)
    with ctx.transaction() as db:
        workers.beat(db, name, senders)
    if abs(apart) > DRIFT_MOST:
        _log.critical("the database's clock shows another day", extra={"apart": str(apart)})
        outbox.pause_by_clock(ctx)


def leave(ctx: Context) -> None:
    """This process sends no more."""
    with ctx.transaction() as db:
        workers.leave(db, own_name())


def is_beating(ctx: Context) -> bool:
    """Whether some worker noted a beat within the last minute, on the database's clock."""
    with ctx.reading() as db:
        return workers.beating(db, BEAT_DEAD) > 0


class Timekeeper:
    """Holds the wall clock against one that never jumps, for one process; one that runs faster
    by a drill's wish is held against what it should show.

    A jump of more than two seconds is noted; of more than a day, sending is paused: no due time
    can be trusted then, and nothing may expire by mistake.
    """

    def __init__(self, ctx: Context, monotonic: Callable[[], float] = clock.monotonic) -> None:
        self.ctx = ctx
        self.monotonic = monotonic
        self._lock = threading.Lock()
        self._seen = ctx.now(), monotonic()

    def look(self) -> timedelta:
        """How far the wall clock jumped since the last look."""
        with self._lock:
            wall, steady = self.ctx.now(), self.monotonic()
            went = (wall - self._seen[0]) / self.ctx.settings.clock_speed
            drift = went - timedelta(seconds=steady - self._seen[1])
            if abs(drift) > DRIFT_NOTED:  # nobody else sees a steady clock before it is noted
                self._note(drift)
            self._seen = wall, steady
        return drift

    def is_steady(self) -> bool:
        """Look; False when the clock jumped by more than a day just now."""
        return abs(self.look()) <= DRIFT_MOST

    def _note(self, drift: timedelta) -> None:
        seconds = drift.total_seconds()
        _log.warning("the clock jumped", extra={"seconds": seconds})
        if abs(drift) > DRIFT_MOST:
            _log.critical("sending is paused: the clock jumped by days")
            outbox.pause_by_clock(self.ctx)
        with self.ctx.transaction() as db:
            switches.turn_on(db, switches.CLOCK_DRIFT, f"{seconds:.1f}")
