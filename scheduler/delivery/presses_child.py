"""The process that makes one long paper or list: see `presses`, which starts it."""

import importlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from scheduler.delivery import presses
from scheduler.delivery.presses import Press

_STILL_HERE = 20.0  # seconds


def main(folder: Path, name: str, press: Press) -> None:
    order, fault = folder / f"{name}{presses.ORDER}", folder / f"{name}{presses.FAULT}"
    os.nice(5)  # people's pages come first
    over = threading.Event()
    threading.Thread(target=_say, args=(order, over), daemon=True).start()
    try:
        _make(folder, name, press, json.loads(order.read_text()))
    except Exception as error:  # noqa: BLE001 - whoever waits hears that it will not come
        fault.write_text(repr(error))
    finally:
        over.set()
        order.unlink(missing_ok=True)
        (folder / f"{name}{presses.COUNT}").unlink(missing_ok=True)


def _make(folder: Path, name: str, press: Press, order: Any) -> None:
    count, part = folder / f"{name}{presses.COUNT}", folder / f"{name}.part"

    def tell(done: int, of: int) -> None:
        count.write_text(f"{done}/{of}")

    part.write_bytes(importlib.import_module(press.module).whole(order, tell))
    part.replace(folder / f"{name}{press.ending}")


def _say(order: Path, over: threading.Event) -> None:
    """One piece may take longer than a process may be silent."""
    while not over.wait(_STILL_HERE):
        if order.exists():
            order.touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Press(*sys.argv[3:5]))
