"""Rows copied from a sheet of requests and pasted as text -> what each asks for, with its faults.

Cells stand between tabs, as every spreadsheet copies them.  With a row of column names the columns
are where these say; without one they are those of the workbook, or, when no school's code comes
first, class, lessons a week, from, until, and the slots by choice.
"""

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from scheduler.domain.imports import SchoolEntry, TermEntry
from scheduler.domain.pasting import PastedRow
from scheduler.domain.requests import NewRequest
from scheduler.errors import Text, text
from scheduler.exchange import layout, readers, refusals, resolving
from scheduler.exchange.faults import Cell, Faults, Row, UnreadableError
from scheduler.exchange.words import letters, written

MOST_ROWS = 200
MOST_BYTES = 50_000

_LAYOUT = layout.REQUESTS
_NEEDED = (layout.CLASS, layout.PER_WEEK, layout.SLOTS[0])
_SHORT = (layout.CLASS, layout.PER_WEEK, layout.FIRST_DAY, layout.LAST_DAY, *layout.SLOTS)
_WORKBOOK = tuple(column.name for column in _LAYOUT.columns)
_HEADINGS = 2  # so many known names make a row of names


@dataclass(frozen=True, slots=True)
class Usual:
    """What a row asks for where it says nothing."""

    first_day: date
    last_day: date
    priority: int


def read(
    typed: str, term: TermEntry, school: SchoolEntry, usual: Usual, held: Mapping[str, Usual]
) -> tuple[PastedRow, ...]:
    """The filled rows below the names, if these are there.

    `held`: what a class asks for now, where a row of it says nothing.  Raises UnreadableError when
    the text as a whole cannot be taken.
    """
    if len(typed.encode()) > MOST_BYTES:
        raise UnreadableError(
            text("This is more than {most} kB. Paste it in parts.", most=MOST_BYTES // 1000)
        )
    table = _table(typed)
    if not table:
        raise UnreadableError(text("Paste at least one row of your list."))
    columns = _named(table[0][1])
    lines = table[1:] if columns else table
    if columns is None:
        columns = _unnamed(table[0][1], school)
    if len(lines) > MOST_ROWS:
        raise UnreadableError(
            text("These are {count} rows. Paste at most {most} at once.", count=len(lines),
                 most=MOST_ROWS)
        )  # fmt: skip
    if not lines:
        raise UnreadableError(text("Below the names of the columns there is no row yet."))
    return tuple(_row(number, cells, columns, term, school, usual, held) for number, cells in lines)


def _table(typed: str) -> list[tuple[int, list[str]]]:
    """The filled rows, counted as a spreadsheet counts them."""
    said = unicodedata.normalize("NFC", typed)
    lines = csv.reader(io.StringIO(said, newline=""), delimiter="\t", strict=True)
    found, number = [], 0
    try:
        for number, line in enumerate(lines, start=1):
            if any(cell.strip() for cell in line):
                found.append((number, line))
    except csv.Error as error:
        raise refusals.error(refusals.UNQUOTED, row=number + 1, most=MOST_BYTES) from error
    return found


def _named(first: Sequence[str]) -> dict[str, int] | None:
    """Where each column stands by its name; None when the first row is no row of names."""
    found: dict[str, int] = {}
    for index, cell in enumerate(first):
        name = _LAYOUT.names.get(letters(cell))
        if name is not None:
            found.setdefault(name, index)
    if len(found) < _HEADINGS:
        return None
    missing = next((name for name in _NEEDED if name not in found), None)
    if missing is not None:
        raise UnreadableError(_no_column(missing))
    return found


def _no_column(name: str) -> Text:
    return text("The column “{column}” is missing. Add it under this name.", column=name)


def _unnamed(first: Sequence[str], school: SchoolEntry) -> dict[str, int]:
    begins_with_code = letters(first[0]) == letters(school.code)
    order = _WORKBOOK if begins_with_code else _SHORT
    return {name: index for index, name in enumerate(order)}


def _row(
    number: int,
    cells: Sequence[str],
    columns: Mapping[str, int],
    term: TermEntry,
    school: SchoolEntry,
    usual: Usual,
    held: Mapping[str, Usual],
) -> PastedRow:
    named = _class_of(cells, columns)
    known = held.get(named.partition("#")[0].strip(), usual)
    faults = Faults()
    row = _filled(number, cells, columns, faults, {
        layout.CODE: school.code,
        layout.FIRST_DAY: known.first_day,
        layout.LAST_DAY: known.last_day,
        layout.PRIORITY: str(known.priority),
    })  # fmt: skip
    entry = resolving.request(row, term, school)
    new: NewRequest | None = entry.ask if row.sound else None
    return PastedRow(
        number=number,
        cells=tuple(written(cell) for cell in cells),
        class_name=entry.ask.class_name or named,
        which=entry.number if "#" in named else None,
        new=new,
        faults=faults.in_order(),
    )


def _class_of(cells: Sequence[str], columns: Mapping[str, int]) -> str:
    index = columns[layout.CLASS]
    return readers.bare_class(written(cells[index])) if index < len(cells) else ""


def _filled(
    number: int,
    cells: Sequence[str],
    columns: Mapping[str, int],
    faults: Faults,
    instead: Mapping[str, Cell],
) -> Row:
    """The row with what is usual in its empty cells, and behind them where it has no such cell."""
    places = dict(columns)
    whole: list[Cell] = list(cells)
    whole += [None] * (max(places.values()) + 1 - len(whole))
    for name, cell in instead.items():
        if name not in places:
            places[name] = len(whole)
            whole.append(cell)
        elif not str(whole[places[name]] or "").strip():
            whole[places[name]] = cell
    return Row("", "", number, (0, 0), places, tuple(whole), faults)
