"""Pages of the documentation that the code writes of itself: they cannot be out of date."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

import click
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from scheduler import cli
from scheduler.config import IN_FILES, Settings
from scheduler.web import api
from scheduler.web.api import openapi

# -- settings


def settings() -> str:
    """Every setting, in the order of config.py."""
    rows = [_setting(name, field) for name, field in Settings.model_fields.items()]
    return "\n".join([SETTINGS, *rows, ""])


SETTINGS = """\
# Settings

Environment variables, or lines of a `.env` file in the folder from which a command is started.
With none set, everything runs on one machine. A setting that may hold a secret may stand
in a file instead, which its owner alone may read: its name with `_FILE` at the end names that file.
[Running it in the open](operations.md) says which of them an installation needs; `chungtay doctor`
says what is in force.
"""


def _setting(name: str, field: FieldInfo) -> str:
    own = f"`CHUNGTAY_{name.upper()}`"
    filed = f", or `CHUNGTAY_{name.upper()}_FILE`" if name in IN_FILES else ""
    usual = _default(field.default)
    without = f" Without it: `{usual}`." if usual else ""
    return f"- {own}{filed}<br>{_plain(field.description or '')}.{without}"


def _default(value: object) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value is PydanticUndefined:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(words: str) -> str:
    """Words of the code that are not meant as Markdown."""
    return words.replace("{", "&#123;").replace("<", "&lt;").replace("_", "\\_")


# -- commands


def commands() -> str:
    """Every command with what it does and what may be said with it."""
    return "\n".join([COMMANDS, *(line for each in _all(cli.main, "chungtay") for line in each)])


COMMANDS = """\
# Commands

Each explains itself: `chungtay COMMAND --help`. They read the same [settings](settings.md) as the
server, and write what they did into the record.
"""


def _all(group: click.Group, path: str) -> Iterator[list[str]]:
    root = click.Context(group)
    for name in group.list_commands(root):
        command = group.get_command(root, name)
        if isinstance(command, click.Group):
            yield from _all(command, f"{path} {name}")
        elif command is not None:
            yield _command(command, f"{path} {name}")


def _command(command: click.Command, path: str) -> list[str]:
    context = click.Context(command, info_name=path)
    usage = " ".join(command.collect_usage_pieces(context))
    told = [
        _option(option)
        for option in command.get_params(context)
        if isinstance(option, click.Option) and not option.hidden and "--help" not in option.opts
    ]
    what = command.get_short_help_str(limit=400)
    return [f"## {path}", "", f"`{path} {usage}`", "", _plain(what), "", *told, ""]


def _option(option: click.Option) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    return f"- `{names}` {_plain(option.help or '')}".rstrip()


# -- the API


@cache
def _described() -> dict[str, Any]:
    return openapi.describe(api.rooms)


def description() -> str:
    """The OpenAPI description as the application serves it, for programs that read one."""
    return json.dumps(_described(), ensure_ascii=False)


def operations() -> str:
    """Every operation of the API, by what it is about."""
    by_tag = defaultdict(list)
    for path, methods in _described()["paths"].items():
        for method, made in methods.items():
            by_tag[made["tags"][0]].append(_operation(method, path, made))
    lines = [OPERATIONS]
    for tag, rows in by_tag.items():
        lines += [f"## {re.sub('[-_]', ' ', tag).capitalize()}", "", *rows, ""]
    return "\n".join(lines)


OPERATIONS = """\
# Every operation of the API

[The API, for programs](api.md) says how all of them behave. Fields, examples and answers of each
are in the [OpenAPI description](openapi.json), which an installation serves at `/api/openapi.json`,
in Vietnamese too.
"""


def _operation(method: str, path: str, made: dict[str, Any]) -> str:
    named = {scope for each in made["security"] for some in each.values() for scope in some}
    scopes = " ".join(f"`{scope}`" for scope in sorted(named))
    return f"- `{method.upper()} {path}` {scopes}<br>{_plain(made['summary'])}"
