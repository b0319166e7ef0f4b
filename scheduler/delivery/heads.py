"""The newest seal of the record, noted each day outside the database: what it is held against."""

import os
from datetime import UTC, datetime
from pathlib import Path

_NAME = "record-heads"


def note(folder: Path, at: datetime, position: int, head: str) -> None:
    """Add a line: the instant, how many lines were sealed by then, and the newest seal.

    Raises OSError where it cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = f"{at.astimezone(UTC).isoformat()}\t{position}\t{head}\n".encode()
    handle = os.open(folder / _NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line)
        os.fsync(handle)
    finally:
        os.close(handle)
