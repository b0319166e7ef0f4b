"""Bringing a backup back, so that nothing is sent twice."""

from dataclasses import dataclass
from pathlib import Path

from scheduler.clock import SystemClock
from scheduler.domain.messages import OPEN_STATES
from scheduler.domain.relays import PauseReason
from scheduler.errors import NotFound, text
from scheduler.services import backups, outbox, sending, system
from scheduler.services.context import Context
from scheduler.store import dumps, migrations
from scheduler.store.database import Damaged


@dataclass(frozen=True, slots=True)
class Restored:
    """Messages of a restored state: known from the journal as sent, too late by now, and those
    that wait until sending is resumed.  `kept`: the state of before, None where none was."""

    replayed: int
    expired: int
    waiting: int
    kept: Path | None


def restore(ctx: Context, source: Path) -> Restored:
    """Put the state of a backup in place of the present one, which is kept on the shelf.

    Sending is paused afterwards: what the old state holds as unsent may have been sent since.
    What this machine's journal names is marked as sent; other machines have journals of their own.
    Raises NotFound, and Invalid or Conflict for what is no backup for this program: then all is as
    it was.
    """
    if not source.is_file():
        raise NotFound(text("There is no file {file}.", file=str(source)))
    backups.check(source)
    migrations.refuse_newer(dumps.revision(ctx.database, source))
    kept = _keep(ctx)
    dumps.put_back(ctx.database, source, PauseReason.RESTORED)
    system.migrate(ctx, backup=False)
    outbox.pause_after_restore(ctx)
    replayed = outbox.replay(ctx)
    swept = sending.sweep(ctx)
    states = outbox.show(ctx).by_state
    return Restored(
        replayed=replayed,
        expired=swept.expired if swept else 0,
        waiting=sum(states[state] for state in OPEN_STATES),
        kept=kept,
    )


def _keep(ctx: Context) -> Path | None:
    """The present state, whole or, where it cannot be read any more, as it lies there."""
    try:
        return backups.before(ctx, "restore") if migrations.current(ctx.database) else None
    except Damaged:
        stamp = SystemClock().now().strftime("%Y%m%d-%H%M%S")
        dumps.set_aside(ctx.database, f"damaged-{stamp}")
        return ctx.database.path.with_name(f"{ctx.database.path.name}.damaged-{stamp}")
