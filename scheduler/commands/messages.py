"""Commands for the messages that wait and went."""

from dataclasses import asdict

import click

from scheduler import console
from scheduler.commands import opening
from scheduler.services import outbox


@click.command("outbox")
@click.argument("do", type=click.Choice(["show", "pause", "resume"]))
@console.json_option
def outbox_command(do: str, as_json: bool) -> None:
    """SHOW messages by state and kind; PAUSE or RESUME sending.  `law`: true while none is lost."""
    with opening.ready_context() as ctx:
        if do == "pause":
            outbox.pause(ctx)
        elif do == "resume":
            outbox.resume(ctx)
        console.show(as_json, asdict(outbox.show(ctx)))
