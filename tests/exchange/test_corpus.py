"""Cells as offices write them, each with what it means or with what is said against it.

A cell stands in a list of one row, which is read as every list is and set against the programme's
own; the meaning is written as we would write it.
"""

from collections.abc import Callable
from datetime import date, datetime, time
from functools import partial

import pytest
from openpyxl import Workbook

from scheduler.domain.availability import Pledge
from scheduler.domain.imports import Roster
from scheduler.domain.intervals import clock_text
from scheduler.errors import Invalid
from scheduler.exchange import archives, cells, layout, resolving, times, weekly, workbooks
from scheduler.exchange.layout import Layout
from scheduler.exchange.weekly import TimedSlot, WishedSlot
from scheduler.locale import Language, translate
from tests.exchange.books import TERM, examples, roster, saved, told
from tests.exchange.careless import careless

NFD_MONDAY = "thu\u031b\u0301 hai"

TEACHER: dict[str, object] = {
    layout.NUMBER: 1, layout.TEACHER_NAME: "Lê Mai Nga", layout.HOME_SCHOOL: "TH Quan Hoa",
    layout.HOME_DISTRICT: "Phúc Thọ", layout.MAIL: "ngalm@c.example", layout.PHONE: "0950817817",
    layout.LEVELS: "TH", layout.A_DAY: 1, layout.A_WEEK: 2, layout.A_TERM: 6,
    layout.FREE: "T5 13:10-16:15", layout.AWAY: None, layout.WISHES: None,
}  # fmt: skip
REQUEST: dict[str, object] = {
    layout.CODE: "YB01", layout.CLASS: "3A", layout.PUPILS: 20, layout.PER_WEEK: 1,
    layout.FIRST_DAY: "11/09/2023", layout.LAST_DAY: "03/12/2023", layout.PRIORITY: 1,
    layout.SLOTS[0]: "T3 sáng tiết 5",
}  # fmt: skip
TERM_ROW: dict[str, object] = {
    layout.TERM_CODE: TERM, layout.TERM_NAME: "Học kỳ I", layout.FIRST_DAY: "11/09/2023",
    layout.LAST_DAY: "07/01/2024", layout.HOLIDAYS: None, layout.REST: 10,
    layout.ZONE: "Asia/Ho_Chi_Minh",
}  # fmt: skip
SCHOOL: dict[str, object] = {
    layout.CODE: "YB01", layout.SCHOOL_NAME: "TH&THCS Nậm Có", layout.SCHOOL_DISTRICT: "Mù Cang",
    layout.SCHOOL_LEVEL: "TH", layout.ROOMS: 1, layout.CONTACT: None, layout.MAIL: None,
    layout.PHONE: None,
}  # fmt: skip
BELL: dict[str, object] = {
    layout.CODE: "YB01", layout.HALF_DAY: "Sáng", layout.PERIOD: 1, layout.START: "07:15",
    layout.END: "11:50",
}  # fmt: skip


def read(table: Layout, row: dict[str, object]) -> Roster:
    """What a list of this one row tells, the whole way but for the process of its own."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for one, cells_of in _pages(table, row):
        page = book.create_sheet(one.sheet)
        page.append(list(cells_of))
        page.append([*cells_of.values()])
        for cell in page[2]:
            if isinstance(cell.value, str):
                cell.data_type = "s"
    files = [("danh-sach.xlsx", archives.grids(saved(book)))]
    return resolving.resolve(workbooks.gathered(list(files)), told(), TERM)


def _pages(table: Layout, row: dict[str, object]) -> list[tuple[Layout, dict[str, object]]]:
    """The list itself, or all three that a workbook of schools must have."""
    whole = ((layout.SCHOOLS, SCHOOL), (layout.PERIODS, BELL), (layout.TERMS, TERM_ROW))
    if any(one.noun == table.noun for one, _ in whole):
        return [(one, row if one.noun == table.noun else usual) for one, usual in whole]
    return [(table, row)]


def with_cell(
    table: Layout, usual: dict[str, object], column: str, say: Callable[[Roster], str]
) -> Callable[[object], str]:
    def meaning(cell: object) -> str:
        return say(read(table, usual | {column: cell}))

    return meaning


def _pledge(say: Callable[[Pledge], str]) -> Callable[[Roster], str]:
    def said(found: Roster) -> str:
        pledge = found.teachers[0].pledge
        assert pledge is not None
        return say(pledge)

    return said


def _slots(found: Roster) -> str:
    bells = {(x.start, x.end): x for x in told().schools[0].periods}
    said: list[WishedSlot | TimedSlot] = []
    for slot in found.requests[0].ask.slots:
        bell = bells[slot.start, slot.end]
        said.append(WishedSlot(slot.weekday, bell.half_day, bell.number))
    return weekly.write_slots(said)


teacher = partial(with_cell, layout.TEACHERS, TEACHER)
request = partial(with_cell, layout.REQUESTS, REQUEST)
COLUMNS: dict[str, Callable[[object], str]] = {
    "free": teacher(layout.FREE, _pledge(lambda x: weekly.write_windows(x.windows))),
    "away": teacher(layout.AWAY, _pledge(lambda x: times.write_spans(x.absences))),
    "levels": teacher(layout.LEVELS, _pledge(lambda x: cells.write_levels(x.levels))),
    "wishes": teacher(layout.WISHES, _pledge(lambda x: ", ".join(x.wishes))),
    "a day": teacher(layout.A_DAY, _pledge(lambda x: str(x.max_per_day))),
    "phone": teacher(layout.PHONE, lambda x: x.teachers[0].phone),
    "mail": teacher(layout.MAIL, lambda x: x.teachers[0].email),
    "name": teacher(layout.TEACHER_NAME, lambda x: x.teachers[0].name),
    "school": request(layout.CODE, lambda x: x.requests[0].school_code),
    "class": request(layout.CLASS, lambda x: f"{x.requests[0].ask.class_name}"),
    "from": request(layout.FIRST_DAY, lambda x: times.write_day(x.requests[0].ask.first_day)),
    "slots": request(layout.SLOTS[0], _slots),
    "start": with_cell(
        layout.PERIODS, BELL, layout.START, lambda x: clock_text(x.schools[0].periods[0].start)
    ),
    "half-day": with_cell(
        layout.PERIODS, BELL, layout.HALF_DAY, lambda x: x.schools[0].periods[0].half_day.value
    ),
    "holidays": with_cell(
        layout.TERMS, TERM_ROW, layout.HOLIDAYS, lambda x: times.write_days(x.terms[0].holidays)
    ),
    "level": with_cell(
        layout.SCHOOLS, SCHOOL, layout.SCHOOL_LEVEL, lambda x: x.schools[0].level.value
    ),
}

MEANINGS: tuple[tuple[str, object, str], ...] = (
    # free times
    ("free", "Thứ 2 7h30 đến 11h30", "T2 07:30-11:30"),
    ("free", f"{NFD_MONDAY} 7:30 – 11:30", "T2 07:30-11:30"),
    ("free", "CN: 8h-10h", "CN 08:00-10:00"),
    ("free", "chủ nhật 8h-10h\nT3 19h-21h", "CN 08:00-10:00; T3 19:00-21:00"),
    ("free", "T2, T4, T6 7h30-9h30", "T2 07:30-09:30; T4 07:30-09:30; T6 07:30-09:30"),
    ("free", "Thứ 2, 4: 7h30-9h30", "T2 07:30-09:30; T4 07:30-09:30"),
    ("free", "T2-T4 từ 19h đến 21h", "T2 19:00-21:00; T3 19:00-21:00; T4 19:00-21:00"),
    ("free", "T2 7h30-9h30, 13h-15h", "T2 07:30-09:30; T2 13:00-15:00"),
    ("free", "T2 và T5 sáng 7h-11h", "T2 07:00-11:00; T5 07:00-11:00"),
    ("free", "T2 1:30 CH - 3:00 CH", "T2 13:30-15:00"),
    ("free", "t2 7.30-9.30", "T2 07:30-09:30"),
    ("free", "T2 7-9h", "T2 07:00-09:00"),
    ("free", "Mon & Wed 07:30-09:30", "T2 07:30-09:30; T4 07:30-09:30"),
    ("free", "T6 14h20~17h5", "!is not a free time"),
    ("free", "T6 14:20-17:05 (từ ngày 16/10/2023)", "T6 14:20-17:05 (từ 16/10/2023)"),
    ("free", "T7 8h-9h (đến 1/11/23, nếu cần)", "T7 08:00-09:00 (đến 01/11/2023) (khi cần)"),
    ("free", "không", ""),
    ("free", "T2 chiều 1h30-3h", "!the half-day and the hours do not agree"),
    ("free", "các buổi sáng", "!“các buổi sáng” is not a free time"),
    ("free", "T2; T4 7h-9h", "!“T2” is not a free time"),
    ("free", "T6-T2 7h-9h", "!the last weekday is before the first"),
    ("free", "T2 7h-9h T3 8h-9h", "!is not a free time"),
    ("free", "T2 11h30-7h30", "!the end is not after the start"),
    ("free", "T8 7h-9h", "!“T8 7h-9h” is not a free time"),
    # days away
    ("away", "9-15/12/2023", "09/12/2023-15/12/2023"),
    ("away", "9/12 đến hết ngày 15/12/2023", "09/12/2023-15/12/2023"),
    ("away", "từ 30/9/2023 đến 2/10/2023", "30/09/2023-02/10/2023"),
    ("away", "9/10/23, 11.10.2023", "09/10/2023; 11/10/2023"),
    ("away", datetime(2023, 10, 9), "09/10/2023"),  # noqa: DTZ001 - as Excel has it
    ("away", "–", ""),
    ("away", "Không có", ""),
    ("away", "Thứ Hai 09/10/2023", "09/10/2023"),
    ("away", "Thứ Ba 09/10/2023", "!The weekday in “Thứ Ba 09/10/2023” is not that of the day"),
    ("away", "9/10", "!“9/10” is not a day"),
    ("away", "31/11/2023", "!The calendar has no day 31/11/2023"),
    ("away", "30/12-02/01/2024", "!the last day is before the first"),
    ("away", "tháng 11", "!“tháng 11” is not a day"),
    # levels
    ("levels", "Tiểu học", "TH"),
    ("levels", "tieu hoc va thcs", "TH, THCS"),
    ("levels", "TH/THCS", "TH, THCS"),
    ("levels", "Cấp 2, cấp III", "THCS, THPT"),
    ("levels", "Trung học cơ sở; Trung học phổ thông", "THCS, THPT"),
    ("levels", 2, "THCS"),
    ("levels", "primary & lower secondary", "TH, THCS"),
    ("levels", "Mầm non", "!“Mầm non” is not a school level"),
    ("level", "TIỂU HỌC", "primary"),
    ("level", "TH và THCS", "!is not a school level"),
    # schools
    ("school", "yb01", "YB01"),
    ("school", "YB-01", "YB01"),
    ("school", "Trường TH&THCS Nậm Có", "YB01"),
    ("school", "Tiểu học và Trung học cơ sở Nậm Có", "YB01"),
    ("school", "nam co", "YB01"),
    ("school", "TH&THCS Nậm Có (Mù Cang Chải)", "YB01"),
    ("school", "THCS Nậm Có", "!There is no school “THCS Nậm Có”. If TH&THCS Nậm Có is meant"),
    ("school", "TH&THCS Nậm Có (Yên Bình)", "!There is no school"),
    ("school", "YB99", "!There is no school with the code YB99"),
    ("wishes", "Nậm Có; yb04", "YB01, YB04"),
    ("wishes", "Sơn Thịnh\nTHPT Cảm Nhân", "YB02, YB08"),
    ("wishes", "không", ""),
    # classes
    ("class", "Lớp 3A", "3A"),
    ("class", "3a", "3A"),
    ("class", "3 A", "3A"),
    ("class", "A3", "!does not begin with its grade"),
    # days
    ("from", "3/10/2023", "03/10/2023"),
    ("from", "2023-10-03 00:00:00", "03/10/2023"),
    ("from", 45202, "03/10/2023"),
    ("from", "ngày 3 tháng 10 năm 2023", "03/10/2023"),
    ("from", date(2023, 10, 3), "03/10/2023"),
    ("from", "10/13/2023", "!The calendar has no day 10/13/2023"),
    ("from", "đầu tháng 10", "!is not a day"),
    ("from", 60, "!“60” is not a day"),
    ("holidays", "20/11/2023 (Ngày Nhà giáo), 1/1/2024", "20/11/2023; 01/01/2024"),
    ("holidays", "23-25/11/2023", "23/11/2023; 24/11/2023; 25/11/2023"),
    # slots
    ("slots", "thứ ba sáng tiết 5", "T3 sáng tiết 5"),
    ("slots", "Tiết 5 sáng thứ 3", "T3 sáng tiết 5"),
    ("slots", "T3, sáng, tiết 5", "T3 sáng tiết 5"),
    ("slots", "T3 S5", "T3 sáng tiết 5"),
    ("slots", "T3, T5 sáng tiết 2, 3", "T3 sáng tiết 2, T5 sáng tiết 2, T3 sáng tiết 3,"
     " T5 sáng tiết 3"),
    ("slots", "T3 sáng tiết 1-3", "T3 sáng tiết 1, T3 sáng tiết 2, T3 sáng tiết 3"),
    ("slots", "T3 7h15-7h50", "T3 sáng tiết 1"),
    ("slots", "Tue morning period 2", "T3 sáng tiết 2"),
    ("slots", "T3 tiết 2", "!“T3 tiết 2” is not a slot"),
    ("slots", "T3 sáng tiết 9", "!“T3 sáng tiết 9” is not among the bell times"),
    ("slots", "T3 sáng tiết 2 T5 sáng tiết 1", "!is not a slot"),
    ("slots", "T3 sáng", "!“T3 sáng” is not a slot"),
    ("slots", "T3 sáng tiết 2; thứ 3 S2", "!“T3 sáng tiết 2” is there twice"),
    # times of day
    ("start", "7h30", "07:30"),
    ("start", "7:30", "07:30"),
    ("start", "7 giờ 30", "07:30"),
    ("start", "7:30 SA", "07:30"),
    ("start", "07:30:00", "07:30"),
    ("start", 0.3125, "07:30"),
    ("start", time(7, 30), "07:30"),
    ("start", "7h5", "!“7h5” is not a time of day"),
    ("start", 7.3, "!“7.3” is not a time of day"),
    ("start", "730", "!“730” is not a time of day"),
    ("half-day", "buổi chiều", "afternoon"),
    ("half-day", "Trưa", "!“Trưa” is not a half-day"),
    # numbers, telephones, addresses, names
    ("a day", "3", "3"),
    ("a day", "3 tiết", "3"),
    ("a day", "3,0", "3"),
    ("a day", 3.0, "3"),
    ("a day", "2-3", "!“2-3” is not a whole number"),
    ("a day", "1.000", "!“1.000” is not a whole number"),
    ("a day", "nhiều", "!“nhiều” is not a whole number"),
    ("phone", 950817817, "0950817817"),
    ("phone", "950817817", "0950817817"),
    ("phone", 2438221234, "02438221234"),
    ("phone", "+84 950 817 817", "+84 950 817 817"),
    ("phone", "9,50818E+08", "!“9,50818E+08” is not a telephone number"),
    ("phone", "chưa có", "!“chưa có” is not a telephone number"),
    ("mail", " NgaLM@C.example ", "ngalm@c.example"),
    ("mail", "ngalm@c.example; nga@c.example", "!is not a mail address"),
    ("name", "  Le\u0302  Mai\u00a0Nga ", "Lê Mai Nga"),
    ("name", "'=1+1", "=1+1"),
)  # fmt: skip


@pytest.mark.parametrize(("column", "cell", "meaning"), MEANINGS, ids=str)
def test_cell_means_what_its_writer_meant_or_is_told(
    column: str, cell: object, meaning: str
) -> None:
    if not meaning.startswith("!"):
        assert COLUMNS[column](cell) == meaning
        return
    with pytest.raises(Invalid) as refused:
        COLUMNS[column](cell)
    [problem] = refused.value.problems
    where = translate(problem.where, Language.EN)
    assert where.startswith("danh-sach.xlsx, sheet ")
    assert ", row 2, column " in where
    assert meaning[1:] in translate(problem.what, Language.EN)


def test_corpus_is_long_enough() -> None:
    assert len(MEANINGS) > 80


def test_careless_office_means_what_the_tidy_one_means() -> None:
    assert roster(careless()) == told()


def test_what_was_written_otherwise_is_shown_as_it_was_understood() -> None:
    batch = workbooks.gathered([(name, archives.grids(data)) for name, data in careless()])
    resolving.resolve(batch, Roster(), TERM)
    shown = {(x.column, x.found): x.meant for x in batch.faults.readings()}
    assert shown[layout.PHONE, "398448697"] == "0398448697"
    assert shown[layout.SCHOOL_LEVEL, "Tiểu học"] == "TH"
    assert shown[layout.FIRST_DAY, "18/9/23"] == "18/09/2023"
    assert shown[layout.CODE, "TH&THCS La Pán Tẩn (Mù Cang Chải)"] == "YB03 · TH&THCS La Pán Tẩn"


def test_tidy_lists_have_nothing_to_be_looked_at() -> None:
    files = [(name, archives.grids(data)) for name, data in examples()]
    batch = workbooks.gathered(list(files))
    resolving.resolve(batch, Roster(), TERM)
    assert batch.faults.readings() == ()


def test_code_and_name_of_a_school_that_disagree_are_told() -> None:
    row = {layout.CODE: "YB01", layout.SCHOOL_NAME: "THPT Cảm Nhân"} | {
        column: value for column, value in REQUEST.items() if column != layout.CODE
    }
    with pytest.raises(Invalid) as refused:
        read(layout.REQUESTS, row)
    [problem] = refused.value.problems
    assert "“THPT Cảm Nhân” is the school YB02, and the row says YB01" in str(problem.what)
