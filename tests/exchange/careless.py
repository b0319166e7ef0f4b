"""The programme's three workbooks as a careless office would send them: nothing means otherwise.

Titles are merged, rows blank, headers in English or without marks and in another order, letters
decomposed, numbers texts and texts numbers; schools go by name, days and times as people write
them, and below each list stand sums and signatures.
"""

import io
import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from functools import cache

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.exchange.books import REQUESTS, SCHOOLS, TEACHERS, File, example, saved

_WEEKDAYS = {
    "T2": ("thứ hai", "Thứ 2", "THỨ 2", "Mon"),
    "T3": ("thứ ba", "Thứ 3", "t3", "Tuesday"),
    "T4": ("thứ tư", "Thứ 4", "T 4", "Wed"),
    "T5": ("thứ năm", "Thứ 5", "t5", "Thu"),
    "T6": ("thứ sáu", "Thứ 6", "Thứ sáu", "Friday"),
    "T7": ("thứ bảy", "Thứ 7", "thứ Bảy", "Sat"),
    "CN": ("Chủ nhật", "chủ nhật", "cn", "Sunday"),
}
_CLOCKS: tuple[Callable[[int, int], str], ...] = (
    lambda h, m: f"{h}h{m:02d}",
    lambda h, m: f"{h}:{m:02d}",
    lambda h, m: f"{h:02d}g{m:02d}",
    lambda h, m: f"{h} giờ {m:02d}",
    lambda h, m: f"{h}h{m:02d}" if m else f"{h}h",
)
_TO = ("-", " – ", " đến ", " - ", "~")
_LEVELS = {
    "TH": ("Tiểu học", "cấp 1", "TIỂU HỌC", "th"),
    "THCS": ("Trung học cơ sở", "cấp 2", "thcs", "Cấp II"),
    "THPT": ("Trung học phổ thông", "cấp 3", "thpt", "Cấp III"),
}
_HALF_DAYS = {"Sáng": ("buổi sáng", "SÁNG", "sáng"), "Chiều": ("chiều", "Buổi chiều", "CHIỀU")}
_Row = list[object]


def careless() -> list[File]:
    """All three, under names that say nothing."""
    return [
        ("Book1.xlsx", _schools()),
        ("gui lai lan 2.xlsx", _teachers()),
        ("dangky (1).xlsx", _requests()),
    ]


@cache
def _rows(name: str, sheet: str, header: int) -> list[dict[str, object]]:
    """The entries of an example by the names of its columns."""
    page = load_workbook(io.BytesIO(example(name)[1]))[sheet]
    lines = list(page.iter_rows(values_only=True))
    heads = [str(cell) for cell in lines[header - 1]]
    key = 1 if sheet == "Giáo viên" else 0  # a footer has no name in it that is one
    return [
        dict(zip(heads, line, strict=True))
        for line in lines[header:]
        if line[0] is not None and line[key] is not None
    ]


@cache
def _names() -> dict[object, str]:
    """Of each school a name by which it is known, as people write it."""
    ways = (
        lambda name, district: name,
        lambda name, district: f"Trường {name}",
        lambda name, district: f"{name} ({district})",
        lambda name, district: name.replace("TH&THCS", "Tiểu học và THCS").upper(),
    )
    return {
        row["Mã trường"]: ways[n % len(ways)](str(row["Tên trường"]), row["Huyện/Thị xã"])
        for n, row in enumerate(_rows(SCHOOLS, "Trường", 1))
    }


def _school(code: object, n: int) -> str:
    return _names()[code] if n % 3 else str(code).lower()


def clock(said: str, n: int) -> str:
    """A time of day as we write it, in the n-th of many other ways."""
    hour, minute = map(int, said.split(":"))
    return _CLOCKS[n % len(_CLOCKS)](hour, minute)


def window(said: str, n: int) -> str:
    """A free time as we write it, in the n-th of many other ways."""
    day, clocks, *notes = said.split(" ", 2)
    start, end = (clock(each, n) for each in clocks.split("-"))
    note = f" {notes[0]}" if notes else ""
    return f"{_WEEKDAYS[day][n % 4]}{': ' if n % 2 else ' '}{start}{_TO[n % 5]}{end}{note}"


def _windows(said: object, n: int) -> str | None:
    if said is None:
        return None
    parts = str(said).split("; ")
    return (";", "\n", "; ")[n % 3].join(window(each, n + k) for k, each in enumerate(parts))


def slot(said: str, n: int) -> str:
    """A slot as we write it, in the n-th of many other ways."""
    day, half, _, number = said.split(" ")
    word = _WEEKDAYS[day][n % 4]
    ways = (
        f"{word} {half} tiết {number}",
        f"tiết {number} {half} {word}",
        f"{word} {half} {number}",
        f"{word}, {half}, tiết {number}",
        f"{word} {half[0].upper()}{number}",
    )
    return ways[n % 5]


def _slots(said: object, n: int) -> str | None:
    if said is None:
        return None
    return (", ", "; ", "\n")[n % 3].join(slot(x, n) for x in str(said).split(", "))


def _day(said: object, n: int) -> object:
    day, month, year = map(int, str(said).split("/"))
    ways: Sequence[object] = (
        f"{day}/{month}/{year}",
        datetime(year, month, day),  # noqa: DTZ001 - as Excel has it
        f"{day}.{month}.{year}",
        f"{day:02d}-{month:02d}-{year}",
        f"ngày {day} tháng {month} năm {year}",
        date(year, month, day),
        f"{day}/{month}/{year % 100}",
    )
    return ways[n % 7]


def _spans(said: object, n: int) -> str | None:
    """Each range with its first day cut short where the last one has the same month."""
    if said is None:
        return ("Không", "-", None)[n % 3]
    parts = []
    for part in str(said).split("; "):
        first, _, last = part.partition("-")
        same = n % 2 and first[3:] == last[3:]
        parts.append(f"{first[:2] if same else first}{_TO[n % 5]}{last}" if last else first)
    return ("; ", ", ", "\n")[n % 3].join(parts)


def _level(said: str, n: int) -> str:
    return _LEVELS[said][n % 4]


def _phone(said: object, n: int) -> object:
    """As a number, or as its text, it has lost its zero."""
    return (int(str(said)), str(said)[1:], said)[n % 3]


def _number(said: object, n: int) -> object:
    return (str(said), said, f"{said} tiết", float(str(said)))[n % 4]


def _decomposed(value: object) -> object:
    return unicodedata.normalize("NFD", value) if isinstance(value, str) else value


def _page(
    book: Workbook, name: str, titles: Sequence[str], heads: Sequence[str], rows: list[_Row]
) -> Worksheet:
    """Titles merged over the columns, blank rows here and there, words below the list."""
    page = book.create_sheet(name)
    for number, title in enumerate(titles, start=2):
        page.cell(number, 1, title)
        page.merge_cells(start_row=number, start_column=1, end_row=number, end_column=len(heads))
    header = len(titles) + 4
    for column, head in enumerate(heads, start=1):
        page.cell(header, column, head)
    place = header
    for number, row in enumerate(rows):
        place += 2 if number % 40 == 39 else 1
        for column, value in enumerate(row, start=1):
            page.cell(place, column, _decomposed(value))
    page.cell(place + 2, 2, f"Tổng cộng: {len(rows)}")
    page.cell(place + 4, len(heads), "Yên Bái, ngày 5 tháng 9 năm 2023")
    page.cell(place + 5, len(heads), "KT. GIÁM ĐỐC")
    page.cell(place + 6, len(heads), "(Đã ký)")
    return page


def _schools() -> bytes:
    book = Workbook()
    book.worksheets[0].title = "Bìa"
    book.worksheets[0]["A1"] = "Hồ sơ gửi Sở"
    heads = ["SCHOOL NAME", "DISTRICT", "Ma truong", "LEVEL", "so phong", "phone", "E-mail"]
    rows: list[_Row] = [
        [
            row["Tên trường"],
            row["Huyện/Thị xã"],
            str(row["Mã trường"]).lower() if n % 2 else row["Mã trường"],
            _level(str(row["Cấp học"]), n),
            f"{row['Số phòng học trực tuyến']} phòng" if n % 2 else row["Số phòng học trực tuyến"],
            _phone(row["Điện thoại"], n),
            str(row["Email"]).upper(),
            row["Đầu mối"],
        ]
        for n, row in enumerate(_rows(SCHOOLS, "Trường", 1))
    ]
    _page(book, "Sheet1", ["DANH SÁCH TRƯỜNG"], [*heads, "nguoi lien he"], rows)
    _page(book, "Sheet2", ["GIỜ HỌC"], ["Trường", "GIO VAO", "giờ ra", "tiet", "BUOI"], _bells())
    terms: list[_Row] = [
        [
            row["Tên"],
            row["Mã học kỳ"],
            datetime(2023, 9, 11),  # noqa: DTZ001 - as Excel has it
            "7/1/2024",
            "ngày 20 tháng 11 năm 2023 (Ngày Nhà giáo), 1/1/2024 (Tết dương lịch)",
            "10 phút",
        ]
        for row in _rows(SCHOOLS, "Học kỳ", 1)
    ]
    names = ["Term name", "TERM CODE", "tu ngay", "den ngay", "Holidays", "Nghi giua 2 tiet"]
    page = _page(book, "Sheet3", [], [*names, "Múi giờ"], terms)
    assert page["G5"].value is None  # the usual time zone goes without saying
    return saved(book)


def _bells() -> list[_Row]:
    rows = []
    for n, row in enumerate(_rows(SCHOOLS, "Khung giờ", 1)):
        start, end = (str(row[name]) for name in ("Bắt đầu", "Kết thúc"))
        hour, minute = map(int, start.split(":"))
        begins: Sequence[object] = (time(hour, minute), (hour * 60 + minute) / 1440, None)
        half = _HALF_DAYS[str(row["Buổi"])][n % 3]
        number = (row["Tiết"], f"Tiết {row['Tiết']}", str(row["Tiết"]))[n % 3]
        rows.append(
            [
                _school(row["Mã trường"], n),
                begins[n % 3] or clock(start, n),
                clock(end, n),
                number,
                half,
            ]
        )
    return rows


def _teachers() -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    rows: list[_Row] = []
    for n, row in enumerate(_rows(TEACHERS, "Giáo viên", 6)):
        levels = str(row["Cấp dạy"]).split(", ")
        wishes = str(row["Trường muốn hỗ trợ"] or "")
        rows.append(
            [
                n + 1,
                row["Quận/Huyện"],
                row["Đơn vị công tác"],
                f"  {row['Họ và tên']} ",
                _phone(row["Điện thoại"], n),
                f" {row['Email']}",
                ("; ", " và ", "/", " & ")[n % 4].join(_level(x, n) for x in levels),
                _windows(row["Thời gian rảnh"], n),
                _spans(row["Ngày bận"], n),
                _number(row["Số tiết tối đa/ngày"], n),
                _number(row["Số tiết tối đa/tuần"], n + 1),
                _number(row["Tổng số tiết/học kỳ"], n + 2),
                ("; ", ", ", "\n")[n % 3].join(
                    _school(x, n + k) for k, x in enumerate(re.findall(r"\w+", wishes))
                ),
            ]
        )
    heads = [
        *("stt", "quan/huyen", "DON VI CONG TAC", "Full name", "DT", "mail", "cap day"),
        *("Gio ranh", "NGAY BAN", "So tiet toi da 1 ngay", "Toi da/tuan", "tong so tiet"),
        "nguyen vong",
    ]
    titles = ["SỞ GIÁO DỤC VÀ ĐÀO TẠO HÀ NỘI", "DANH SÁCH GIÁO VIÊN", "Học kỳ I"]
    _page(book, "DS GV", titles, [unicodedata.normalize("NFD", x) for x in heads], rows)
    return saved(book)


def _requests() -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    rows: list[_Row] = []
    for n, row in enumerate(_rows(REQUESTS, "Đăng ký", 4)):
        name = str(row["Lớp"])
        rows.append(
            [
                (name, f"Lớp {name}", name.lower(), f"{name[:-1]} {name[-1]}")[n % 4],
                _school(row["Mã trường"], n),
                _day(row["Từ ngày"], n),
                _day(row["Đến ngày"], n + 1),
                _number(row["Số tiết/tuần"], n),
                str(row["Mức ưu tiên"]),
                f"{row['Sĩ số']} em",
                _slots(row["Tiết mong muốn"], n),
                _slots(row["Tiết dự phòng"], n + 1),
                _slots(row["Tiết dự phòng 2"], n + 2),
            ]
        )
    heads = [
        *("CLASS", "Trường tiếp nhận", "From", "Until", "Lessons a week", "Priority", "Pupils"),
        *("First choice", "Second choice", "Third choice"),
    ]
    _page(book, "Tổng hợp", ["SỞ GIÁO DỤC VÀ ĐÀO TẠO YÊN BÁI", "ĐĂNG KÝ"], heads, rows)
    return saved(book)
