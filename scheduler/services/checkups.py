"""What the doctor says of a house at work: who beats, what waits, and the room that is left."""

from datetime import timedelta

from scheduler.domain import calendars
from scheduler.domain.vitals import FEEDS_LATE, MOST_WAL
from scheduler.errors import Busy, text
from scheduler.services import system, workers
from scheduler.services.context import Context
from scheduler.services.system import Finding, Verdict
from scheduler.store import feeds, space

_MIB = 1024 * 1024


def doctor(ctx: Context) -> tuple[Finding, ...]:
    """All findings: of the installation as it is set up, then of how it does."""
    return (*system.doctor(ctx), *_at_work(ctx), _disk(ctx))


def _at_work(ctx: Context) -> tuple[Finding, ...]:
    try:
        if system.is_at_head(ctx):
            return _loop(ctx), _feeds(ctx), *_log(ctx)
    except Busy:  # the database's own finding says so
        pass
    return ()


def _loop(ctx: Context) -> Finding:
    if workers.is_beating(ctx):
        return Finding("loop", Verdict.GOOD, text("Reminders go out: the loop beats."))
    told = text("No loop beats: no reminder goes out. Start chungtay serve or chungtay worker.")
    return Finding("loop", Verdict.NOTE, told)


def _feeds(ctx: Context) -> Finding:
    with ctx.reading() as db:
        waits = feeds.backlog(db, calendars.week_of(ctx.now()))
    if not waits.feeds:
        return Finding("calendars", Verdict.GOOD, text("All calendars are up to date."))
    late = timedelta(seconds=waits.seconds) > FEEDS_LATE
    told = text(
        "Calendars to be brought up to date: {count}. One of them waits for {minutes} minutes.",
        count=waits.feeds,
        minutes=int(waits.seconds // 60),
    )
    return Finding("calendars", Verdict.BAD if late else Verdict.NOTE, told)


def _log(ctx: Context) -> tuple[Finding, ...]:
    """Of SQLite: what is written is first in a log, which is emptied when nobody reads in it."""
    size = ctx.database.footprint()
    if size.wal is None:
        return ()
    told = text(
        "The database takes {size} MB, the log of its newest writes {log} MB.",
        size=round(size.database / _MIB, 1),
        log=round(size.wal / _MIB, 1),
    )
    if size.wal <= MOST_WAL:
        return (Finding("size", Verdict.GOOD, told),)
    grown = text(
        "The log of the database's newest writes takes {log} MB: somebody has been reading for "
        "long. End what hangs, a backup or an export for instance.",
        log=round(size.wal / _MIB),
    )
    return (Finding("size", Verdict.NOTE, grown),)


def _disk(ctx: Context) -> Finding:
    found = space.disk(ctx.settings.var_dir)
    values = {"free": found.free // _MIB, "folder": str(ctx.settings.var_dir)}
    if found.is_full:
        told = text("Only {free} MB are free on the disk of {folder}: make room.", **values)
        return Finding("disk", Verdict.BAD, told)
    return Finding(
        "disk", Verdict.GOOD, text("{free} MB are free on the disk of {folder}.", **values)
    )
