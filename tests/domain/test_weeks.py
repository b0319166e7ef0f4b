"""A teacher's week in half-days and periods: nothing is lost, and only what she changed changes."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.availability import Window, covers
from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import BellPeriod, HalfDay
from scheduler.domain.weeks import (
    EVENING,
    PLAIN,
    SLIVER,
    WEEKDAYS,
    Choice,
    Ease,
    compose,
    decompose,
    frame,
    tidy,
)

TERM = DaySpan(date(2023, 9, 11), date(2024, 1, 7))
MORNING, AFTERNOON, NIGHT = HalfDay
BELLS = [
    BellPeriod(MORNING, 1, 420, 465),
    BellPeriod(MORNING, 1, 440, 480),
    BellPeriod(MORNING, 2, 485, 530),
    BellPeriod(MORNING, 3, 540, 585),
    BellPeriod(AFTERNOON, 1, 800, 845),
    BellPeriod(AFTERNOON, 2, 845, 890),
]
HALVES = frame(BELLS)


def window(weekday, start, end, first=None, last=None, if_needed=False):
    return Window(weekday, start, end, first, last, if_needed)


def read(windows, days=TERM):
    return decompose(windows, HALVES, days, TERM)


def save(windows, chosen, days=TERM):
    return compose(windows, HALVES, read(windows, days), chosen, days, TERM)


def degrees(windows, day):
    """How far she is free in each minute of a day."""
    mine = [w for w in windows if w.weekday == day.weekday() and w.opens(day)]
    found = {}
    for each in sorted(mine, key=lambda w: not w.if_needed):
        found |= dict.fromkeys(range(each.start, each.end), "maybe" if each.if_needed else "yes")
    return found


def pattern(windows):
    return [degrees(windows, TERM.first_day + timedelta(days=n)) for n in range(119)]


days_in = st.integers(0, 118).map(lambda n: TERM.first_day + timedelta(days=n))
spans = st.tuples(days_in, days_in).map(lambda x: DaySpan(min(x), max(x)))
minutes = st.integers(80, 180).map(lambda n: n * 5)


@st.composite
def some_windows(draw, dated=True):
    made = []
    for _ in range(draw(st.integers(0, 5))):
        start = draw(minutes)
        days = draw(spans) if dated and draw(st.booleans()) else DaySpan(None, None)
        end = start + draw(st.integers(1, 60)) * 5
        made.append(
            window(
                draw(st.integers(0, 2)), start, end, days.first_day, days.last_day,
                draw(st.booleans()),
            )
        )  # fmt: skip
    return tuple(made)


@st.composite
def some_bells(draw):
    made = []
    for half, at in ((MORNING, 420), (AFTERNOON, 800), (NIGHT, 1140)):
        for number in range(1, draw(st.integers(0, 5)) + 1):
            for _ in range(draw(st.integers(1, 3))):
                start = at + 45 * number + draw(st.integers(-40, 40))
                made.append(BellPeriod(half, number, start, start + draw(st.integers(20, 60))))
    return made


whole = st.sampled_from(PLAIN)


@st.composite
def some_week(draw, halves):
    made = {}
    for weekday in WEEKDAYS:
        for half in halves:
            ease = draw(st.sampled_from([*PLAIN, Ease.EACH])) if half.cells else draw(whole)
            periods = tuple(draw(whole) if ease is Ease.EACH else ease for _ in half.cells)
            made[weekday, half.half_day] = Choice(ease, periods)
    return made


def settled(choice):
    """As the page shows it again: the same in each period is the same in the half-day."""
    several = set(choice.periods)
    if choice.ease is Ease.EACH and len(several) == 1:
        return several.pop(), choice.periods
    return choice.ease, choice.periods


# -- the common periods


def test_a_common_period_reaches_from_the_first_start_to_the_last_end_of_all_schools():
    morning, afternoon, evening = HALVES
    assert [(c.number, *c.span) for c in morning.cells] == [
        (1, 420, 480), (2, 485, 530), (3, 540, 585),
    ]  # fmt: skip
    assert (morning.span, afternoon.span) == ((420, 585), (800, 890))
    assert (evening.span, evening.cells) == (EVENING, ())


def test_periods_of_schools_far_apart_share_out_what_they_have_in_common():
    (morning, _) = frame([BellPeriod(MORNING, 1, 420, 510), BellPeriod(MORNING, 2, 470, 550)])
    assert [cell.span for cell in morning.cells] == [(420, 490), (490, 550)]


@given(some_bells())
def test_no_two_common_periods_share_a_minute_and_their_half_day_holds_them(bells):
    halves = frame(bells)
    cells = sorted(cell.span for half in halves for cell in half.cells)
    assert all(start < end for start, end in cells)
    assert all(one[1] <= two[0] for one, two in pairwise(cells))
    for half in halves:
        assert all(half.start <= c.start and c.end <= half.end for c in half.cells)


# -- the laws


@given(some_windows(), spans)
def test_what_nobody_changed_is_free_to_the_same_minutes_as_before(windows, days):
    shown = read(windows, days)
    assert compose(windows, HALVES, shown, shown, days, TERM) == tuple(
        sorted(windows, key=lambda w: w.weekday)
    )
    assert pattern(tidy(windows, TERM)) == pattern(windows)


@given(some_windows(), spans, st.data())
def test_a_changed_place_changes_no_minute_outside_but_slivers(windows, days, data):
    shown = read(windows, days)
    half = data.draw(st.sampled_from(HALVES))
    place = data.draw(st.integers(0, 2)), half.half_day
    if half.cells and data.draw(st.booleans()):
        n = data.draw(st.integers(0, len(half.cells) - 1))
        periods = list(shown[place].periods)
        periods[n] = data.draw(whole)
        new, span = Choice(Ease.EACH, tuple(periods)), half.cells[n].span
    else:
        new, span = Choice(data.draw(whole)), half.span
    after = pattern(compose(windows, HALVES, shown, {place: new}, days, TERM))
    for n, (old, now) in enumerate(zip(pattern(windows), after, strict=True)):
        day = TERM.first_day + timedelta(days=n)
        if day not in days or day.weekday() != place[0]:
            assert now == old
            continue
        outside = {m for m in old.keys() | now.keys() if not span[0] <= m < span[1]}
        lost = {m for m in outside if old.get(m) != now.get(m)}
        # Whatever changed beside it belonged to a rest too short for a lesson.
        assert all(span[0] - SLIVER < m < span[1] + SLIVER for m in lost)
        assert all(old[m] == "yes" or now.get(m) is None for m in lost)


@given(some_windows(), some_bells(), spans, st.data())
def test_what_was_chosen_is_what_is_shown_again(windows, bells, days, data):
    halves = frame(bells)
    chosen = data.draw(some_week(halves))
    shown = decompose(windows, halves, days, TERM)
    after = compose(windows, halves, shown, chosen, days, TERM)
    again = decompose(after, halves, days, TERM)
    assert {place: (x.ease, x.periods) for place, x in again.items()} == {
        place: settled(choice) for place, choice in chosen.items()
    }


@given(some_windows(), spans, st.data())
def test_saving_the_same_twice_is_saving_it_once(windows, days, data):
    chosen = data.draw(some_week(HALVES))
    once = save(windows, chosen, days)
    assert save(once, chosen, days) == once


# -- examples


def test_an_imported_morning_that_fits_no_period_can_be_kept():
    choice = read((window(0, 450, 585),))[0, MORNING]
    assert choice == Choice(Ease.KEEP, (Ease.KEEP, Ease.YES, Ease.YES), ((450, 585),))
    assert save((window(0, 450, 585),), {(0, MORNING): Choice(Ease.KEEP)}) == (window(0, 450, 585),)


def test_the_lines_around_a_half_day_stay_and_slivers_go():
    wide = window(0, 360, 605)
    assert read((wide,))[0, MORNING].ease is Ease.YES
    assert save((wide,), {(0, MORNING): Choice(Ease.NO)}) == (window(0, 360, 420),)


def test_a_period_if_needed_beside_free_ones_is_one_time_to_a_lesson_across_both():
    each = Choice(Ease.EACH, (Ease.YES, Ease.YES, Ease.MAYBE))
    after = save((window(0, 420, 585),), {(0, MORNING): each})
    monday = TERM.first_day
    assert covers(after, monday, 500, 560)
    assert degrees(after, monday)[539] == "yes"
    assert degrees(after, monday)[540] == "maybe"


def test_a_change_from_a_day_on_leaves_the_days_before_as_they_were():
    cut = date(2023, 10, 16)
    after = save(
        (window(0, 420, 585),), {(0, MORNING): Choice(Ease.NO)}, DaySpan(cut, TERM.last_day)
    )
    assert after == (window(0, 420, 585, None, date(2023, 10, 15)),)
    back = save(after, {(0, MORNING): Choice(Ease.YES)}, DaySpan(cut, TERM.last_day))
    assert back == (window(0, 420, 585),)


def test_a_window_with_days_of_its_own_is_kept_or_replaced():
    dated = window(0, 420, 585, date(2023, 11, 1))
    days = DaySpan(date(2023, 10, 2), TERM.last_day)
    assert read((dated,), days)[0, MORNING].ease is Ease.KEEP
    after = save((dated,), {(0, MORNING): Choice(Ease.YES)}, days)
    assert after == (window(0, 420, 585, date(2023, 10, 2)),)


@pytest.mark.parametrize("chosen", [{}, {(0, MORNING): Choice(Ease.EACH, ())}])
def test_what_a_form_does_not_say_stays(chosen):
    held = (window(0, 420, 585), window(3, 1140, 1260))
    assert save(held, chosen) == held
