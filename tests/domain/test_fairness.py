"""Fairness: shares, their median, and who is far from it."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.domain import fairness
from scheduler.domain.fairness import Share
from scheduler.domain.intervals import DaySpan
from scheduler.domain.records import Amount, Outcome, Sums
from scheduler.domain.terms import ProgrammeId, Term, TermId
from tests.effort import examples

TERM = Term(
    TermId(1), ProgrammeId(1), "HK1", "Học kỳ I", date(2023, 10, 2), date(2023, 12, 31), 10,
    "Asia/Ho_Chi_Minh",
)  # fmt: skip


def one(number, given_=0, due=4, **values):
    return Share(number, f"Cô {number}", given_, values.get("planned", 0), 0, Fraction(due))


@st.composite
def shares(draw):
    numbers = st.integers(0, 12)
    return Share(
        id=draw(st.integers(1, 99)),
        name=draw(st.sampled_from(["Lan", "Hoa", "Mai"])),
        given=draw(numbers),
        planned=draw(numbers),
        outside=draw(numbers),
        due=Fraction(draw(st.integers(0, 40)), draw(st.integers(1, 4))),
    )


groups = st.lists(shares(), max_size=8, unique_by=lambda share: share.id)


@settings(max_examples=examples(40))
@given(found=groups)
def test_the_order_of_people_changes_nothing(found):
    assert fairness.spread(found) == fairness.spread(found[::-1])


@settings(max_examples=examples(40))
@given(found=groups)
def test_half_are_not_below_and_half_are_not_above_the_median(found):
    spread = fairness.spread(found)
    ratios = [share.ratio for share in spread.shares if share.ratio is not None]
    if spread.middle is None:
        assert not ratios
        return
    assert sum(ratio <= spread.middle for ratio in ratios) * 2 >= len(ratios)
    assert sum(ratio >= spread.middle for ratio in ratios) * 2 >= len(ratios)


@settings(max_examples=examples(40))
@given(found=groups)
def test_who_is_far_is_so_on_the_right_side_and_by_a_whole_lesson(found):
    spread = fairness.spread(found)
    for share in spread.shares:
        if share.off:
            apart = share.counted - spread.middle * share.due
            assert apart * share.off >= 1
    assert {s.id for s in spread.above}.isdisjoint(s.id for s in spread.below)


@given(share=shares(), lost=st.integers(0, 12))
def test_a_cause_outside_their_hands_never_changes_a_share(share, lost):
    """The same lessons, of which some could not be held: the class's absence costs nothing."""
    lost = min(lost, share.given)
    struck = replace(share, given=share.given - lost, outside=share.outside + lost)
    assert struck.ratio == share.ratio


@given(weeks=st.integers(1, 12), later=st.integers(0, 60))
def test_who_came_later_and_did_their_part_since_has_the_same_share(weeks, later):
    """One lesson in each week from the first possible one is as much as one in every week."""
    promised = 26  # two a week
    until = date(2023, 12, 31)
    days = fairness.window(TERM, weeks, until)
    since = TERM.first_day + timedelta(days=later)
    due = fairness.due(promised, TERM, days, since)
    assert due == 2 * sum(
        days.first_day <= monday <= days.last_day and monday >= since
        for monday in (TERM.first_day + timedelta(days=7 * n) for n in range(13))
    )


def test_far_are_those_half_as_much_again_from_the_median():
    spread = fairness.spread([one(1, 4), one(2, 4), one(3, 4), one(4, 7), one(5, 1), one(6, 5)])
    assert spread.middle == 1
    assert [share.id for share in spread.above] == [4]
    assert [share.id for share in spread.below] == [5]
    assert [share.id for share in spread.shares] == [5, 1, 2, 3, 6, 4]


def test_one_lesson_of_one_is_no_reason_to_point_at_somebody():
    spread = fairness.spread([one(1, 1, 1), one(2, 1, 1), one(3, 1, Fraction(1, 2))])
    assert spread.middle == 1
    assert spread.above == ()


def test_of_whom_nothing_was_due_there_is_no_share():
    spread = fairness.spread([one(1, 2, 0), one(2, 2, 2)])
    assert [(share.id, share.ratio) for share in spread.shares] == [(2, 1), (1, None)]
    assert spread.middle == 1


def test_a_share_counts_given_planned_and_lost_outside():
    sums = Sums({
        Outcome.GIVEN: Amount(3, 135), Outcome.AHEAD: Amount(2, 90),
        Outcome.AWAITING: Amount(1, 45), Outcome.WAS_THERE: Amount(1, 45),
        Outcome.NOT_GIVEN: Amount(5, 225),
        Outcome.CALLED_OFF: Amount(4, 180), Outcome.MERGED: Amount(6, 270),
    })  # fmt: skip
    teacher = fairness.share(1, "Lan", sums, Fraction(10), Outcome.GIVEN)
    assert (teacher.given, teacher.planned, teacher.outside, teacher.ratio) == (
        3,
        3,
        1,
        Fraction(7, 10),
    )
    school = fairness.share(1, "A", sums, Fraction(20), Outcome.GIVEN, Outcome.MERGED)
    assert (school.given, school.coverage) == (9, Fraction(9, 20))


@pytest.mark.parametrize(
    ("weeks", "until", "found"),
    [
        (1, date(2023, 11, 1), DaySpan(date(2023, 10, 30), date(2023, 11, 5))),
        (4, date(2023, 11, 1), DaySpan(date(2023, 10, 9), date(2023, 11, 5))),
        (8, date(2023, 10, 11), DaySpan(date(2023, 10, 2), date(2023, 10, 15))),
        (2, date(2023, 1, 1), DaySpan(date(2023, 10, 2), date(2023, 10, 8))),
        (2, date(2024, 6, 1), DaySpan(date(2023, 12, 18), date(2023, 12, 31))),
    ],
)
def test_a_window_rolls_inside_the_term(weeks, until, found):
    assert fairness.window(TERM, weeks, until) == found
