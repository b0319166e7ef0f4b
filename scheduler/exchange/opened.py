"""Files that are open already as bytes to keep, and back: what was looked at is taken over."""

import json
import zlib
from collections.abc import Sequence

from scheduler.exchange import grids
from scheduler.exchange.faults import UnreadableError
from scheduler.exchange.workbooks import Opened


def packed(files: Sequence[tuple[str, Opened]]) -> bytes:
    """Names and filled cells, or why a file could not be read."""
    plain = [
        [name, grids.trouble(each) if isinstance(each, UnreadableError) else grids.packed(each)]
        for name, each in files
    ]
    return zlib.compress(json.dumps(plain, ensure_ascii=False).encode())


def unpacked(kept: bytes) -> list[tuple[str, Opened]]:
    """What `packed` took."""
    return [(name, _sheets(plain)) for name, plain in json.loads(zlib.decompress(kept))]


def _sheets(plain: dict[str, object]) -> Opened:
    try:
        return grids.unpacked(plain)
    except UnreadableError as error:
        return error
