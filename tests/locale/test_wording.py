"""Days, times and numbers as UI.md writes them."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from scheduler.locale import Language, wording

VI, EN = Language.VI, Language.EN
MONDAY, SUNDAY = date(2023, 10, 2), date(2023, 10, 8)
START = datetime(2023, 10, 2, 7, 55, tzinfo=UTC)
END = datetime(2023, 10, 2, 8, 30, tzinfo=UTC)


def test_a_weekday_is_written_out() -> None:
    assert [wording.weekday(day, VI) for day in (MONDAY, SUNDAY)] == ["Thứ Hai", "Chủ Nhật"]
    assert [wording.weekday(day, EN) for day in (MONDAY, SUNDAY)] == ["Mon", "Sun"]
    assert wording.weekday_long(MONDAY, VI) == "Thứ Hai"
    assert wording.weekday_long(MONDAY, EN) == "Monday"


def test_seven_weekdays_fit_a_phone() -> None:
    week = [MONDAY + timedelta(days=n) for n in range(7)]
    assert [wording.weekday_letters(day, VI) for day in week] == [
        "T2", "T3", "T4", "T5", "T6", "T7", "CN",
    ]  # fmt: skip
    assert wording.weekday_letters(MONDAY, EN) == "Mon"


def test_a_day_has_its_weekday() -> None:
    assert wording.date_short(MONDAY, VI) == "Thứ Hai 02/10"
    assert wording.date_short(MONDAY, EN) == "Mon 02/10"
    assert wording.moment(datetime.combine(MONDAY, time(7, 55)), VI) == "Thứ Hai 02/10 · 07:55"
    assert wording.date_long(MONDAY, VI) == "Thứ Hai 02/10/2023"
    assert wording.date_long(MONDAY, EN) == "Mon 02/10/2023"


def test_a_lesson_time_has_24_hours_and_an_en_dash() -> None:
    assert wording.clock(START) == "07:55"
    assert wording.span(START, END) == "07:55–08:30"
    assert wording.span(time(13, 45), time(14, 20)) == "13:45–14:20"
    assert wording.when(START, END, VI) == "Thứ Hai 02/10 · 07:55–08:30"
    assert wording.when(START, END, EN) == "Mon 02/10 · 07:55–08:30"


@pytest.mark.parametrize(
    ("n", "vi", "en"), [(7, "7", "7"), (2025, "2.025", "2,025"), (1234.56, "1.234,56", "1,234.56")]
)
def test_a_number_has_the_marks_of_its_language(n: float, vi: str, en: str) -> None:
    assert (wording.number(n, VI), wording.number(n, EN)) == (vi, en)


@pytest.mark.parametrize(
    ("x", "vi", "en"),
    [
        (0.188, "18,8\N{NO-BREAK SPACE}%", "18.8%"),
        (1, "100\N{NO-BREAK SPACE}%", "100%"),
        (0, "0\N{NO-BREAK SPACE}%", "0%"),
        (12.5, "1.250\N{NO-BREAK SPACE}%", "1,250%"),
    ],
)
def test_a_share_is_a_percentage(x: float, vi: str, en: str) -> None:
    assert (wording.percent(x, VI), wording.percent(x, EN)) == (vi, en)


@pytest.mark.parametrize(
    ("delta", "vi", "en"),
    [
        (timedelta(seconds=59), "ngay bây giờ", "now"),
        (timedelta(seconds=-59), "ngay bây giờ", "now"),
        (timedelta(minutes=1), "còn 1 phút", "in 1 minute"),
        (timedelta(minutes=56, seconds=30), "còn 56 phút", "in 56 minutes"),
        (timedelta(minutes=-4), "4 phút trước", "4 minutes ago"),
        (timedelta(hours=1), "còn 1 giờ", "in 1 hour"),
        (timedelta(hours=3, minutes=10), "còn 3 giờ 10 phút", "in 3 hours 10 minutes"),
        (timedelta(hours=12, minutes=10), "còn 12 giờ", "in 12 hours"),
        (timedelta(hours=47), "còn 47 giờ", "in 47 hours"),
        (timedelta(days=2, hours=3), "còn 2 ngày", "in 2 days"),
        (timedelta(days=-9), "9 ngày trước", "9 days ago"),
    ],
)
def test_how_far_away_a_moment_is(delta: timedelta, vi: str, en: str) -> None:
    assert (wording.relative(delta, VI), wording.relative(delta, EN)) == (vi, en)


@pytest.mark.parametrize(
    ("half_day", "vi", "en"),
    [
        ("morning", "Sáng", "Morning"),
        ("afternoon", "Chiều", "Afternoon"),
        ("evening", "Tối", "Evening"),
    ],
)
def test_a_period_is_named_by_its_half_day(half_day: str, vi: str, en: str) -> None:
    assert (wording.half_day(half_day, VI), wording.half_day(half_day, EN)) == (vi, en)
    assert wording.half_day_period(half_day, 2, VI) == f"{vi} tiết 2"
    assert wording.half_day_period(half_day, 2, EN) == f"{en} period 2"
