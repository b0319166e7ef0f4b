"""The five tables of the programme's workbooks: their columns as offices name them."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from scheduler.exchange.words import letters

# The row with the names of the columns is one of so many; letters to the reader stand above it.
HEADER_WITHIN = 40


class Noun(StrEnum):
    """What a table lists."""

    SCHOOLS = "schools"
    PERIODS = "periods"
    TERMS = "terms"
    TEACHERS = "teachers"
    REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class Column:
    """A column; a table without it is still read when it is `optional`."""

    name: str
    aliases: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Layout:
    """A table; `key` names the column by which a row is known to be one of its rows."""

    noun: Noun
    sheet: str
    columns: tuple[Column, ...]
    key: str

    @property
    def needed(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if not column.optional)

    @cached_property
    def names(self) -> dict[str, str]:
        """The names of the columns by the letters of everything they may be called."""
        return {
            letters(called): column.name
            for column in self.columns
            for called in (column.name, *column.aliases)
        }


CODE = "Mã trường"
SCHOOL_NAME = "Tên trường"
SCHOOL_DISTRICT = "Huyện/Thị xã"
SCHOOL_LEVEL = "Cấp học"
ROOMS = "Số phòng học trực tuyến"
CONTACT = "Đầu mối"
MAIL = "Email"
PHONE = "Điện thoại"
HALF_DAY = "Buổi"
PERIOD = "Tiết"
START = "Bắt đầu"
END = "Kết thúc"
TERM_CODE = "Mã học kỳ"
TERM_NAME = "Tên"
FIRST_DAY = "Từ ngày"
LAST_DAY = "Đến ngày"
HOLIDAYS = "Ngày nghỉ"
REST = "Nghỉ giữa hai tiết (phút)"
ZONE = "Múi giờ"
NUMBER = "STT"
TEACHER_NAME = "Họ và tên"
HOME_SCHOOL = "Đơn vị công tác"
HOME_DISTRICT = "Quận/Huyện"
LEVELS = "Cấp dạy"
A_DAY = "Số tiết tối đa/ngày"
A_WEEK = "Số tiết tối đa/tuần"
A_TERM = "Tổng số tiết/học kỳ"
FREE = "Thời gian rảnh"
AWAY = "Ngày bận"
WISHES = "Trường muốn hỗ trợ"
CLASS = "Lớp"
PUPILS = "Sĩ số"
PER_WEEK = "Số tiết/tuần"
PRIORITY = "Mức ưu tiên"
# By rank, from the first choice on; lists have the first three.
SLOTS = ("Tiết mong muốn", "Tiết dự phòng", *(f"Tiết dự phòng {n}" for n in range(2, 10)))
USUAL_RANKS = 3
_ENGLISH_RESERVES = ("Second choice", "Third choice")
_RESERVES = tuple((name, _ENGLISH_RESERVES[n : n + 1]) for n, name in enumerate(SLOTS[1:]))

# How the office that sends a list is called in its titles, before the name of its place, and how
# a programme is called after two places.
OFFICE = "SỞ GIÁO DỤC VÀ ĐÀO TẠO"
BETWEEN_PLACES = " – "

_MAIL = Column(MAIL, ("Thư điện tử", "Mail", "Địa chỉ email"))
_PHONE = Column(PHONE, ("SĐT", "Số điện thoại"))

SCHOOLS = Layout(
    Noun.SCHOOLS,
    "Trường",
    (
        Column(CODE),
        Column(SCHOOL_NAME),
        Column(SCHOOL_DISTRICT, ("Huyện", "Quận/Huyện")),
        Column(SCHOOL_LEVEL),
        Column(ROOMS, ("Số phòng",)),
        Column(CONTACT, ("Người đầu mối", "Cán bộ đầu mối")),
        _MAIL,
        _PHONE,
    ),
    CODE,
)
PERIODS = Layout(
    Noun.PERIODS,
    "Khung giờ",
    (Column(CODE), Column(HALF_DAY), Column(PERIOD), Column(START), Column(END)),
    CODE,
)
TERMS = Layout(
    Noun.TERMS,
    "Học kỳ",
    (
        Column(TERM_CODE),
        Column(TERM_NAME, ("Tên học kỳ",)),
        Column(FIRST_DAY),
        Column(LAST_DAY),
        Column(HOLIDAYS),
        Column(REST, ("Nghỉ giữa hai tiết",)),
        Column(ZONE),
    ),
    TERM_CODE,
)
TEACHERS = Layout(
    Noun.TEACHERS,
    "Giáo viên",
    (
        Column(NUMBER, ("TT", "Số thứ tự"), optional=True),
        Column(TEACHER_NAME, ("Họ tên",)),
        Column(HOME_SCHOOL, ("Trường công tác",)),
        Column(HOME_DISTRICT),
        _MAIL,
        _PHONE,
        Column(LEVELS),
        Column(A_DAY),
        Column(A_WEEK),
        Column(A_TERM, ("Tổng số tiết",)),
        Column(FREE),
        Column(AWAY),
        Column(WISHES),
    ),
    NUMBER,
)
REQUESTS = Layout(
    Noun.REQUESTS,
    "Đăng ký",
    (
        Column(CODE, ("School code",)),
        Column(CLASS, ("Class", "Tên lớp")),
        Column(PUPILS, ("Pupils",)),
        Column(PER_WEEK, ("Lessons a week", "Lessons per week", "Số tiết mỗi tuần", "Số tiết")),
        Column(FIRST_DAY, ("From", "First day")),
        Column(LAST_DAY, ("Until", "To", "Last day")),
        Column(PRIORITY, ("Priority", "Ưu tiên")),
        Column(SLOTS[0], ("First choice", "Slots", "Khung giờ")),
        *(Column(name, aliases, optional=True) for name, aliases in _RESERVES),
    ),
    CODE,
)
LAYOUTS = (SCHOOLS, PERIODS, TERMS, TEACHERS, REQUESTS)
# Tables that stand together in one workbook: with one of them, the others must be there too.
TOGETHER = ((SCHOOLS, PERIODS, TERMS),)
