"""Whether the schema is still ours while we run: a newer program may bring it forward any time.

What is under way then comes to its end as well as it can; nothing new is begun.  Pages answer 503,
the loop pauses, and both go on when the schema is theirs again.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from scheduler.errors import Busy
from scheduler.services.context import Context
from scheduler.store import migrations
from scheduler.store.database import Database

EVERY = 1.0  # seconds
_log = logging.getLogger(__name__)


@contextmanager
def watched(ctx: Context) -> Iterator[None]:
    """Within this block `ctx.database.moved` is true to the second."""
    ended = threading.Event()
    database = ctx.database
    database.suspected = lambda: look(database)
    thread = threading.Thread(target=_watch, args=(database, ended), name="schema", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(EVERY)
        database.suspected, database.moved = None, False


def _watch(database: Database, ended: threading.Event) -> None:
    while not ended.wait(EVERY):
        try:
            look(database)
        except Exception:  # noqa: BLE001 - the next look tries again
            _log.exception("the schema could not be looked at")


def look(database: Database) -> bool:
    """Ask now whether the schema has moved on; a database that does not answer says nothing."""
    try:
        moved = not migrations.is_ours(database)
    except Busy:
        return database.moved
    if moved and not database.moved:
        _log.critical("the schema is no longer ours: this program pauses; start the new version")
    elif database.moved and not moved:
        _log.warning("the schema is ours again")
    database.moved = moved
    return moved
