"""The process that prints one long paper: see `presses`, which starts it."""

import importlib
import json
import os
import sys
import threading
from pathlib import Path

from scheduler.delivery import presses

_STILL_HERE = 20.0  # seconds


def main(folder: Path, name: str) -> None:
    order, fault = folder / f"{name}{presses.ORDER}", folder / f"{name}{presses.FAULT}"
    os.nice(5)  # people's pages come first
    over = threading.Event()
    threading.Thread(target=_say, args=(order, over), daemon=True).start()
    try:
        _print(folder, name, json.loads(order.read_text()))
    except Exception as error:  # noqa: BLE001 - whoever waits hears that it will not come
        fault.write_text(repr(error))
    finally:
        over.set()
        order.unlink(missing_ok=True)
        (folder / f"{name}{presses.COUNT}").unlink(missing_ok=True)


def _print(folder: Path, name: str, pages: list[str]) -> None:
    printing = importlib.import_module("scheduler.delivery.printing")
    count, part = folder / f"{name}{presses.COUNT}", folder / f"{name}.part"
    count.write_text(f"0/{len(pages)}")
    made = printing.whole(pages, lambda done: count.write_text(f"{done}/{len(pages)}"))
    part.write_bytes(made)
    part.replace(folder / f"{name}{presses.PAPER}")


def _say(order: Path, over: threading.Event) -> None:
    """One table may take longer than a process may be silent."""
    while not over.wait(_STILL_HERE):
        if order.exists():
            order.touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
