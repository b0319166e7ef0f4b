"""What commands with a database begin with: the settings, and a context that is closed again."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from pydantic import ValidationError

from scheduler import config, console
from scheduler.errors import Text
from scheduler.locale import Language, translate
from scheduler.secret_files import BadSecretFile
from scheduler.services import system
from scheduler.services.context import Context, open_context


@contextmanager
def ready_context() -> Iterator[Context]:
    """The context of a command that works with what is there: the schema must be ours."""
    with context() as ctx:
        system.require_head(ctx)
        yield ctx


@contextmanager
def context(role: str = "command") -> Iterator[Context]:
    """The context of a command; what goes wrong in it becomes sentences and exit status 1."""
    with console.sentences():
        ctx = opened(settings(), role)
        try:
            yield ctx
        finally:
            ctx.database.close()


def opened(given: config.Settings, role: str = "command") -> Context:
    try:
        return open_context(given, role)
    except BadSecretFile as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def settings(**overrides: object) -> config.Settings:
    try:
        return config.load(**overrides)
    except ValidationError as error:
        for fault in error.errors():
            name = "_".join(str(part) for part in fault["loc"]).upper()
            what = str(fault["msg"]).removeprefix("Value error, ")
            click.echo(f"CHUNGTAY_{name}: {what}", err=True)
        sys.exit(1)


def say(message: Text) -> None:
    language = Language(config.load().locale)
    click.echo(translate(message, language))
