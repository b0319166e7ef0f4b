"""Files that are no honest workbook are refused for what they are, before they do harm."""

import io
import time
import zipfile

import pytest
from openpyxl import Workbook

from scheduler.exchange.archives import grids
from scheduler.exchange.faults import UnreadableError
from scheduler.exchange.grids import MOST_COLUMNS, MOST_ROWS
from tests.exchange.books import SCHOOLS, example, saved

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
SHEET = "xl/worksheets/sheet1.xml"


def archive(**parts: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def with_texts(parts: dict[str, bytes], texts: bytes) -> dict[str, bytes]:
    """The parts of a workbook, and the part that holds texts of all sheets beside them."""
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    told = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s"/></Types>' % kind
    types = parts["[Content_Types].xml"].replace(b"</Types>", told)
    return {**parts, "[Content_Types].xml": types, "xl/sharedStrings.xml": texts}


def with_part(name: str, content: bytes) -> bytes:
    """The example of schools with one part of the archive replaced or added."""
    with zipfile.ZipFile(io.BytesIO(example(SCHOOLS)[1])) as packed:
        parts = {entry: packed.read(entry) for entry in packed.namelist()}
    return archive(**{**parts, name: content})


def wide(cell: str) -> bytes:
    book = Workbook()
    book.worksheets[0][cell] = "x"
    return saved(book)


def many_sheets(count: int) -> bytes:
    book = Workbook()
    for n in range(1, count):
        book.create_sheet(f"Lớp {n}")
    return saved(book)


def reason(data: bytes) -> str:
    with pytest.raises(UnreadableError) as refused:
        grids(data)
    return str(refused.value)


@pytest.mark.parametrize(
    ("data", "beginning"),
    [
        ("STT;Họ và tên\n1;Lê Mai Nga\n".encode(), "This is not an Excel workbook."),
        (b"%PDF-1.7 ...", "This is not an Excel workbook."),
        (b"GIF89a" + example(SCHOOLS)[1], "This is not an Excel workbook."),
        (OLE, "This is a workbook of the old kind (.xls)."),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "The workbook is locked with a password."),
        (archive(**{"a.txt": b"hello"}), "This is an archive, but no Excel workbook."),
        (
            archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"),
            "This is an archive, but no Excel workbook.",
        ),
        (example(SCHOOLS)[1][:4000], "The workbook is cut off or damaged."),
        (with_part("xl/vbaProject.bin", b"macro"), "The workbook contains macros."),
        (with_part(SHEET, b"<worksheet"), "The workbook is damaged and cannot be read."),
        (
            with_part(
                SHEET,
                b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet><sheetData><row><c t="inlineStr"><is>'
                b"<t>&b;</t></is></c></row></sheetData></worksheet>",
            ),
            "The workbook is damaged and cannot be read.",
        ),
        (with_part("xl/media/a.png", bytes(101 * 1024 * 1024)), "Unpacked, the file would be 101"),
        (with_part("xl/media/a.png", bytes(20 * 1024 * 1024)), "Unpacked, the file would be 20"),
        (archive(**{f"{n}": b"" for n in range(201)}), "Unpacked, the file would be 0.0 MB in 201"),
        (wide("A20001"), "Sheet Sheet has entries beyond row 20000 or column 64."),
        (many_sheets(41), "The workbook has 41 sheets; at most 40 are read."),
        (wide("BM1"), "Sheet Sheet has entries beyond row 20000 or column 64."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_file_is_refused_with_the_reason(data: bytes, beginning: str) -> None:
    assert reason(data).startswith(beginning)


def test_one_cell_at_the_far_corner_is_refused_within_two_seconds() -> None:
    began = time.monotonic()
    assert "beyond row" in reason(wide("XFD1048576"))
    assert time.monotonic() - began < 2


def test_row_number_beyond_excel_ends_the_reading() -> None:
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="99999999999"><c><v>1</v></c></row></sheetData></worksheet>'
    )
    assert "beyond row" in reason(with_part(SHEET, sheet))


def test_all_rows_are_seen_when_the_sheet_understates_its_size() -> None:
    data = example(SCHOOLS)[1]
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        sheet = packed.read(SHEET)
    assert b"<dimension" in sheet
    lying = sheet.replace(b'<dimension ref="A1:H18"', b'<dimension ref="A1"')
    assert lying != sheet
    assert grids(with_part(SHEET, lying)) == grids(data)


def test_rows_up_to_the_limits_are_read() -> None:
    book = Workbook()
    book.worksheets[0].cell(MOST_ROWS, MOST_COLUMNS, "x")
    [grid] = grids(saved(book))
    assert [(number, len(row)) for number, row in grid.rows] == [(20_000, 64)]
