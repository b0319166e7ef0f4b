"""Bytes of a file that somebody sent -> the filled rows of its sheets, and nothing that harms.

The file is judged by what is in it, never by its name; sizes are judged before anything is
unpacked.
"""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import openpyxl

from scheduler.errors import Text, text
from scheduler.exchange.faults import Cell, UnreadableError

MOST_BYTES = 5 * 1024 * 1024
MOST_INFLATED = 100 * 1024 * 1024
MOST_RATIO = 100
MOST_ENTRIES = 200
MOST_ROWS = 20_000
MOST_COLUMNS = 64
# Empty cells that only carry a colour cost time too; no honest list comes near these.
_MOST_CELLS = 4_000_000
_LAST_EXCEL_ROW = 1_048_576

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, slots=True)
class Grid:
    """A sheet as it is: its filled rows by row number, from 1."""

    title: str
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]


def grids(data: bytes) -> tuple[Grid, ...]:
    """The sheets of a workbook; raises UnreadableError with the reason and what to do."""
    _check_kind(data)
    _check_sizes(data)
    try:
        return _read(data)
    except UnreadableError:
        raise
    except Exception as error:
        raise UnreadableError(
            text(
                "The workbook is damaged and cannot be read. Open it in Excel, save it again and"
                " send it anew."
            )
        ) from error


def _check_kind(data: bytes) -> None:
    if not data:
        raise UnreadableError(text("The file is empty (0 bytes). Send the workbook anew."))
    if len(data) > MOST_BYTES:
        raise UnreadableError(
            text(
                "The file has {size} MB; a workbook may have {most} MB. Remove pictures and other"
                " sheets.",
                size=round(len(data) / 1024 / 1024, 1),
                most=MOST_BYTES // 1024 // 1024,
            )
        )
    if data.startswith(_OLE):
        raise UnreadableError(_old_or_locked(data))
    if not data.startswith(b"PK\x03\x04"):
        raise UnreadableError(
            text(
                "This is not an Excel workbook. Open it in Excel and save it as “Excel Workbook"
                " (*.xlsx)”."
            )
        )


def _old_or_locked(data: bytes) -> Text:
    if _ENCRYPTED in data:
        return text(
            "The workbook is locked with a password. Remove the password in Excel and save it anew."
        )
    return text(
        "This is a workbook of the old kind (.xls). Open it in Excel and save it as “Excel"
        " Workbook (*.xlsx)”."
    )


def _check_sizes(data: bytes) -> None:
    try:
        entries = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UnreadableError(text("The workbook is cut off or damaged. Send it anew.")) from error
    inflated = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_ENTRIES or inflated > min(MOST_INFLATED, MOST_RATIO * len(data)):
        raise UnreadableError(
            text(
                "Unpacked, the file would be {size} MB in {parts} parts: too large for a list."
                " Copy the table into a new workbook.",
                size=round(inflated / 1024 / 1024, 1),
                parts=len(entries),
            )
        )
    names = {entry.filename for entry in entries}
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise UnreadableError(
            text(
                "The workbook contains macros. Save it as “Excel Workbook (*.xlsx)”, without"
                " macros."
            )
        )
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
        raise UnreadableError(
            text(
                "This is an archive, but no Excel workbook. Open the list in Excel and save it as"
                " “Excel Workbook (*.xlsx)”."
            )
        )


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
            raise UnreadableError(_too_large(sheet.title))
        filled = [index for index, cell in enumerate(row) if cell is not None]
        if not filled:
            continue
        if number > MOST_ROWS or filled[-1] >= MOST_COLUMNS:
            raise UnreadableError(_too_large(sheet.title))
        yield number, tuple(row[: filled[-1] + 1])


def _too_large(title: str) -> Text:
    return text(
        "Sheet {sheet} has entries beyond row {rows} or column {columns}. Delete what does not"
        " belong to the list, or send the list in parts.",
        sheet=title,
        rows=MOST_ROWS,
        columns=MOST_COLUMNS,
    )
