"""What takes a minute to make: a process of its own makes it into a folder, after the request.

The folder is a cache: each file is named after all that it says and can be made anew.  What was
begun and not ended, because the machine stopped, is begun again when somebody asks; where several
machines serve, each makes its own.
"""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from scheduler.delivery import papers
from scheduler.errors import Conflict

KEPT_SECONDS = 24 * 3600.0
STALE_SECONDS = 120.0  # a process that has not said a word for so long is gone
_CHILD = (sys.executable, "-P", "-m", "scheduler.delivery.presses_child")
ORDER, COUNT, FAULT = ".order", ".count", ".fault"


@dataclass(frozen=True, slots=True)
class Press:
    """Who makes it: a module of ours with `whole(order, tell)`; and how the file ends."""

    module: str
    ending: str


PAPERS = Press("scheduler.delivery.printing", ".pdf")


class State(StrEnum):
    NONE = "none"
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Stand:
    """How far a paper is: `done` of `of` pieces while it is made, `size` in bytes once it is."""

    state: State
    done: int = 0
    of: int = 0
    size: int = 0


def stand(folder: Path, name: str, press: Press = PAPERS) -> Stand:
    """How far the paper of that name is."""
    paper, order = folder / f"{name}{press.ending}", folder / f"{name}{ORDER}"
    if paper.exists():
        return Stand(State.READY, size=paper.stat().st_size)
    if _alive(folder, order):
        return Stand(State.MAKING, *_counted(folder / f"{name}{COUNT}"))
    if (folder / f"{name}{FAULT}").exists():
        return Stand(State.FAILED)
    return Stand(State.NONE)


def begin(folder: Path, name: str, what: object, press: Press = PAPERS) -> None:
    """Have one made of an order, as JSON has it, unless that is done or goes on.

    Raises Conflict while another one is made here: each takes hundreds of megabytes.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    tidy(folder)
    if stand(folder, name, press).state in (State.READY, State.MAKING):
        return
    _refuse_second(folder)
    order = folder / f"{name}{ORDER}"
    for ending in (FAULT, COUNT, ORDER):
        (folder / f"{name}{ending}").unlink(missing_ok=True)
    try:
        with order.open("x") as file:  # who made it begins
            file.write(json.dumps(what))
    except FileExistsError:
        return
    except OSError as error:  # half an order would look like one that is printed
        order.unlink(missing_ok=True)
        raise Conflict("It cannot be made now: the disk may be full.") from error
    subprocess.Popen(
        [*_CHILD, str(folder.absolute()), name, press.module, press.ending],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=papers.surroundings(),
        start_new_session=True,
    )


def again(folder: Path, name: str, what: object, press: Press = PAPERS) -> None:
    """As `begin`, in place of the one that is made already."""
    if stand(folder, name, press).state is State.READY:
        _refuse_second(folder)
        (folder / f"{name}{press.ending}").unlink(missing_ok=True)
    begin(folder, name, what, press)


def _refuse_second(folder: Path) -> None:
    if any(_alive(folder, each) for each in folder.glob(f"*{ORDER}")):
        raise Conflict("Another long paper or list is being made. Try again in a minute.")


def take(folder: Path, name: str, press: Press = PAPERS) -> bytes | None:
    """The paper; None while it is not there."""
    try:
        return (folder / f"{name}{press.ending}").read_bytes()
    except FileNotFoundError:
        return None


def tidy(folder: Path) -> int:
    """Throw away what is older than a day: they hold names; how many files."""
    old = [each for each in folder.glob("*") if _age(each) > KEPT_SECONDS]
    for each in old:
        each.unlink(missing_ok=True)
    return len(old)


def _alive(folder: Path, order: Path) -> bool:
    count = folder / f"{order.stem}{COUNT}"
    return order.exists() and min(_age(order), _age(count)) < STALE_SECONDS


def _age(file: Path) -> float:
    """Seconds since it was written; a file that is gone is very old."""
    try:
        return time.time() - file.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _counted(count: Path) -> tuple[int, int]:
    try:
        done, _, of = count.read_text().partition("/")
        return int(done), int(of)
    except (FileNotFoundError, ValueError):
        return 0, 0
