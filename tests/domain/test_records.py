"""Records: what counts as given, and that parts add up to the whole."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.domain import records
from scheduler.domain.lessons import Cause, LessonState
from scheduler.domain.records import LOST, NOTHING, Amount, Line, Outcome, Sums, outcome
from scheduler.errors import Invalid
from tests.effort import examples

OUTCOMES = st.sampled_from(Outcome)


@st.composite
def lines(draw):
    end = draw(OUTCOMES)
    cause = draw(st.sampled_from([*Cause, None])) if end in LOST else None
    teacher, school = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    return Line(
        teacher_id=teacher,
        teacher=f"Cô {teacher}",
        donor_school_id=teacher % 2,
        donor_school=f"THCS {teacher % 2}",
        school_id=school,
        school=f"Trường {school}",
        class_id=school * 10 + draw(st.integers(0, 1)),
        class_name="7A",
        month=date(2023, draw(st.integers(9, 12)), 1),
        outcome=end,
        cause=cause,
        amount=Amount(draw(st.integers(0, 9)), draw(st.integers(0, 400))),
    )


KEYS = {
    "teacher": lambda line: line.teacher_id,
    "donor school": lambda line: line.donor_school_id,
    "receiving school": lambda line: line.school_id,
    "class": lambda line: line.class_id,
    "month": lambda line: line.month,
}


def added(parts, of):
    return sum((of(sums) for sums in parts), Amount())


@settings(max_examples=examples(40))
@given(found=st.lists(lines(), max_size=12), key=st.sampled_from(sorted(KEYS)))
def test_the_parts_add_up_to_the_whole_however_it_is_divided(found, key):
    whole, parts = records.add_up(found), records.by(found, KEYS[key]).values()
    assert added(parts, lambda sums: sums.whole) == whole.whole
    for each in Outcome:
        assert added(parts, lambda sums, each=each: sums.of(each)) == whole.of(each)
    for cause in (*Cause, None):
        lost = added(parts, lambda sums, cause=cause: sums.causes.get(cause, NOTHING))
        assert lost == whole.causes.get(cause, NOTHING)


@settings(max_examples=examples(40))
@given(found=st.lists(lines(), max_size=12))
def test_every_lesson_has_one_end_and_every_lost_one_a_cause(found):
    sums = records.add_up(found)
    assert sums.whole == sum((line.amount for line in found), Amount())
    assert sum(sums.causes.values(), Amount()) == sums.of(*LOST)


@given(
    state=st.sampled_from(LessonState),
    cause=st.sampled_from([*Cause, None]),
    merged=st.booleans(),
    reported=st.booleans(),
    over=st.booleans(),
)
def test_only_a_held_lesson_counts_as_given(state, cause, merged, reported, over):
    found = outcome(state, cause, merged=merged, reported=reported, over=over)
    assert (found is Outcome.GIVEN) == (state is LessonState.HELD)


def of_state(state, cause=None, *, merged=False, reported=False, over=True):
    return outcome(state, cause, merged=merged, reported=reported, over=over)


@pytest.mark.parametrize(
    "cause",
    [Cause.CLASS, Cause.CONNECTION, Cause.POWER, Cause.SCHOOL_EVENT, Cause.PLATFORM],
)
def test_who_waited_for_a_class_that_never_came_was_there(cause):
    assert of_state(LessonState.NOT_HELD, cause) is Outcome.WAS_THERE


@pytest.mark.parametrize("cause", [Cause.TEACHER, None])
def test_nobody_was_there_when_the_teacher_was_missing_or_no_cause_is_known(cause):
    assert of_state(LessonState.NOT_HELD, cause) is Outcome.NOT_GIVEN


def test_what_one_side_alone_reported_awaits_the_other():
    assert of_state(LessonState.SCHEDULED, reported=True) is Outcome.AWAITING
    assert of_state(LessonState.COVER, reported=True) is Outcome.AWAITING


def test_a_lesson_that_is_over_is_not_given_because_nobody_says_otherwise():
    assert of_state(LessonState.SCHEDULED) is Outcome.UNREPORTED
    assert of_state(LessonState.SCHEDULED, over=False) is Outcome.AHEAD


def test_a_class_that_joined_another_lesson_was_not_called_off():
    assert of_state(LessonState.CANCELLED, merged=True) is Outcome.MERGED
    assert of_state(LessonState.CANCELLED) is Outcome.CALLED_OFF


def test_nothing_adds_up_to_nothing():
    assert records.add_up([]) == Sums()
    assert Sums().whole == Amount()


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2023, 12, 31), date(2023, 10, 2)),
        (date(2001, 1, 1), date(2023, 1, 1)),
        (date(1, 1, 1), date(2, 1, 1)),
        (date(9999, 1, 1), date(9999, 12, 31)),
    ],
)
def test_days_that_cannot_be_meant_are_refused(first, last):
    with pytest.raises(Invalid):
        records.span(first, last)


def test_december_is_followed_by_january():
    assert records.next_month(date(2023, 12, 1)) == date(2024, 1, 1)
    assert records.next_month(date(2023, 1, 1)) == date(2023, 2, 1)
