"""A roster -> the programme's three workbooks, which import back to the same roster.

Also the published lessons as one workbook, and tables of figures.  Texts that a spreadsheet would
take for a formula are guarded.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from scheduler.domain.imports import RequestEntry, Roster, SchoolEntry, TeacherEntry, TermEntry
from scheduler.domain.intervals import clock_text
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.people import BellPeriod
from scheduler.exchange import layout, times, weekly
from scheduler.exchange.cells import HALF_DAY_WORDS, LEVEL_WORDS, write_levels
from scheduler.exchange.layout import Layout, Noun
from scheduler.exchange.weekly import TimedSlot, WishedSlot
from scheduler.exchange.words import guarded

_Row = Sequence[str | int | None]
_LONGEST_SHEET = 31  # letters of a sheet's name that a spreadsheet takes
_LESSON_COLUMNS = (
    "Ngày",
    "Thứ",
    "Bắt đầu",
    "Kết thúc",
    "Buổi",
    "Tiết",
    "Trường tiếp nhận",
    "Huyện/Thị xã",
    "Lớp",
    "Giáo viên",
    "Trường hỗ trợ",
    "Trạng thái",
)
_CSV_NAMES = {
    Noun.SCHOOLS: "truong",
    Noun.PERIODS: "khung-gio",
    Noun.TERMS: "hoc-ky",
    Noun.TEACHERS: "giao-vien",
    Noun.REQUESTS: "dang-ky",
}
_STATES = {
    LessonState.SCHEDULED: "Đã xếp lịch",
    LessonState.COVER: "Đang tìm người dạy thay",
    LessonState.CANCELLED: "Đã huỷ",
    LessonState.HELD: "Đã dạy",
    LessonState.NOT_HELD: "Không diễn ra",
    LessonState.DISPUTED: "Hai bên báo khác nhau",
}


def workbooks(roster: Roster, programme: str, term_code: str) -> dict[str, bytes]:
    """The three workbooks by file name.  Withdrawn requests and teachers without a promise for
    the term are left out.
    """
    term = next(one for one in roster.terms if one.code == term_code)
    donor, _, receiver = programme.partition(layout.BETWEEN_PLACES)
    return {
        "truong-tiep-nhan.xlsx": _schools(roster),
        "giao-vien-tinh-nguyen.xlsx": _teachers(roster, _office(donor, receiver), term),
        "dang-ky-tiet-hoc.xlsx": _requests(roster, _office(receiver, donor)),
    }


def csvs(roster: Roster) -> dict[str, bytes]:
    """The five lists by file name, as CSV; of what is left out, see `workbooks`."""
    rows = {
        layout.SCHOOLS: map(_school_row, roster.schools),
        layout.PERIODS: _bell_rows(roster),
        layout.TERMS: map(_term_row, roster.terms),
        layout.TEACHERS: _teacher_rows(roster),
    }
    files: dict[Noun, tuple[list[str], Iterable[_Row]]] = {
        table.noun: (_names(table), lines) for table, lines in rows.items()
    }
    files[Noun.REQUESTS] = _request_table(roster)
    return {
        f"{_CSV_NAMES[noun]}.csv": csv_table(names, [_as_texts(line) for line in lines])
        for noun, (names, lines) in files.items()
    }


def _as_texts(line: _Row) -> list[str | int]:
    return ["" if value is None else value for value in line]


def lessons_csv(lessons: Iterable[Lesson], zone: str) -> bytes:
    """Published lessons as CSV, one a row, times on the programme's wall."""
    return csv_table(_LESSON_COLUMNS, [_as_texts(_lesson_row(x, ZoneInfo(zone))) for x in lessons])


def lessons_workbook(lessons: Iterable[Lesson], zone: str) -> bytes:
    """Published lessons, one a row, times on the programme's wall."""
    book, sheet = _new_book("Tiết dạy")
    _table(sheet, 1, _LESSON_COLUMNS, (_lesson_row(lesson, ZoneInfo(zone)) for lesson in lessons))
    return _bytes(book)


def tables_workbook(
    tables: Iterable[tuple[str, Sequence[str], Iterable[Sequence[str | int]]]],
) -> bytes:
    """Tables of a title, the names of columns and rows, each on a sheet of its own."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, names, rows in tables:
        _table(book.create_sheet(title[:_LONGEST_SHEET]), 1, names, rows)
    return _bytes(book)


def csv_table(names: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    """A table as CSV, marked as UTF-8 so that a spreadsheet reads its letters."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    for line in (names, *rows):
        writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in line])
    return buffer.getvalue().encode("utf-8-sig")


def _office(place: str, other: str) -> str:
    """The office that sends a list, when the programme is named after two places."""
    return f"{layout.OFFICE} {place.upper()}" if place and other else layout.OFFICE


def _schools(roster: Roster) -> bytes:
    book, sheet = _new_book(layout.SCHOOLS.sheet)
    _sheet(sheet, 1, layout.SCHOOLS, map(_school_row, roster.schools))
    _sheet(book.create_sheet(layout.PERIODS.sheet), 1, layout.PERIODS, _bell_rows(roster))
    _sheet(book.create_sheet(layout.TERMS.sheet), 1, layout.TERMS, map(_term_row, roster.terms))
    return _bytes(book)


def _school_row(school: SchoolEntry) -> _Row:
    contact = next(iter(school.contacts), None)
    return (
        school.code,
        school.name,
        school.district,
        LEVEL_WORDS[school.level],
        school.rooms,
        contact.name if contact else None,
        contact.email if contact else None,
        contact.phone if contact else None,
    )


def _bell_rows(roster: Roster) -> Iterator[_Row]:
    return (_bell_row(school, bell) for school in roster.schools for bell in school.periods)


def _bell_row(school: SchoolEntry, bell: BellPeriod) -> _Row:
    half_day = HALF_DAY_WORDS[bell.half_day]
    return school.code, half_day, bell.number, clock_text(bell.start), clock_text(bell.end)


def _term_row(term: TermEntry) -> _Row:
    return (
        term.code,
        term.name,
        times.write_day(term.first_day),
        times.write_day(term.last_day),
        "; ".join(map(times.write_day, term.holidays)),
        term.gap_minutes,
        term.zone,
    )


def _teachers(roster: Roster, office: str, term: TermEntry) -> bytes:
    book, sheet = _new_book(layout.TEACHERS.sheet)
    titles = (office, None, "DANH SÁCH GIÁO VIÊN ĐĂNG KÝ DẠY TRỰC TUYẾN", term.name)
    _titles(sheet, titles)
    _sheet(sheet, 6, layout.TEACHERS, _teacher_rows(roster))
    return _bytes(book)


def _teacher_rows(roster: Roster) -> Iterator[_Row]:
    told = (one for one in roster.teachers if one.pledge)
    return (_teacher_row(number, one) for number, one in enumerate(told, start=1))


def _teacher_row(number: int, one: TeacherEntry) -> _Row:
    pledge = one.pledge
    if pledge is None:
        return ()
    return (
        number,
        one.name,
        one.school,
        one.district,
        one.email,
        one.phone,
        write_levels(pledge.levels),
        pledge.max_per_day,
        pledge.max_per_week,
        pledge.max_total,
        weekly.write_windows(pledge.windows),
        times.write_spans(pledge.absences),
        ", ".join(pledge.wishes),
    )


def _requests(roster: Roster, office: str) -> bytes:
    book, sheet = _new_book(layout.REQUESTS.sheet)
    _titles(sheet, (office, "TỔNG HỢP ĐĂNG KÝ TIẾT HỌC TRỰC TUYẾN"))
    names, rows = _request_table(roster)
    _table(sheet, 4, names, rows)
    return _bytes(book)


def _request_table(roster: Roster) -> tuple[list[str], Iterable[_Row]]:
    """The names of as many columns as the slots need, and the rows."""
    schools = {school.code: school for school in roster.schools}
    pupils = {(room.school_code, room.name): room.pupils for room in roster.classes}
    told = [request for request in roster.requests if not request.withdrawn]
    used = max((slot.rank + 1 for one in told for slot in one.ask.slots), default=0)
    columns = len(layout.REQUESTS.columns) - len(layout.SLOTS) + max(used, layout.USUAL_RANKS)
    rows = (
        _request_row(one, schools[one.school_code], pupils[one.key[:2]])[:columns] for one in told
    )
    return _names(layout.REQUESTS)[:columns], rows


def _names(table: Layout) -> list[str]:
    return [column.name for column in table.columns]


def _request_row(one: RequestEntry, school: SchoolEntry, pupils: int) -> _Row:
    ask = one.ask
    return (
        one.school_code,
        ask.class_name if one.number == 1 else f"{ask.class_name}#{one.number}",
        pupils,
        ask.lessons_per_week,
        times.write_day(ask.first_day),
        times.write_day(ask.last_day),
        ask.priority,
        *(_slots(one, rank, school) for rank in range(len(layout.SLOTS))),
    )


def _slots(one: RequestEntry, rank: int, school: SchoolEntry) -> str:
    """The slots of a rank by the school's periods, or by the clock when no bell rings then."""
    bells = {(bell.start, bell.end): bell for bell in school.periods}
    wishes: list[WishedSlot | TimedSlot] = []
    for slot in one.ask.slots:
        bell = bells.get((slot.start, slot.end))
        if slot.rank != rank:
            continue
        if bell:
            wishes.append(WishedSlot(slot.weekday, bell.half_day, bell.number))
        else:
            wishes.append(TimedSlot(slot.weekday, slot.start, slot.end))
    return weekly.write_slots(wishes)


def _lesson_row(lesson: Lesson, zone: ZoneInfo) -> _Row:
    start, end = lesson.starts_at.astimezone(zone), lesson.ends_at.astimezone(zone)
    return (
        times.write_day(start.date()),
        weekly.weekday_word(start.weekday()),
        f"{start:%H:%M}",
        f"{end:%H:%M}",
        HALF_DAY_WORDS[lesson.half_day] if lesson.half_day else None,
        lesson.period,
        lesson.school_name,
        lesson.school_district,
        lesson.class_name,
        lesson.teacher_name,
        lesson.donor_school,
        _STATES[lesson.state],
    )


def _new_book(title: str) -> tuple[Workbook, Worksheet]:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    return book, sheet


def _titles(sheet: Worksheet, titles: Iterable[str | None]) -> None:
    for number, title in enumerate(titles, start=1):
        sheet.cell(number, 1, guarded(title) if title else None).font = Font(bold=True)


def _sheet(sheet: Worksheet, header: int, table: Layout, rows: Iterable[_Row]) -> None:
    _table(sheet, header, _names(table), rows)


def _table(sheet: Worksheet, header: int, names: Sequence[str], rows: Iterable[_Row]) -> None:
    """Write a table with its header in row `header`; texts guarded, columns wide enough to read."""
    lines = [names, *rows]
    for place, line in enumerate(lines, start=header):
        for column, value in enumerate(line, start=1):
            sheet.cell(place, column, guarded(value) if isinstance(value, str) else value)
    for column, title in enumerate(names, start=1):
        heading = sheet.cell(header, column)
        heading.font = Font(bold=True)
        heading.alignment = Alignment(wrap_text=True, vertical="top")
        widest = max((len(str(line[column - 1] or "")) for line in lines[1:]), default=len(title))
        sheet.column_dimensions[get_column_letter(column)].width = min(60, max(8, widest + 2))
    sheet.freeze_panes = f"A{header + 1}"


def _bytes(book: Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
