"""Commands for the messages that wait and went."""

from dataclasses import asdict
from pathlib import Path

import click

from scheduler import console
from scheduler.commands import opening
from scheduler.services import outbox


@click.command("outbox")
@click.argument("do", type=click.Choice(["show", "pause", "resume", "replay"]))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@console.json_option
def outbox_command(do: str, files: tuple[Path, ...], as_json: bool) -> None:
    """SHOW messages by state and kind; PAUSE or RESUME sending.  `law`: true while none is lost.

    After a restore, REPLAY the journals of sent messages (var/sent/*.log) of other machines.
    """
    if (do == "replay") != bool(files):
        raise click.UsageError("REPLAY takes the journals' FILES, and nothing else does.")
    with opening.ready_context() as ctx:
        if do == "replay":
            count = outbox.replay(ctx, files)
            console.show(as_json, {"replayed": count})
            return
        if do == "pause":
            outbox.pause(ctx)
        elif do == "resume":
            outbox.resume(ctx)
        console.show(as_json, asdict(outbox.show(ctx)))
