"""Commands for files: workbooks in, workbooks and instances out."""

from functools import partial
from pathlib import Path

import click

from scheduler import console
from scheduler.commands import lists, opening
from scheduler.locale import Language
from scheduler.services import exports, imports, system


@click.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@console.term_option
@click.option("--dry-run", is_flag=True, help="Tell what the lists would do, and store nothing.")
@console.json_option
def import_command(
    files: tuple[Path, ...], term_code: str | None, dry_run: bool, as_json: bool
) -> None:
    """Read workbooks, or lists as CSV, into the database: all of them, or nothing.

    Tells what changes, and which cells were understood otherwise than they are written.
    """
    with opening.context() as ctx:
        system.migrate(ctx)
        given = [(path.name, path.read_bytes()) for path in files]
        found = imports.tell(ctx, given, term_code=term_code, dry_run=dry_run)
        language = Language(ctx.settings.locale)
        plain = partial(lists.words, found, language)
        console.show(as_json, lists.values(found, language), plain)


@click.command()
@click.argument("what", type=click.Choice(["instance", "workbooks", "csv", "lessons"]))
@console.term_option
@console.output_option("Where to write.")
def export(what: str, term_code: str | None, output: Path) -> None:
    """Write the term out: INSTANCE as `chungtay match` reads it, the three WORKBOOKS or the five
    lists as CSV into a folder, so that they import back to the same state, or the published
    LESSONS as a workbook.
    """
    with opening.ready_context() as ctx:
        if what == "instance":
            output.write_bytes(console.pretty(exports.export_instance(ctx, term_code)))
        elif what == "lessons":
            output.write_bytes(exports.export_lessons(ctx, term_code))
        else:
            output.mkdir(parents=True, exist_ok=True)
            write = exports.export_csvs if what == "csv" else exports.export_workbooks
            for name, content in write(ctx, term_code).items():
                (output / name).write_bytes(content)
