"""The file `.env`: single settings are changed in it, and all else stays as somebody wrote it."""

import os
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

PREFIX = "CHUNGTAY_"
_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=")

# What would not be read back as it is written; systemd and we read single quotes alike.
_ODD = re.compile(r"""^["'\s]|\s#|\s$|\\""")


def named(content: str) -> frozenset[str]:
    """The settings that stand in it, without their prefix, in small letters."""
    found = (_LINE.match(line) for line in content.splitlines())
    names = (match["name"].upper() for match in found if match)
    return frozenset(x.removeprefix(PREFIX).lower() for x in names if x.startswith(PREFIX))


def merged(content: str, changes: Mapping[str, str]) -> str:
    """The same with these settings; each stands once, where it stood or at the end."""
    lines, left = [], dict(changes)
    for line in content.splitlines():
        match = _LINE.match(line)
        name = match["name"].upper().removeprefix(PREFIX).lower() if match else ""
        if name not in changes:
            lines.append(line)
        elif name in left:
            lines.append(_line(name, left.pop(name)))
    lines += (_line(name, value) for name, value in left.items())
    return "".join(f"{line}\n" for line in lines)


def misread(content: str, changes: Mapping[str, str]) -> str:
    """The first of these settings that would be read back otherwise than it was meant, or
    nothing."""
    found = dotenv_values(stream=StringIO(content))
    names = (x for x in changes if found.get(f"{PREFIX}{x.upper()}") != changes[x])
    return next(names, "")


def _line(name: str, value: str) -> str:
    plain = not _ODD.search(value)
    return f"{PREFIX}{name.upper()}=" + (value if plain else f"'{value}'")


def write(path: Path, content: str, now: datetime) -> Path | None:
    """Put the file there, whole or not at all, for its owner alone; returns the copy of the one
    that was there before."""
    path = path.resolve()  # a link stays one
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = None
    if path.exists():
        kept = path.with_name(f"{path.name}.before-{now:%Y%m%d-%H%M%S}")
        _put(kept, path.read_bytes())
    _put(path, content.encode())
    return kept


def _put(path: Path, content: bytes) -> None:
    half = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


def masked(value: str) -> str:
    """An address for a screen: its password as three dots."""
    return re.sub(r"(://[^:@/]*:)[^@]*@", r"\1…@", value)


def hidden(content: str, secret: Iterable[str]) -> str:
    """The file for a screen, without the passwords in the addresses of these settings."""
    names = {f"{PREFIX}{name.upper()}" for name in secret}
    shown = []
    for line in content.splitlines():
        match = _LINE.match(line)
        is_secret = match is not None and match["name"].upper() in names
        shown.append(masked(line) if is_secret else line)
    return "".join(f"{line}\n" for line in shown)
