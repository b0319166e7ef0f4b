"""Rows pasted from a sheet: what is understood of them, and where each fault is."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.imports import SchoolEntry, TermEntry
from scheduler.domain.people import BellPeriod, HalfDay, Level
from scheduler.domain.requests import NewRequest, Slot
from scheduler.exchange import pasted, weekly
from scheduler.exchange.faults import UnreadableError
from scheduler.exchange.pasted import Usual
from scheduler.exchange.weekly import TimedSlot, WishedSlot

FIRST, LAST = date(2023, 9, 5), date(2024, 1, 14)
TERM = TermEntry("HK1", "Học kỳ I", FIRST, LAST, 10, "Asia/Ho_Chi_Minh")
BELLS = tuple(
    BellPeriod(half_day, number, start + 45 * number, start + 45 * number + 35)
    for half_day, start in ((HalfDay.MORNING, 390), (HalfDay.AFTERNOON, 780))
    for number in (1, 2, 3)
)
SCHOOL = SchoolEntry("YB01", "TH Nghĩa Tâm", "Văn Chấn", Level.PRIMARY, 2, (), BELLS)
USUAL = Usual(date(2023, 10, 2), LAST, 1)
PLAIN = "3B\t2\t25/09/2023\t26/11/2023\tT2 sáng tiết 2; T4 chiều 1\tT6 sáng tiết 3"


def slot(weekday: int, half_day: HalfDay, number: int, rank: int = 0) -> Slot:
    bell = next(x for x in BELLS if (x.half_day, x.number) == (half_day, number))
    return Slot(weekday, bell.start, bell.end, rank)


MEANT = NewRequest(
    "3B", 2, date(2023, 9, 25), date(2023, 11, 26), 1,
    (
        slot(0, HalfDay.MORNING, 2), slot(2, HalfDay.AFTERNOON, 1), slot(4, HalfDay.MORNING, 3, 1),
    ),
)  # fmt: skip


def read(typed: str, held: dict[str, Usual] | None = None):
    return pasted.read(typed, TERM, SCHOOL, USUAL, held or {})


@pytest.mark.parametrize(
    "typed",
    [
        PLAIN,
        f"YB01\t3B\t32\t2\t25/09/2023\t26/11/2023\t1\t{PLAIN.split('2023', 2)[2][1:]}",
        f"Lớp\tSố tiết/tuần\tTừ ngày\tĐến ngày\tTiết mong muốn\tTiết dự phòng\r\n{PLAIN}\r\n",
        f"Class\tLessons a week\tFrom\tUntil\tFirst choice\tSecond choice\n{PLAIN}",
        "Tiết dự phòng\tGhi chú\tĐến ngày\tTừ ngày\tTiết mong muốn\tSố tiết/tuần\tLớp\n"
        "Fri morning period 3\t!\t26/11/2023\t25/09/2023"
        "\tMonday, morning 2; Wed afternoon 1\t2\t3B",
        '3B\t2\t25/09/2023\t26/11/2023\t"Thứ Hai, sáng tiết 2\nT4 13:45-14:20"\tT6 sáng 3',
    ],
)
def test_a_row_is_understood_with_names_of_columns_and_without(typed):
    (row,) = read(typed)
    assert row.faults == ()
    assert row.new == MEANT


def test_what_a_row_leaves_empty_is_what_the_class_asks_for_or_else_usual():
    bare = "3B\t2\t\t\tT2 sáng 2; T4 chiều 1"
    (row,) = read(bare)
    assert (row.new.first_day, row.new.last_day, row.new.priority) == (*days(USUAL), 1)
    held = Usual(date(2023, 11, 6), date(2023, 12, 10), 3)
    (row,) = read(bare, {"3B": held})
    assert (row.new.first_day, row.new.last_day, row.new.priority) == (*days(held), 3)


def days(usual: Usual) -> tuple[date, date]:
    return usual.first_day, usual.last_day


def test_a_row_may_name_which_request_of_its_class_it_is():
    first, second = read(f"{PLAIN}\n{PLAIN.replace('3B', '3B#2')}")
    assert (first.which, second.which) == (None, 2)
    assert first.new == second.new == MEANT


@pytest.mark.parametrize(
    ("cell", "wrong", "place"),
    [
        (0, "lớp ba", "column A (Lớp)"),
        (1, "nhiều", "column B (Số tiết/tuần)"),
        (1, "7", "column B (Số tiết/tuần)"),
        (2, "31/09/2023", "column C (Từ ngày)"),
        (2, "01/08/2023", "column C (Từ ngày)"),
        (3, "10/09/2023", "column D (Đến ngày)"),
        (4, "T2 sáng tiết 9", "column E (Tiết mong muốn)"),
        (4, "sáng mai", "column E (Tiết mong muốn)"),
        (4, "", "column E (Tiết mong muốn)"),
        (4, "T6 sáng tiết 2", "column E (Tiết mong muốn)"),
        (5, "T2 sáng tiết 2", "column F (Tiết dự phòng)"),
    ],
)
def test_a_fault_is_told_at_its_row_and_column_and_spares_the_others(cell, wrong, place):
    cells = PLAIN.split("\t")
    cells[cell] = wrong
    bad, good = read("\t".join(cells) + f"\n\n{PLAIN}")
    assert bad.new is None
    assert [str(problem.where) for problem in bad.faults] == [f"Row 1, {place}"]
    assert (good.number, good.new) == (3, MEANT)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Paste at least one row"),
        ("\n\t\t\n", "Paste at least one row"),
        ("Lớp\tSố tiết/tuần\tTiết mong muốn", "there is no row yet"),
        ("Lớp\tSố tiết/tuần\tTừ ngày\n3B\t2\t", "column “Tiết mong muốn” is missing"),
        ('3B\t"2', "quotation mark"),
        ("\n".join([PLAIN] * 201), "201 rows"),
        ("x" * 50_001, "50 kB"),
    ],
)
def test_what_cannot_be_read_as_a_whole_is_refused_with_a_sentence(typed, why):
    with pytest.raises(UnreadableError) as caught:
        read(typed)
    assert why in str(caught.value)


@given(st.text(alphabet=st.sampled_from('3B\t\n"T2 sáng;,#1/:-'), max_size=80))
def test_any_text_is_read_or_refused_and_a_row_has_either_a_meaning_or_a_fault(typed):
    try:
        rows = read(typed)
    except UnreadableError as error:
        assert str(error).endswith(".")  # noqa: PT017 - a sentence, whichever it is
        return
    assert rows
    assert all((row.new is None) == bool(row.faults) for row in rows)


DAYS = (
    ("T2", "Thứ 2", "Thứ Hai", "Mon", "Monday"),
    ("t3", "thứ 3", "THỨ BA", "Tue", "Tuesday"),
    ("T4", "Thứ 4", "Thứ Tư", "Wed", "Wednesday"),
    ("T5", "Thứ 5", "Thứ Năm", "Thu", "Thursday"),
    ("T6", "Thứ 6", "Thứ Sáu", "Fri", "Friday"),
    ("T7", "Thứ 7", "Thứ Bảy", "Sat", "Saturday"),
    ("CN", "Chủ nhật", "chủ nhật", "Sun", "Sunday"),
)
HALVES = {
    HalfDay.MORNING: ("sáng", "Sáng", "morning"),
    HalfDay.AFTERNOON: ("chiều", "CHIỀU", "afternoon"),
    HalfDay.EVENING: ("tối", "Tối", "evening"),
}


@st.composite
def spelled(draw: st.DrawFn) -> tuple[str, WishedSlot | TimedSlot]:
    """A slot as somebody writes it, and what it means."""
    weekday = draw(st.integers(0, 6))
    day = draw(st.sampled_from(DAYS[weekday]))
    if draw(st.booleans()):
        half_day = draw(st.sampled_from(HalfDay))
        number = draw(st.integers(1, 12))
        half = draw(st.sampled_from(HALVES[half_day]))
        between = draw(st.sampled_from([" ", ", "]))
        period = draw(st.sampled_from(["", "tiết ", "Tiết", "period "]))
        return f"{day}{between}{half} {period}{number}", WishedSlot(weekday, half_day, number)
    start = draw(st.integers(0, 1438))
    end = draw(st.integers(start + 1, 1439))
    clocks = [draw(st.sampled_from(["{:02d}:{:02d}", "{:02d}h{:02d}"])) for _ in range(2)]
    said = [clock.format(*divmod(at, 60)) for clock, at in zip(clocks, (start, end), strict=True)]
    return f"{day} {said[0]}{draw(st.sampled_from(['-', ' – ', ' đến ']))}{said[1]}", TimedSlot(
        weekday, start, end
    )


@given(st.lists(spelled(), max_size=5), st.sampled_from(["; ", ",", "\n"]))
def test_slots_mean_the_same_however_they_are_spelled_and_read_back_as_they_are_written(
    given_slots, between
):
    said = between.join(spelling for spelling, _ in given_slots)
    meant = tuple(slot for _, slot in given_slots)
    assert weekly.slots(said) == meant
    assert weekly.slots(weekly.write_slots(meant)) == meant


@pytest.mark.parametrize(
    ("said", "weekday", "start"),
    [("Thu 7:30-8:15", 3, 450), ("Thu 21:30-22:15", 3, 1290), ("thứ 2 7:30-8:15", 0, 450)],
)
def test_thursday_in_english_is_no_numbered_weekday(said, weekday, start):
    assert weekly.slots(said) == (TimedSlot(weekday, start, start + 45),)
