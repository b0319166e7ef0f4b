"""Why a lesson is not covered."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.matching.explain import explain
from scheduler.matching.plan import Plan, Reason, ReasonCode, Unfilled
from scheduler.matching.problem import Appointment, School, Slot, Span, Window

from . import make, referee

WEEK = timedelta(days=7)
SECOND = make.request("A/2", slots=(Slot(0, 450, 485), Slot(0, 470, 505)))


def missing(plan: Plan | None = None, **changes: object) -> dict[str, dict[str, int]]:
    """The reasons of the first week with something missing of the request A/1."""
    found = explain(make.instance(**changes), plan or Plan())
    first = next(gap for gap in found if gap.request == "A/1")
    return {reason.code.value: reason.count for reason in first.reasons}


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_counts_add_up_to_all_teachers_and_the_missing_to_all_missing(seed):
    instance, solution = make.solved_by_chance(seed)
    if solution is None:
        return
    for gap in solution.unfilled:
        assert sum(reason.count for reason in gap.reasons) == len(instance.teachers)
        assert gap.missing > 0
        assert gap.week.weekday() == 0
    verdict = referee.judge(instance, solution.plan)
    short = sum(gap.missing for gap in solution.unfilled)
    assert short >= verdict["requested"] - verdict["taught"]


def test_a_plan_that_teaches_all_has_nothing_unfilled():
    assert make.solve(make.instance()).unfilled == ()


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("not_qualified", {"levels": ("upper_secondary",)}),
        ("not_available", {"available": (Window(0, 420, 480),)}),
        ("not_available", {"available": (Window(0, 420, 690, first_day=make.MONDAY + WEEK),)}),
        ("away", {"unavailable": (Span(make.MONDAY, make.MONDAY),)}),
        ("busy", {"busy": (Appointment(make.MONDAY, 480, 500),)}),
        ("term_limit", {"max_total": 0}),
        ("week_limit", {"max_per_week": 0}),
        ("day_limit", {"max_per_day": 0}),
        ("free", {}),
    ],
)
def test_a_teacher_counts_with_the_first_thing_in_the_way(reason, changes):
    assert missing(teachers=(make.teacher(**changes),)) == {reason: 1}


def test_a_teacher_who_teaches_elsewhere_then_is_teaching():
    schools = (School("YB1", 1), School("YB2", 1))
    requests = (make.request(), make.request("B", school="YB2"))
    plan = Plan((make.lesson(what="B"),))
    assert missing(plan, schools=schools, requests=requests) == {"teaching": 1}


def test_a_free_teacher_meets_a_full_room_or_a_class_already_in_a_lesson():
    teachers = (make.teacher(), make.teacher("mai"), make.teacher("hoa", levels=()))
    requests = (make.request(), SECOND)
    plan = Plan((make.lesson(what="A/2", who="mai", start=470, end=505),))
    reasons = {"not_qualified": 1, "teaching": 1, "room_full": 1}
    assert missing(plan, teachers=teachers, requests=requests) == reasons
    same_class = (make.request(), make.request("A/2", class_name="A/1", slots=SECOND.slots))
    reasons = {"not_qualified": 1, "teaching": 1, "class_taught": 1}
    assert missing(plan, teachers=teachers, requests=same_class) == reasons


def test_a_week_without_a_day_for_the_chosen_slot_has_no_day():
    two_days = make.request(slots=(Slot(0, 450, 485), Slot(2, 450, 485)))
    closed = (School("YB1", 1, (Span(make.MONDAY, make.MONDAY),)),)
    instance = make.instance(requests=(two_days,), schools=closed)
    lessons = tuple(make.lesson(week) for week in (1, 2, 3))
    assert explain(instance, Plan(lessons)) == (
        Unfilled("A/1", make.MONDAY, 1, (Reason(ReasonCode.NO_DAY, 1),)),
    )


def test_the_past_has_no_day():
    assert missing(freeze_before=make.MONDAY + timedelta(days=1)) == {"no_day": 1}


def test_a_teacher_counts_on_the_slot_where_he_comes_furthest():
    two_days = make.request(slots=(Slot(0, 450, 485), Slot(2, 450, 485)))
    wednesday = make.teacher(available=(Window(2, 420, 690),), max_per_week=0)
    assert missing(requests=(two_days,), teachers=(wednesday,)) == {"week_limit": 1}
