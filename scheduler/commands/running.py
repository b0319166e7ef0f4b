"""Commands that run the system: the demo, the web, the loop."""

import json
import logging
import os
import socket
from contextlib import suppress
from dataclasses import asdict
from ipaddress import ip_address
from typing import Any

import click
import uvicorn

from scheduler import console, logs, tracing
from scheduler.commands import opening
from scheduler.config import IN_FILES, Settings
from scheduler.errors import Conflict, Invalid, text
from scheduler.jobs import loop
from scheduler.services import demo, demo_meetings, system

_log = logging.getLogger(__name__)


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
        ctx = opening.opened(settings)
        figures = demo.build(ctx)
        if check:
            click.echo(json.dumps(asdict(figures)))
            return
        demo_meetings.add(ctx)
        click.echo(f"{figures.taught} of {figures.requested} lessons published.\n", err=True)
        for invitation in demo.invitations(ctx):
            click.echo(f"{invitation.role.value:12} {invitation.actor.name}\n  {invitation.url}")
        ctx.database.close()
    os.environ.update({f"CHUNGTAY_{name.upper()}": str(v) for name, v in overrides.items()})
    for name in IN_FILES:
        if name in overrides:
            os.environ.pop(f"CHUNGTAY_{name.upper()}_FILE", None)
    click.echo(f"\nOpen a link above. Mail: {settings.base_url}/mail. Stop with Ctrl+C.")
    logs.set_up(settings.log_format)
    _serve(host="127.0.0.1", port=port, log_level="warning")


def _serve(**more: Any) -> None:
    """Whose word counts on who asks, and how the log reads, our own settings say."""
    uvicorn.run(
        "scheduler.app:factory",
        factory=True,
        server_header=False,
        proxy_headers=False,
        log_config=None,
        ws="none",
        **more,
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
        logs.set_up(ctx.settings.log_format)
        _refuse_open_line(ctx.settings, host)
        system.migrate(ctx)
    if no_loop:
        os.environ["CHUNGTAY_LOOP"] = "false"
    _serve(host=host, port=port, workers=workers, access_log=False)


def _refuse_open_line(settings: Settings, host: str) -> None:
    """Without https sign-in links and cookies travel in clear: within this machine at most."""
    if settings.secure:
        return
    if not _is_loopback(host):
        raise Invalid(
            text(
                "{host} can be reached from other machines, and {url} is not https: whoever "
                "listens on the way could sign in as anybody. Set CHUNGTAY_BASE_URL to the https "
                "address of your proxy, or leave --host out.",
                host=host,
                url=settings.base_url,
            )
        )
    _log.warning(
        "PLAIN HTTP: %s is not https; nothing but this machine may reach it", settings.base_url
    )


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


@click.command()
def worker() -> None:
    """Run the reminder and job loop alone, until it is told to stop."""
    with opening.context("worker") as ctx:
        logs.set_up(ctx.settings.log_format)
        tracing.set_up()
        system.migrate(ctx)
        ended_well = loop.run_forever(ctx)
        tracing.close()
        if not ended_well:
            logging.shutdown()
            os._exit(1)  # a thread that hangs would keep an orderly end waiting for ever
