"""Lists are found and read whatever offices put above, below and into them."""

from datetime import date, datetime, time

import pytest
from openpyxl import Workbook

from tests.exchange.books import (
    REQUESTS,
    SCHOOLS,
    TEACHERS,
    edited,
    examples,
    roster,
    told,
    with_files,
)


@pytest.mark.parametrize(
    "cells",
    [
        {"B210": "Tổng cộng", "I210": 609, "J210": 2500},
        {"B210": "(Danh sách này thay cho danh sách cũ)"},
        {"B212": "Ghi chú: thầy cô có thể đổi giờ"},
        {"C214": "Hà Nội, ngày 5 tháng 9 năm 2023", "J215": "(Ký, ghi rõ họ tên)"},
        {"J216": "Nguyễn Thị Hoa", "B216": "Trần Văn Bình"},
    ],
)
def test_notes_and_signatures_below_the_list_are_left_out(cells: dict[str, object]) -> None:
    def add(book: Workbook) -> None:
        for cell, value in cells.items():
            book["Giáo viên"][cell] = value

    assert roster([edited(TEACHERS, add)], told()).teachers == told().teachers


def test_header_is_known_in_other_case_and_without_marks() -> None:
    def rename(book: Workbook) -> None:
        sheet = book["Đăng ký"]
        for cell in sheet[4]:
            cell.value = str(cell.value).upper().replace("Ã", "A").replace("Ớ", "O") + " "
        sheet.title = "Sheet1"
        sheet.insert_rows(1, 3)

    assert roster([edited(REQUESTS, rename)], told()).requests == told().requests


def test_school_that_is_written_once_beside_all_of_its_classes_is_theirs() -> None:
    def merge(book: Workbook) -> None:
        sheet, first = book["Đăng ký"], 5
        for row in range(6, 174):
            if sheet.cell(row, 1).value != sheet.cell(first, 1).value:
                sheet.merge_cells(start_row=first, start_column=1, end_row=row - 1, end_column=1)
                first = row

    assert roster([edited(REQUESTS, merge)], told()).requests == told().requests


def test_excel_dates_times_and_numbers_are_understood() -> None:
    def retype(book: Workbook) -> None:
        sheet = book["Khung giờ"]
        sheet["D2"], sheet["E2"] = time(7, 15), 0.3263888889
        book["Học kỳ"]["C2"] = datetime(2023, 9, 11)  # noqa: DTZ001 - as Excel has it
        book["Học kỳ"]["D2"] = date(2024, 1, 7)
        book["Trường"]["H2"] = 398448697
        book["Trường"]["E2"] = 1.0

    assert roster(with_files(edited(SCHOOLS, retype))) == told()


def test_examples_tell_what_the_data_page_says() -> None:
    whole = roster(examples())
    assert {len(whole.schools), len(whole.teachers), len(whole.classes)} == {17, 203, 168}
    assert sum(len(school.periods) for school in whole.schools) == 152
