"""What parts of the bench found, kept as files: a run in parts is put together of them.

Only what was measured on a machine like this one, within a day of the newest, goes together.
"""

import json
import os
import platform
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.instances import CHECKOUT
from bench.rows import Row, read

FOLDER = CHECKOUT / "build" / "bench"
A_DAY = timedelta(hours=24)
ADDITIONS = 10_000_000


@dataclass(frozen=True, slots=True)
class Machine:
    """What figures depend on, and nothing that says whose it is."""

    cores: int
    python: str
    processor: str

    def __str__(self) -> str:
        return f"{self.cores} cores, Python {self.python}, {self.processor}"


@dataclass(frozen=True, slots=True)
class Result:
    """`loop`: seconds that ten million additions took just before, which is how fast the machine
    was then; `fault`: why a part came to no end."""

    part: str
    command: str
    began: datetime
    seconds: float
    loop: float
    load: float
    machine: Machine
    rows: tuple[Row, ...]
    fault: str = ""


def this_machine() -> Machine:
    version = platform.python_version()
    return Machine(os.cpu_count() or 1, version, _processor())


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    if told.is_file():
        for line in told.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return " ".join(value.split())
    return platform.machine()


def loop_seconds() -> float:
    began, total = time.perf_counter(), 0
    for number in range(ADDITIONS):
        total += number
    return time.perf_counter() - began


def write(result: Result, folder: Path = FOLDER) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    told = asdict(result) | {"began": result.began.isoformat()}
    text = json.dumps(told, ensure_ascii=False, indent=1)
    (folder / f"{result.part}.json").write_text(text + "\n")


def everything(folder: Path = FOLDER) -> dict[str, Result]:
    """The newest of each part, whatever machine it is of."""
    return {found.part: found for found in map(_read, sorted(folder.glob("*.json")))}


def together(found: Iterable[Result], machine: Machine) -> dict[str, Result]:
    """Those that may stand in one table."""
    ours = [each for each in found if each.machine == machine]
    newest = max((each.began for each in ours), default=datetime.now(UTC))
    return {each.part: each for each in ours if newest - each.began < A_DAY}


def _read(path: Path) -> Result:
    told: Mapping[str, Any] = json.loads(path.read_text())
    parsed = {
        "began": datetime.fromisoformat(told["began"]),
        "machine": Machine(**told["machine"]),
        "rows": tuple(map(read, told["rows"])),
    }
    return Result(**{**told, **parsed})
