"""Where each row of the list of bad input is tried that concerns files and addresses.

    15      a CSV without rows            22      texts that a spreadsheet takes for formulas
    16, 17  encodings, separators         23-25   sheets that lie, burst, or reach too far
    18, 19  long fields, NUL              26, 27  entities; what is no workbook at all
    20, 21  headers, too many rows        28      days and times as numbers and texts
    30, 31  calendars                     32, 33  addresses of calendars, and what answers there

A calendar may have 5 MB and 10,000 events and be passed on five times.  Whatever of it makes no
sense is left out and counted: a teacher's other times must not be lost for it.  A day is written
day first, always: 3/4/2026 is in April, and 1/13/2023 is no day.
"""

import io
import re
import resource
import time
import zipfile
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from scheduler.exchange import grids
from scheduler.exchange.faults import UnreadableError
from tests.exchange.books import (
    REQUESTS,
    SCHOOLS,
    Edit,
    edited,
    example,
    put,
    refusals,
    roster,
    told,
    with_files,
)
from tests.exchange.test_archives import OLE, SHEET, archive, wide, with_part, with_texts
from tests.exchange.test_child import NAMESPACE
from tests.exchange.test_csvs import joined

TESTS = Path(__file__).parents[1]
ROWS: dict[int, tuple[str, ...]] = {
    15: (
        "exchange/test_csvs.py::test_file_without_rows_is_refused",
        "exchange/test_csvs.py::test_header_alone_is_told_as_an_empty_list",
        "exchange/test_hostile_rows.py::test_file_is_refused_for_what_it_is",
    ),
    16: (
        "exchange/test_csvs.py::test_every_encoding_of_the_offices_is_read",
        "exchange/test_csvs.py::test_mixed_encodings_are_refused_with_the_line",
    ),
    17: (
        "exchange/test_csvs.py::test_every_separator_and_line_end_is_read",
        "exchange/test_csvs.py::test_cell_may_hold_separators_line_ends_and_quotation_marks",
    ),
    18: ("exchange/test_csvs.py::test_field_beyond_the_limit_is_refused_with_its_row",),
    19: ("exchange/test_csvs.py::test_nul_is_refused_with_its_line",),
    20: (
        "exchange/test_csvs.py::test_all_that_is_wrong_with_a_header_is_told_at_once",
        "exchange/test_csvs.py::test_column_that_is_nearly_called_as_one_of_ours_is_offered",
        "exchange/test_csvs.py::test_column_that_no_list_knows_is_left_alone",
        "exchange/test_sheets.py::test_header_is_known_in_other_case_and_without_marks",
    ),
    21: ("exchange/test_csvs.py::test_more_rows_than_a_list_may_have_are_refused_with_advice",),
    22: (
        "exchange/test_writing.py::test_any_text_survives_the_way_out_and_in",
        "exchange/test_writing.py::test_no_cell_that_we_write_begins_as_a_formula",
        "exchange/test_writing.py::test_telephone_survives_the_round_trip",
        "services/test_imports.py::test_texts_like_formulas_survive_the_round_trip",
    ),
    23: ("exchange/test_archives.py::test_all_rows_are_seen_when_the_sheet_understates_its_size",),
    24: (
        "exchange/test_hostile_rows.py::test_bomb_is_refused_before_it_is_unpacked",
        "exchange/test_child.py::test_file_that_eats_memory_ends_its_reader_and_nobody_else",
        "web/test_hostile_uploads.py::test_hostile_file_is_told_in_a_sentence_and_stored_nowhere",
    ),
    25: (
        "exchange/test_hostile_rows.py::test_one_far_cell_is_refused_within_two_seconds",
        "web/test_hostile_uploads.py::test_hostile_file_is_told_in_a_sentence_and_stored_nowhere",
    ),
    26: (
        "exchange/test_hostile_rows.py::test_entities_are_refused_in_every_part",
        "web/test_hostile_uploads.py::test_hostile_file_is_told_in_a_sentence_and_stored_nowhere",
    ),
    27: (
        "exchange/test_hostile_rows.py::test_file_is_refused_for_what_it_is",
        "exchange/test_hostile_rows.py::test_workbook_is_one_whatever_it_is_called",
        "web/test_hostile_uploads.py::test_hostile_file_is_told_in_a_sentence_and_stored_nowhere",
    ),
    28: (
        "exchange/test_hostile_rows.py::test_number_that_is_no_day_of_ours_is_refused",
        "exchange/test_hostile_rows.py::test_days_and_times_are_understood_as_numbers_and_texts",
        "exchange/test_times.py::test_day_comes_before_month",
        "exchange/test_times.py::test_what_is_no_day_is_refused",
        "web/test_hostile_uploads.py::"
        "test_row_28_a_number_that_is_no_day_of_ours_is_told_at_its_cell",
        "web/test_hostile_uploads.py::"
        "test_row_28_days_are_day_first_and_shown_as_they_were_understood",
    ),
    30: (
        "exchange/test_busy_hostile.py::test_hostile_calendar_is_refused_in_time_and_within_memory",
        "exchange/test_busy_hostile.py::test_odd_calendar_is_read_in_time",
        "exchange/test_busy.py::test_long_rule_is_expanded_inside_reach_only",
    ),
    31: (
        "exchange/test_busy_hostile.py::test_hostile_calendar_is_refused_in_time_and_within_memory",
        "exchange/test_busy_hostile.py::test_odd_calendar_is_read_in_time",
        "exchange/test_busy.py::test_event_that_makes_no_sense_is_left_out_and_counted",
    ),
    32: (
        "delivery/test_fetching.py::test_every_way_into_the_house_meets_one_sentence_in_no_time",
        "delivery/test_fetching.py::test_private_place_is_refused_by_default",
        "delivery/test_fetching.py::test_address_that_may_not_be_asked_is_refused_unasked",
        "delivery/test_fetching.py::test_redirect_inwards_is_refused_as_the_address_itself_would_be",
        "delivery/test_fetching.py::test_redirect_to_a_private_place_is_refused_before_it_is_asked",
        "delivery/test_fetching.py::"
        "test_name_that_changes_its_address_leads_to_the_one_that_was_checked",
        "delivery/test_fetching.py::"
        "test_encrypted_calendar_is_read_by_its_name_at_the_checked_address",
        "delivery/test_fetching.py::"
        "test_host_of_the_house_is_read_when_the_operator_named_it_and_no_other",
    ),
    33: (
        "delivery/test_fetching.py::test_what_is_no_whole_calendar_is_refused",
        "delivery/test_fetching.py::test_memory_stays_small_when_a_bomb_is_read",
        "delivery/test_fetching.py::test_ten_seconds_are_the_end",
        "delivery/test_fetching.py::test_redirect_in_a_circle_ends",
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_row_of_the_list_is_tried(row: int) -> None:
    for name in ROWS[row]:
        file, _, test = name.partition("::")
        assert re.search(rf"^def {test}\(", (TESTS / file).read_text(), re.MULTILINE), name


def reason(data: bytes, name: str = "danh-sach.xlsx") -> str:
    with pytest.raises(UnreadableError) as refused:
        grids.read(name, data)
    return str(refused.value)


def with_macros() -> bytes:
    return with_part("xl/vbaProject.bin", b"macro")


def open_document() -> bytes:
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    return archive(mimetype=kind, **{"content.xml": b"<x/>"})


@pytest.mark.parametrize(
    ("name", "data", "beginning"),
    [
        ("a.csv", b"", "The file is empty: it has no rows."),
        ("a.xlsx", b"\xef\xbb\xbf", "The file is empty: it has no rows."),
        ("a.csv", b"x" * (5 * 1024 * 1024 + 1), "The file has 5.0 MB;"),
        ("a.xlsx", joined(SCHOOLS, "Trường").encode(), "The file is called a workbook, and is"),
        ("A.XLS", joined(SCHOOLS, "Trường").encode("utf-16"), "The file is called a workbook,"),
        ("a.xlsx", OLE, "This is a workbook of the old kind (.xls)."),
        ("a.csv", OLE + "EncryptedPackage".encode("utf-16-le"), "The workbook is locked with a"),
        ("a.xlsx", open_document(), "This is an archive, but no Excel workbook."),
        ("a.xlsx", with_macros(), "The workbook contains macros."),
        ("a.xlsx", b"%PDF-1.7 ...", "This is not an Excel workbook."),
        ("a.csv", b"GIF89a" + example(SCHOOLS)[1], "This is not an Excel workbook."),
        ("a.csv", b"a;b\n" + example(SCHOOLS)[1], "This is not an Excel workbook."),
        ("a.csv", b"\x00\x01\x02binary\xff", "This is neither an Excel workbook nor a list as CSV"),
    ],
    ids=range(13),
)
def test_file_is_refused_for_what_it_is(name: str, data: bytes, beginning: str) -> None:
    assert reason(data, name).startswith(beginning)


@pytest.mark.parametrize("name", ["truong.csv", "truong", "truong.xls", "truong.pdf"])
def test_workbook_is_one_whatever_it_is_called(name: str) -> None:
    assert [one.title for one in grids.read(name, example(SCHOOLS)[1])] == [
        "Trường",
        "Khung giờ",
        "Học kỳ",
    ]


def bomb() -> bytes:
    """314 MB out of less than one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in ("[Content_Types].xml", "xl/workbook.xml"):
            packed.writestr(name, "<x/>")
        with packed.open(SHEET, "w") as sheet:
            for _ in range(314):
                sheet.write(bytes(1024 * 1024))
    return buffer.getvalue()


def test_bomb_is_refused_before_it_is_unpacked() -> None:
    """By what the archive says of itself."""
    data = bomb()
    began = time.monotonic()
    assert reason(data).startswith("Unpacked, the file would be 314.0 MB in 3 parts")
    assert time.monotonic() - began < 2


def test_archive_that_hides_its_size_is_refused() -> None:
    """What it holds beyond what it says is never unpacked, and its checksum is then wrong."""
    data = with_part(SHEET, b" " * 20_000_000)
    lying = data.replace((20_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != data
    assert reason(lying).startswith("The workbook is damaged")


def test_one_far_cell_is_refused_within_two_seconds() -> None:
    data = wide("XFD1048576")
    began = children_seconds()
    assert reason(data).startswith("Sheet Sheet has entries beyond row 20000 or column 64.")
    assert children_seconds() - began < 2


def children_seconds() -> float:
    """What processes started here have worked, however busy the machine is."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


ENTITIES = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    b'<!DOCTYPE x [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
    b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p; <!ENTITY b "c">]>',
)


@pytest.mark.parametrize("entities", ENTITIES, ids=["laughs", "a file", "an address"])
@pytest.mark.parametrize(
    "part", [SHEET, "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml", "docProps/core.xml"]
)
def test_entities_are_refused_in_every_part(part: str, entities: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(wide("A1"))) as packed:
        parts = {entry: packed.read(entry) for entry in packed.namelist()}
    parts = with_texts(parts, b"<sst %s></sst>" % NAMESPACE)
    _, _, body = parts[part].rpartition(b"?>")
    first = body.index(b">") + 1
    parts[part] = entities + body[:first] + b"&b;" + body[first:]
    assert reason(archive(**parts)).startswith("The workbook is damaged")


def styled(sheet: str, cell: str, number: float) -> Edit:
    """An edit that writes a number which a spreadsheet shows as a day."""

    def edit(book: Workbook) -> None:
        book[sheet][cell] = number
        book[sheet][cell].number_format = "dd/mm/yyyy"

    return edit


@pytest.mark.parametrize("serial", [60, 2_958_466])
def test_number_that_is_no_day_of_ours_is_refused(serial: int) -> None:
    for edit in (put("Học kỳ", "C2", serial), styled("Học kỳ", "C2", serial)):
        [sentence] = refusals([edited(SCHOOLS, edit)], told())
        place, said = sentence.split(": ", 1)
        assert place == f"{SCHOOLS}, sheet Học kỳ, row 2, column C (Từ ngày)"
        assert said.endswith("is not a day. Write day/month/year, for example 30/09/2023.")


def test_days_and_times_are_understood_as_numbers_and_texts() -> None:
    def retype(book: Workbook) -> None:
        book["Khung giờ"]["D2"], book["Khung giờ"]["E2"] = 0.3125, "7h50"
        book["Học kỳ"]["C2"] = 45_180  # 11/09/2023
        styled("Học kỳ", "D2", 45_298)(book)

    found = roster(with_files(edited(SCHOOLS, retype)))
    [term] = found.terms
    assert (term.first_day, term.last_day) == (date(2023, 9, 11), date(2024, 1, 7))
    bell = found.schools[0].periods[0]
    assert (bell.start, bell.end) == (7 * 60 + 30, 7 * 60 + 50)


def test_first_number_of_a_day_is_the_day() -> None:
    first = roster([edited(REQUESTS, put("Đăng ký", "E5", "3/10/2023"))], told()).requests[0]
    assert first.ask.first_day == date(2023, 10, 3)
    [sentence] = refusals([edited(REQUESTS, put("Đăng ký", "E5", "10/13/2023"))], told())
    assert "The calendar has no day 10/13/2023. Write day/month/year" in sentence
