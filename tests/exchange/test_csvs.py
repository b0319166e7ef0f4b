"""A list as CSV tells what the same list as a workbook tells, whichever program wrote it."""

import csv
import io
import unicodedata
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.domain.imports import Roster
from scheduler.exchange import archives, csvs
from scheduler.exchange.faults import UnreadableError
from scheduler.exchange.grids import Grid
from scheduler.exchange.words import written
from tests.effort import examples
from tests.exchange.books import (
    REQUESTS,
    SCHOOLS,
    TEACHERS,
    example,
    refusals,
    roster_from_outside,
    told,
)

HEADER = "Mã trường;Buổi;Tiết;Bắt đầu;Kết thúc"
BELL = "YB01;Sáng;1;07:15;07:50"


@cache
def lines(name: str, sheet: str) -> tuple[tuple[str, ...], ...]:
    """A sheet of an example as texts, blank rows among them."""
    grid = next(one for one in archives.grids(example(name)[1]) if one.title == sheet)
    rows = dict(grid.rows)
    numbers = range(1, max(rows) + 1)
    return tuple(
        tuple("" if cell is None else written(cell) for cell in rows.get(number, ()))
        for number in numbers
    )


def joined(name: str, sheet: str, separator: str = ";", newline: str = "\r\n") -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=separator, lineterminator=newline).writerows(lines(name, sheet))
    return buffer.getvalue()


def windows_1258(said: str) -> bytes:
    """As Windows writes Vietnamese: the five tones apart from their letters."""
    return b"".join(_windows_letter(letter) for letter in said)


def _windows_letter(letter: str) -> bytes:
    try:
        return letter.encode("cp1258")
    except UnicodeEncodeError:
        apart = unicodedata.normalize("NFD", letter)
        tone = next(mark for mark in apart if mark in "\u0300\u0301\u0303\u0309\u0323")
        rest = unicodedata.normalize("NFC", apart.replace(tone, ""))
        return rest.encode("cp1258") + tone.encode("cp1258")


def reason(data: bytes) -> str:
    with pytest.raises(UnreadableError) as refused:
        csvs.grid(data)
    return str(refused.value)


CODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "UTF-8 with mark": lambda said: said.encode("utf-8-sig"),
    "decomposed": lambda said: unicodedata.normalize("NFD", said).encode(),
    "UTF-16": lambda said: said.encode("utf-16"),
    "UTF-16 of the other kind": lambda said: b"\xfe\xff" + said.encode("utf-16-be"),
    "UTF-16 without mark": lambda said: said.encode("utf-16-le"),
    "UTF-16 of the other kind without mark": lambda said: said.encode("utf-16-be"),
    "Windows-1258": windows_1258,
}


@pytest.mark.parametrize("coding", CODINGS)
def test_every_encoding_of_the_offices_is_read(coding: str) -> None:
    said = joined(TEACHERS, "Giáo viên")
    assert csvs.grid(CODINGS[coding](said)) == csvs.grid(said.encode())


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize(("name", "sheet"), [(TEACHERS, "Giáo viên"), (SCHOOLS, "Khung giờ")])
def test_every_separator_and_line_end_is_read(
    separator: str, newline: str, name: str, sheet: str
) -> None:
    found = csvs.grid(joined(name, sheet, separator, newline).encode())
    assert found == csvs.grid(joined(name, sheet).encode())
    assert found.title == ""


def test_lists_as_csv_tell_what_the_workbooks_tell() -> None:
    """Each sheet a file: the same tables, the same meaning, the same checks together."""
    files = [
        ("truong.csv", joined(SCHOOLS, "Trường").encode("utf-8-sig")),
        ("khung-gio.csv", joined(SCHOOLS, "Khung giờ", "\t").encode("utf-16")),
        ("hoc-ky.txt", windows_1258(joined(SCHOOLS, "Học kỳ", ","))),
        ("giao-vien.csv", joined(TEACHERS, "Giáo viên", newline="\r").encode()),
        ("dang-ky", joined(REQUESTS, "Đăng ký", ",", "\n").encode()),
    ]
    assert roster_from_outside(files) == told()


def test_cell_may_hold_separators_line_ends_and_quotation_marks() -> None:
    said = 'Tên;Ghi chú\r\n"Lê ""Mai"" Nga";"một; hai\r\nba\rbốn"\r\nHoa;x\r\n'
    assert csvs.grid(said.encode()).rows == (
        (1, ("Tên", "Ghi chú")),
        (2, ('Lê "Mai" Nga', "một; hai\r\nba\rbốn")),
        (3, ("Hoa", "x")),
    )


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    assert csvs.grid(b"a;b\n;\n\n \n;c\n").rows == ((1, ("a", "b")), (5, (None, "c")))


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf", b"\xff\xfe", b"\r\n\r\n", b";;\n ; ;\n", b" "])
def test_file_without_rows_is_refused(data: bytes) -> None:
    assert reason(data) == "The file is empty: it has no rows. Send the list anew."


def test_header_alone_is_told_as_an_empty_list() -> None:
    assert refusals([("khung-gio.csv", f"\n{HEADER}\n".encode())], told()) == [
        "khung-gio.csv, row 2: The list below this row is empty. Fill it in, or leave out the"
        " sheet.",
        "khung-gio.csv: The sheet “Trường” is missing. Add it, with the columns Mã trường, Tên"
        " trường, Huyện/Thị xã, Cấp học, Số phòng học trực tuyến, Đầu mối, Email, Điện thoại.",
        "khung-gio.csv: The sheet “Học kỳ” is missing. Add it, with the columns Mã học kỳ, Tên, Từ"
        " ngày, Đến ngày, Ngày nghỉ, Nghỉ giữa hai tiết (phút), Múi giờ.",
    ]


def test_fault_of_a_cell_is_told_with_row_and_column() -> None:
    said = joined(TEACHERS, "Giáo viên", ",").replace("ngalm@c.example", "ngalm.c.example")
    [sentence] = refusals([("giao-vien.csv", said.encode())], told())
    assert sentence.startswith(
        "giao-vien.csv, row 7, column E (Email): “ngalm.c.example” is not a mail address."
    )


def test_all_that_is_wrong_with_a_header_is_told_at_once() -> None:
    said = joined(REQUESTS, "Đăng ký")
    said = said.replace("Lớp;", "Khối;").replace("Sĩ số;", "Ghi chú;")
    said = said.replace("Từ ngày;Đến ngày", "Từ ngày;TU NGAY")
    found = refusals([("dang-ky.csv", said.encode())], told())
    assert found[:4] == [
        "dang-ky.csv, row 4: The column “Lớp” is missing. Add it under this name.",
        "dang-ky.csv, row 4: The column “Sĩ số” is missing. Add it under this name.",
        "dang-ky.csv, row 4: The column “Đến ngày” is missing. Add it under this name.",
        "dang-ky.csv, row 4: The column “Từ ngày” is there twice, in E and F. Delete one of them.",
    ]


def test_column_that_is_nearly_called_as_one_of_ours_is_offered() -> None:
    said = joined(TEACHERS, "Giáo viên").replace("Thời gian rảnh", "Thời gian dảnh")
    assert refusals([("giao-vien.csv", said.encode())], told()) == [
        "giao-vien.csv, row 6: The column “Thời gian rảnh” is missing. If “Thời gian dảnh” in K is"
        " meant, write it as “Thời gian rảnh”."
    ]


def test_column_that_no_list_knows_is_left_alone() -> None:
    widened = "".join(
        ";".join(f'"{cell}"' for cell in [*line, *[""] * (13 - len(line)), "x"]) + "\r\n"
        for line in lines(TEACHERS, "Giáo viên")
    )
    found = roster_from_outside([("giao-vien.csv", widened.encode())], told())
    assert found == Roster(teachers=told().teachers)


def test_field_beyond_the_limit_is_refused_with_its_row() -> None:
    long = f"{HEADER}\n{BELL}\n{'x' * (csvs.LONGEST_CELL + 1)};Sáng\n"
    assert reason(long.encode()) == (
        "Row 3 cannot be read: a quotation mark in it is not closed, or a cell has more than"
        " 131072 letters. Correct the row."
    )
    assert csvs.grid(f"{HEADER}\n{'x' * csvs.LONGEST_CELL}\n".encode())


@pytest.mark.parametrize("end", ['"YB02;Sáng', '"YB02" x;Sáng', '"a\n"b"'])
def test_quotation_mark_that_would_swallow_rows_is_refused(end: str) -> None:
    assert reason(f"{HEADER}\n{BELL}\n{end}\n{BELL}\n".encode()).startswith("Row 3 cannot be read")


def test_nul_is_refused_with_its_line() -> None:
    assert reason(f"{HEADER}\r\n{BELL}\r\nYB\0".encode()).startswith(
        "This is neither an Excel workbook nor a list as CSV: line 3 holds a NUL character."
    )


@pytest.mark.parametrize(
    "data",
    [
        "Trường Hoa\r\nSáng\r\n".encode() + windows_1258("Trường Mai\r\nSáng"),
        windows_1258("Trường Hoa\rSáng\r") + "Trường Mai\rSáng".encode(),
        windows_1258("Trường\na\n") + windows_1258("Sáng ") + "Hà".encode(),
        "Trường\n\n".encode("utf-8-sig") + windows_1258("Trường"),
        "Trường\n\n".encode("utf-16") + b"a\xd8\x00\xd8",
        windows_1258("Trường\n\n") + b"\x8d\x90",
    ],
)
def test_mixed_encodings_are_refused_with_the_line(data: bytes) -> None:
    assert reason(data) == (
        "Line 3 is written in another encoding than the lines above it. Open the list in Excel and"
        " save it as “CSV UTF-8 (*.csv)”."
    )


@pytest.mark.parametrize("rows", [20_001, 1_000_001])
def test_more_rows_than_a_list_may_have_are_refused_with_advice(rows: int) -> None:
    assert reason(b"a\n" * rows) == (
        "The file has entries beyond row 20000 or column 64. Delete what does not belong to the"
        " list, or send the list in parts."
    )


def test_as_many_rows_and_columns_as_a_list_may_have_are_read() -> None:
    assert len(csvs.grid(b"a\n" * 20_000).rows) == 20_000
    assert len(csvs.grid(b";" * 63 + b"a").rows[0][1]) == 64
    assert "beyond row" in reason(b";" * 64 + b"a")


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=6), min_size=1, max_size=6))
@settings(max_examples=examples(200))
def test_cells_of_any_text_come_out_as_they_went_in(rows: list[list[str]]) -> None:
    heading = [f"x{n}" for n in range(7)]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL, delimiter=";").writerows([heading, *rows])
    found = csvs.grid(buffer.getvalue().encode("utf-8-sig"))
    expected = [
        (number, _trimmed(row)) for number, row in enumerate(rows, start=2) if _trimmed(row)
    ]
    assert list(found.rows[1:]) == expected


def _trimmed(row: list[str]) -> tuple[str | None, ...]:
    cells = [unicodedata.normalize("NFC", cell) for cell in row]
    while cells and not cells[-1].strip():
        cells.pop()
    return tuple(cell or None for cell in cells)


@given(st.binary(max_size=400))
@settings(max_examples=examples(300))
def test_any_bytes_are_read_or_refused_with_a_sentence(data: bytes) -> None:
    try:
        assert isinstance(csvs.grid(data), Grid)
    except UnreadableError as error:
        assert str(error).endswith(".")  # noqa: PT017 - a sentence, whichever it is
