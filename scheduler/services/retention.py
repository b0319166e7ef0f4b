"""Forgetting in time: what is too old to keep goes, a little at a time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from scheduler.delivery import journal, mailfiles
from scheduler.domain.retention import RULES, Kept
from scheduler.services.context import Context
from scheduler.store import retention as rows
from scheduler.store import switches

AT_ONCE = 500
MOST_BATCHES = 200
_EVERY = timedelta(days=1)


def tidy(ctx: Context, go_on: Callable[[], bool] = lambda: True) -> int:
    """Once a day, in one of all processes: clear what is too old.  How many rows and files."""
    with ctx.transaction() as db:
        if not switches.take_turn(db, switches.TIDIED, _EVERY):
            return 0
    return sum(run(ctx, go_on).values())


def run(ctx: Context, go_on: Callable[[], bool] = lambda: True) -> dict[Kept, int]:
    """Clear what is too old, now; how many of each kind.

    In batches, each a transaction of its own: nobody waits long, and what dies in the middle is
    gone on with the next time.  Very much is left for the next day.
    """
    return {rule.kept: _clear(ctx, rule.kept, ctx.now() - rule.age, go_on) for rule in RULES}


def due(ctx: Context) -> dict[Kept, int]:
    """What `run` would clear, by kind; nothing is changed."""
    return {rule.kept: _count(ctx, rule.kept, ctx.now() - rule.age) for rule in RULES}


def _count(ctx: Context, kept: Kept, before: datetime) -> int:
    if kept in _FILES:
        return len(_FILES[kept](ctx, before))
    with ctx.reading() as db:
        return rows.count(db, kept, before)


def _clear(ctx: Context, kept: Kept, before: datetime, go_on: Callable[[], bool]) -> int:
    if kept in _FILES:
        old = _FILES[kept](ctx, before)
        for path in old:
            path.unlink(missing_ok=True)  # another machine may share the folder
        return len(old)
    total = 0
    for _ in range(MOST_BATCHES):
        if not go_on():
            break
        with ctx.transaction() as db:
            done = rows.clear(db, kept, before, AT_ONCE)
        total += done
        if done < AT_ONCE:
            break
    return total


_FILES: dict[Kept, Callable[[Context, datetime], tuple[Path, ...]]] = {
    Kept.MAIL_FILES: lambda ctx, before: mailfiles.old(ctx.settings.mail_dir, before),
    Kept.JOURNALS: lambda ctx, before: journal.old(ctx.settings.journal_dir, before),
}
