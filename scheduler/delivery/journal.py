"""What was sent, noted outside the database: after a restore it tells what must not go out again.

One file a month, one line a message: its key, a tab, the instant.
"""

import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

_KIND = "*.log"
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)


class Journal:
    """Notes of one batch; a line is whole or is not there, whoever else writes.

    Raises OSError where it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[Path, int] = {}

    def note(self, key: str, at: datetime) -> None:
        """It was sent at that instant; on the disk when the journal is closed."""
        line = f"{key}\t{at.astimezone(UTC).isoformat()}\n".encode()
        os.write(self._file(self.folder / f"{at.astimezone(UTC):%Y-%m}.log"), line)

    def close(self) -> None:
        while self._open:
            _, handle = self._open.popitem()
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def _file(self, path: Path) -> int:
        if path not in self._open:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            self._open[path] = handle
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                os.write(handle, b"\n")  # the last line was torn: ours is one of its own
        return self._open[path]


def files(folder: Path) -> tuple[Path, ...]:
    """The journals of a folder, the oldest first."""
    return tuple(sorted(folder.glob(_KIND))) if folder.is_dir() else ()


def old(folder: Path, before: datetime) -> tuple[Path, ...]:
    """The journals whose month was over before that instant."""
    month = f"{before.astimezone(UTC):%Y-%m}"
    return tuple(
        path for path in files(folder) if _MONTH.fullmatch(path.stem) and path.stem < month
    )


def read(paths: Iterable[Path]) -> dict[str, datetime]:
    """Every key that was sent, and when; torn lines are passed over."""
    return {key: at for path in paths for key, at in _lines(path)}


def _lines(path: Path) -> Iterator[tuple[str, datetime]]:
    with path.open("rb") as file:
        for line in file:
            key, tab, rest = line.rstrip(b"\n").partition(b"\t")
            try:
                at = datetime.fromisoformat(rest.decode())
                name = key.decode()
            except ValueError:
                continue
            if tab and name and at.tzinfo is not None:
                yield name, at
