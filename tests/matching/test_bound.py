"""The lower bound: proved, so no plan may cost less."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.matching.bound import lower_bound
from scheduler.matching.candidates import table
from scheduler.matching.plan import Plan
from scheduler.matching.prices import Prices
from scheduler.matching.verify import verify

from . import make

seeds = st.integers(0, 2**32)


def bound(instance, prices: Prices | None = None) -> float:
    return lower_bound(table(instance), prices or Prices())


@settings(max_examples=150, deadline=None)
@given(seed=seeds, drop=st.floats(0, 1))
def test_no_valid_plan_costs_less_than_the_bound(seed, drop):
    instance, solution = make.solved_by_chance(seed, iterations=20)
    if solution is None:
        return
    fewer = make.thinned(instance, solution.plan, drop)
    lowest = bound(instance)
    assert lowest <= solution.cost + 0.001
    assert lowest <= verify(instance, fewer).cost + 0.001


@settings(max_examples=60, deadline=None)
@given(seed=seeds, unmet=st.sampled_from([0, 95, 150, 190, 300]), drop=st.floats(0, 1))
def test_the_bound_holds_where_lessons_are_cheap_to_miss(seed, unmet, drop):
    instance, solution = make.solved_by_chance(seed)
    if solution is not None:
        prices, plan = Prices(unmet=unmet), make.thinned(instance, solution.plan, drop)
        assert bound(instance, prices) <= verify(instance, plan, prices).cost + 0.001


def test_the_bound_holds_where_missing_a_lesson_is_cheaper_than_another_teacher():
    ones = (make.teacher(max_total=1), make.teacher("mai", max_total=1))
    short = make.request(last_day=make.lesson(1).day)
    instance, cheap = make.instance(teachers=ones, requests=(short,)), Prices(unmet=95)
    one_missed = verify(instance, Plan((make.lesson(),)), cheap).cost
    both = verify(instance, Plan((make.lesson(), make.lesson(1, "mai"))), cheap).cost
    assert bound(instance, cheap) <= one_missed == 242.5 < both


def test_the_bound_is_the_cost_where_one_teacher_takes_all():
    assert bound(make.instance()) == pytest.approx(16)
    assert make.solve(make.instance()).cost == 16


def test_the_bound_counts_lessons_that_nobody_could_give():
    nobody = make.instance(teachers=())
    assert bound(nobody) == make.solve(nobody).cost == 8000


def test_the_bound_counts_the_second_teacher_a_class_cannot_do_without():
    halves = (make.teacher(max_total=2), make.teacher("mai", max_total=2))
    assert bound(make.instance(teachers=halves)) == pytest.approx(200 + 60 + 30)


def test_the_bound_counts_lessons_in_force_that_cannot_stay():
    gone = make.instance(current=(make.current(0, "gone"), make.current(1, start=460, end=495)))
    assert bound(gone) == pytest.approx(16 + 80 + 120)
    assert make.solve(gone).cost == pytest.approx(16 + 80 + 120)
