"""A worker for tests that kill it, in a process of its own that starts within milliseconds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.process import BaseProcess

from scheduler import failpoints
from scheduler.clock import Clock, ShiftedClock
from scheduler.config import Settings
from scheduler.errors import Busy
from scheduler.services import sending, ways
from scheduler.services.context import Context
from scheduler.store.database import Database
from tests.faults.forks import SERVER


@contextmanager
def working(
    ctx: Context, *, lease: float = 120, fail: str = "", **settings: object
) -> Iterator[BaseProcess]:
    """A worker on the same database, with our clock's time; killed at the end."""
    clock = ShiftedClock.starting_at(ctx.now())
    own = ctx.settings.model_copy(update=settings)
    arguments = (own, ctx.database.url, clock, ctx.key, lease, fail)
    started = SERVER.Process(target=work, args=arguments, daemon=True)
    started.start()
    try:
        yield started
    finally:
        started.kill()
        started.join()


def work(settings: Settings, url: str, clock: Clock, key: bytes, lease: float, fail: str) -> None:
    """Sweep and send, for ever."""
    if fail:
        failpoints.arm(fail)
    ctx = Context(settings, Database(url), clock, key)
    transport = ways.mail(ctx)
    while True:
        try:
            sending.sweep(ctx)
            done = sending.send_due(ctx, transport, lease=timedelta(seconds=lease))
        except (failpoints.Failure, Busy):
            time.sleep(0.1)
            continue
        if not done.claimed:
            transport.close()
            time.sleep(0.02)
