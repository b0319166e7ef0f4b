"""What follows from what two sides say, and what counts against a teacher."""

import pytest

from scheduler.domain.lessons import MOVES, Cause, LessonState, Move
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Report, costs_teacher, verdict

ALL = [Report(held=True), *(Report(held=False, cause=cause) for cause in Cause)]
OPEN = (LessonState.SCHEDULED, LessonState.COVER, LessonState.DISPUTED)


@pytest.mark.parametrize("cause", Cause)
def test_only_what_the_teacher_failed_counts_against_the_teacher(cause):
    assert costs_teacher(cause) is (cause is Cause.TEACHER)


def test_a_lesson_that_has_no_cause_of_loss_costs_nobody():
    assert not costs_teacher(None)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("said", ALL)
def test_one_side_alone_decides_nothing(side, said):
    assert verdict({}).move is None
    assert verdict({side: said}).move is None


def test_no_two_reports_hold_a_lesson_unless_both_say_so():
    for teacher in ALL:
        for school in ALL:
            found = verdict({Side.TEACHER: teacher, Side.SCHOOL: school})
            assert (found.move is Move.HOLD) is (teacher.held and school.held)
            assert (found.cause is not None) is (found.move is Move.MISS)
            if costs_teacher(found.cause):
                assert teacher.cause is school.cause is Cause.TEACHER


def test_every_verdict_is_a_move_of_a_lesson_that_is_open():
    for state in OPEN:
        for move in (Move.HOLD, Move.MISS):
            assert move in MOVES[state]
    for state in (LessonState.SCHEDULED, LessonState.COVER):
        assert Move.DISPUTE in MOVES[state]
