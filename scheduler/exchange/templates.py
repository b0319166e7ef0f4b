"""The programme's lists as empty workbooks to fill in: what belongs into each column stands in a
comment on its name, what may be chosen is offered, and filled rows are shown on a sheet beside.
"""

import io
from collections.abc import Iterable, Mapping, Sequence

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from scheduler.domain.imports import SchoolEntry
from scheduler.domain.requests import MOST_A_WEEK, PRIORITIES
from scheduler.errors import Text, text
from scheduler.exchange import layout
from scheduler.exchange.cells import HALF_DAY_WORDS, LEVEL_WORDS
from scheduler.exchange.layout import Column, Layout, Noun
from scheduler.exchange.words import guarded
from scheduler.locale import Language, translate

_ROWS = 500  # for which something is offered
_HEAD = PatternFill("solid", fgColor="E3E6F1")
_LINE = Border(bottom=Side("thin", color="39457A"))
_WIDE = Alignment(wrap_text=True, vertical="top")
_AS_TEXT = frozenset(
    (layout.PHONE, layout.FIRST_DAY, layout.LAST_DAY, layout.START, layout.END, layout.CLASS)
)

FILES: Mapping[str, tuple[Layout, ...]] = {
    "mau-truong-tiep-nhan.xlsx": (layout.SCHOOLS, layout.PERIODS, layout.TERMS),
    "mau-giao-vien-tinh-nguyen.xlsx": (layout.TEACHERS,),
    "mau-dang-ky-tiet-hoc.xlsx": (layout.REQUESTS,),
}
EXAMPLES: Mapping[Noun, Sequence[Sequence[str | int | None]]] = {
    Noun.SCHOOLS: (
        ("YB01", "TH&THCS Nậm Có", "Mù Cang Chải", "TH", 1, "Bùi Thu Oanh", "oanh@yb.example",
         "0398448697"),
        ("YB02", "THPT Cảm Nhân", "Yên Bình", "THPT", 2, "Hồ Thị Vân", "van@yb.example",
         "0349442000"),
    ),
    Noun.PERIODS: (
        ("YB01", "Sáng", 1, "07:15", "07:50"),
        ("YB01", "Sáng", 2, "07:55", "08:30"),
        ("YB02", "Chiều", 1, "13:30", "14:15"),
    ),
    Noun.TERMS: (
        ("HK1-2023-2024", "Học kỳ I, năm học 2023 - 2024", "11/09/2023", "07/01/2024",
         "20/11/2023; 01/01/2024", 10, "Asia/Ho_Chi_Minh"),
    ),
    Noun.TEACHERS: (
        (1, "Lê Mai Nga", "TH Quan Hoa", "Cầu Giấy", "nga@c.example", "0950817817", "TH, THCS",
         1, 2, 12, "T3 07:30-11:30; T5 13:10-16:15", "09/12/2023-15/12/2023", "YB01"),
        (2, "Phan Minh Yến", "THPT Bồ Đề", "Long Biên", "yen@c.example", "0957204030", "THPT",
         2, 4, 20, "T6 14:00-17:05 (từ 16/10/2023); T7 08:00-10:00 (khi cần)", None, None),
    ),
    Noun.REQUESTS: (
        ("YB01", "3A", 20, 1, "11/09/2023", "03/12/2023", 1, "T3 sáng tiết 2, T5 sáng tiết 1",
         "T6 sáng tiết 2", None),
        ("YB02", "10A", 38, 1, "11/09/2023", "17/12/2023", 2, "T6 chiều tiết 1", None, None),
    ),
}  # fmt: skip

_DAY = text("A day, the day first: 11/09/2023.")
_CLOCK = text("A time of day: 07:30.")
_SCHOOL = text("The code of a school, or its name as in the list of schools.")
_GUIDE: Mapping[str, Text] = {
    layout.CODE: text("A short code without spaces, the same in all lists: YB01."),
    layout.SCHOOL_NAME: text("The name of the school: TH&THCS Nậm Có."),
    layout.SCHOOL_DISTRICT: text("The district in which the school lies."),
    layout.SCHOOL_LEVEL: text("TH, THCS or THPT."),
    layout.ROOMS: text("How many classes can be online at the same moment, as a number."),
    layout.CONTACT: text("Who speaks for the school. May stay empty, with address and telephone."),
    layout.MAIL: text("One mail address. By it people are known again: two never share one."),
    layout.PHONE: text(
        "A telephone number with its first 0. The column is text, so that it stays."
    ),
    layout.HALF_DAY: text("Sáng, Chiều or Tối."),
    layout.PERIOD: text("The number of the period within its half-day: 1, 2, 3."),
    layout.START: _CLOCK,
    layout.END: _CLOCK,
    layout.TERM_CODE: text("A short code of the term: HK1-2023-2024."),
    layout.TERM_NAME: text("How the term is called on all pages."),
    layout.FIRST_DAY: _DAY,
    layout.LAST_DAY: _DAY,
    layout.HOLIDAYS: text("Days without lessons: 20/11/2023; 23/01/2024-31/01/2024."),
    layout.REST: text("Minutes that a teacher rests between two lessons: 10."),
    layout.ZONE: text("May stay empty: Asia/Ho_Chi_Minh is meant then."),
    layout.NUMBER: text("1, 2, 3 … down the list."),
    layout.TEACHER_NAME: text("Family name and given name of one teacher."),
    layout.HOME_SCHOOL: text("The school where the teacher works: TH Quan Hoa."),
    layout.HOME_DISTRICT: text("The district of that school."),
    layout.LEVELS: text("What the teacher may teach: TH, THCS, THPT; several with commas."),
    layout.A_DAY: text("The most lessons on one day, as a number."),
    layout.A_WEEK: text("The most lessons in one week, as a number."),
    layout.A_TERM: text("The most lessons in the whole term, as a number."),
    layout.FREE: text(
        "Weekday and times: T2 07:30-11:30; T5 13:10-16:15 (từ 16/10/2023) (khi cần). T2 is"
        " Monday, CN is Sunday."
    ),
    layout.AWAY: text("Days without lessons: 20/11/2023; 23/01/2024-31/01/2024."),
    layout.WISHES: text("Codes of the schools wished, with commas. Empty: any school."),
    layout.CLASS: text("The class, beginning with its grade: 3A. A second request: 3A#2."),
    layout.PUPILS: text("How many pupils, as a number. No names."),
    layout.PER_WEEK: text("How many lessons a week the class asks for: 1."),
    layout.PRIORITY: text("1, 2 or 3; 3 is the most urgent."),
    layout.SLOTS[0]: text("Weekday, half-day, period: T3 sáng tiết 2, T5 sáng tiết 1."),
}
_RESERVE = text("Slots that would do as well, written in the same way. May stay empty.")


def workbooks(schools: Sequence[SchoolEntry], language: Language) -> dict[str, bytes]:
    """The three by file name; the schools that are known are offered where one is asked for."""
    return {name: _workbook(tables, schools, language) for name, tables in FILES.items()}


def _workbook(
    tables: Sequence[Layout], schools: Sequence[SchoolEntry], language: Language
) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for table in tables:
        _empty(book.create_sheet(table.sheet), table, bool(schools), language)
    _filled(book.create_sheet(layout.READING_EXAMPLE), tables, language)
    if schools and layout.SCHOOLS not in tables:
        _known(book.create_sheet(layout.OFFERED_SCHOOLS), schools)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _columns(table: Layout) -> tuple[Column, ...]:
    """Of the slots as many as lists usually have."""
    later = layout.SLOTS[layout.USUAL_RANKS :]
    return tuple(column for column in table.columns if column.name not in later)


def _empty(sheet: Worksheet, table: Layout, known: bool, language: Language) -> None:
    columns = _columns(table)
    _heads(sheet, 1, columns)
    sheet.freeze_panes = "A2"
    for index, column in enumerate(columns, start=1):
        said = _SCHOOL if column.name == layout.CODE and table.beside else _said(column.name)
        sheet.cell(1, index).comment = Comment(
            translate(said, language), "Chung Tay", height=110, width=320
        )
        letter = get_column_letter(index)
        example = max((len(str(row[index - 1] or "")) for row in EXAMPLES[table.noun]), default=0)
        sheet.column_dimensions[letter].width = max(12, min(44, example + 4))
        if column.name in _AS_TEXT:
            for row in range(2, _ROWS + 2):
                sheet.cell(row, index).number_format = "@"
        offered = _offered(table, column.name, known)
        if offered is not None:
            offered.add(f"{letter}2:{letter}{_ROWS + 1}")
            sheet.add_data_validation(offered)


def _said(name: str) -> Text:
    return _GUIDE.get(name, _RESERVE)


def _offered(table: Layout, name: str, known: bool) -> DataValidation | None:
    """What is chosen from a list, or what a number may be; nothing is forbidden."""
    if name == layout.SCHOOL_LEVEL:
        return _list(LEVEL_WORDS.values())
    if name == layout.HALF_DAY:
        return _list(HALF_DAY_WORDS.values())
    if name == layout.PRIORITY:
        return _list(map(str, PRIORITIES))
    if name == layout.PER_WEEK:
        return _list(map(str, range(1, MOST_A_WEEK + 1)))
    if name == layout.CODE and table.noun == Noun.PERIODS:
        return _range(layout.SCHOOLS.sheet)
    if name == layout.CODE and table.noun == Noun.REQUESTS and known:
        return _range(layout.OFFERED_SCHOOLS)
    return None


def _list(words: Iterable[str]) -> DataValidation:
    return _choice(f'"{",".join(words)}"')


def _range(sheet: str) -> DataValidation:
    return _choice(f"{quote_sheetname(sheet)}!$A$2:$A${_ROWS + 1}")


def _choice(formula: str) -> DataValidation:
    return DataValidation("list", formula1=formula, allow_blank=True, errorStyle="warning")


def _filled(sheet: Worksheet, tables: Sequence[Layout], language: Language) -> None:
    """Rows as they may be, each column with what belongs into it below its name."""
    row = 1
    for table in tables:
        columns = _columns(table)
        sheet.cell(row, 1, table.sheet).font = Font(bold=True, size=14)
        _heads(sheet, row + 1, columns)
        for index, column in enumerate(columns, start=1):
            said = _SCHOOL if column.name == layout.CODE and table.beside else _said(column.name)
            told = sheet.cell(row + 2, index, translate(said, language))
            told.alignment, told.font = _WIDE, Font(italic=True, color="555555")
            letter = get_column_letter(index)
            sheet.column_dimensions[letter].width = 26
        for number, values in enumerate(EXAMPLES[table.noun], start=row + 3):
            for index, value in enumerate(values, start=1):
                shown = guarded(value) if isinstance(value, str) else value
                sheet.cell(number, index, shown).alignment = _WIDE
        row += len(EXAMPLES[table.noun]) + 5


def _known(sheet: Worksheet, schools: Sequence[SchoolEntry]) -> None:
    _heads(sheet, 1, (Column(layout.CODE), Column(layout.SCHOOL_NAME)))
    for row, school in enumerate(schools, start=2):
        sheet.cell(row, 1, guarded(school.code))
        sheet.cell(row, 2, guarded(school.name))
    sheet.column_dimensions["B"].width = 40


def _heads(sheet: Worksheet, row: int, columns: Sequence[Column]) -> None:
    for index, column in enumerate(columns, start=1):
        head = sheet.cell(row, index, column.name)
        head.font, head.fill, head.border, head.alignment = Font(bold=True), _HEAD, _LINE, _WIDE
