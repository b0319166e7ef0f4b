"""Finding tables in sheets: by the names of their columns, whatever stands above and below."""

import re
from dataclasses import dataclass

from scheduler.domain import names
from scheduler.errors import text
from scheduler.exchange import headers
from scheduler.exchange.faults import Cell, Faults, Row, place
from scheduler.exchange.grids import Grid
from scheduler.exchange.headers import Header
from scheduler.exchange.layout import LAYOUTS, NUMBER, READING, Layout
from scheduler.exchange.words import letters, written

_FEW = 2
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


def find_table(file: str, grid: Grid, order: tuple[int, int], faults: Faults) -> Table | None:
    """The table of a sheet, faults of its header noted; None when it is none of ours."""
    if letters(grid.title) in _READING:
        return None
    header = headers.find(grid)
    if header is None:
        return _lost_table(file, grid, order, faults)
    titles = (cell for number, row in grid.rows if number < header.first for cell in row)
    lines = [line for line in grid.rows if line[0] > header.last]
    rows = tuple(
        Row(file, grid.title, number, order, header.columns, cells, faults, parts=header.parts)
        for number, cells in _without_footer(header, lines)
    )
    where = place(file, grid.title, header.last)
    wrong = [*headers.faults(header, grid)]
    if not rows:
        wrong.append(text("The list below this row is empty. Fill it in, or leave out the sheet."))
    for number, what in enumerate(wrong):
        faults.add((*order, header.last, -1, number), where, what)
    return Table(header.layout, tuple(str(title) for title in titles if title), rows, not wrong)


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


def _without_footer(header: Header, lines: list[_Line]) -> list[_Line]:
    """The rows of the list.  Notes, sums and signatures can only stand below its last row."""
    filled = [line for line in lines if _filled(header, line)]
    end = len(filled)
    while end and _may_be_note(header, filled[end - 1]):
        end -= 1
    above = filled[end - 1][0] if end else header.last
    for index in range(end, len(filled)):
        number = filled[index][0]
        if number > above + 1 or _reads_as_note(header, filled[index]):
            return filled[:index]  # signatures take several rows: what follows a note is one
        above = number
    return filled


def _may_be_note(header: Header, line: _Line) -> bool:
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


def _reads_as_note(header: Header, line: _Line) -> bool:
    """True for words that no entry begins with: such a row may follow without a blank one."""
    filled = _filled(header, line)
    return all(_NOTE.match(names.fold(str(cell))) for cell in filled) or _is_sum(filled)


def _is_sum(cells: list[Cell]) -> bool:
    return any(_SUM.match(written(cell).casefold()) for cell in cells)


def _has_key(header: Header, cells: tuple[Cell, ...]) -> bool:
    index = header.columns.get(header.layout.key)
    if index is None or index >= len(cells) or cells[index] is None:
        return False
    pattern = _NUMBER_KEY if header.layout.key == NUMBER else _CODE_KEY
    return bool(pattern.fullmatch(str(cells[index]).strip()))


def _filled(header: Header, line: _Line) -> list[Cell]:
    """What a row has under the columns of the table; what stands beside it is not ours."""
    found = (line[1][index] for index in header.places if index < len(line[1]))
    return [cell for cell in found if cell is not None and str(cell).strip()]
