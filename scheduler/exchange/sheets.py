"""Finding tables in sheets: by the names of their columns, whatever stands above and below."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from openpyxl.utils import get_column_letter

from scheduler.domain import names
from scheduler.errors import Text, text
from scheduler.exchange.faults import Cell, Faults, Row, place
from scheduler.exchange.grids import Grid
from scheduler.exchange.layout import (
    CLOSED,
    CODE,
    HEADER_WITHIN,
    LAYOUTS,
    NUMBER,
    READING,
    SCHOOL_NAME,
    Layout,
)
from scheduler.exchange.words import letters, shown, written

_FEW = 2
_ALIKE = 0.75  # of the letters of two headings
_CODE_KEY = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,39}")
_NUMBER_KEY = re.compile(r"[0-9]+(\.0)?")
# How a line below a table begins when it follows without a blank row.  The marks matter in a sum:
# Tống and Công are names of people.
_SUM = re.compile(r"(tổng|cộng)\b")
_NOTE = re.compile(r"[(*]|ghi chu|luu y|danh sach|nguoi |ngay |.*, ngay ")

_READING = frozenset(map(letters, READING))

_Line = tuple[int, tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class Table:
    """A recognised table of a sheet; `titles` are the texts above it.

    `whole` is False when its header lacks columns: what it does not say may still be meant.
    """

    layout: Layout
    titles: tuple[str, ...]
    rows: tuple[Row, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class _Header:
    layout: Layout
    number: int
    columns: Mapping[str, int]


def find_table(file: str, grid: Grid, order: tuple[int, int], faults: Faults) -> Table | None:
    """The table of a sheet, faults of its header noted; None when it is none of ours."""
    if letters(grid.title) in _READING:
        return None
    header = _find_header(grid)
    if header is None:
        return _lost_table(file, grid, order, faults)
    titles = (cell for number, row in grid.rows if number < header.number for cell in row)
    lines = [line for line in grid.rows if line[0] > header.number]
    rows = tuple(
        Row(file, grid.title, number, order, header.columns, cells, faults)
        for number, cells in _without_footer(header, lines)
    )
    where = place(file, grid.title, header.number)
    wrong = [*_missing(header, grid), *_doubled(header, grid)]
    if not rows:
        wrong.append(text("The list below this row is empty. Fill it in, or leave out the sheet."))
    for number, what in enumerate(wrong):
        faults.add((*order, header.number, -1, number), where, what)
    return Table(header.layout, tuple(str(title) for title in titles if title), rows, not wrong)


def _find_header(grid: Grid) -> _Header | None:
    """The row that names most columns of one layout, at least half of those it needs."""
    best: tuple[float, _Header] | None = None
    layouts = (CLOSED,) if letters(grid.title) == letters(CLOSED.sheet) else LAYOUTS
    for number, cells in grid.rows[:HEADER_WITHIN]:
        said = _headings(cells)
        for layout in layouts:
            columns = _columns(layout, said)
            share = sum(name in columns for name in layout.needed) / len(layout.needed)
            if share >= 0.5 and (best is None or share > best[0]):
                best = share, _Header(layout, number, columns)
    return best[1] if best else None


def _headings(cells: tuple[Cell, ...]) -> list[str]:
    return [letters(cell) if isinstance(cell, str) else "" for cell in cells]


def _columns(layout: Layout, said: list[str]) -> dict[str, int]:
    """Where each column stands, the first time it is named."""
    found: dict[str, int] = {}
    for index, heading in enumerate(said):
        name = layout.names.get(heading)
        if name is not None:
            found.setdefault(name, index)
    if layout.beside and CODE not in found and SCHOOL_NAME in found:
        found[CODE] = found.pop(SCHOOL_NAME)  # a school is known by its name, too
    return found


def _lost_table(file: str, grid: Grid, order: tuple[int, int], faults: Faults) -> Table | None:
    """A sheet that has a table's name but not its columns was meant; any other is left alone."""
    meant = next((one for one in LAYOUTS if letters(one.sheet) == letters(grid.title)), None)
    if meant is None:
        return None
    faults.add(
        (*order, 0, 0),
        place(file, grid.title),
        text(
            "No row with the names of the columns was found. Put them in one row above the list:"
            " {columns}.",
            columns=meant.needed,
        ),
    )
    return Table(meant, (), (), whole=False)


def _missing(header: _Header, grid: Grid) -> Iterable[Text]:
    """The columns that nothing names; one whose name is nearly there may only be misspelt."""
    said = [letter for letter in _headings(_cells(header, grid)) if letter]
    others = [letter for letter in said if letter not in header.layout.names]
    for name in header.layout.needed:
        if name in header.columns:
            continue
        near = get_close_matches(letters(name), others, n=1, cutoff=_ALIKE)
        if near:
            index = _headings(_cells(header, grid)).index(near[0])
            yield text(
                "The column “{column}” is missing. If “{found}” in {place} is meant, write it as"
                " “{column}”.",
                column=name,
                found=shown(_cells(header, grid)[index]),
                place=get_column_letter(index + 1),
            )
        else:
            yield text("The column “{column}” is missing. Add it under this name.", column=name)


def _doubled(header: _Header, grid: Grid) -> Iterable[Text]:
    for index, heading in enumerate(_headings(_cells(header, grid))):
        name = header.layout.names.get(heading)
        if name is not None and header.columns.get(name, index) != index:
            yield text(
                "The column “{column}” is there twice, in {first} and {second}. Delete one of"
                " them.",
                column=name,
                first=get_column_letter(header.columns[name] + 1),
                second=get_column_letter(index + 1),
            )


def _cells(header: _Header, grid: Grid) -> tuple[Cell, ...]:
    return next(cells for number, cells in grid.rows if number == header.number)


def _without_footer(header: _Header, lines: list[_Line]) -> list[_Line]:
    """The rows of the list.  Notes, sums and signatures can only stand below its last row."""
    filled = [line for line in lines if _filled(header, line)]
    end = len(filled)
    while end and _may_be_note(header, filled[end - 1]):
        end -= 1
    above = filled[end - 1][0] if end else header.number
    for index in range(end, len(filled)):
        number = filled[index][0]
        if number > above + 1 or _reads_as_note(header, filled[index]):
            return filled[:index]  # signatures take several rows: what follows a note is one
        above = number
    return filled


def _may_be_note(header: _Header, line: _Line) -> bool:
    """True for a row with a few texts in it that cannot be an entry of which cells were forgotten.

    Forgotten cells must be told, never passed over: a row with its number or code, with a mail
    address, or with three cells filled is an entry.  A sum may fill more.
    """
    if _has_key(header, line[1]):
        return False
    filled = _filled(header, line)
    if any("@" in str(cell) for cell in filled):
        return False
    return len(filled) <= _FEW or _is_sum(filled)


def _reads_as_note(header: _Header, line: _Line) -> bool:
    """True for words that no entry begins with: such a row may follow without a blank one."""
    filled = _filled(header, line)
    return all(_NOTE.match(names.fold(str(cell))) for cell in filled) or _is_sum(filled)


def _is_sum(cells: list[Cell]) -> bool:
    return any(_SUM.match(written(cell).casefold()) for cell in cells)


def _has_key(header: _Header, cells: tuple[Cell, ...]) -> bool:
    index = header.columns.get(header.layout.key)
    if index is None or index >= len(cells) or cells[index] is None:
        return False
    pattern = _NUMBER_KEY if header.layout.key == NUMBER else _CODE_KEY
    return bool(pattern.fullmatch(str(cells[index]).strip()))


def _filled(header: _Header, line: _Line) -> list[Cell]:
    """What a row has under the columns of the table; what stands beside it is not ours."""
    found = (line[1][index] for index in header.columns.values() if index < len(line[1]))
    return [cell for cell in found if cell is not None and str(cell).strip()]
