"""Commands for the record of changes and for personal data that grow old or get lost."""

import sys
from datetime import UTC, datetime
from typing import IO

import click

from scheduler import console
from scheduler.commands import opening
from scheduler.domain import deeds
from scheduler.domain.audits import Broken, Fault
from scheduler.domain.retention import RULES
from scheduler.errors import Text, text
from scheduler.locale import Language, translate
from scheduler.services import accounts, audit_search, audits, own_data, retention
from scheduler.services.audit_search import Search
from scheduler.store.audit_search import Entry

_day = click.DateTime(["%Y-%m-%d"])
_moment = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def audit() -> None:
    """The record of changes."""


@audit.command("verify")
@click.option("--day", type=_day, metavar="DATE", help="Only the lines of one day (UTC).")
@click.option(
    "--head", multiple=True, metavar="HASH", help="A head noted earlier; it must be there still."
)
@console.json_option
def audit_verify(day: datetime | None, head: tuple[str, ...], as_json: bool) -> None:
    """Read every seal again; exit 1 with the first place that does not hold.

    Note the head it prints somewhere else: with it a later look finds lines cut off at the end.
    """
    with opening.ready_context() as ctx:
        found = audits.verify(ctx, day=day.date() if day else None, noted=head)
        language = Language(ctx.settings.locale)
    broken = found.broken
    told = {
        "lines": found.count,
        "head": found.head,
        "broken": broken and {"fault": broken.fault, "seal": broken.position,
                              "line": broken.audit_id},
    }  # fmt: skip
    words = _FAULTS[broken.fault] if broken else text("Every seal holds.")
    place = _place(broken) if broken else ""
    console.show(
        as_json, told, lambda: f"{found.count:,} {found.head}\n{translate(words, language)}{place}"
    )
    if broken:
        sys.exit(1)


_FAULTS: dict[Fault, Text] = {
    Fault.NO_SEAL: text("A seal ahead of this place is gone."),
    Fault.NO_LINE: text("The line of a seal is gone."),
    Fault.CHANGED: text("A line, or its seal, was changed."),
    Fault.UNKNOWN_KEY: text("A seal was made with a key that is not known here."),
    Fault.UNSEALED: text("A line has had no seal for more than a minute. Does the loop run?"),
    Fault.NO_HEAD: text("A head that was noted earlier is not there any more."),
}


def _place(broken: Broken) -> str:
    seal = f" #{broken.position}" if broken.position else ""
    line = f" (line {broken.audit_id})" if broken.audit_id else ""
    return f"{seal}{line}"


@audit.command("show")
@click.option("--who", default="", help="Part of a name, or a mail address.")
@click.option("--action", default="", help="What was done, by its name.")
@click.option("--since", type=_day, metavar="DATE", help="From that day on.")
@click.option("--until", type=_day, metavar="DATE", help="Up to that day.")
@click.option("--words", default="", help="Words of the reason.")
@console.json_option
def audit_show(
    who: str,
    action: str,
    since: datetime | None,
    until: datetime | None,
    words: str,
    as_json: bool,
) -> None:
    """The newest lines of the record that match."""
    with opening.ready_context() as ctx:
        search = Search(
            who=who,
            action=action,
            first_day=since.date() if since else None,
            last_day=until.date() if until else None,
            words=words,
        )
        found = audit_search.find(ctx, accounts.operator(ctx), search)
        language = Language(ctx.settings.locale)
    console.show(
        as_json,
        {"lines": [_line(entry) for entry in found.entries]},
        lambda: "\n".join(_words(entry, language) for entry in found.entries) or "-",
    )


def _line(entry: Entry) -> dict[str, object]:
    line = entry.line
    return {
        "id": line.id, "at": line.at.isoformat(), "by": entry.by, "action": line.action,
        "subject": line.subject, "subject_id": line.subject_id, "reason": line.reason,
        "before": line.before, "after": line.after, "network": line.network,
    }  # fmt: skip


def _words(entry: Entry, language: Language) -> str:
    line = entry.line
    deed = translate(deeds.deed(line.action), language)
    subject = translate(deeds.subject(line.subject), language)
    about = f"{subject} {line.subject_id or ''}".strip()
    return f"{line.at:%Y-%m-%d %H:%M}Z  {entry.by or '-'}: {deed} ({about}) {line.reason}".rstrip()


@click.command("retention")
@click.option("--dry-run", is_flag=True, help="Only count what is too old.")
@console.json_option
def retention_(dry_run: bool, as_json: bool) -> None:
    """Clear what is too old to keep; the loop does it once a day by itself."""
    with opening.ready_context() as ctx:
        counts = retention.due(ctx) if dry_run else retention.run(ctx)
        language = Language(ctx.settings.locale)
    console.show(
        as_json,
        {"dry_run": dry_run, "counts": {kept.value: count for kept, count in counts.items()}},
        lambda: "\n".join(
            f"{counts[rule.kept]:8,}  {translate(rule.what, language)} "
            f"({translate(rule.told, language)})"
            for rule in RULES
        ),
    )


@click.command("breach")
@click.option("--since", type=_moment, required=True, metavar="TIME", help="When it began (UTC).")
@click.option("--until", type=_moment, required=True, metavar="TIME", help="When it ended (UTC).")
@click.option("--programme", metavar="CODE", help="Only people of this programme.")
@click.option("-o", "--output", type=click.File("wb"), default="-", help="Where to write the CSV.")
def breach(since: datetime, until: datetime, programme: str | None, output: IO[bytes]) -> None:
    """Whom to tell within 72 hours when data got into wrong hands: a table as CSV."""
    with opening.ready_context() as ctx:
        found = own_data.concerned(
            ctx, since.replace(tzinfo=UTC), until.replace(tzinfo=UTC), programme
        )
        output.write(found.table)
        click.echo(f"{found.count} (-{found.gone})", err=True)
