"""The grammar of times reads back what it writes, and much that people write besides."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scheduler.domain.availability import Window
from scheduler.domain.intervals import DaySpan, clock_text
from scheduler.domain.people import HalfDay
from scheduler.exchange import times, weekly
from scheduler.exchange.faults import UnreadableError
from scheduler.exchange.weekly import TimedSlot, WishedSlot
from tests.exchange import careless

DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))
CLOCKS = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda c: c[0] < c[1])
WEEKDAYS = st.integers(0, 6)


@st.composite
def spans(draw: st.DrawFn) -> DaySpan:
    first = draw(st.dates(date(2000, 1, 1), date(2099, 1, 1)))
    return DaySpan(first, first + timedelta(days=draw(st.integers(0, 366))))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start, end = draw(CLOCKS)
    days = sorted([draw(DAYS), draw(DAYS)])
    first = days[0] if draw(st.booleans()) else None
    last = days[1] if draw(st.booleans()) else None
    return Window(draw(WEEKDAYS), start, end, first, last, draw(st.booleans()))


WISHED = st.builds(WishedSlot, WEEKDAYS, st.sampled_from(HalfDay), st.integers(1, 12))
TIMED = st.builds(lambda weekday, clock: TimedSlot(weekday, *clock), WEEKDAYS, CLOCKS)


@given(DAYS)
def test_day_reads_back(day: date) -> None:
    assert times.day(times.write_day(day)) == times.day(day) == day


@given(st.lists(spans()))
def test_spans_read_back(given_spans: list[DaySpan]) -> None:
    assert list(times.spans(times.write_spans(given_spans))) == given_spans


@given(st.lists(windows()))
def test_windows_read_back(given_windows: list[Window]) -> None:
    assert list(weekly.windows(weekly.write_windows(given_windows))) == given_windows


@given(st.lists(st.one_of(WISHED, TIMED)))
def test_slots_read_back(given_slots: list[WishedSlot | TimedSlot]) -> None:
    assert list(weekly.slots(weekly.write_slots(given_slots))) == given_slots


@given(windows(), st.integers(0, 59))
def test_window_reads_the_same_however_it_is_written(one: Window, way: int) -> None:
    assume(one.start == 0 or one.start >= 6 * 60)  # 2h30 alone is no hour of the night
    assert weekly.windows(careless.window(weekly.write_windows([one]), way)) == (one,)


@given(WISHED, st.integers(0, 59))
def test_slot_reads_the_same_however_it_is_written(one: WishedSlot, way: int) -> None:
    said = careless.slot(weekly.write_slots([one]), way)
    if one.half_day is not HalfDay.EVENING:  # it has no letter of its own: T is a weekday's
        assert weekly.slots(said) == (one,)


@given(st.integers(0, 1439), st.integers(0, 59))
def test_time_reads_the_same_however_it_is_written(minutes: int, way: int) -> None:
    assert times.clock(careless.clock(clock_text(minutes), way)) == minutes


# The words of the grammar, so that chance comes near to it.
WORDS = (
    *("T2", "thứ", "ba", "CN", "T7", "sáng", "chiều", "S2", "tiết", "2", "period", "3"),
    *("7h30", "09:30", "13h", "1:30CH", "7.30", "-", "–", "đến", "từ", ",", ";", "và", "&", "("),
    *(")", "(từ", "1/2/23)", "khi", "cần", "20/11/2023", "9", "tháng", "11", "năm"),
)
NEAR = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)


@given(st.one_of(NEAR, st.text(max_size=60)))
def test_any_text_is_read_or_refused_with_a_sentence(said: str) -> None:
    for parse in (weekly.windows, weekly.slots, times.spans, times.day, times.clock):
        try:
            parse(said)
        except UnreadableError as error:
            assert str(error).endswith(".")  # noqa: PT017 - a sentence, whichever it is


@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.timedeltas(), st.dates()))
def test_any_cell_is_read_or_refused_with_a_sentence(cell: object) -> None:
    for parse in (weekly.windows, weekly.slots, times.spans, times.day, times.clock):
        try:
            parse(cell)
        except UnreadableError as error:
            assert str(error).endswith(".")  # noqa: PT017 - a sentence, whichever it is


@pytest.mark.parametrize(
    "said",
    [
        "T2 07:30-11:30",
        "t2 7:30 – 11:30",
        "Thứ 2 7h30-11h30",
        "thứ hai 7h30 đến 11g30",
        "THỨ HAI, 07:30-11:30;",
        " T2: 07:30-11:30\n",
    ],
)
def test_window_is_understood_however_it_is_written(said: str) -> None:
    assert weekly.windows(said) == (Window(0, 450, 690),)


@pytest.mark.parametrize(
    "said",
    [
        "T2 1:30-3:30 CH",  # 13:30, not from night on
        "T2 7:30-9:30pm",
        "T2 7h30-9h30 SA, 1h30-3h30 CH",
        "T2 1h30-3h30",
        "T2 8h-9h sáng, 2h-3h",
        "T2, 4-6h",  # T4, or four o’clock
        "T2 tối T4 tối 19h-21h",  # not from T2 to T4
        "Tối T2 tối T4 19h-21h",
        "Thứ ba, tư 7h-9h",  # a Wednesday, not “từ”
        "thứ ba tư 7h-9h",
        "T7:00-9:00",
        "T 7:00-9:00",
        "T2..T6 7h-9h",  # all between, or both
    ],
)
def test_free_time_that_may_mean_otherwise_is_no_guess(said: str) -> None:
    with pytest.raises(UnreadableError):
        weekly.windows(said)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("T2 11:30-1:30 PM", (690, 810)),
        ("T2 1:30 PM-3:30 PM", (810, 930)),
        ("T2 01:30-03:30", (90, 210)),
        ("T2 sáng 5h-7h", (300, 420)),
        ("T2 tới T2 tối 19h tới 21h", (1140, 1260)),
    ],
)
def test_hours_that_say_it_all_are_read(said: str, meant: tuple[int, int]) -> None:
    assert weekly.windows(said) == (Window(0, *meant),)


@pytest.mark.parametrize("said", ["T3 tối T5 tối tiết 1", "T3 1h30-2h15", "T3..T5 S2"])
def test_slot_that_may_mean_otherwise_is_no_guess(said: str) -> None:
    with pytest.raises(UnreadableError):
        weekly.slots(said)


@pytest.mark.parametrize(
    "said",
    [
        "20/11/2023-25/11/2023 (trừ 22/11)",
        "20/11/2023 (trừ 8A)",
        "20/11/2023 (đến 25)",
        "20/11/2023 (sáng)",
        "9-15/12/2023 (buổi chiều)",
    ],
)
def test_what_stands_in_brackets_takes_nothing_from_days_in_silence(said: str) -> None:
    with pytest.raises(UnreadableError):
        times.spans(said)


def test_windows_are_separated_by_semicolon_comma_or_line() -> None:
    said = (
        "T2 07:30-08:30, Chủ nhật 08:00-09:00\nCN 10h-11h; T7 7h-8h (từ 16/10/2023 đến 5/11/2023)"
    )
    assert weekly.windows(said) == (
        Window(0, 450, 510),
        Window(6, 480, 540),
        Window(6, 600, 660),
        Window(5, 420, 480, date(2023, 10, 16), date(2023, 11, 5)),
    )


@pytest.mark.parametrize(
    "cell",
    [
        "03/04/2026",
        "3/4/2026",
        "3.4.2026",
        "3-4-2026",
        "2026-04-03",
        46115,
        46115.0,
        date(2026, 4, 3),
        datetime(2026, 4, 3, 7, 30),  # noqa: DTZ001 - as Excel has it
    ],
)
def test_day_comes_before_month(cell: object) -> None:
    assert times.day(cell) == date(2026, 4, 3)


@pytest.mark.parametrize(
    "cell",
    [
        "29/02/2023",
        "0/1/2023",
        "1/13/2023",
        "1/1/223",
        "9-10/12",
        "1999-12-31",
        60,
        2958466,
        True,
        "",
    ],
)
def test_what_is_no_day_is_refused(cell: object) -> None:
    with pytest.raises(UnreadableError):
        times.day(cell)


@pytest.mark.parametrize("cell", ["07:30", "7:30", "7h30", "7g30", 0.3125, time(7, 30)])
def test_clock_is_understood_however_it_is_written(cell: object) -> None:
    assert times.clock(cell) == 450


@pytest.mark.parametrize("cell", ["24:01", "7:60", "7", "25:00", "-1:00", 1.5, -0.1, True])
def test_what_is_no_time_is_refused(cell: object) -> None:
    with pytest.raises(UnreadableError):
        times.clock(cell)


def test_ranges_of_holidays_are_counted_out() -> None:
    assert times.days("02/01/2024; 31/12/2023-01/01/2024; 01/01/2024") == (
        date(2023, 12, 31),
        date(2024, 1, 1),
        date(2024, 1, 2),
    )
