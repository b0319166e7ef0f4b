"""Commands that run the system: the demo, the web, the loop."""

import json
import logging
import os
import socket
from dataclasses import asdict

import click
import uvicorn

from scheduler import console
from scheduler.commands import opening
from scheduler.errors import Conflict, text
from scheduler.jobs import loop
from scheduler.services import demo, system
from scheduler.services.context import open_context


@click.command("demo")
@console.port_option
@click.option("--check", is_flag=True, help="Do everything, print a JSON summary, and exit.")
def demo_command(port: int, check: bool) -> None:
    """Import, match and publish the example programme, then serve it.

    Uses a fresh embedded database under var/demo and plays Monday 2 October 2023.  Prints one
    sign-in link per role; mail is kept as files and shown on a page.
    """
    overrides = {
        "var_dir": opening.settings().var_dir / ("demo-check" if check else "demo"),
        "base_url": f"http://127.0.0.1:{port}",
        "clock": os.environ.get("CHUNGTAY_CLOCK") or demo.STARTS.isoformat(),
        "demo": "true",
        "second_factor": "false",  # everybody reads everybody's mail here
        "database_url": "",
        "smtp_url": "",
    }
    settings = opening.settings(**overrides)
    with console.sentences():
        if not check:
            _free_port(port)
        demo.clear(settings)
        if not check:
            click.echo("Preparing the example programme …", err=True)
        ctx = open_context(settings)
        figures = demo.build(ctx)
        if check:
            click.echo(json.dumps(asdict(figures)))
            return
        click.echo(f"{figures.taught} of {figures.requested} lessons published.\n", err=True)
        for invitation in demo.invitations(ctx):
            click.echo(f"{invitation.role.value:12} {invitation.actor.name}\n  {invitation.url}")
        ctx.database.close()
    os.environ.update({f"CHUNGTAY_{name.upper()}": str(v) for name, v in overrides.items()})
    click.echo(f"\nOpen a link above. Mail: {settings.base_url}/mail. Stop with Ctrl+C.")
    uvicorn.run(
        "scheduler.app:factory", factory=True, port=port, log_level="warning", server_header=False
    )


def _free_port(port: int) -> None:
    """Better now than after the work: raises Conflict when somebody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Conflict(
                text("Port {port} is in use. Choose another one: --port 8001.", port=str(port))
            ) from error


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@console.port_option
@click.option("--workers", default=1, show_default=True, help="Number of web processes.")
@click.option("--no-loop", is_flag=True, help="Web only; run `chungtay worker` beside it.")
def serve(host: str, port: int, workers: int, no_loop: bool) -> None:
    """Serve the pages, the feeds and the reminder loop."""
    with opening.context() as ctx:
        system.migrate(ctx)
    if no_loop:
        os.environ["CHUNGTAY_LOOP"] = "false"
    uvicorn.run(
        "scheduler.app:factory",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        server_header=False,
    )


@click.command()
def worker() -> None:
    """Run the reminder and job loop alone, until it is told to stop."""
    with opening.context() as ctx:
        system.migrate(ctx)
        if not loop.run_forever(ctx):
            logging.shutdown()
            os._exit(1)  # a thread that hangs would keep an orderly end waiting for ever
