"""A file that somebody sent -> the filled rows of its sheets, read in a process of its own.

What it is shows in its bytes.  Whatever is in them, this process only ever sees numbers, texts,
days and times, and no more of them than a list may have.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from scheduler.errors import Text
from scheduler.exchange import child, refusals
from scheduler.exchange.faults import Cell, UnreadableError

SECONDS = 30.0
MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 20_000
MOST_COLUMNS = 64

_MOST_ANSWERED = 16 * 1024 * 1024
_LONGEST_NAME = 300
# Who gives a text such a name has renamed it and believes that to be a conversion.
_WORKBOOK_NAMES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


@dataclass(frozen=True, slots=True)
class Grid:
    """A sheet as it is: its filled rows by row number, from 1.  `title` is empty for a CSV."""

    title: str
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]


def read(name: str, data: bytes) -> tuple[Grid, ...]:
    """The sheets of a workbook, or the one table of a CSV; raises UnreadableError with the reason.

    Takes at most 30 seconds.
    """
    if not data:
        raise refusals.error(refusals.EMPTY)
    if len(data) > MOST_BYTES:
        raise refusals.error(
            refusals.TOO_MANY_BYTES,
            size=round(len(data) / 1024 / 1024, 1),
            most=MOST_BYTES // 1024 // 1024,
        )
    try:
        answer = child.asked(
            "scheduler.exchange.grids_child",
            {"workbook": name.lower().endswith(_WORKBOOK_NAMES)},
            data,
            seconds=SECONDS,
            most=_MOST_ANSWERED,
        )
        return unpacked(answer)
    except (child.Lost, ArithmeticError, LookupError, TypeError, ValueError):
        raise refusals.error(refusals.BEYOND) from None


def packed(grids: Iterable[Grid]) -> dict[str, Any]:
    """Sheets as plain JSON, for the way between two processes."""
    return {
        "grids": [
            {
                "title": grid.title,
                "rows": [[n, [_plain(cell) for cell in row]] for n, row in grid.rows],
            }
            for grid in grids
        ]
    }


def trouble(error: UnreadableError) -> dict[str, Any]:
    """A refusal as plain JSON."""
    return {"trouble": error.what.msgid, "values": dict(error.what.values)}


def unpacked(answer: Mapping[str, Any]) -> tuple[Grid, ...]:
    """Plain JSON, taken for nothing more than it may be; raises what `trouble` packed."""
    if "trouble" in answer:
        sentence = refusals.KNOWN[answer["trouble"]]
        values = {name: _value(value) for name, value in answer["values"].items()}
        raise UnreadableError(Text(sentence.msgid, values))
    return tuple(Grid(_title(one["title"]), tuple(_rows(one["rows"]))) for one in answer["grids"])


def _value(given: object) -> str | int | float:
    if isinstance(given, int | float):
        return given
    return _title(given)


def _title(given: object) -> str:
    if not isinstance(given, str):
        raise TypeError
    return given[:_LONGEST_NAME]


def _rows(given: Sequence[Any]) -> Iterable[tuple[int, tuple[Cell, ...]]]:
    for number, cells in given:
        if not isinstance(number, int) or not 1 <= number <= MOST_ROWS or len(cells) > MOST_COLUMNS:
            raise ValueError
        yield number, tuple(_cell(cell) for cell in cells)


def _plain(cell: Cell) -> Any:
    """A cell as JSON has it; what JSON has no word for comes with its kind."""
    if cell is None or isinstance(cell, bool | int | float | str):
        return cell
    if isinstance(cell, datetime | date | time):
        return [type(cell).__name__, cell.isoformat()]
    if isinstance(cell, timedelta):
        return ["timedelta", [cell.days, cell.seconds, cell.microseconds]]
    return str(cell)


def _cell(given: Any) -> Cell:
    if given is None or isinstance(given, bool | int | float | str):
        return given
    kind, value = given
    return timedelta(*value) if kind == "timedelta" else _MOMENTS[kind](value)


_MOMENTS: Mapping[str, Callable[[str], Cell]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
}
