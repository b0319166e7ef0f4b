"""Our own verifier and the referee say the same of every plan."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.matching import plan as plans
from scheduler.matching import problem
from scheduler.matching.plan import Plan
from scheduler.matching.prices import Prices
from scheduler.matching.problem import Appointment, Instance, School, Slot, Span, Window
from scheduler.matching.verify import RULES, verify
from tests.effort import examples

from . import make, referee

seeds = st.integers(0, 2**32)


def assert_agreed(instance: Instance, plan: Plan) -> None:
    ours, theirs = verify(instance, plan), referee.judge(instance, plan)
    assert len(ours.violations) == theirs["violation_count"], (ours.violations, theirs)
    assert (ours.requested, ours.taught) == (theirs["requested"], theirs["taught"])
    assert ours.terms == pytest.approx(theirs["terms"], abs=0.001)
    assert ours.cost == pytest.approx(theirs["cost"], abs=0.001)


@settings(max_examples=examples(400))
@given(seed=seeds)
def test_verify_agrees_with_the_referee_on_spoiled_plans(seed):
    instance, solution = make.solved_by_chance(seed)
    plan = solution.plan if solution else Plan()
    assert_agreed(instance, make.spoiled(instance, plan, seed))


@settings(max_examples=examples(150))
@given(seed=seeds)
def test_verify_agrees_with_the_referee_on_careless_plans(seed):
    instance = make.by_chance(seed)
    assert_agreed(instance, make.scattered(instance, seed))


def test_verify_agrees_with_the_referee_on_the_programme():
    instance = problem.parse(referee.programme_json())
    solution = make.solve(instance)
    assert_agreed(instance, solution.plan)
    assert_agreed(instance, Plan(solution.plan.lessons[100:]))
    assert_agreed(instance, make.spoiled(instance, solution.plan, 1))


TWICE = (make.request(), make.request("A/2"))
BROKEN = {
    "A lesson names a request and a teacher of this term": ({}, [make.lesson(who="nobody")]),
    "A lesson stands on a slot of its request": ({}, [make.lesson(start=455, end=490)]),
    "A lesson lies within the days of its request, and not on a holiday": (
        {"requests": (make.request(first_day=make.MONDAY + timedelta(days=1)),)},
        [make.lesson()],
    ),
    "A school that is closed has no lessons": (
        {"schools": (School("YB1", 1, (Span(make.MONDAY, make.MONDAY),)),)},
        [make.lesson()],
    ),
    "A teacher is qualified for the level": (
        {"teachers": (make.teacher(levels=("upper_secondary",)),)},
        [make.lesson()],
    ),
    "A teacher is available for the whole lesson": (
        {"teachers": (make.teacher(available=()),)},
        [make.lesson()],
    ),
    "A teacher who is away gives no lessons": (
        {"teachers": (make.teacher(unavailable=(Span(make.MONDAY, make.MONDAY),)),)},
        [make.lesson()],
    ),
    "A teacher with another engagement gives no lesson then": (
        {"teachers": (make.teacher(busy=(Appointment(make.MONDAY, 480, 500),)),)},
        [make.lesson()],
    ),
    "Pinned and past lessons stay exactly as they are": (
        {"current": (make.current(pinned=True),)},
        [],
    ),
    "A teacher stays within the lessons a day": (
        {"teachers": (make.teacher(max_per_day=0),)},
        [make.lesson()],
    ),
    "A teacher stays within the lessons a week": (
        {"teachers": (make.teacher(max_per_week=0),)},
        [make.lesson()],
    ),
    "A teacher stays within the lessons of the term": (
        {"teachers": (make.teacher(max_total=1),)},
        [make.lesson(), make.lesson(week=1)],
    ),
    "A school has a room for each lesson": ({"schools": (School("YB1", 0),)}, [make.lesson()]),
    "A class keeps its timetable: few weekly slots": (
        {
            "teachers": (make.teacher(available=(Window(0, 420, 690), Window(1, 420, 690))),),
            "requests": (make.request(slots=(Slot(0, 450, 485), Slot(1, 450, 485))),),
        },
        [make.lesson(), make.lesson(day=make.MONDAY + timedelta(days=8))],
    ),
    "A class keeps its timetable: weekly slots on different weekdays": (
        {
            "requests": (
                make.request(lessons_per_week=2, slots=(Slot(0, 450, 485), Slot(0, 500, 535))),
            )
        },
        [make.lesson(), make.lesson(week=1, start=500, end=535)],
    ),
    "A teacher gives one lesson at a time, and rests in between": (
        {
            "requests": (TWICE[0], replace(TWICE[1], slots=(Slot(0, 490, 525),))),
        },
        [make.lesson(), make.lesson(what="A/2", start=490, end=525)],
    ),
    "A class is in one lesson at a time": (
        {
            "schools": (School("YB1", 2),),
            "teachers": (make.teacher(), make.teacher("mai")),
            "requests": (TWICE[0], replace(TWICE[1], class_name="A/1")),
        },
        [make.lesson(), make.lesson(what="A/2", who="mai")],
    ),
    "A request has no more lessons in a week than it asked for": (
        {
            "current": (
                make.current(pinned=True),
                make.current(day=make.MONDAY + timedelta(days=1), pinned=True),
            ),
        },
        [make.lesson(), make.lesson(day=make.MONDAY + timedelta(days=1))],
    ),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_verify_names_the_rule_that_alone_is_broken(rule):
    changes, lessons = BROKEN[rule]
    instance = make.instance(**changes)
    assert {violation.rule for violation in verify(instance, Plan(tuple(lessons))).violations} == {
        rule
    }
    assert_agreed(instance, Plan(tuple(lessons)))


def test_each_rule_is_broken_once_in_these_tests():
    needs_two = {"A class has one lesson of a request a day"}  # breaks the week's lessons as well
    assert set(RULES) == set(BROKEN) | needs_two


def test_verify_finds_two_lessons_of_a_request_on_one_day():
    slots = (Slot(0, 450, 485), Slot(0, 500, 535))
    instance = make.instance(requests=(make.request(lessons_per_week=2, slots=slots),))
    plan = Plan((make.lesson(), make.lesson(start=500, end=535)))
    rules = [violation.rule for violation in verify(instance, plan).violations]
    assert "A class has one lesson of a request a day" in rules


def test_verify_takes_a_pinned_lesson_that_breaks_slots_and_availability():
    tuesday = make.MONDAY + timedelta(days=1)
    pinned = make.current(day=tuesday, pinned=True)
    plan = Plan((make.lesson(day=tuesday),))
    assert verify(make.instance(current=(pinned,)), plan).violations == ()
    assert len(verify(make.instance(), plan).violations) == 2


def test_verify_adds_up_its_terms_at_the_prices_given():
    instance = make.instance(teachers=(make.teacher(), make.teacher("mai")))
    plan = Plan((make.lesson(0), make.lesson(1), make.lesson(2, who="mai")))
    verdict = verify(instance, plan, Prices(unmet=10, handover=2, extra_teacher=3, load=0))
    assert verdict.terms == {
        "unmet": 10 * (1 + 1 / 4),
        "handover": 2,
        "extra_teacher": 3,
        "rank": 0,
        "if_needed": 0,
        "not_preferred": 0,
        "load": 0,
        "change": 0,
    }
    assert (verdict.cost, verdict.requested, verdict.taught) == (17.5, 4, 3)


def test_a_dumped_plan_is_what_the_referee_reads():
    plan = Plan((make.lesson(),))
    assert plans.dump_lessons(plan.lessons) == [
        {
            "request": "A/1",
            "date": "2023-09-11",
            "start": "07:30",
            "end": "08:05",
            "teacher": "lan",
        }
    ]
