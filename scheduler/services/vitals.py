"""How the house does, in figures: all of them in the database but those of one machine.

A worker has no door of its own: whatever is to be known of it, its beats and the lateness of what
it sends, is read where all processes write.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.domain import calendars
from scheduler.domain.forecast import MEASURED_OVER
from scheduler.domain.messages import Channel
from scheduler.domain.runs import Run
from scheduler.domain.vitals import (
    SEARCHES_SINCE,
    Backlog,
    Disk,
    Footprint,
    Lateness,
    Pool,
    RunTally,
    Search,
    Sources,
)
from scheduler.errors import Busy
from scheduler.services import mailroom, outbox
from scheduler.services.context import Context
from scheduler.services.mailroom import Outlook
from scheduler.services.outbox import OutboxSummary
from scheduler.store import busy, feeds, runs, space, switches, workers
from scheduler.store import mailroom as posts
from scheduler.store import outbox as messages
from scheduler.store.database import Session


@dataclass(frozen=True, slots=True)
class House:
    """What all processes share.  `sent_per_second`: by channel, of late; `beats`: seconds since the
    last beat of each worker; `backup_seconds`: since the last backup, None when none is known."""

    messages: OutboxSummary
    outlook: Outlook
    sent_per_second: Mapping[Channel, float]
    lateness: Lateness
    beats: Mapping[str, float]
    runs: RunTally
    searches: tuple[Search, ...]
    feeds: Backlog
    sources: Sources
    footprint: Footprint
    backup_seconds: float | None


@dataclass(frozen=True, slots=True)
class Here:
    """What is this process's, or this machine's."""

    pools: tuple[Pool, ...]
    disk: Disk


def look(ctx: Context) -> House | None:
    """Every figure once; None while the database does not answer."""
    try:
        return _look(ctx)
    except Busy:
        return None


def _look(ctx: Context) -> House:
    now = ctx.now()
    summary, outlook = outbox.show(ctx), mailroom.outlook(ctx)
    footprint = ctx.database.footprint()
    with ctx.reading() as db:
        return House(
            messages=summary,
            outlook=outlook,
            sent_per_second={
                channel: pace.sent_lately / MEASURED_OVER.total_seconds()
                for channel, pace in posts.paces(db, now, {}).items()
            },
            lateness=messages.lateness(db, now),
            beats=workers.beats(db),
            runs=runs.tally(db, now),
            searches=tuple(map(_search, runs.newest_searches(db, now - SEARCHES_SINCE))),
            feeds=feeds.backlog(db, calendars.week_of(now)),
            sources=busy.tally(db),
            footprint=footprint,
            backup_seconds=_backup_seconds(db),
        )


def look_here(ctx: Context) -> Here:
    """What needs no answer of the database."""
    return Here(ctx.database.pools(), space.disk(ctx.settings.var_dir))


def _search(run: Run) -> Search:
    return Search(run.term_id, run.elapsed, run.cost or 0.0, run.bound or None, run.gap)


def _backup_seconds(db: Session) -> float | None:
    age = switches.age(db, switches.BACKED_UP)
    return None if age is None else age.total_seconds()
