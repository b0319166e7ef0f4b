"""Room to write in: sending stops while there is still enough to note what was sent."""

import logging

from scheduler.domain.vitals import MOST_WAL
from scheduler.services.context import Context
from scheduler.store import space

LEAST = 16 * 1024 * 1024  # octets: some hundred marks, with all that a database writes for each
_log = logging.getLogger(__name__)


def left(ctx: Context) -> int:
    """Octets that may still be written where this process writes: its database, where that is a
    file, and the journal of sent messages."""
    folders = [ctx.settings.journal_dir]
    if ctx.database.is_sqlite:
        folders.append(ctx.database.path.parent)
    return min(space.disk(each).free for each in folders)


def is_short(ctx: Context) -> bool:
    """Whether what would be sent now might not be noted any more."""
    return left(ctx) < LEAST


def watch(ctx: Context) -> None:
    """Raise the alarm over a disk that fills and a log that grows; end readings that are stuck."""
    if is_short(ctx):
        _log.critical("the disk is nearly full: nothing is sent", extra={"octets": left(ctx)})
    if stuck := space.end_stuck(ctx.database):
        _log.critical("readings of the database never ended: they were cut off", extra={"n": stuck})
    if (log := ctx.database.wal() or 0) > MOST_WAL:
        _log.critical("a reader keeps the database's log from being emptied", extra={"octets": log})
