"""Why a lesson is not covered."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.matching.explain import explain, shortages
from scheduler.matching.plan import Fix, FixCode, Plan, PlannedLesson, Reason, ReasonCode, Unfilled
from scheduler.matching.problem import Appointment, Instance, School, Slot, Span, Window
from scheduler.matching.verify import RULES, verify
from tests.effort import examples

from . import make, referee

WEEK = timedelta(days=7)
SECOND = make.request("A/2", slots=(Slot(0, 450, 485), Slot(0, 470, 505)))


def missing(plan: Plan | None = None, **changes: object) -> dict[str, dict[str, int]]:
    """The reasons of the first week with something missing of the request A/1."""
    found = explain(make.instance(**changes), plan or Plan())
    first = next(gap for gap in found if gap.request == "A/1")
    return {reason.code.value: reason.count for reason in first.reasons}


@settings(max_examples=examples(150))
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


BREAKS = {
    "A lesson names a request and a teacher of this term": None,
    "A lesson stands on a slot of its request": None,
    "Pinned and past lessons stay exactly as they are": None,
    "A teacher is qualified for the level": "not_qualified",
    "A lesson lies within the days of its request, and not on a holiday": "no_day",
    "A school that is closed has no lessons": "no_day",
    "A class has one lesson of a request a day": "no_day",
    "A request has no more lessons in a week than it asked for": "no_day",
    "A class keeps its timetable: few weekly slots": "no_day",
    "A class keeps its timetable: weekly slots on different weekdays": "no_day",
    "A teacher is available for the whole lesson": "not_available",
    "A teacher who is away gives no lessons": "away",
    "A teacher with another engagement gives no lesson then": "busy",
    "A teacher stays within the lessons of the term": "term_limit",
    "A teacher stays within the lessons a week": "week_limit",
    "A teacher stays within the lessons a day": "day_limit",
    "A teacher gives one lesson at a time, and rests in between": "teaching",
    "A class is in one lesson at a time": "class_taught",
    "A school has a room for each lesson": "room_full",
}
ORDER = list(ReasonCode)


def obstacles(instance: Instance, plan: Plan, gap: Unfilled, teacher: str) -> Iterator[ReasonCode]:
    """On each slot of the class the first rule that one more lesson of the teacher breaks."""
    request = next(x for x in instance.requests if x.id == gap.request)
    for slot in request.slots:
        day = gap.week + timedelta(days=slot.weekday)
        lesson = PlannedLesson(request.id, day, slot.start, slot.end, teacher)
        broken = verify(instance, Plan((*plan.lessons, lesson))).violations
        found = {ReasonCode(BREAKS[violation.rule]) for violation in broken}
        found |= {ReasonCode.PAST} if instance.is_past(day) else set()
        yield min(found, key=ORDER.index, default=ReasonCode.FREE)


@settings(max_examples=examples(60))
@given(seed=st.integers(0, 2**32))
def test_each_teacher_counts_with_the_first_rule_that_one_more_lesson_would_break(seed):
    instance, solution = make.solved_by_chance(seed)
    assert set(RULES) == set(BREAKS)
    if solution is None or len(solution.plan.lessons) > 40:
        return
    plan = make.thinned(instance, solution.plan, seed % 3 / 4)
    gaps = explain(instance, plan)
    for gap in Random(seed).sample(gaps, min(3, len(gaps))):
        furthest = Counter(
            max(obstacles(instance, plan, gap, teacher.id), key=ORDER.index)
            for teacher in instance.teachers
        )
        assert {reason.code: reason.count for reason in gap.reasons} == furthest


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


def test_a_day_that_is_over_is_past():
    assert missing(freeze_before=make.MONDAY + timedelta(days=1)) == {"past": 1}


def test_a_teacher_counts_on_the_slot_where_he_comes_furthest():
    two_days = make.request(slots=(Slot(0, 450, 485), Slot(2, 450, 485)))
    wednesday = make.teacher(available=(Window(2, 420, 690),), max_per_week=0)
    assert missing(requests=(two_days,), teachers=(wednesday,)) == {"week_limit": 1}


ELSEWHERE = tuple(make.request(f"B{n}", school="YB2", class_name=f"B{n}") for n in range(5))
TWO_SCHOOLS = (School("YB1", 1), School("YB2", 5))


def rivals(plan: Plan, **changes: object) -> tuple[str, ...]:
    found = explain(make.instance(**{"schools": TWO_SCHOOLS, **changes}), plan)
    return next(gap for gap in found if gap.request == "A/1").rivals


def test_rivals_are_the_classes_that_have_the_teachers_then_most_teachers_first():
    names = ("an", "binh", "chi", "dung", "em")
    teachers = (*map(make.teacher, names), make.teacher("hoa", levels=()))
    twice = [make.lesson(who=who, what="B4") for who in ("an", "binh")]
    others = [make.lesson(who=who, what=f"B{n}") for n, who in enumerate(names[2:])]
    instance = {"teachers": teachers, "requests": (make.request(), *ELSEWHERE)}
    assert rivals(Plan((*others, *twice)), **instance) == ("B4", "B0", "B1")


@pytest.mark.parametrize(
    ("limit", "week", "weekday", "named"),
    [
        ("max_total", 3, 2, True),
        ("max_per_week", 0, 2, True),
        ("max_per_day", 0, 0, True),
        ("max_per_week", 3, 2, False),
        ("max_per_day", 0, 2, False),
    ],
)
def test_rivals_are_the_classes_that_use_up_the_limit(limit, week, weekday, named):
    lan = make.teacher(**{limit: 1, "available": (Window(0, 420, 690), Window(2, 420, 690))})
    late = make.request("B0", school="YB2", slots=(Slot(weekday, 600, 635),))
    day = make.MONDAY + week * WEEK + timedelta(days=weekday)
    plan = Plan((make.lesson(what="B0", day=day, start=600, end=635),))
    found = rivals(plan, teachers=(lan,), requests=(make.request(), late))
    assert found == (("B0",) if named else ())


def test_rivals_for_a_week_are_the_classes_of_that_week():
    lan = make.teacher(max_per_week=1)
    late = tuple(replace(one, slots=(Slot(0, 600, 635),)) for one in ELSEWHERE[:2])
    lessons = (make.lesson(n, what=f"B{n}", start=600, end=635) for n in range(2))
    found = rivals(Plan(tuple(lessons)), teachers=(lan,), requests=(make.request(), *late))
    assert found == ("B0",)


def test_rivals_are_not_those_who_teach_the_same_day_at_another_time():
    lan = make.teacher(max_per_day=3)
    late = replace(ELSEWHERE[0], slots=(Slot(0, 600, 635),))
    close = replace(ELSEWHERE[1], slots=(Slot(0, 490, 525),))
    lessons = (
        make.lesson(what="B0", start=600, end=635),
        make.lesson(what="B1", start=490, end=525),
    )
    found = rivals(Plan(lessons), teachers=(lan,), requests=(make.request(), late, close))
    assert found == ("B1",)


def test_a_class_is_no_rival_of_itself():
    plan = Plan((make.lesson(1),))
    assert rivals(plan, teachers=(make.teacher(max_total=1),)) == ()


def test_rivals_for_a_room_are_the_classes_in_it():
    teachers = (make.teacher(), make.teacher("mai", levels=("other",)))
    plan = Plan((make.lesson(what="A/2", who="mai", start=470, end=505),))
    requests = (make.request(), replace(SECOND, level="other"))
    assert rivals(plan, teachers=teachers, requests=requests) == ("A/2",)


def test_a_shortage_tells_what_one_request_misses_over_all_its_weeks():
    past = Reason(ReasonCode.PAST, 3), Reason(ReasonCode.FREE, 3)
    new = Fix(FixCode.NEW_TEACHER, 3, weekday=0, start=450, end=485)
    day = Fix(FixCode.MAKE_UP, 1, "lan", day=make.MONDAY + 2 * WEEK, start=450, end=485)
    limit = Fix(FixCode.TERM_LIMIT, 2, "lan", limit=12)
    gone = Unfilled("A", make.MONDAY, 3, past[:1])
    one = Unfilled("A", make.MONDAY + WEEK, 1, past[1:], fixes=(day, new))
    two = Unfilled("A", make.MONDAY + 2 * WEEK, 2, past[1:], fixes=(limit, new))
    other = Unfilled("B", make.MONDAY, 1, past[:1])
    first, second = shortages((gone, one, two, other))
    assert (first.request, first.missing, first.weeks) == ("A", 6, (gone.week, one.week, two.week))
    assert (first.worst, first.fix) == (two, limit)
    assert (second.request, second.worst, second.fix) == ("B", other, None)
