"""The command `chungtay`: thin commands that call services only."""

import json
import logging
import os
import socket
import sys
from dataclasses import asdict
from pathlib import Path

import click
import uvicorn

from scheduler import console
from scheduler.domain.access import Role
from scheduler.domain.plans import ChangeKind, Fingerprint, Plan, PlanId
from scheduler.errors import Conflict, Invalid, text
from scheduler.jobs import loop
from scheduler.locale import Language, translate
from scheduler.services import (
    accounts,
    demo,
    executors,
    exports,
    feeds,
    imports,
    matching,
    outbox,
    plans,
    programmes,
    runs,
    system,
)
from scheduler.services.context import open_context


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="chungtay", prog_name="chungtay")
def main() -> None:
    """Chung Tay: live online lessons by volunteer teachers for classes far away.

    Try it with `chungtay demo`.  Settings are environment variables CHUNGTAY_… or a .env file;
    with none set, everything runs on one machine with an embedded database under var/.
    """


# -- running it


@main.command("demo")
@console.port_option
@click.option("--check", is_flag=True, help="Do everything, print a JSON summary, and exit.")
def demo_command(port: int, check: bool) -> None:
    """Import, match and publish the example programme, then serve it.

    Uses a fresh embedded database under var/demo and plays Monday 2 October 2023.  Prints one
    sign-in link per role; mail is kept as files and shown on a page.
    """
    overrides = {
        "var_dir": console.settings().var_dir / ("demo-check" if check else "demo"),
        "base_url": f"http://127.0.0.1:{port}",
        "clock": os.environ.get("CHUNGTAY_CLOCK") or demo.STARTS.isoformat(),
        "demo": "true",
        "database_url": "",
        "smtp_url": "",
    }
    settings = console.settings(**overrides)
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


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@console.port_option
@click.option("--workers", default=1, show_default=True, help="Number of web processes.")
@click.option("--no-loop", is_flag=True, help="Web only; run `chungtay worker` beside it.")
def serve(host: str, port: int, workers: int, no_loop: bool) -> None:
    """Serve the pages, the feeds and the reminder loop."""
    with console.context() as ctx:
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


@main.command()
def worker() -> None:
    """Run the reminder and job loop alone, until it is told to stop."""
    with console.context() as ctx:
        system.migrate(ctx)
        if not loop.run_forever(ctx):
            logging.shutdown()
            os._exit(1)  # a thread that hangs would keep an orderly end waiting for ever


@main.command()
def migrate() -> None:
    """Bring the database schema to the version of this program."""
    with console.context() as ctx:
        click.echo(system.migrate(ctx))


@main.command()
@console.json_option
def doctor(as_json: bool) -> None:
    """Check settings, database, mail, clock, engine; exit 1 when something must be mended."""
    with console.context() as ctx:
        findings = system.doctor(ctx)
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


# -- in and out


@main.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@console.term_option
@click.option("--dry-run", is_flag=True, help="Check everything and store nothing.")
@console.json_option
def import_command(
    files: tuple[Path, ...], term_code: str | None, dry_run: bool, as_json: bool
) -> None:
    """Read workbooks into the database: all of them, or nothing."""
    with console.context() as ctx:
        system.migrate(ctx)
        given = [(path.name, path.read_bytes()) for path in files]
        summary = asdict(imports.import_files(ctx, given, term_code=term_code, dry_run=dry_run))
        console.show(as_json, summary)


@main.command()
@click.argument("what", type=click.Choice(["instance", "workbooks", "lessons"]))
@console.term_option
@console.output_option("Where to write.")
def export(what: str, term_code: str | None, output: Path) -> None:
    """Write the term out: INSTANCE as `chungtay match` reads it, the three WORKBOOKS into a
    folder, so that they import back to the same state, or the published LESSONS as a workbook.
    """
    with console.ready_context() as ctx:
        if what == "instance":
            output.write_bytes(console.pretty(exports.export_instance(ctx, term_code)))
        elif what == "lessons":
            output.write_bytes(exports.export_lessons(ctx, term_code))
        else:
            output.mkdir(parents=True, exist_ok=True)
            for name, content in exports.export_workbooks(ctx, term_code).items():
                (output / name).write_bytes(content)


# -- matching and plans


@main.command()
@click.argument("instance", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@console.output_option("The plan file.")
@console.seconds_option(0)
@click.option(
    "--iterations", type=click.IntRange(0), help="Moves to try; with it a seed gives the same plan."
)
@click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    help="Searches side by side on one plan; without it one, or all that a cluster has.",
)
@click.option(
    "--executor",
    default=executors.PROCESSES,
    show_default=True,
    metavar="WHERE",
    help="Where they run: processes, threads, or dask://HOST:PORT of a cluster.",
)
@click.option(
    "--prices",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='A JSON object of prices other than the usual ones, as {"handover": 90}.',
)
@console.seed_option
@console.json_option
def match(
    instance: Path,
    output: Path,
    time_limit: float,
    iterations: int | None,
    workers: int | None,
    executor: str,
    prices: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Match an instance file without a database, and write the plan."""
    with console.sentences():
        seconds = time_limit if iterations is None else None
        plan = matching.solve_bytes(
            instance.read_bytes(),
            seconds=seconds,
            iterations=iterations,
            seed=seed,
            workers=workers or (None if executor.startswith(executors.DASK) else 1),
            executor=executor,
            prices=None if prices is None else prices.read_bytes(),
        )
        output.write_bytes(console.pretty(plan))
        short = {
            name: plan[name]
            for name in ("requested", "taught", "cost", "lower_bound", "gap", "seconds")
        }
        console.show(as_json, short)


@main.group()
def plan() -> None:
    """The coordinator's flow: run, show, diff, publish."""


@plan.command("run")
@console.seconds_option(1, 3600)
@console.seed_option
@console.json_option
def plan_run(time_limit: float, seed: int, as_json: bool) -> None:
    """Match the newest term, here and now, and keep the draft."""
    with console.ready_context() as ctx:
        actor = accounts.operator(ctx)
        term = programmes.overview(ctx, actor).term
        run = runs.work_here(ctx, runs.start(ctx, actor, term.id, time_limit, seed))
        if run is None or run.plan_id is None:
            raise Invalid((run and run.error) or text("Another worker has taken this run over."))
        found = {"taught": run.taught, "cost": run.cost, "lower_bound": run.bound, "gap": run.gap}
        console.show(as_json, {"plan": run.plan_id, **found})


@plan.command("show")
@console.json_option
def plan_show(as_json: bool) -> None:
    """Drafts and publications, the newest first."""
    with console.ready_context() as ctx:
        actor = accounts.operator(ctx)
        found = plans.of_term(ctx, actor, programmes.overview(ctx, actor).term.id)
        console.show(
            as_json,
            {"plans": [asdict(p) | {"gap": p.gap} for p in found]},
            lambda: "\n".join(map(_plan_line, found)) or "-",
        )


def _plan_line(p: Plan) -> str:
    return (
        f"{p.id:4} {p.state.value:10} {p.taught}/{p.requested} "
        f"cost {p.cost:.0f} bound {p.lower_bound:.0f} gap {p.gap:.1%}"
    )


@plan.command("diff")
@click.argument("plan_id", type=int)
@console.json_option
def plan_diff(plan_id: int, as_json: bool) -> None:
    """What publishing a plan would change, with the fingerprint that `publish` wants."""
    with console.ready_context() as ctx:
        seen = plans.preview(ctx, accounts.operator(ctx), PlanId(plan_id))
        counts = {kind.value: seen.diff.count(kind) for kind in ChangeKind}
        console.show(as_json, {"fingerprint": seen.fingerprint, "kept": seen.diff.kept, **counts})


@plan.command("publish")
@click.argument("plan_id", type=int)
@click.option(
    "--seen", required=True, metavar="FINGERPRINT", help="The fingerprint that `diff` printed."
)
@console.json_option
def plan_publish(plan_id: int, seen: str, as_json: bool) -> None:
    """Make a plan the timetable that everyone sees."""
    with console.ready_context() as ctx:
        diff = plans.publish(ctx, accounts.operator(ctx), PlanId(plan_id), Fingerprint(seen))
        console.show(as_json, {kind.value: diff.count(kind) for kind in ChangeKind})


# -- people and messages


@main.group()
def user() -> None:
    """People and their roles."""


@user.command("add")
@click.argument("email")
@click.option(
    "--role", type=click.Choice([r.value for r in Role]), required=True, help="What they may do."
)
@click.option("--name", default="", help="Their name.")
@click.option(
    "--school", default="", metavar="CODE", help="For a school contact: the school's code."
)
def user_add(email: str, role: str, name: str, school: str) -> None:
    """Give a role to a person, who is made when unknown."""
    with console.context() as ctx:
        system.migrate(ctx)
        actor = accounts.add_user(ctx, email, Role(role), name=name, school_code=school)
        click.echo(f"{actor.email}: {role}")


@main.command("sign-in-link")
@click.argument("email")
def sign_in_link(email: str) -> None:
    """Print a sign-in link to hand over; it works once, within ten minutes."""
    with console.ready_context() as ctx:
        click.echo(accounts.operator_link(ctx, email))


@main.command("feed-link")
@click.argument("email")
def feed_link(email: str) -> None:
    """Print a new calendar link of a person."""
    with console.ready_context() as ctx:
        click.echo(feeds.link_for_person(ctx, email))


@main.command("outbox")
@click.argument("do", type=click.Choice(["show", "pause", "resume", "replay"]))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@console.json_option
def outbox_command(do: str, files: tuple[Path, ...], as_json: bool) -> None:
    """SHOW messages by state and kind; PAUSE or RESUME sending.  `law`: true while none is lost.

    After a restore, REPLAY the journals of sent messages (var/sent/*.log) of other machines.
    """
    if (do == "replay") != bool(files):
        raise click.UsageError("REPLAY takes the journals' FILES, and nothing else does.")
    with console.ready_context() as ctx:
        if do == "replay":
            count = outbox.replay(ctx, files)
            console.show(as_json, {"replayed": count})
            return
        if do == "pause":
            outbox.pause(ctx)
        elif do == "resume":
            outbox.resume(ctx)
        console.show(as_json, asdict(outbox.show(ctx)))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write the whole state to a new file."""
    with console.context() as ctx:
        click.echo(f"{file}: {system.backup(ctx, file):,} bytes")


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Put a backup in place of the present state; sending stays paused until `outbox resume`."""
    with console.context() as ctx:
        done = system.restore(ctx, file)
        console.say(
            text(
                "Restored. By the journal {sent} messages were sent since; {late} are too late by "
                "now; {waiting} wait.",
                sent=str(done.replayed),
                late=str(done.expired),
                waiting=str(done.waiting),
            )
        )
        console.say(
            text(
                "Sending is paused: look at the outbox, then run chungtay outbox resume. Where "
                "other machines sent too, first run chungtay outbox replay with their journals."
            )
        )
