"""Names of columns in two rows: taken where the pair names each column, told where it does not."""

import time
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from scheduler.domain.imports import Roster
from scheduler.errors import Invalid
from scheduler.exchange import archives, layout, resolving, weekly, workbooks
from scheduler.exchange.grids import Grid
from scheduler.locale import Language, translate
from tests.effort import examples as examples_tried
from tests.exchange.books import (
    REQUESTS,
    SCHOOLS,
    TEACHERS,
    TERM,
    Edit,
    edited,
    refusals,
    roster,
    saved,
    told,
    with_files,
)
from tests.exchange.test_corpus import REQUEST, TEACHER

# The first cell of a group in the upper row, its title, and the names below it.
Groups = Mapping[str, tuple[str, tuple[object, ...]]]
HEADERS = {"Trường": 1, "Khung giờ": 1, "Học kỳ": 1, "Giáo viên": 6, "Đăng ký": 4}


def grouped(page: str, groups: Groups, *, merged: bool = True) -> Edit:
    """The names of a sheet in two rows; those of no group are merged downwards, or stand below."""

    def edit(book: Workbook) -> None:
        sheet, upper = book[page], HEADERS[page]
        sheet.insert_rows(upper)
        taken = set()
        for column, (title, below) in groups.items():
            first = sheet[f"{column}{upper}"]
            first.value = title
            for index, name in enumerate(below):
                sheet.cell(upper + 1, first.column + index).value = name
                taken.add(first.column + index)
            sheet.merge_cells(start_row=upper, start_column=first.column, end_row=upper,
                              end_column=first.column + len(below) - 1)  # fmt: skip
        for cell in sheet[upper + 1] if merged else ():
            if cell.column not in taken and cell.value is not None:
                sheet.cell(upper, cell.column).value = cell.value
                sheet.merge_cells(start_row=upper, start_column=cell.column, end_row=upper + 1,
                                  end_column=cell.column)  # fmt: skip

    return edit


CONTACT = {"F": ("Liên hệ", ("Họ tên", "Email", "Điện thoại"))}
GROUPED: tuple[tuple[str, str, Groups], ...] = (
    (SCHOOLS, "Trường", CONTACT),
    (SCHOOLS, "Trường", {"F": ("Đầu mối", ("Họ và tên", "Email", "SĐT"))}),
    (SCHOOLS, "Trường", {"A": ("Trường", ("Mã", "Tên")), **CONTACT}),
    (SCHOOLS, "Trường", {"F": ("Người liên hệ", ("Tên", "Thư điện tử", "ĐT"))}),
    (SCHOOLS, "Khung giờ", {"B": ("Tiết học", ("Buổi", "Tiết")), "D": ("Giờ", ("Từ", "Đến"))}),
    (SCHOOLS, "Khung giờ", {"D": ("Giờ", ("Bắt đầu", "Kết thúc"))}),
    (SCHOOLS, "Học kỳ", {"A": ("Học kỳ", ("Mã học kỳ", "Tên")),
                         "C": ("Thời gian", ("Từ ngày", "Đến ngày"))}),
    (TEACHERS, "Giáo viên", {"H": ("Số tiết tối đa", ("Ngày", "Tuần", "Học kỳ"))}),
    (TEACHERS, "Giáo viên", {"H": ("Số tiết tối đa", ("1 ngày", "1 tuần", "học kỳ"))}),
    (TEACHERS, "Giáo viên", {"E": ("Liên hệ", ("Email", "Số điện thoại")),
                             "H": ("Tối đa", ("/ngày", "/tuần", "/kỳ"))}),
    (TEACHERS, "Giáo viên", {"B": ("Giáo viên", ("Họ tên", "Đơn vị công tác", "Quận/Huyện"))}),
    (REQUESTS, "Đăng ký", {"E": ("Thời gian học", ("Từ ngày", "Đến ngày"))}),
    (REQUESTS, "Đăng ký", {"H": ("Nguyện vọng", (1, 2, 3)), "E": ("Thời gian", ("Từ", "Đến"))}),
    (REQUESTS, "Đăng ký", {"B": ("Lớp", ("Tên lớp", "Sĩ số")),
                           "H": ("Nguyện vọng", ("1", "2", "3"))}),
)  # fmt: skip


@pytest.mark.parametrize("merged", [True, False], ids=["merged", "below"])
@pytest.mark.parametrize(("name", "page", "groups"), GROUPED, ids=range(len(GROUPED)))
def test_names_below_the_titles_of_groups_mean_what_one_row_means(
    name: str, page: str, groups: Groups, merged: bool
) -> None:
    given = edited(name, grouped(page, groups, merged=merged))
    assert roster(with_files(given)) == told()


def week(row: Mapping[str, object], table: layout.Layout, days: Mapping[str, tuple[str, ...]],
         cells: Mapping[tuple[str, str], object]) -> list[tuple[str, bytes]]:  # fmt: skip
    """A list of one row whose weekly column is spread over weekdays and half-days."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = table.sheet
    plain = [name for name in row if name != table.weekly]
    sheet.append(
        [*plain, *(day if n == 0 else None for day in days for n in range(len(days[day])))]
    )
    sheet.append([*(None for _ in plain), *(half for day in days for half in days[day])])
    values = [cells.get((day, half)) for day in days for half in days[day]]
    sheet.append([*(row[name] for name in plain), *values])
    return [("danh-sach.xlsx", saved(book))]


HALVES = {"Thứ 2": ("Sáng", "Chiều"), "Thứ Tư": ("Sáng", "Chiều", "Tối"), "CN": ("Buổi sáng",)}


def free(cells: Mapping[tuple[str, str], object]) -> str:
    [found] = roster(week(TEACHER, layout.TEACHERS, HALVES, cells), told()).teachers
    assert found.pledge is not None
    return weekly.write_windows(found.pledge.windows)


@pytest.mark.parametrize(
    ("cells", "meaning"),
    [
        ({("Thứ 2", "Sáng"): "7h30-9h30", ("Thứ Tư", "Tối"): "19h-21h"},
         "T2 07:30-09:30; T4 19:00-21:00"),
        ({("Thứ 2", "Chiều"): "13:30-15:00, 15h30-17h", ("CN", "Buổi sáng"): "-"},
         "T2 13:30-15:00; T2 15:30-17:00"),
        ({("Thứ 2", "Sáng"): "7h-8h\n9h-10h"}, "T2 07:00-08:00; T2 09:00-10:00"),
        ({}, ""),
    ],
)  # fmt: skip
def test_free_times_below_weekdays_and_half_days_are_read(
    cells: Mapping[tuple[str, str], object], meaning: str
) -> None:
    assert free(cells) == meaning


def slots(cells: Mapping[tuple[str, str], object]) -> list[tuple[int, int]]:
    days = {"Thứ 3": ("Sáng", "Chiều"), "Thứ 5": ("Sáng",)}
    [found] = roster(week(REQUEST, layout.REQUESTS, days, cells), told()).requests
    return [(slot.weekday, slot.start) for slot in found.ask.slots]


def test_slots_below_weekdays_and_half_days_are_read() -> None:
    both = {("Thứ 3", "Sáng"): "tiết 2, 3", ("Thứ 5", "Sáng"): 1}
    bells = {x.number: x.start for x in told().schools[0].periods if x.half_day == "morning"}
    assert slots(both) == [(1, bells[2]), (1, bells[3]), (3, bells[1])]


def faults(files: list[tuple[str, bytes]], held: Roster | None = None) -> list[str]:
    batch = workbooks.gathered([(name, archives.grids(data)) for name, data in files])
    with pytest.raises(Invalid) as refused:
        resolving.resolve(batch, held or told(), TERM)
    return [
        f"{translate(each.where, Language.EN)}: {translate(each.what, Language.EN)}"
        for each in refused.value.problems
    ]


def test_what_is_wrong_below_a_weekday_is_told_at_its_cell() -> None:
    cells = {("Thứ 2", "Sáng"): "7h-9h", ("Thứ 2", "Chiều"): "x", ("Thứ Tư", "Sáng"): "9h-8h"}
    first, second = faults(week(TEACHER, layout.TEACHERS, HALVES, cells))
    assert first.startswith("danh-sach.xlsx, sheet Giáo viên, row 3, column N (Thời gian rảnh):"
                            " “T2 chiều x” is not a free time.")  # fmt: skip
    assert ", column O (Thời gian rảnh): " in second


def test_what_was_read_below_a_weekday_is_shown_with_its_cell() -> None:
    files = week(TEACHER, layout.TEACHERS, HALVES, {("Thứ Tư", "Chiều"): "13h30-15h"})
    batch = workbooks.gathered([(name, archives.grids(data)) for name, data in files])
    resolving.resolve(batch, told(), TERM)
    assert [(x.found, x.meant) for x in batch.faults.readings()] == [
        ("T4 chiều 13h30-15h", "T4 13:30-15:00")
    ]
    assert list(batch.faults.read_spots()) == [(0, 0, 3, 15)]


def test_week_beside_the_column_itself_is_there_twice() -> None:
    def beside(book: Workbook) -> None:
        sheet = book["Giáo viên"]
        sheet["N6"], sheet["N7"] = "Thứ 2", "7h-9h"

    [sentence] = refusals([edited(TEACHERS, beside)], told())
    assert "The column “Thời gian rảnh” is there twice, in K and N." in sentence


def test_days_below_another_name_are_not_taken_for_free_times() -> None:
    groups = {"Ngày bận trong tuần": ("Thứ 2", "Thứ 3")}
    found = faults(week(TEACHER, layout.TEACHERS, groups, {("Ngày bận trong tuần", "Thứ 2"): "x"}))
    assert any("The column “Thời gian rảnh” is missing." in each for each in found)


def test_groups_whose_names_say_too_little_are_told_with_the_rows_and_a_way() -> None:
    groups = {"F": ("Liên hệ", ("Ông/bà", "Hộp thư", "Máy"))}
    found = refusals(with_files(edited(SCHOOLS, grouped("Trường", groups))))
    assert found[0] == (
        f"{SCHOOLS}, sheet Trường, row 1: The column “Đầu mối” is missing. Add it under this name."
        " Row 1 was taken for the names of the columns. If row 2 holds names too, write all of"
        " them in one row, each above its own column."
    )


def test_pair_that_lacks_a_column_names_its_rows() -> None:
    groups = {"F": ("Liên hệ", ("Họ tên", "Email", "Máy"))}
    [found] = refusals(with_files(edited(SCHOOLS, grouped("Trường", groups))))
    assert found == (
        f"{SCHOOLS}, sheet Trường, row 2: The column “Điện thoại” is missing. Add it under this"
        " name. Rows 1 and 2 were taken for the names of the columns."
    )


def test_two_groups_with_one_name_are_told_as_there_twice() -> None:
    groups = {**CONTACT, "I": ("Hiệu trưởng", ("Họ tên", "Email"))}
    [found] = refusals(with_files(edited(SCHOOLS, grouped("Trường", groups))))
    assert "The column “Email” is there twice, in G and J. Delete one of them." in found


def test_entry_below_the_names_is_never_a_part_of_them() -> None:
    def lack(book: Workbook) -> None:
        book["Trường"]["F1"] = "Người phụ trách"
        book["Trường"]["F2"] = "Họ tên"

    [found] = refusals(with_files(edited(SCHOOLS, lack)))
    assert found.startswith(f"{SCHOOLS}, sheet Trường, row 1: The column “Đầu mối” is missing.")


NAMES = (*(name for one in layout.LAYOUTS for column in one.columns for name in
           (column.name, *column.aliases[:2])), "Liên hệ", "Thời gian", "Thứ 2", "CN", "Sáng",
         "Chiều", "Họ tên", "x", "7h-9h", "")  # fmt: skip
CELLS = st.one_of(st.none(), st.sampled_from(NAMES), st.integers(-1, 9), st.text(max_size=5))


@given(
    st.lists(st.lists(CELLS, max_size=16), max_size=6),
    st.sampled_from(["", *(one.sheet for one in layout.LAYOUTS), "Ngày nghỉ"]),
)
@settings(max_examples=examples_tried(200))
def test_any_names_in_any_rows_are_read_or_told(lines: list[list[object]], title: str) -> None:
    grid = Grid(title, tuple((n, tuple(line)) for n, line in enumerate(lines, start=1)))
    batch = workbooks.gathered([("a.xlsx", (grid,))])
    with suppress(Invalid):
        resolving.resolve(batch, told(), TERM)


def test_many_sheets_without_names_take_no_time() -> None:
    rows = tuple((n, tuple(f"Ô {n} {m} của bảng" for m in range(64))) for n in range(1, 41))
    began = time.process_time()
    workbooks.gathered([("a.xlsx", tuple(Grid(f"{n}", rows) for n in range(50)))])
    assert time.process_time() - began < 5
