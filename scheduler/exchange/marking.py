"""A list as it came, with what is wrong marked at its cells, to be mended and sent back.

It is made of the cells that were read: no byte of the file itself is opened again.
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from scheduler.errors import Text, text
from scheduler.exchange.faults import Cell, Faults, Reading
from scheduler.exchange.grids import Grid, packed, unpacked
from scheduler.exchange.layout import READING_FAULTS, READING_MEANT
from scheduler.exchange.words import guarded, shown
from scheduler.locale import Language, translate

_RED, _YELLOW = PatternFill("solid", fgColor="F8C9C4"), PatternFill("solid", fgColor="FFF1C2")
_WIDE = Alignment(wrap_text=True, vertical="top")
# Comments are heavy, and the sheet of faults has all of them.
_MOST_COMMENTS = 1_000
_COMMENT_SIZE = (320, 110)
_WIDEST = 60
_UNNAMED = "Danh sách"  # the one sheet of a CSV
_NO_TITLE = re.compile(r"[\\*?:/\[\]\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|^'|'$")
_LONGEST_TITLE = 31
_MOST_EXACT = 10**15
_FORMATS: Mapping[type, str] = {datetime: "dd/mm/yyyy", date: "dd/mm/yyyy", time: "hh:mm"}
_Line = Sequence[str | int]
_Rows = Mapping[int, tuple[Cell, ...]]
_Place = tuple[int, int]  # row and column
_Cell = tuple[int, int, int]  # sheet, row and column
Tell = Callable[[int, int], object]
_TELL_EACH = 500  # rows


@dataclass(frozen=True, slots=True)
class Marks:
    """What is to be marked in one file, in words.  `faults`: by sheet, row and column; `seen`: the
    cells that were taken for something else, `meant`: for what."""

    language: Language
    faults: Mapping[_Cell, Sequence[str]]
    seen: Set[_Cell]
    meant: Sequence[_Line]


def marks(file: int, faults: Faults, language: Language) -> Marks:
    """All that is to be marked in the file of that number."""
    return Marks(
        language,
        {
            spot[1:]: [translate(each, language) for each in found]
            for spot, found in faults.marks().items()
            if spot[0] == file
        },
        frozenset(spot[1:] for spot in faults.read_spots() if spot[0] == file),
        [_meant_line(each, language) for each in faults.readings() if each.file == file],
    )


def order(grids: Sequence[Grid], marks: Marks) -> dict[str, Any]:
    """Sheets and marks as plain JSON, for the process that makes a long list: see `whole`."""
    return packed(grids) | {
        "language": marks.language.value,
        "faults": [[list(place), found] for place, found in marks.faults.items()],
        "seen": [list(place) for place in sorted(marks.seen)],
        "meant": marks.meant,
    }


def whole(order: Mapping[str, Any], tell: Tell) -> bytes:
    """The workbook that was ordered; `tell` hears how many rows are written, and of how many."""
    given = Marks(
        Language(order["language"]),
        {_cell(place): found for place, found in order["faults"]},
        frozenset(map(_cell, order["seen"])),
        order["meant"],
    )
    return workbook(unpacked(order), given, tell)


def _cell(given: Sequence[int]) -> _Cell:
    sheet, row, column = given
    return sheet, row, column


def workbook(grids: Sequence[Grid], marks: Marks, tell: Tell = lambda *_: None) -> bytes:
    """The sheets, each cell in its place, and a sheet of all faults before them."""
    book = Workbook(write_only=True)
    names = [_title(grid.title) for grid in grids]
    if marks.faults:
        rows = [dict(grid.rows) for grid in grids]
        lines = [_fault_line(place, each, names, rows)
                 for place, found in marks.faults.items() for each in found]  # fmt: skip
        _listed(book, READING_FAULTS, _FAULT_HEADS, lines, marks.language)
    comments = 0
    done, of = 0, sum(len(grid.rows) for grid in grids)
    for index, grid in enumerate(grids):
        here = {place[1:]: found for place, found in marks.faults.items() if place[0] == index}
        said = {place: _comment(found)
                for place, found in list(here.items())[: _MOST_COMMENTS - comments]}  # fmt: skip
        comments += len(said)
        yellow = {place[1:] for place in marks.seen if place[0] == index}
        for row in _copied(book, names[index], grid, here.keys(), said, yellow):
            if row % _TELL_EACH == 0:
                tell(min(done + row, of), of)
        done += len(grid.rows)
    if marks.meant:
        _listed(book, READING_MEANT, _MEANT_HEADS, marks.meant, marks.language)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


_SAYS = text("It says")
_FAULT_HEADS = (text("Sheet"), text("Cell"), _SAYS, text("What is to be mended"))
_FIRST = text("The first of them")
_MEANT_HEADS = (text("Column"), _SAYS, text("Understood as"), text("Cells"), _FIRST)


def _fault_line(place: _Cell, what: str, names: Sequence[str], rows: Sequence[_Rows]) -> _Line:
    sheet, row, column = place
    cells = rows[sheet].get(row, ())
    said = cells[column] if column < len(cells) else None
    where = f"{get_column_letter(column + 1)}{row}"
    return names[sheet], where, "" if said is None else shown(said), what


def _meant_line(each: Reading, language: Language) -> _Line:
    return each.column, each.found, each.meant, each.count, translate(each.where, language)


def _comment(found: Sequence[str]) -> Comment:
    width, height = _COMMENT_SIZE
    return Comment("\n".join(found), "Chung Tay", height=height, width=width)


def _copied(
    book: Workbook,
    title: str,
    grid: Grid,
    faulty: Set[_Place],
    comments: Mapping[_Place, Comment],
    yellow: Set[_Place],
) -> Iterator[int]:
    """A sheet with every cell where it stood, row by row, as it is written."""
    sheet = book.create_sheet(title)
    for index, width in enumerate(_widths(grid), start=1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    rows = dict(grid.rows)
    ends: dict[int, int] = {number: len(cells) for number, cells in grid.rows}
    for row, column in faulty:  # an empty cell behind all others may be a fault
        ends[row] = max(ends.get(row, 0), column + 1)
    for number in range(1, max(ends, default=0) + 1):
        cells = rows.get(number, ())
        line = []
        for column in range(ends.get(number, 0)):
            cell = WriteOnlyCell(sheet, _value(cells[column] if column < len(cells) else None))
            cell.number_format = _FORMATS.get(type(cell.value), cell.number_format)
            if (number, column) in faulty:
                cell.fill = _RED
                cell.comment = comments.get((number, column))
            elif (number, column) in yellow:
                cell.fill = _YELLOW
            line.append(cell)
        sheet.append(line)
        yield number


def _title(said: str) -> str:
    """A name that a sheet may have: a file may come with any."""
    return " ".join(_NO_TITLE.sub(" ", said).split())[:_LONGEST_TITLE] or _UNNAMED


def _value(cell: Cell) -> Any:
    if isinstance(cell, int) and abs(cell) > _MOST_EXACT:
        return str(cell)  # a spreadsheet would round it, or not take it at all
    return guarded(cell) if isinstance(cell, str) else cell


def _widths(grid: Grid) -> list[int]:
    widths: list[int] = []
    for _, cells in grid.rows:
        for index, cell in enumerate(cells):
            if index == len(widths):
                widths.append(8)
            if cell is not None and len(cells) > 2:  # a title may run over its neighbours
                widths[index] = max(widths[index], min(_WIDEST, len(str(cell)) + 2))
    return widths


def _listed(
    book: Workbook, title: str, heads: Sequence[Text], lines: Sequence[_Line], language: Language
) -> None:
    """A sheet for people to read."""
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for index, width in enumerate((20, 24, 40, 60, 60)[: len(heads)], start=1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    line = []
    for head in heads:
        cell = WriteOnlyCell(sheet, translate(head, language))
        cell.font = Font(bold=True)
        line.append(cell)
    sheet.append(line)
    for values in lines:
        row = [WriteOnlyCell(sheet, _value(value)) for value in values]
        for cell in row:
            cell.alignment = _WIDE
        sheet.append(row)
