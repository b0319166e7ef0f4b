"""What all commands share: their options, settings and context, and how they speak."""

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from scheduler.errors import ChungTayError, Invalid
from scheduler.locale import Language, translate

Command = TypeVar("Command", bound=Callable[..., object])

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
term_option = click.option(
    "--term", "term_code", metavar="CODE", help="Which term; the newest if left out."
)
seed_option = click.option(
    "--seed", default=1, show_default=True, help="Which random numbers to use."
)
port_option = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen on.",
)


def seconds_option(least: float, most: float | None = None) -> Callable[[Command], Command]:
    """How long a search may take; it must come to an end."""
    return click.option(
        "--time-limit",
        type=click.FloatRange(least, most),
        callback=_finite,
        default=10.0,
        show_default=True,
        help="Seconds to search.",
    )


def _finite(_ctx: click.Context, _option: click.Parameter, value: float) -> float:
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number of seconds.")
    return value


def output_option(what: str) -> Callable[[Command], Command]:
    """Where a command writes: a path that must be given."""
    return click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help=what)


@contextmanager
def sentences() -> Iterator[None]:
    try:
        yield
    except ChungTayError as error:
        for line in _lines(error):
            click.echo(line, err=True)
        sys.exit(1)
    except OSError as error:  # a folder that is not there, a disk that is full
        if error.filename is None:
            raise
        click.echo(f"{error.filename}: {error.strerror}", err=True)
        sys.exit(1)


def _lines(error: ChungTayError) -> Iterator[str]:
    """The error in Vietnamese and in English: who runs a command may read either."""
    problems = error.problems if isinstance(error, Invalid) else ()
    fields = error.fields.values() if isinstance(error, Invalid) else ()
    for language in Language:
        yield translate(error.message, language)
        for problem in problems:
            where, what = translate(problem.where, language), translate(problem.what, language)
            yield f"  {where}: {what}"
        for sentence in fields:
            yield f"  {translate(sentence, language)}"


def show(as_json: bool, data: dict[str, Any], plain: Callable[[], str] | None = None) -> None:
    if as_json or plain is None:
        click.echo(json.dumps(data, ensure_ascii=False, default=str, indent=None if as_json else 1))
    else:
        click.echo(plain())


def pretty(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, indent=1).encode()
