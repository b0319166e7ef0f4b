"""Backups: the whole state in a file that has been read again, and a shelf of them."""

import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from scheduler.clock import SystemClock
from scheduler.domain import backups as rules
from scheduler.domain.backups import Keep
from scheduler.errors import Conflict, Invalid, NotFound, text
from scheduler.services.context import Context
from scheduler.store import dumps, migrations, space, switches

FORGOTTEN = timedelta(days=1)  # a half-written copy of a process that died
SPARE = 16 * 1024 * 1024
_ALL = Keep(1_000_000, 0, 0)
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Shelved:
    """A backup that was made, and what went for it.  `room`: how many more of its size the disk
    takes."""

    file: Path
    size: int
    gone: tuple[Path, ...]
    room: int


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest backup that was made of this database, on whatever machine.

    `age` is by the database's clock; `file` as it was named there.
    """

    age: timedelta
    size: int
    file: str

    @property
    def is_late(self) -> bool:
        """Whether a nightly one has been missed since."""
        return self.age > rules.LATE


def backup(ctx: Context, target: Path) -> int:
    """Write the whole state to a new file; returns its bytes.

    Raises Conflict if it exists or does not fit, NotFound while there is nothing to keep.
    """
    if target.exists():
        raise Conflict(text("{file} exists already; nothing was written.", file=str(target)))
    _write(ctx, target)
    _note(ctx, target)
    return target.stat().st_size


def shelve(ctx: Context, folder: Path, keep: Keep, now: datetime) -> Shelved:
    """Write one more backup into a folder; only then those go that need not be kept any more.

    `now` is the machine's time.  Raises as `backup`; then nothing has gone.
    """
    target = folder / rules.name_of(now)
    size = backup(ctx, target)
    zone, own = ZoneInfo(ctx.settings.timezone), ctx.settings.backup_dir
    gone = _clear(folder, keep, zone, now)
    if own.is_dir() and own.resolve() != folder.resolve():  # copies from before upgrades
        gone += _clear(own, _ALL, zone, now)
    return Shelved(target, size, gone, (space.disk(folder).free - SPARE) // size)


def before(ctx: Context, what: str) -> Path:
    """A copy on the installation's own shelf, ahead of an upgrade or a restore."""
    at = SystemClock().now()
    while (target := ctx.settings.backup_dir / rules.name_of(at, what)).exists():
        at += timedelta(seconds=1)  # never over another: it may be the one that is brought back
    _write(ctx, target)
    return target


def newest(ctx: Context) -> Newest | None:
    """None before the first; raises Busy."""
    with ctx.reading() as db:
        age, told = switches.age(db, switches.BACKED_UP), switches.value(db, switches.BACKED_UP)
    if age is None or told is None:
        return None
    size, _, file = told.partition(" ")
    return Newest(age, int(size), file)


def check(source: Path) -> None:
    """Hold a backup to the digest beside it, where there is one; raises Invalid."""
    beside = _digest_of(source)
    if beside.is_file() and beside.read_text().split()[:1] != [_digest(source)]:
        raise Invalid(
            text(
                "{file} is not as it was written ({beside} says so); nothing was changed.",
                file=str(source),
                beside=beside.name,
            )
        )


# -- writing one


def _write(ctx: Context, target: Path) -> None:
    """Whole or not at all: a copy gets its name when it has been read again."""
    schema = migrations.current(ctx.database)
    if not schema:
        raise NotFound("There are no data here yet; nothing was written.")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _require_room(ctx, target.parent)
    half = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        dumps.write(ctx.database, half)
        if dumps.revision(ctx.database, half) != schema:
            raise Conflict("The schema changed meanwhile. Try again.")
        _write_digest(target, _digest(half))
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)
    _hold(target.parent)


def _require_room(ctx: Context, folder: Path) -> None:
    needed, free = dumps.size(ctx.database) + SPARE, space.disk(folder).free
    if free < needed:
        raise Conflict(
            text(
                "The disk of {folder} has {free} MB left, and the backup may need {needed} MB. "
                "Nothing was written, and nothing was thrown away.",
                folder=str(folder),
                free=free // _MEGABYTE,
                needed=needed // _MEGABYTE + 1,
            )
        )


def _write_digest(target: Path, digest: str) -> None:
    """As `sha256sum --check` reads it."""
    beside = _digest_of(target)
    beside.write_text(f"{digest}  {target.name}\n")
    beside.chmod(0o600)


def _digest_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hold(folder: Path) -> None:
    """Have the disk hold the new name, too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _note(ctx: Context, target: Path) -> None:
    told = f"{target.stat().st_size} {target}"
    with ctx.transaction() as db:
        switches.turn_on(db, switches.BACKED_UP, told[:200])


# -- the shelf


def _clear(folder: Path, keep: Keep, zone: ZoneInfo, now: datetime) -> tuple[Path, ...]:
    names = sorted(path.name for path in folder.iterdir())
    for half in (folder / name for name in names if name.endswith(".part")):
        with suppress(FileNotFoundError):
            if now.timestamp() - half.stat().st_mtime > FORGOTTEN.total_seconds():
                half.unlink()
    copies = [copy for name in names if (copy := rules.read(name))]
    gone = [folder / each.name for each in rules.superfluous(copies, keep, zone, now)]
    for path in gone:
        path.unlink(missing_ok=True)
        _digest_of(path).unlink(missing_ok=True)
    return tuple(gone)
