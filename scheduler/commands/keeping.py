"""Commands that keep an installation: its schema, its health, its whole state in one file."""

import sys
from pathlib import Path

import click

from scheduler import console
from scheduler.commands import opening
from scheduler.errors import text
from scheduler.locale import Language, translate
from scheduler.services import checkups, keys, system


@click.command()
def migrate() -> None:
    """Bring the database schema to the version of this program."""
    with opening.context() as ctx:
        click.echo(system.migrate(ctx))


@click.command()
@console.json_option
def doctor(as_json: bool) -> None:
    """Check settings, database, mail, clock, engine; exit 1 when something must be mended."""
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


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write the whole state to a new file."""
    with opening.context() as ctx:
        click.echo(f"{file}: {system.backup(ctx, file):,} bytes")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Put a backup in place of the present state; sending stays paused until `outbox resume`."""
    with opening.context() as ctx:
        done = system.restore(ctx, file)
        opening.say(
            text(
                "Restored. By the journal {sent} messages were sent since; {late} are too late by "
                "now; {waiting} wait.",
                sent=str(done.replayed),
                late=str(done.expired),
                waiting=str(done.waiting),
            )
        )
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
