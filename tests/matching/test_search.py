"""The engine: always a valid plan, always a better one, the same one for the same seed."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.errors import Invalid
from scheduler.matching import problem
from scheduler.matching.candidates import table
from scheduler.matching.insertion import THOROUGH, insert
from scheduler.matching.plan import Plan
from scheduler.matching.prices import Prices
from scheduler.matching.problem import Instance, School, Slot, Span, Window
from scheduler.matching.search import Progress, plan_of
from scheduler.matching.state import State
from scheduler.matching.verify import verify

from . import make, referee

seeds = st.integers(0, 2**32)
WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def programme() -> Instance:
    return problem.parse(referee.programme_json())


@settings(max_examples=400, deadline=None)
@given(seed=seeds)
def test_solve_gives_a_plan_the_referee_accepts(seed):
    instance, solution = make.solved_by_chance(seed, iterations=15)
    if solution is None:
        standing = Plan(
            tuple(
                make.lesson(day=x.day, who=x.teacher, what=x.request, start=x.start, end=x.end)
                for x in instance.current
                if instance.is_fixed(x)
            )
        )
        assert not referee.judge(instance, standing)["valid"]
        return
    verdict = referee.judge(instance, solution.plan)
    assert verdict["valid"], verdict["violations"]
    assert verdict["cost"] == pytest.approx(solution.cost, abs=0.001)
    assert (verdict["taught"], verdict["requested"]) == (solution.taught, solution.requested)
    assert solution.lower_bound <= solution.cost + 0.001


@settings(max_examples=80, deadline=None)
@given(seed=seeds)
def test_the_search_keeps_the_very_cost_that_verify_finds(seed):
    instance, told = make.by_chance(seed), []
    try:
        solution = make.solve(
            instance, iterations=10, progress=lambda p: told.append(p) or True,
            monotonic=count().__next__,
        )  # fmt: skip
    except Invalid:
        return
    assert told[-1].taught <= solution.taught
    assert min(p.cost for p in told) >= solution.cost - 0.01
    rows = table(instance)
    state, rng = State(rows, Prices()), Random(seed)
    base = verify(instance, plan_of(state)).cost - state.cost
    for _ in range(3):
        for request in range(len(rows.requests)):
            state.remove(request)
            insert(state, request, rng, THOROUGH, ())
        assert base + state.cost == pytest.approx(verify(instance, plan_of(state)).cost, abs=0.01)


def test_construction_alone_meets_the_greedy_of_the_design_on_the_programme(programme):
    solution = make.solve(programme)
    assert solution.cost <= 94_194
    assert referee.judge(programme, solution.plan)["valid"]


def test_moves_make_the_programme_cheaper(programme):
    built, moved = make.solve(programme), make.solve(programme, iterations=300)
    assert moved.cost < built.cost - 20_000
    assert moved.iterations == 300
    assert referee.judge(programme, moved.plan)["valid"]


def test_the_same_seed_and_iterations_give_the_same_plan(programme):
    one, two = (make.solve(programme, iterations=40, seed=7) for _ in range(2))
    other = make.solve(programme, iterations=40, seed=8)
    assert one.plan == two.plan
    assert one.plan != other.plan


def test_a_refused_report_ends_the_search_with_the_best_plan_so_far(programme):
    seen: list[Progress] = []

    def refuse(progress: Progress) -> bool:
        seen.append(progress)
        return len(seen) < 3

    ticks = count(step=0.5)
    solution = make.solve(programme, iterations=None, progress=refuse, monotonic=ticks.__next__)
    assert len(seen) == 3
    assert 0 < solution.taught < solution.requested
    assert referee.judge(programme, solution.plan)["valid"]


def test_progress_tells_cost_lessons_and_moves(programme):
    seen: list[Progress] = []
    make.solve(programme, iterations=5, progress=lambda p: seen.append(p) or True)
    assert seen[-1].requested == 2025
    assert seen[-1].cost == pytest.approx(make.solve(programme).cost, abs=0.01)


def test_seconds_end_the_search(programme):
    ticks = count()
    solution = make.solve(programme, seconds=50, iterations=None, monotonic=ticks.__next__)
    assert 0 < solution.iterations <= 50


def test_a_search_without_any_limit_is_refused():
    with pytest.raises(ValueError, match="limit"):
        make.solve(make.instance(), iterations=None)


def test_an_instance_with_nobody_and_nothing_has_an_empty_plan():
    solution = make.solve(make.instance(teachers=(), requests=()), iterations=5)
    assert (solution.plan, solution.cost, solution.gap) == (Plan(), 0, 0)


def test_one_teacher_takes_the_whole_term():
    solution = make.solve(make.instance(teachers=(make.teacher("mai"), make.teacher())))
    assert {x.teacher for x in solution.plan.lessons} == {"mai"}
    assert (solution.taught, solution.unfilled) == (4, ())
    assert solution.terms["load"] == 16


def test_two_teachers_share_a_term_that_one_cannot_cover():
    halves = (make.teacher(max_total=2), make.teacher("mai", max_total=2))
    solution = make.solve(make.instance(teachers=halves))
    assert (solution.taught, solution.terms["handover"], solution.terms["extra_teacher"]) == (
        4,
        60,
        30,
    )


def test_pins_and_the_past_stay_even_in_a_half_frozen_week():
    wednesday = make.MONDAY + timedelta(days=2)
    windows = (Window(0, 420, 690), Window(4, 420, 690))
    instance = make.instance(
        teachers=(make.teacher(available=windows), make.teacher("mai", available=windows)),
        requests=(make.request(slots=(Slot(4, 450, 485), Slot(0, 450, 485, rank=1))),),
        freeze_before=wednesday,
        current=(
            make.current(0, "mai"),
            make.current(2, "mai", pinned=True),
            make.current(3, "gone", pinned=False),
        ),
    )
    lessons = make.solve(instance, iterations=30).plan.lessons
    assert make.lesson(0, "mai") in lessons
    assert make.lesson(2, "mai") in lessons
    assert len({x.day.isocalendar().week for x in lessons}) == len(lessons) == 4


def test_lessons_in_force_stay_where_nothing_forbids_them():
    teachers = (make.teacher(), make.teacher("mai", max_total=20))
    in_force = tuple(make.current(week) for week in range(4))
    plain = make.instance(teachers=teachers, current=in_force)
    assert {x.teacher for x in make.solve(plain).plan.lessons} == {"lan"}
    last = make.MONDAY + 3 * WEEK
    away = replace(teachers[0], unavailable=(Span(last, last),))
    solution = make.solve(replace(plain, teachers=(away, teachers[1])), iterations=10)
    assert [x.teacher for x in solution.plan.lessons] == ["lan", "lan", "lan", "mai"]
    assert solution.terms["change"] == 80


def test_a_class_with_two_requests_is_in_one_lesson_at_a_time():
    requests = (make.request("A/1"), make.request("A/1b", class_name="A/1"))
    teachers = (make.teacher(), make.teacher("mai"))
    schools = (School("YB1", 2),)
    instance = make.instance(requests=requests, teachers=teachers, schools=schools)
    assert make.solve(instance, iterations=20).taught == 4


def test_contradicting_pins_are_refused_by_name():
    pins = (make.current(0, pinned=True), make.current(0, what="A/2", pinned=True))
    requests = (make.request(), make.request("A/2"))
    instance = make.instance(requests=requests, current=pins, schools=(School("YB1", 2),))
    with pytest.raises(Invalid) as caught:
        make.solve(instance)
    assert [str(p) for p in caught.value.problems] == [
        "current[0]: A teacher gives one lesson at a time, and rests in between",
        "current[1]: A teacher gives one lesson at a time, and rests in between",
    ]


def test_prices_given_are_the_prices_used():
    halves = (make.teacher(max_total=2), make.teacher("mai", max_total=2))
    dear = Prices(unmet=100, handover=100_000)
    assert make.solve(make.instance(teachers=halves), prices=dear).taught == 2


def test_a_school_with_two_rooms_takes_two_lessons_at_once_not_three():
    names = ("lan", "mai", "hoa")
    requests = tuple(make.request(f"A/{n}", slots=(Slot(0, 450 + n, 485),)) for n in range(3))
    teachers = tuple(make.teacher(name) for name in names)
    instance = make.instance(requests=requests, teachers=teachers, schools=(School("YB1", 2),))
    solution = make.solve(instance, iterations=20)
    assert solution.taught == 8
    assert referee.judge(instance, solution.plan)["valid"]
