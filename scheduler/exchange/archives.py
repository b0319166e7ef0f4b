"""Bytes of a workbook that somebody sent -> the filled rows of its sheets.

The file is judged by what is in it, never by its name; sizes are judged before anything is
unpacked.  It runs in a process that may be lost: see `grids`.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

import openpyxl
from openpyxl.utils import column_index_from_string

from scheduler.exchange import refusals
from scheduler.exchange.faults import Cell, UnreadableError
from scheduler.exchange.grids import MOST_COLUMNS, MOST_ROWS, Grid

MOST_INFLATED = 100 * 1024 * 1024
MOST_RATIO = 100
MOST_ENTRIES = 200
MOST_SHEETS = 40  # in each the names of columns are looked for
# Empty cells that only carry a colour cost time too; no honest list comes near these.
_MOST_CELLS = 4_000_000
_LAST_EXCEL_ROW = 1_048_576
_MOST_STEPS = 100_000  # over merged cells
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,2})(\d{1,7}):([A-Z]{1,2})(\d{1,7})"')
_Row = tuple[int, tuple[Cell, ...]]

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
# Pictures, papers and programs, which a list of today is sometimes hidden in.
_OTHERS = (b"%PDF", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"{\\rtf", b"\x7fELF", b"MZ\x90")


def is_workbook(data: bytes) -> bool:
    """True for what begins as a workbook of any kind does, or as something that is no text."""
    return data.startswith((_ZIP, _OLE, *_OTHERS)) or zipfile.is_zipfile(io.BytesIO(data))


def grids(data: bytes) -> tuple[Grid, ...]:
    """The sheets of a workbook; raises UnreadableError with the reason and what to do."""
    _check_kind(data)
    _check_sizes(data)
    try:
        return _read(data)
    except (UnreadableError, MemoryError):
        raise
    except Exception as error:
        raise refusals.error(refusals.DAMAGED) from error


def _check_kind(data: bytes) -> None:
    if data.startswith(_OLE):
        raise refusals.error(refusals.LOCKED if _ENCRYPTED in data else refusals.OLD_KIND)
    if not data.startswith(_ZIP):
        raise refusals.error(refusals.NO_WORKBOOK)


def _check_sizes(data: bytes) -> None:
    try:
        entries = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise refusals.error(refusals.CUT_OFF) from error
    inflated = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_ENTRIES or inflated > min(MOST_INFLATED, MOST_RATIO * len(data)):
        size = round(inflated / 1024 / 1024, 1)
        raise refusals.error(refusals.INFLATED, size=size, parts=len(entries))
    names = {entry.filename for entry in entries}
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise refusals.error(refusals.MACROS)
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
        raise refusals.error(refusals.OTHER_ARCHIVE)


def _read(data: bytes) -> tuple[Grid, ...]:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    try:
        if len(book.worksheets) > MOST_SHEETS:
            count = len(book.worksheets)
            raise refusals.error(refusals.TOO_MANY_SHEETS, sheets=count, most=MOST_SHEETS)
        return tuple(
            Grid(sheet.title, _spread(tuple(_filled(sheet)), _merged(sheet)))
            for sheet in book.worksheets
        )
    finally:
        book.close()


def _filled(sheet: Any) -> Iterator[tuple[int, tuple[Cell, ...]]]:
    sheet.reset_dimensions()  # what a sheet says of its own size may be wrong
    cells = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells += len(row)
        if cells > _MOST_CELLS or number > _LAST_EXCEL_ROW:
            raise _too_large(sheet.title)
        filled = [index for index, cell in enumerate(row) if cell is not None]
        if not filled:
            continue
        if number > MOST_ROWS or filled[-1] >= MOST_COLUMNS:
            raise _too_large(sheet.title)
        yield number, tuple(row[: filled[-1] + 1])


def _merged(sheet: Any) -> Iterator[tuple[int, int, int]]:
    """The cells that are merged downwards: index of the column, first and last row.

    openpyxl does not tell them of a sheet that it reads row by row.
    """
    with sheet._get_source() as source:
        found = _MERGED.findall(source.read())
    for first, start, last, end in found[:MOST_ROWS]:
        if first == last and int(start) < int(end) <= MOST_ROWS:
            yield column_index_from_string(first.decode()) - 1, int(start), int(end)


def _spread(rows: tuple[_Row, ...], merged: Iterable[tuple[int, int, int]]) -> tuple[_Row, ...]:
    """The rows with what a merged cell says in each row that it runs over.

    A school is often written once beside all of its classes.
    """
    at = {number: index for index, (number, _) in enumerate(rows)}
    spread, steps = list(rows), 0
    for column, start, end in merged:
        said = rows[at[start]][1][column : column + 1] if start in at else ()
        steps += end - start
        if not said or said[0] is None or steps > _MOST_STEPS:
            continue
        for number in range(start + 1, end + 1):
            if number in at:
                cells = list(spread[at[number]][1])
                cells += [None] * (column + 1 - len(cells))
                cells[column] = said[0] if cells[column] is None else cells[column]
                spread[at[number]] = number, tuple(cells)
    return tuple(spread)


def _too_large(title: str) -> UnreadableError:
    return refusals.error(refusals.TOO_LARGE, sheet=title, rows=MOST_ROWS, columns=MOST_COLUMNS)
