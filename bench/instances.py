"""The instances that the engine is measured on, as files, and the prototype that is its floor.

Both are no part of the checkout but for the programme: they lie in a folder beside it.
"""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent
BESIDE = CHECKOUT.parent / "shared" / "matching"
PROGRAMME = CHECKOUT / "tests" / "exchange" / "ha-noi-yen-bai.json"


class Absent(Exception):
    """Something that is not on this machine; the text says what."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an instance comes from: the programme's own file, or made by size, seed, demand."""

    name: str
    scale: float = 0  # 0: the programme
    seed: int = 1
    demand: float = 1.0

    @property
    def key(self) -> str:
        return self.name.removeprefix("the ").replace(", ", "-").replace(" ", "")

    def file(self, folder: Path, beside: Path) -> Path:
        """The instance as a file, made in the folder if need be.  Raises Absent."""
        if not self.scale:
            return PROGRAMME
        path, maker = folder / f"{self.scale:g}-{self.seed}-{self.demand:g}.json", beside / MAKER
        if not maker.is_file():
            raise Absent(f"{MAKER} is not there")
        if not path.is_file():
            # a process of its own: the size of this one would count into that of its children
            arguments = (self.scale, self.seed, path, self.demand)
            _python(maker.parent, [MAKER, *map(str, arguments)], {})
        return path


MAKER = "make_instance.py"


@dataclass(frozen=True, slots=True)
class Floor:
    """A plan of the prototype, priced by the referee."""

    cost: float
    taught: int
    requested: int
    moves_per_second: float
    megabytes: float


class Prototype:
    """The floor to beat; `absent` says why it cannot run here, if it cannot."""

    def __init__(self, beside: Path, built: Path) -> None:
        self.folder = beside / "prototype"
        self.built = built
        self.absent = self._absent()

    def _absent(self) -> str:
        if not (self.folder / "solve.py").is_file():
            return "not there"
        if importlib.util.find_spec("numpy") is None:
            return "no numpy"
        return "" if shutil.which("gcc") else "no C compiler"

    def solve(self, path: Path, seconds: float, seed: int) -> Floor:
        """Raises Absent when it cannot."""
        told = self._run("solve.py", path, f"{seconds}", f"{seed}")
        found = re.search(r"it/s (\d+) .* MB (\d+) ", told)
        verdict = ast.literal_eval(told[told.index(" (") + 1 :].strip())
        valid, violations, cost, taught, requested = verdict[:5]
        if not found or not valid:
            raise Absent(f"not valid: {violations}")
        return Floor(cost, taught, requested, float(found[1]), float(found[2]))

    def bound(self, path: Path, seconds: float, upper: float, steps: tuple[float, float]) -> float:
        """A lower bound on any cost; the steps of the ascent fall from the first to the second."""
        told = self._run(
            "bound.py", path, f"{seconds}", f"{upper}", f"lr0={steps[0]}", f"lr1={steps[1]}"
        )
        found = re.search(r" bound (-?[\d.]+) UB", told)
        if not found:
            raise Absent("no bound")
        return float(found[1])

    def _run(self, script: str, *arguments: object) -> str:
        if self.absent:
            raise Absent(self.absent)
        try:
            return _python(
                self.folder, [script, *map(str, arguments)], {"BUILD_DIR": str(self.built)}
            )
        except subprocess.CalledProcessError as error:
            raise Absent(f"failed: {last_words(error)}") from error


def _python(folder: Path, arguments: list[str], more: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **more},
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    return done.stdout


def last_words(error: subprocess.CalledProcessError) -> str:
    """The last line that a process said before it failed, or how it ended."""
    return (str(error.stderr).strip().splitlines() or [f"ended with {error.returncode}"])[-1]
