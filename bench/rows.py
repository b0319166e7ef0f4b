"""A line of the table of figures, whichever part measured it, and how a part says its lines."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

NONE = "–"
COLUMNS = ("what", "found", "goal", "met", "beside")
JSON = "--json"


@dataclass(frozen=True, slots=True)
class Row:
    """`key`: what bench.promises calls it, whatever its words say.  `met` is None where there is no
    goal.  `beside`: who did the same, and what it took them.  `used`: how much of its goal it took,
    1 being all, so that of several alike the worst is known."""

    what: str
    found: str
    goal: str = NONE
    met: bool | None = None
    beside: tuple[tuple[str, str], ...] = ()
    key: str = ""
    used: float = 0.0

    @property
    def cells(self) -> tuple[str, ...]:
        met = {None: "", True: "yes", False: "**no**"}[self.met]
        peers = "; ".join(f"{who}: {found}" for who, found in self.beside)
        return self.what, self.found, self.goal, met, peers


def peer(who: str, found: str) -> tuple[tuple[str, str], ...]:
    """For `beside`; nothing where nothing was found."""
    return () if found in ("", NONE) else ((who, found),)


def at_most(
    what: str, found: float, goal: float, unit: str = "", *, key: str = "", digits: int = 1
) -> Row:
    """A number and the most that it may be; without a unit it is a count."""
    shown = f"{found:,.{digits}f} {unit}" if unit else f"{found:,.0f}"
    asked, used = f"≤ {goal:,g} {unit}".rstrip(), found / goal if goal else found
    return Row(what, shown, asked, met=found <= goal, key=key, used=used)


def spread(found: Sequence[float]) -> str:
    """The median, and the least and the most."""
    if len(found) == 1:
        return f"{found[0]:,.0f}"
    return f"{median(found):,.0f} ({min(found):,.0f} – {max(found):,.0f})"


# -- the table


def head(columns: Sequence[str] = COLUMNS) -> str:
    return f"{line(columns)}|{'---|' * len(columns)}\n"


def line(cells: Iterable[str]) -> str:
    """A line of Markdown; the strokes in it are not taken for the table's."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def table(rows: Iterable[Row]) -> str:
    return head() + "".join(line(row.cells) for row in rows)


# -- how a part says them


def tell(said: str) -> None:
    """Progress; it is no part of the table."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {said}\n")
    sys.stderr.flush()


def take_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(JSON, action="store_true", help="each line as JSON, for python -m bench")


def say(rows: Iterable[Row], as_json: bool) -> int:
    """Write the lines as they come: 1 when a goal is missed, for whoever runs the part alone."""
    missed = False
    if not as_json:
        sys.stdout.write(head())
    for row in rows:
        missed |= row.met is False
        sys.stdout.write(json.dumps(asdict(row)) + "\n" if as_json else line(row.cells))
        sys.stdout.flush()
    return int(missed and not as_json)


def alone(told: str | None, rows: Callable[[], Iterable[Row]]) -> int:
    """A part without questions of its own, as a program."""
    parser = argparse.ArgumentParser(description=told)
    take_json(parser)
    return say(rows(), parser.parse_args().json)


def read(told: Mapping[str, Any]) -> Row:
    """A row again, from what JSON made of it."""
    return Row(**{**told, "beside": tuple((who, found) for who, found in told["beside"])})
