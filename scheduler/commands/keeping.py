"""Commands that keep an installation: its schema, its health, its whole state in one file."""

import logging
import re
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from scheduler import console, logs
from scheduler.clock import SystemClock
from scheduler.commands import opening
from scheduler.console import Command
from scheduler.domain.backups import Keep
from scheduler.errors import ChungTayError, text
from scheduler.locale import Language, translate
from scheduler.services import backups, checkups, keys, recovery, system
from scheduler.services.backups import Shelved
from scheduler.services.context import Context

_USUAL = Keep()
_log = logging.getLogger(__name__)
_NAP = 30.0  # seconds; a clock that is set, or a machine that slept, costs no more
_AGAIN = timedelta(hours=1)  # after one that failed


@click.command()
@click.option(
    "--backup/--no-backup",
    default=None,
    help="Copy what is there to var/backups first.  [default: with the embedded database]",
)
def migrate(backup: bool | None) -> None:
    """Bring the database schema to the version of this program."""
    with opening.context() as ctx:
        click.echo(system.migrate(ctx, backup=backup))


@click.command()
@console.json_option
def doctor(as_json: bool) -> None:
    """Check settings, database, mail, clock, backups, engine; exit 1 when something must be
    mended."""
    with opening.context() as ctx:
        findings = checkups.doctor(ctx)
        language = Language(ctx.settings.locale)
        rows = [
            {
                "subject": finding.subject,
                "verdict": finding.verdict.value,
                "sentence": translate(finding.sentence, language),
            }
            for finding in findings
        ]
        console.show(
            as_json,
            {"findings": rows},
            lambda: "\n".join(f"{r['verdict']:5} {r['subject']:9} {r['sentence']}" for r in rows),
        )
    if any(finding.verdict is system.Verdict.BAD for finding in findings):
        sys.exit(1)


def _clock_time(_ctx: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise click.BadParameter("write a time of day as 02:15")
    return value


def _keep_option(name: str, default: int, what: str) -> Callable[[Command], Command]:
    return click.option(
        f"--keep-{name}", type=click.IntRange(0, 1000), default=default, show_default=True,
        help=f"With --into: keep the newest of so many {what}.",
    )  # fmt: skip


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--into", metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
    help="Instead of FILE: one more in this folder, named by date; older ones go.",
)  # fmt: skip
@_keep_option("daily", _USUAL.daily, "days")
@_keep_option("weekly", _USUAL.weekly, "weeks")
@_keep_option("monthly", _USUAL.monthly, "months")
@click.option(
    "--daily-at", metavar="HH:MM", callback=_clock_time,
    help="With --into: stay, and do it each day at that time (for containers).",
)  # fmt: skip
def backup(
    file: Path | None,
    into: Path | None,
    keep_daily: int,
    keep_weekly: int,
    keep_monthly: int,
    daily_at: str | None,
) -> None:
    """Write the whole state to a new FILE, or into a folder of dated files.

    Each is read again from beginning to end before it counts, and has its SHA-256 beside it.
    Nothing older is thrown away unless a new one has been made.
    """
    if (file is None) == (into is None) or (daily_at and not into):
        raise click.UsageError("Say where: FILE, or --into DIR.")
    keep = Keep(keep_daily, keep_weekly, keep_monthly)
    with opening.context() as ctx:  # of an older schema, too: an upgrade begins with a backup
        if file is not None:
            click.echo(f"{file}: {backups.backup(ctx, file):,} bytes")
        elif into is not None and daily_at:
            logs.set_up(ctx.settings.log_format)
            _each_day(ctx, into, keep, daily_at)
        elif into is not None:
            _tell(backups.shelve(ctx, into, keep, SystemClock().now()))


def _tell(done: Shelved) -> None:
    click.echo(f"{done.file}: {done.size:,} bytes")
    if done.gone:
        opening.say(text("Thrown away: {names}.", names=[path.name for path in done.gone]))
    if done.room < 3:
        opening.say(
            text("The disk is nearly full: it holds {count} more of this size.", count=done.room)
        )


def _each_day(ctx: Context, into: Path, keep: Keep, daily_at: str) -> None:
    """At once where a day has been missed, then each day; one that fails is tried again soon."""
    system.require_head(ctx)
    zone = ZoneInfo(ctx.settings.timezone)
    newest = backups.newest(ctx)
    due = _next(daily_at, zone) if newest and not newest.is_late else SystemClock().now()
    while True:
        if SystemClock().now() < due:
            time.sleep(_NAP)
            continue
        due = _next(daily_at, zone)
        try:
            done = backups.shelve(ctx, into, keep, SystemClock().now())
        except (ChungTayError, OSError) as error:
            _log.error("no backup could be made: %s", error)
            due = min(due, SystemClock().now() + _AGAIN)
        else:
            _log.info("backup: %s, %d bytes, %d gone", done.file, done.size, len(done.gone))


def _next(daily_at: str, zone: ZoneInfo) -> datetime:
    """The next instant at which the clocks of that zone show this time."""
    hour, minute = map(int, daily_at.split(":"))
    now = SystemClock().now().astimezone(zone)
    at = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return at if at > now else at + timedelta(days=1)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Put a backup in place of the present state; sending stays paused until `outbox resume`."""
    with opening.context() as ctx:
        done = recovery.restore(ctx, file)
        opening.say(
            text(
                "Restored. By the journal {sent} messages were sent since; {late} are too late by "
                "now; {waiting} wait.",
                sent=str(done.replayed),
                late=str(done.expired),
                waiting=str(done.waiting),
            )
        )
        if done.kept:
            opening.say(text("What was there before is kept as {file}.", file=str(done.kept)))
        opening.say(
            text(
                "Sending is paused: look at the outbox, then run chungtay outbox resume. Where "
                "other machines sent too, first run chungtay outbox replay with their journals."
            )
        )


@click.command()
def reseal() -> None:
    """Seal anew with the secret key what former ones sealed, so that those can go."""
    with opening.ready_context() as ctx:
        opening.say(text("Sealed anew: {count}.", count=keys.reseal(ctx)))
