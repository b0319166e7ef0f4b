"""Who could teach when, as masks over weeks."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.matching.candidates import Calendar, table, weeks_of
from scheduler.matching.problem import Appointment, Span, Term, Window

from . import make

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def masks(**changes: object) -> list[tuple[str, str]]:
    """The only slot's candidates: weeks in which they could teach, and those only if needed."""
    slot = table(make.instance(**changes)).requests[0].slots[0]
    return [(f"{one.weeks:04b}"[::-1], f"{one.if_needed:04b}"[::-1]) for one in slot.candidates]


def only(**changes: object) -> dict[str, object]:
    return {"teachers": (make.teacher(**changes),)}


def test_a_teacher_is_a_candidate_in_the_weeks_of_his_windows():
    assert masks() == [("1111", "0000")]
    assert masks(**only(levels=("upper_secondary",))) == []
    assert masks(**only(available=(Window(0, 455, 690),))) == []
    late = Window(0, 420, 690, first_day=make.MONDAY + DAY)
    assert masks(**only(available=(late,))) == [("0111", "0000")]
    early = replace(late, first_day=None, last_day=make.MONDAY + WEEK)
    assert masks(**only(available=(early,))) == [("1100", "0000")]
    assert masks(**only(available=(early, late))) == [("1111", "0000")]


def test_a_window_must_hold_the_whole_lesson():
    halves = (Window(0, 420, 470), Window(0, 470, 690))
    assert masks(**only(available=halves)) == []


def test_if_needed_counts_only_where_no_other_window_holds_the_lesson():
    late = Window(0, 420, 690, first_day=make.MONDAY + DAY)
    asked = Window(0, 440, 500, if_needed=True)
    assert masks(**only(available=(asked,))) == [("1111", "1111")]
    assert masks(**only(available=(asked, late))) == [("1111", "1000")]


def test_who_is_away_or_busy_is_no_candidate_that_week():
    assert masks(**only(unavailable=(Span(make.MONDAY + DAY, make.MONDAY + WEEK),))) == [
        ("1011", "0000")
    ]
    busy = (Appointment(make.MONDAY + WEEK, 480, 500), Appointment(make.MONDAY, 485, 500))
    assert masks(**only(busy=busy)) == [("1011", "0000")]


def test_weeks_of_long_terms_are_counted_past_sixty_three():
    calendar = Calendar(make.MONDAY, 200)
    assert calendar.masks(make.MONDAY + 150 * WEEK, make.MONDAY + 150 * WEEK)[0] == 1 << 150
    long = make.instance(
        term=Term(make.MONDAY, make.MONDAY + 100 * WEEK),
        requests=(make.request(last_day=make.MONDAY + 99 * WEEK),),
        teachers=(make.teacher(max_total=100),),
    )
    assert make.solve(long).taught == 100


@settings(max_examples=200, deadline=None)
@given(first=st.integers(-20, 50), length=st.integers(0, 40), weeks=st.integers(1, 6))
def test_masks_hold_exactly_the_days_of_a_span(first, length, weeks):
    calendar = Calendar(date(2023, 9, 11), weeks)
    start = calendar.monday + first * DAY
    found = calendar.masks(start, start + length * DAY)
    days = {calendar.day(week, wd) for wd in range(7) for week in weeks_of(found[wd])}
    spanned = {start + n * DAY for n in range(length + 1)}
    assert days == {day for day in spanned if 0 <= (day - calendar.monday).days < 7 * weeks}
