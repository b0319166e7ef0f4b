"""What the page of parts shows: a week of the programme, made up, in values ready to print.

It all happens on Monday 2 October 2023 at 13:29, as in the example programme.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import segno

from scheduler.domain.briefs import Brief
from scheduler.domain.people import BellPeriod, HalfDay
from scheduler.domain.requests import RequestId
from scheduler.domain.runs import Point
from scheduler.domain.terms import Choice, ProgrammeId, Term, TermId
from scheduler.errors import Text, text
from scheduler.web import charts
from scheduler.web.frame import NavItem
from scheduler.web.pages.gaps import FixShown, GapShown
from scheduler.web.pages.timetables import SIGNS, Item, Row
from scheduler.web.pages.week import DayShown, HalfShown, PeriodShown

MONDAY = date(2023, 10, 2)
DAYS = tuple(MONDAY + timedelta(days=n) for n in range(7))
SOON = timedelta(minutes=56)


@dataclass(frozen=True, slots=True)
class State:
    """A state of a lesson, and when it has it."""

    code: str
    when: Text


@dataclass(frozen=True, slots=True)
class Told:
    brief: Brief
    by_name: str


@dataclass(frozen=True, slots=True)
class Course:
    """A run of the engine as the chart of its cost needs it."""

    history: tuple[Point, ...]
    gap: float


@dataclass(frozen=True, slots=True)
class Share:
    """Lessons a school was given of those it asked for; `y`, `width`: its bar in the chart."""

    school: str
    given: int
    asked: int
    y: int
    width: int
    series: str

    @property
    def share(self) -> float:
        return self.given / self.asked


@dataclass(frozen=True, slots=True)
class Candidate:
    """A teacher who may stand in; `late`: she should be there and is not."""

    name: str
    school: str
    free: bool
    knows: bool
    lessons: int
    chosen: bool = False
    late: bool = False


@dataclass(frozen=True, slots=True)
class PaperLine:
    """A row of the sheet for the wall; for each day class and teacher."""

    name: Text
    clock: str
    days: tuple[tuple[tuple[str, str], ...], ...]


STATES = (
    State("scheduled", text("It has a day, a time and a teacher, and is published.")),
    State("live", text("Its time is now.")),
    State("cover", text("Its teacher cannot come, and stays responsible until somebody takes it.")),
    State("cancelled", text("Called off for everyone, with a reason.")),
    State("held", text("One side says so, and the other does not object.")),
    State("not_held", text("Its time came, and it could not be given; the cause is known.")),
    State("unknown", text("Its time is over, and nobody has reported.")),
    State("disputed", text("Each side reports something else.")),
    State("draft", text("Not published: only coordinators see it.")),
    State("missing", text("An alarm of the day, no state: one side has not come in.")),
)

TOLD = Told(
    Brief("Unit 4: My home", "40–42", "A closer look 1", "A closer look 2"), "Phan Mai Quỳnh"
)

# -- a school's periods, a teacher's half-days, a week of lessons

PERIODS = (
    BellPeriod(HalfDay.MORNING, 1, 435, 470),
    BellPeriod(HalfDay.MORNING, 2, 480, 515),
    BellPeriod(HalfDay.AFTERNOON, 1, 810, 845),
)
CLOCKS = dict(zip(PERIODS, ("07:15–07:50", "08:00–08:35", "13:30–14:05"), strict=True))
CHOSEN = {"slot-0-435": "1", "slot-1-480": "2", "slot-3-435": "3"}
FULL = {(2, 480): ("8A", "9B"), (4, 810): ("6A",)}
RANKS = (1, 2, 3)


def _half(n: int, eases: tuple[str, str, str]) -> HalfShown:
    ease, first, second = eases
    clocks = ("07:15–07:50", "08:00–08:35")
    periods = (
        PeriodShown(f"half{n}p{number}", number, clock, each, keeps=False)
        for number, clock, each in zip((1, 2), clocks, (first, second), strict=True)
    )
    own = ("7A 08:00",) if n == 3 else ()
    return HalfShown(
        f"half{n}", "morning", "07:15–11:30", ease, False, "", tuple(periods), own
    )  # fmt: skip


_EASES = (
    ("no", "no", "no"), ("each", "maybe", "yes"), ("yes", "yes", "yes"),
    ("maybe", "maybe", "maybe"), ("yes", "yes", "yes"), ("no", "no", "no"), ("no", "no", "no"),
)  # fmt: skip
HALVES = tuple(
    DayShown(n, day, eases[0] != "no", (_half(n, eases),))
    for n, (day, eases) in enumerate(zip(DAYS, _EASES, strict=True), start=2)
)


def _item(lead: str, name: str, state: str = "scheduled") -> Item:
    return Item(lead, name, state, "#week", *SIGNS.get(state, ("", "")))


WEEK = (
    Row(
        "TH&THCS Nậm Có", None, "",
        (
            (_item("S2", "3A Kim Ngân", "held"), _item("C1", "5A Hồng Hoa", "live")),
            (_item("S2", "8A Hồng Yến"),),
            (_item("C1", "5B Thị Hương"), _item("C2", "3B Ngọc Hạnh", "cover")),
            (),
            (_item("S3", "3C Thanh Thủy", "cancelled"),),
            (_item("S3", "4B Minh Liên"),),
            (),
        ),
    ),
    Row(
        "THPT Cảm Nhân", None, "",
        (
            (_item("S3", "10C Kim Nhung", "not_held"),),
            (_item("S2", "11B Văn Hiếu"), _item("C2", "12B Bích Linh")),
            (_item("S4", "12B Ngọc Vân", "disputed"),),
            (_item("C2", "10D Minh Huệ"),),
            (),
            (_item("S1", "11A Quang Sơn", "unknown"),),
            (),
        ),
    ),
)  # fmt: skip

# -- tables and figures

CANDIDATES = (
    Candidate("Phan Mai Quỳnh", "THCS Trung Hòa", True, True, 3, chosen=True),
    Candidate("Phan Hồng Hương", "THCS Trung Hòa", True, False, 5),
    Candidate("Hoàng Minh Liên", "TH Lĩnh Nam", False, True, 8, late=True),
)
_TERMS = tuple(
    Term(TermId(n), ProgrammeId(1), f"HK{n}", name, first, last, 10, "Asia/Ho_Chi_Minh")
    for n, name, first, last in (
        (2, "Học kỳ II", date(2024, 1, 15), date(2024, 5, 31)),
        (1, "Học kỳ I", date(2023, 9, 4), date(2024, 1, 12)),
    )
)
TWO_TERMS = Choice(_TERMS[0], _TERMS, date(2024, 1, 20))
PAGES: tuple[tuple[Text | str, str | None], ...] = (
    ("1", "#tables"),
    ("2", None),
    ("3", "#tables"),
    (text("Next page"), "#tables"),
)
# Given of asked; the widest bar is 300 px.
SHARES = tuple(
    Share(school, given, asked, 4 + charts.ROW * n, round(charts.BAR_WIDTH * given / asked), series)
    for n, (school, given, asked, series) in enumerate(
        (
            ("THPT Cảm Nhân", 116, 129, "main"),
            ("TH&THCS Nậm Có", 87, 99, "gold"),
            ("TH&THCS Kiên Thành", 54, 96, "bad"),
        )
    )
)
COURSE = Course(
    (
        Point(0.4, 278_469, 0),
        Point(2.0, 201_330, 0),
        Point(5.0, 174_200, 121_000),
        Point(9.0, 162_050, 126_400),
        Point(16.0, 159_792, 128_439),
    ),
    gap=0.196,
)
LINES = charts.course(COURSE.history, 16.0)

# -- why a class has no teacher

THURSDAY = MONDAY + timedelta(days=3)


_PLAIN = FixShown(
    kind="", covers=0, teacher="", on=None, dated=False, start="", end="", period=None,
    limit=None, free=None, changes=0, asks="teacher",
)  # fmt: skip


def _fix(kind: str, covers: int, **more: Any) -> FixShown:
    return replace(_PLAIN, kind=kind, covers=covers, **more)


_AFTERNOON = {"on": THURSDAY, "start": "15:20", "end": "15:55", "period": ("afternoon", 3)}
GAP = GapShown(
    request_id=RequestId(0),
    class_name="8B",
    school_name="THCS Tô Hiệu",
    missing=7,
    reasons=(("not_available", 67), ("week_limit", 24)),
    rivals=("7A", "9C"),
    rest=1,
    fixes=(
        _fix("slot", 7, free=3, asks="school", **_AFTERNOON),
        _fix("window", 4, teacher="Phan Mai Quỳnh", changes=1, **_AFTERNOON),
        _fix("room", 2, limit=2, asks="school"),
    ),
)


@dataclass(frozen=True, slots=True)
class Asked:
    id: int
    class_name: str


ASKED = Asked(0, GAP.class_name)

CODES = ("K7MQ2-XD4TP", "9RWHC-6BNFE", "T3VYA-PL8SG", "HX5JD-2QKMU")
LINK = "webcal://chungtay.example/feeds/…/lich.ics"
QR = segno.make(LINK, micro=False).svg_data_uri(border=1, omitsize=True)
LETTER = text(
    "Dear Quỳnh,\n\nYour lesson with class 7B is today at 14:25.\nThe room opens at 14:10.\n\n"
    "Thank you for teaching."
)

TABS = (
    NavItem("#ways", text("My page"), "home", current=True),
    NavItem("#week", text("Availability"), "clock"),
    NavItem("#cards", text("Lessons"), "list"),
    NavItem("#codes", text("Calendar"), "cal"),
)

WALL = (
    PaperLine(
        text("Morning period {number}", number=1), "07:15–07:50",
        ((("7A", "Mai Quỳnh"),), (), (("6B", "Minh Liên"),)),
    ),
    PaperLine(
        text("Morning period {number}", number=2), "08:00–08:35",
        ((), (("8A", "Hồng Yến"), ("9B", "Hồng Hương")), ()),
    ),
)  # fmt: skip
