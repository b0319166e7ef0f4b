"""The five tables of the programme's workbooks: their columns as offices name them."""

from dataclasses import dataclass, replace
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
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Column:
    """A column; a table without it is still read when it is `optional`."""

    name: str
    aliases: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Layout:
    """A table; `key` names the column by which a row is known to be one of its rows.

    `beside` are columns that offices have besides, or instead of the code of a school; we write
    none of them.  `weekly`: the column that may be spread over the days of a week.
    """

    noun: Noun
    sheet: str
    columns: tuple[Column, ...]
    key: str
    beside: tuple[Column, ...] = ()
    weekly: str = ""

    @property
    def needed(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if not column.optional)

    @cached_property
    def names(self) -> dict[str, str]:
        """The names of the columns by the letters of everything they may be called."""
        return {
            letters(called): column.name
            for column in (*self.columns, *self.beside)
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
_OTHER_RESERVES = (
    ("Second choice", "Nguyện vọng 2", "Khung giờ dự phòng", "Tiết dự phòng 1"),
    ("Third choice", "Nguyện vọng 3", "Khung giờ dự phòng 2"),
)
_RESERVES = tuple(
    (name, _OTHER_RESERVES[n] if n < len(_OTHER_RESERVES) else ())
    for n, name in enumerate(SLOTS[1:])
)

# How the office that sends a list is called in its titles, before the name of its place, and how
# a programme is called after two places.
OFFICE = "SỞ GIÁO DỤC VÀ ĐÀO TẠO"
BETWEEN_PLACES = " – "

_MAIL = Column(MAIL, ("Thư điện tử", "Mail", "Địa chỉ email", "E-mail", "Email address"))
_PHONE = Column(
    PHONE,
    ("SĐT", "Số điện thoại", "Số ĐT", "ĐT", "Di động", "Phone", "Telephone", "Phone number"),
)
_CODE = Column(CODE, ("Mã", "Mã số trường", "Mã đơn vị", "School code", "Code"))
_SCHOOL = Column(
    SCHOOL_NAME, ("Trường", "Tên đơn vị", "Trường tiếp nhận", "School", "School name", "Name")
)
# A name below, or beside, whose it is: Họ tên under Liên hệ.
_CONTACTS = tuple(
    f"{name} {whose}"
    for name in ("Họ tên", "Họ và tên", "Tên")
    for whose in ("liên hệ", "người liên hệ", "đầu mối", "người đầu mối", "cán bộ đầu mối")
)
_FROM = Column(FIRST_DAY, ("Ngày bắt đầu", "Từ", "From", "First day", "Start date"))
_UNTIL = Column(
    LAST_DAY, ("Ngày kết thúc", "Đến", "Đến hết ngày", "Until", "To", "Last day", "End date")
)

SCHOOLS = Layout(
    Noun.SCHOOLS,
    "Trường",
    (
        _CODE,
        _SCHOOL,
        Column(SCHOOL_DISTRICT, ("Huyện", "Quận/Huyện", "Huyện/Thị xã/Thành phố", "District")),
        Column(SCHOOL_LEVEL, ("Cấp", "Level", "School level")),
        Column(ROOMS, ("Số phòng", "Số phòng học", "Rooms", "Online rooms")),
        Column(
            CONTACT,
            (
                *("Người đầu mối", "Cán bộ đầu mối", "Người liên hệ", "Contact", "Contact person"),
                *_CONTACTS,
            ),
        ),
        _MAIL,
        _PHONE,
    ),
    CODE,
)
PERIODS = Layout(
    Noun.PERIODS,
    "Khung giờ",
    (
        _CODE,
        Column(HALF_DAY, ("Buổi học", "Half-day", "Half day", "Session")),
        Column(PERIOD, ("Tiết học", "Tiết số", "Period")),
        Column(
            START,
            ("Giờ bắt đầu", "Bắt đầu lúc", "Giờ vào", "Từ giờ", "Từ", "Start", "Begins", "From"),
        ),
        Column(
            END, ("Giờ kết thúc", "Kết thúc lúc", "Giờ ra", "Đến giờ", "Đến", "End", "Ends", "To")
        ),
    ),
    CODE,
    (_SCHOOL,),
)
TERMS = Layout(
    Noun.TERMS,
    "Học kỳ",
    (
        Column(TERM_CODE, ("Mã kỳ", "Mã HK", "Term code", "Term", "Code")),
        Column(TERM_NAME, ("Tên học kỳ", "Học kỳ", "Term name", "Name")),
        _FROM,
        _UNTIL,
        Column(HOLIDAYS, ("Các ngày nghỉ", "Nghỉ lễ", "Ngày lễ", "Holidays", "Days off")),
        Column(
            REST,
            (
                *("Nghỉ giữa hai tiết", "Nghỉ giữa 2 tiết (phút)", "Nghỉ giữa 2 tiết"),
                *("Rest between lessons (minutes)", "Rest (minutes)", "Rest between two lessons"),
            ),
        ),
        Column(ZONE, ("Time zone", "Timezone")),
    ),
    TERM_CODE,
)
TEACHERS = Layout(
    Noun.TEACHERS,
    "Giáo viên",
    (
        Column(NUMBER, ("TT", "Số thứ tự", "No.", "Number"), optional=True),
        Column(
            TEACHER_NAME, ("Họ tên", "Họ & tên", "Họ tên giáo viên", "Name", "Full name", "Teacher")
        ),
        Column(
            HOME_SCHOOL,
            ("Trường công tác", "Đơn vị", "Trường", "Home school", "Donor school", "School"),
        ),
        Column(HOME_DISTRICT, ("Quận", "Huyện", "Quận/Huyện/Thị xã", "District")),
        _MAIL,
        _PHONE,
        Column(LEVELS, ("Cấp học", "Cấp", "Dạy cấp", "Levels", "Level")),
        Column(
            A_DAY,
            (
                *(
                    "Số tiết/ngày",
                    "Tối đa/ngày",
                    "Số tiết tối đa một ngày",
                    "Số tiết tối đa 1 ngày",
                ),
                *("Lessons a day", "Lessons per day", "Max per day", "Most a day"),
            ),
        ),
        Column(
            A_WEEK,
            (
                *("Số tiết/tuần", "Tối đa/tuần", "Số tiết tối đa một tuần"),
                *("Số tiết tối đa 1 tuần", "Lessons a week", "Lessons per week", "Max per week"),
                "Most a week",
            ),
        ),
        Column(
            A_TERM,
            (
                *("Tổng số tiết", "Tổng số tiết/kỳ", "Số tiết/học kỳ", "Tổng số tiết học kỳ"),
                *("Số tiết tối đa/học kỳ", "Số tiết tối đa/kỳ", "Tối đa/học kỳ", "Tối đa/kỳ"),
                *("Lessons a term", "Lessons per term", "Total lessons", "Most a term"),
            ),
        ),
        Column(
            FREE, ("Giờ rảnh", "Lịch rảnh", "Thời gian trống", "Free times", "Available", "Free")
        ),
        Column(AWAY, ("Các ngày bận", "Ngày vắng", "Lịch bận", "Days away", "Away", "Busy days")),
        Column(
            WISHES,
            (
                *("Trường mong muốn", "Nguyện vọng", "Trường đăng ký hỗ trợ"),
                *("Schools wished", "Wishes", "Preferred schools"),
            ),
        ),
    ),
    NUMBER,
    weekly=FREE,
)
REQUESTS = Layout(
    Noun.REQUESTS,
    "Đăng ký",
    (
        _CODE,
        Column(CLASS, ("Class", "Tên lớp", "Lớp học")),
        Column(PUPILS, ("Pupils", "Số học sinh", "Số HS")),
        Column(PER_WEEK, ("Lessons a week", "Lessons per week", "Số tiết mỗi tuần", "Số tiết")),
        _FROM,
        _UNTIL,
        Column(PRIORITY, ("Priority", "Ưu tiên", "Độ ưu tiên")),
        Column(SLOTS[0], ("First choice", "Slots", "Khung giờ", "Nguyện vọng 1", "Khung giờ 1")),
        *(Column(name, aliases, optional=True) for name, aliases in _RESERVES),
    ),
    CODE,
    (_SCHOOL,),
    weekly=SLOTS[0],
)
# Its columns are in other lists as well: a sheet is one only by its name.
CLOSED = Layout(Noun.CLOSED, "Ngày nghỉ", (_FROM, replace(_UNTIL, optional=True)), FIRST_DAY)
LAYOUTS = (SCHOOLS, PERIODS, TERMS, TEACHERS, REQUESTS)
# Sheets that we put beside lists for people to read; their tables are none.
READING_FAULTS, READING_MEANT = "Lỗi", "Hiểu là"
READING_EXAMPLE = "Ví dụ"
READING = (READING_FAULTS, READING_MEANT, READING_EXAMPLE)
# What a template offers to choose from; too few columns for a list of schools.
OFFERED_SCHOOLS = "Các trường"
# Tables that stand together in one workbook: with one of them, the others must be there too.
TOGETHER = ((SCHOOLS, PERIODS, TERMS),)
