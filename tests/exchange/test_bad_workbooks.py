"""Every way a list can be wrong has its own sentence, with file, sheet, row and column."""

from datetime import datetime, time

import pytest
from openpyxl import Workbook

from scheduler.domain.imports import Roster
from scheduler.errors import Invalid
from scheduler.locale import Language, translate
from tests.exchange.books import (
    REQUESTS,
    SCHOOLS,
    TEACHERS,
    Edit,
    File,
    edited,
    example,
    put,
    roster,
    saved,
    told,
    with_files,
)

TEACHER_ROW = f"{TEACHERS}, sheet Giáo viên, row 7"
REQUEST_ROW = f"{REQUESTS}, sheet Đăng ký, row 5"


def problems(files: list[File], held: Roster | None = None) -> list[str]:
    with pytest.raises(Invalid) as refused:
        roster(files, held)
    assert str(len(refused.value.problems)) in str(refused.value.message)
    return [
        f"{translate(problem.where, Language.EN)}: {translate(problem.what, Language.EN)}"
        for problem in refused.value.problems
    ]


@pytest.mark.parametrize(
    ("name", "edit", "sentence"),
    [
        (
            TEACHERS,
            put("Giáo viên", "E7", "ngalm.c.example"),
            f"{TEACHER_ROW}, column E (Email): “ngalm.c.example” is not a mail address. Write one"
            " address, for example ten@truong.edu.vn.",
        ),
        (
            TEACHERS,
            put("Giáo viên", "K7", "T2 7:30 đến chiều"),
            f"{TEACHER_ROW}, column K (Thời gian rảnh): “T2 7:30 đến chiều” is not a free time."
            " Write the weekday and two times, for example T2 07:30-11:30; T2 is Monday, CN is"
            " Sunday.",
        ),
        (
            TEACHERS,
            put("Giáo viên", "K7", "T2 11:30-07:30"),
            f"{TEACHER_ROW}, column K (Thời gian rảnh): In “T2 11:30-07:30” the end is not after"
            " the start. Correct the times.",
        ),
        (
            TEACHERS,
            put("Giáo viên", "K7", "T2 07:30-11:30 (hai tuần một lần)"),
            f"{TEACHER_ROW}, column K (Thời gian rảnh): The note in “T2 07:30-11:30 (hai tuần một"
            " lần)” is not understood. Write (từ 16/10/2023), (đến 31/12/2023) or (khi cần).",
        ),
        (
            TEACHERS,
            put("Giáo viên", "L7", "15/12/2023-09/12/2023"),
            f"{TEACHER_ROW}, column L (Ngày bận): In “15/12/2023-09/12/2023” the last day is"
            " before the first. Swap or correct them.",
        ),
        (
            TEACHERS,
            put("Giáo viên", "L7", "31/11/2023"),
            f"{TEACHER_ROW}, column L (Ngày bận): The calendar has no day 31/11/2023. Write"
            " day/month/year, for example 30/09/2023.",
        ),
        (
            TEACHERS,
            put("Giáo viên", "L7", "09/12/2032"),
            f"{TEACHER_ROW}, column L (Ngày bận): 09/12/2032 lies outside the term, 11/09/2023 to"
            " 07/01/2024. Correct the day.",
        ),
        (
            TEACHERS,
            put("Giáo viên", "G7", "TH, Mầm non"),
            f"{TEACHER_ROW}, column G (Cấp dạy): “Mầm non” is not a school level. Write TH, THCS"
            " or THPT.",
        ),
        (
            TEACHERS,
            put("Giáo viên", "H7", 0),
            f"{TEACHER_ROW}, column H (Số tiết tối đa/ngày): “0” is not a whole number from 1 to"
            " 20. Correct the number.",
        ),
        (
            TEACHERS,
            put("Giáo viên", "M7", "YB06, YB99"),
            f"{TEACHER_ROW}, column M (Trường muốn hỗ trợ): There is no school with the code YB99."
            " Correct it, or add the school to the sheet Trường.",
        ),
        (
            TEACHERS,
            put("Giáo viên", "E8", " NGALM@c.example"),
            f"{TEACHERS}, sheet Giáo viên, row 8, column E (Email): “ NGALM@c.example” is there"
            f" already: {TEACHER_ROW}. Delete one of the two rows.",
        ),
        (
            TEACHERS,
            put("Giáo viên", "B7", None),
            f"{TEACHER_ROW}, column B (Họ và tên): The cell is empty. Fill it in.",
        ),
        (
            TEACHERS,
            put("Giáo viên", "E6", "Ghi chú"),
            f"{TEACHERS}, sheet Giáo viên, row 6: The column “Email” is missing. Add it under this"
            " name.",
        ),
        (
            TEACHERS,
            put("Giáo viên", "N6", "EMAIL"),
            f"{TEACHERS}, sheet Giáo viên, row 6: The column “Email” is there twice, in E and N."
            " Delete one of them.",
        ),
        (
            REQUESTS,
            put("Đăng ký", "A5", "YB99"),
            f"{REQUEST_ROW}, column A (Mã trường): There is no school with the code YB99. Correct"
            " it, or add the school to the sheet Trường.",
        ),
        (
            REQUESTS,
            put("Đăng ký", "B5", "Hoa Mai"),
            f"{REQUEST_ROW}, column B (Lớp): The class “Hoa Mai” does not begin with its grade, 1"
            " to 12. Write for example 7B.",
        ),
        (
            REQUESTS,
            put("Đăng ký", "B6", "3A"),
            f"{REQUESTS}, sheet Đăng ký, row 6, column B (Lớp): This class has a request already:"
            f" {REQUEST_ROW}. Delete one of the two; a second request of a class is written with"
            " #2, for example 7B#2.",
        ),
        (
            REQUESTS,
            put("Đăng ký", "D5", 7),
            f"{REQUEST_ROW}, column D (Số tiết/tuần): “7” is not a whole number from 1 to 6."
            " Correct the number.",
        ),
        (
            REQUESTS,
            put("Đăng ký", "D5", 6),
            f"{REQUEST_ROW}, column H (Tiết mong muốn): 6 lessons a week need slots on 6 different"
            " weekdays.",
        ),
        (
            REQUESTS,
            put("Đăng ký", "F5", "03/09/2023"),
            f"{REQUEST_ROW}, column F (Đến ngày): The last day, 03/09/2023, is before the first,"
            " 11/09/2023. Swap or correct them.",
        ),
        (
            REQUESTS,
            put("Đăng ký", "F5", datetime(2024, 6, 3)),  # noqa: DTZ001 - as Excel has it
            f"{REQUEST_ROW}, column F (Đến ngày): 03/06/2024 lies outside the term, 11/09/2023 to"
            " 07/01/2024. Correct the day.",
        ),
        (
            REQUESTS,
            put("Đăng ký", "G5", "cao"),
            f"{REQUEST_ROW}, column G (Mức ưu tiên): “cao” is not a whole number from 1 to 3."
            " Correct the number.",
        ),
        (
            REQUESTS,
            put("Đăng ký", "H5", "T3 sáng tiết 7"),
            f"{REQUEST_ROW}, column H (Tiết mong muốn): “T3 sáng tiết 7” is not among the bell"
            " times of school YB01: sáng 1, sáng 2, sáng 3, sáng 4, sáng 5, chiều 1, chiều 2,"
            " chiều 3, chiều 4. Choose one of them.",
        ),
        (
            REQUESTS,
            put("Đăng ký", "I5", "T6 tiết 2"),
            f"{REQUEST_ROW}, column I (Tiết dự phòng): “T6 tiết 2” is not a slot. Write the"
            " weekday, the half-day and the period, for example T3 sáng tiết 2.",
        ),
        (
            REQUESTS,
            put("Đăng ký", "I5", "T3 sáng tiết 5"),
            f"{REQUEST_ROW}, column I (Tiết dự phòng): “T3 sáng tiết 5” is there twice. Delete one"
            " of them.",
        ),
        (
            SCHOOLS,
            put("Trường", "D3", "THPT chuyên"),
            f"{SCHOOLS}, sheet Trường, row 3, column D (Cấp học): “THPT chuyên” is not a school"
            " level. Write TH, THCS or THPT.",
        ),
        (
            SCHOOLS,
            put("Trường", "G3", "yb02@@yb.example"),
            f"{SCHOOLS}, sheet Trường, row 3, column G (Email): “yb02@@yb.example” is not a mail"
            " address. Write one address, for example ten@truong.edu.vn.",
        ),
        (
            SCHOOLS,
            put("Trường", "G3", "yb01@yb.example"),
            f"{SCHOOLS}, sheet Trường, row 3, column F (Đầu mối): yb01@yb.example belongs to Bùi"
            f" Thu Oanh with telephone “0398448697” at {SCHOOLS}, sheet Trường, row 2. Write the"
            " same name and telephone, or another address.",
        ),
        (
            SCHOOLS,
            put("Khung giờ", "E2", "07:10"),
            f"{SCHOOLS}, sheet Khung giờ, row 2, column E (Kết thúc): The period ends at 07:10, not"
            " after its start at 07:15. Correct the times.",
        ),
        (
            SCHOOLS,
            put("Khung giờ", "D2", "7 giờ kém 5"),
            f"{SCHOOLS}, sheet Khung giờ, row 2, column D (Bắt đầu): “7 giờ kém 5” is not a time of"
            " day. Write for example 07:30.",
        ),
        (
            SCHOOLS,
            put("Khung giờ", "D3", time(7, 45)),
            f"{SCHOOLS}, sheet Khung giờ, row 3, column D (Bắt đầu): The period begins at 07:45,"
            " before another ends at 07:50. Correct the times.",
        ),
        (
            SCHOOLS,
            put("Khung giờ", "B2", "Trưa"),
            f"{SCHOOLS}, sheet Khung giờ, row 2, column B (Buổi): “Trưa” is not a half-day. Write"
            " Sáng, Chiều or Tối.",
        ),
        (
            SCHOOLS,
            put("Học kỳ", "E2", "20/11/2032"),
            f"{SCHOOLS}, sheet Học kỳ, row 2, column E (Ngày nghỉ): Holidays outside the term,"
            " 11/09/2023 to 07/01/2024: 20/11/2032. Correct or delete them.",
        ),
        (
            SCHOOLS,
            put("Học kỳ", "G2", "GMT+7"),
            f"{SCHOOLS}, sheet Học kỳ, row 2, column G (Múi giờ): “GMT+7” is not a known time zone."
            " Write for example Asia/Ho_Chi_Minh.",
        ),
        (
            SCHOOLS,
            put("Học kỳ", "D2", "1/13/2023"),
            f"{SCHOOLS}, sheet Học kỳ, row 2, column D (Đến ngày): The calendar has no day"
            " 1/13/2023. Write day/month/year, for example 30/09/2023.",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) and ":" in value else "",
)
def test_fault_is_told_in_one_sentence(name: str, edit: Edit, sentence: str) -> None:
    assert problems([edited(name, edit)], told()) == [sentence]


def test_faults_of_all_files_come_at_once_and_in_order() -> None:
    files = with_files(
        edited(SCHOOLS, put("Trường", "E2", "hai")),
        edited(TEACHERS, put("Giáo viên", "H9", "x")),
        edited(REQUESTS, put("Đăng ký", "C6", -1)),
    )
    assert [line.split(":")[0] for line in problems(files)] == [
        f"{SCHOOLS}, sheet Trường, row 2, column E (Số phòng học trực tuyến)",
        f"{TEACHERS}, sheet Giáo viên, row 9, column H (Số tiết tối đa/ngày)",
        f"{REQUESTS}, sheet Đăng ký, row 6, column C (Sĩ số)",
    ]


@pytest.mark.parametrize("sheet", ["Trường", "Khung giờ", "Học kỳ"])
def test_missing_sheet_is_told_once_and_nothing_is_blamed_on_it(sheet: str) -> None:
    def drop(book: Workbook) -> None:
        del book[sheet]

    [sentence] = problems(with_files(edited(SCHOOLS, drop)))
    assert f"The sheet “{sheet}” is missing. Add it, with the columns " in sentence


def test_sheet_without_its_header_is_told_once() -> None:
    def behead(book: Workbook) -> None:
        book["Khung giờ"].delete_rows(1)

    assert problems(with_files(edited(SCHOOLS, behead))) == [
        f"{SCHOOLS}, sheet Khung giờ: No row with the names of the columns was found. Put them in"
        " one row above the list: Mã trường, Buổi, Tiết, Bắt đầu, Kết thúc."
    ]


def test_empty_list_is_told() -> None:
    def empty(book: Workbook) -> None:
        book["Đăng ký"].delete_rows(5, 400)

    assert problems([edited(REQUESTS, empty)], told()) == [
        f"{REQUESTS}, sheet Đăng ký, row 4: The list below this row is empty. Fill it in, or leave"
        " out the sheet."
    ]


def test_workbook_of_something_else_is_told() -> None:
    book = Workbook()
    book.worksheets[0].append(["Ngày", "Thu", "Chi"])
    [sentence] = problems([("quy.xlsx", saved(book))])
    assert sentence.startswith("quy.xlsx: No sheet has the columns of a list we know.")


def test_lists_that_need_schools_and_a_term_say_so_once_when_there_are_none() -> None:
    assert problems([example(REQUESTS)]) == [
        f"{REQUESTS}: There is no term yet. Import the workbook with the sheet Học kỳ, too.",
        f"{REQUESTS}: There is no school yet. Import the workbook with the sheet Trường, too.",
    ]


def test_school_without_bell_times_is_told() -> None:
    def drop(book: Workbook) -> None:
        book["Khung giờ"].delete_rows(2, 9)

    files = [edited(SCHOOLS, drop)]
    assert problems(files) == [
        f"{SCHOOLS}, sheet Trường, row 2, column A (Mã trường): School YB01 has no bell times. Add"
        " its periods to the sheet Khung giờ."
    ]


@pytest.mark.parametrize(
    "cells",
    [
        {"A210": 204},
        {"B210": "Vũ Thị Lan", "E210": "lanvt@c.example"},
        {"B210": "Vũ Thị Lan", "C210": "TH Quan Hoa", "D210": "Phúc Thọ"},
        {"B210": "Tống Thị Lan", "C210": "TH Quan Hoa", "D210": "Phúc Thọ"},
    ],
)
def test_row_with_forgotten_cells_is_a_fault_also_at_the_end(cells: dict[str, object]) -> None:
    def add(book: Workbook) -> None:
        for cell, value in cells.items():
            book["Giáo viên"][cell] = value

    lines = problems([edited(TEACHERS, add)], told())
    assert lines
    assert all("row 210, column" in line and "The cell is empty" in line for line in lines)


def test_name_right_below_the_list_is_an_entry_and_a_thousand_of_them_are_told() -> None:
    def add(book: Workbook) -> None:
        for number in range(210, 3000):
            book["Giáo viên"].cell(number, 2, "Vũ Thị Lan")

    lines = problems([edited(TEACHERS, add)], told())
    assert lines[0] == f"{TEACHERS}, sheet Giáo viên, row 210, column C (Đơn vị công tác): The" + (
        " cell is empty. Fill it in."
    )
    assert sum("column E (Email)" in line for line in lines) == 2790
