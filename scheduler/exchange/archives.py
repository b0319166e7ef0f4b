"""Bytes of a workbook that somebody sent -> the filled rows of its sheets.

The file is judged by what is in it, never by its name; sizes are judged before anything is
unpacked.  It runs in a process that may be lost: see `grids`.
"""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import openpyxl

from scheduler.exchange import refusals
from scheduler.exchange.faults import Cell, UnreadableError
from scheduler.exchange.grids import MOST_COLUMNS, MOST_ROWS, Grid

MOST_INFLATED = 100 * 1024 * 1024
MOST_RATIO = 100
MOST_ENTRIES = 200
# Empty cells that only carry a colour cost time too; no honest list comes near these.
_MOST_CELLS = 4_000_000
_LAST_EXCEL_ROW = 1_048_576

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
        return tuple(Grid(sheet.title, tuple(_filled(sheet))) for sheet in book.worksheets)
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


def _too_large(title: str) -> UnreadableError:
    return refusals.error(refusals.TOO_LARGE, sheet=title, rows=MOST_ROWS, columns=MOST_COLUMNS)
