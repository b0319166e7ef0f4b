"""Secrets that are kept in files, and what is too weak or too well known to be one."""

import os
import secrets
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource, PydanticBaseSettingsSource

LEAST_BYTES = 32
LONGEST_FILE = 64 * 1024
_FEWEST_SIGNS = 8
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# What stands in examples and is left there.
_SAMPLES = (
    "changeme",
    "placeholder",
    "replaceme",
    "secretkeyhere",
    "verysecret",
    "yoursecret",
    "0123456789abcdef0123456789abcdef",
)


class BadSecretFile(ValueError):
    """The file cannot be used; the sentence names it and says why, and nothing of its content."""


def read(path: Path) -> str:
    """The secret in a file of its own, without the blanks around it; raises BadSecretFile."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise BadSecretFile(f"{path} is no file")
            if os.name == "posix" and mode & _OTHERS:
                raise BadSecretFile(f"others may read {path}: run chmod 600 {path}")
            content = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise BadSecretFile(f"{path} cannot be read: {error.strerror}") from None
    try:
        secret = content.decode().strip()
    except UnicodeDecodeError:
        raise BadSecretFile(f"{path} holds no text") from None
    if not secret or len(content) > LONGEST_FILE:
        raise BadSecretFile(f"{path} holds no secret")
    return secret


def fault(key: str) -> str:
    """What is wrong with a key that signs, or nothing."""
    if len(key.encode()) < LEAST_BYTES:
        return f"the secret key needs at least {LEAST_BYTES} bytes"
    plain = "".join(filter(str.isalnum, key.lower()))
    if len(set(key)) < _FEWEST_SIGNS or any(sample in plain for sample in _SAMPLES):
        return "this secret key is known to everybody; make one: openssl rand -hex 32"
    return ""


@dataclass(frozen=True, slots=True)
class Filed:
    """A setting that is kept in a file; `twice`: it stands beside its file's name, too."""

    path: Path
    twice: bool


class Named(PydanticBaseSettingsSource):
    """What the environment says, and the files that it names: CHUNGTAY_…_FILE for some settings."""

    def __init__(self, inner: EnvSettingsSource, names: Sequence[str]) -> None:
        super().__init__(inner.settings_cls)
        self.inner = inner
        self.names = names

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self.inner.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        found = self.inner()
        for name in self.names:
            path = self.inner.env_vars.get(f"{self.inner.env_prefix}{name}_file".lower())
            if path:
                found[name] = Filed(Path(path), twice=bool(found.get(name)))
        return found


def kept(path: Path) -> bytes:
    """The secret of a file, made once where there is none.

    Raises BadSecretFile for one that others may read, or that is too weak.
    """
    if not path.exists():
        _make(path)
    key = read(path)
    if found := fault(key):
        raise BadSecretFile(f"{path}: {found}")
    return key.encode()


def _make(path: Path) -> None:
    """Whole or not at all: of two processes that begin at once, one makes the key of both."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(secrets.token_hex(LEAST_BYTES).encode())
    with suppress(FileExistsError):
        os.link(half, path)
    half.unlink()
