"""The lower bound: proved, so no plan may cost less."""

from dataclasses import replace
from datetime import timedelta
from threading import Thread
from time import monotonic

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scheduler.matching import bound as bounds
from scheduler.matching.bound import Bound
from scheduler.matching.candidates import table
from scheduler.matching.prices import Prices
from scheduler.matching.problem import Instance, School, Slot, Window
from scheduler.matching.verify import verify
from tests.effort import examples

from . import enumerate as plans
from . import make, referee, tiny

seeds = st.integers(0, 2**32)
prices = st.sampled_from(tiny.PRICES)


def begun(instance: Instance, paid: Prices | None = None) -> Bound:
    paid = paid or Prices()
    base = tiny.base(instance, paid)
    assume(base is not None)
    return Bound(table(instance), paid, base)


def bound(instance: Instance, paid: Prices | None = None, evaluations: int = 400) -> float:
    found = begun(instance, paid)
    found.improve(evaluations)
    return found.value


@settings(max_examples=examples(60))
@given(seed=seeds, paid=prices, evaluations=st.sampled_from([0, 1, 3, 60, 150]))
def test_no_plan_of_all_there_are_costs_less(seed, paid, evaluations):
    instance = tiny.tiny(seed)
    lowest = bound(instance, paid, evaluations)
    least = tiny.cheapest(instance, paid)
    assume(least is not None)
    assert lowest <= least[0] + 1e-6


@settings(max_examples=examples(60))
@given(seed=seeds)
def test_the_enumerated_plan_is_valid_and_costs_what_the_referee_says(seed):
    instance = tiny.tiny(seed)
    least = tiny.cheapest(instance, Prices())
    assume(least is not None)
    cost, plan = least
    judged = referee.judge(instance, plan)
    assert judged["valid"], judged["violations"]
    assert judged["cost"] == pytest.approx(cost, abs=0.001)


@settings(max_examples=examples(60))
@given(seed=seeds, paid=prices, drop=st.floats(0, 1))
def test_no_plan_of_the_engine_costs_less(seed, paid, drop):
    instance, solution = make.solved_by_chance(seed, iterations=20)
    assume(solution is not None)
    lowest = bound(instance, paid, 100)
    assert lowest <= verify(instance, solution.plan, paid).cost + 1e-6
    fewer = make.thinned(instance, solution.plan, drop)
    assert lowest <= verify(instance, fewer, paid).cost + 1e-6


@settings(max_examples=examples(40))
@given(seed=seeds, paid=prices, slices=st.lists(st.integers(1, 30), max_size=5))
def test_the_value_follows_from_the_evaluations_and_never_falls(seed, paid, slices):
    instance = tiny.tiny(seed)
    one, other = begun(instance, paid), begun(instance, paid)
    values = [other.value]
    for evaluations in slices:
        other.improve(evaluations)
        values.append(other.value)
    one.improve(sum(slices))
    assert values == sorted(values)
    assert (one.value, one.evaluations) == (values[-1], other.evaluations)


def test_the_bound_is_the_cost_where_one_teacher_takes_all():
    assert bound(make.instance()) == pytest.approx(16, abs=0.01)


def test_the_bound_counts_lessons_that_nobody_could_give():
    assert bound(make.instance(teachers=())) == pytest.approx(8000, abs=0.01)


def test_the_bound_counts_the_second_teacher_a_class_cannot_do_without():
    halves = (make.teacher(max_total=2), make.teacher("mai", max_total=2))
    assert bound(make.instance(teachers=halves)) == pytest.approx(200 + 60 + 30, abs=0.1)


def test_the_bound_counts_lessons_in_force_that_cannot_stay():
    gone = make.instance(current=(make.current(0, "gone"), make.current(1, start=460, end=495)))
    assert bound(gone) == pytest.approx(16 + 80 + 120, abs=0.1)


def test_the_bound_counts_the_handovers_between_lessons_that_must_stay():
    stays = (make.current(0, pinned=True), make.current(1, "mai", pinned=True))
    both = make.instance(teachers=(make.teacher(), make.teacher("mai")), current=stays)
    cost, plan = plans.cheapest(both)
    assert bound(both) == pytest.approx(cost, abs=0.1)
    assert verify(both, plan).cost == pytest.approx(cost) == 60 + 30 + 10


def test_a_teacher_with_room_for_one_class_and_a_third_takes_one():
    """By fractions, two with 6 lessons each would share three classes of 4 evenly."""
    three = tuple(make.request(f"A/{n}", slots=(Slot(n, 450, 485),)) for n in range(3))
    windows = tuple(Window(n, 420, 690) for n in range(3))
    two = tuple(make.teacher(n, max_total=6, available=windows) for n in ("lan", "mai"))
    instance = make.instance(requests=three, teachers=two, schools=(School("YB1", 3),))
    assert bound(instance) == pytest.approx(200 + 60 + 30, abs=0.5)
    assert plans.cheapest(instance)[0] == 200 + 60 + 30


def test_slots_that_differ_in_their_end_alone_are_one():
    twice = make.request(slots=(Slot(0, 450, 485, 2), Slot(0, 450, 490, 0)))
    early = make.teacher(available=(Window(0, 420, 485),))
    instance = make.instance(requests=(twice,), teachers=(early,))
    assert bound(instance) <= plans.cheapest(instance)[0] == 4 * 10 + 16


@pytest.mark.parametrize("weeks", [17, 32, 33, 70, 150])
def test_a_long_term_is_given_by_one_teacher(weeks):
    last = make.MONDAY + timedelta(days=7 * weeks - 1)
    plain = make.instance()
    instance = replace(
        plain,
        term=replace(plain.term, last_day=last),
        requests=(make.request(last_day=last),),
        teachers=(make.teacher(max_total=2 * weeks),),
    )
    assert bound(instance) == pytest.approx(25, abs=0.5)


@pytest.mark.parametrize(
    "nothing",
    [{"requests": ()}, {"teachers": (), "requests": ()}, {"schools": (School("YB1", 0),)}],
)
def test_what_is_empty_has_a_bound(nothing):
    instance = make.instance(**nothing)
    assert bound(instance) <= plans.cheapest(instance)[0]


def test_the_bound_of_the_programme_stops_when_told():
    plain = table(make.instance())
    found = Bound(plain, Prices(), 8000.0)
    asked = []
    assert found.improve(go_on=lambda: len(asked) < 5 and not asked.append(1))
    assert 4 <= found.evaluations <= 5
    found.aim(found.value)
    assert not found.improve()


def test_a_thread_may_improve_the_bound():
    found, until = Bound(table(make.instance()), Prices(), 8000.0), monotonic() + 20
    thread = Thread(target=found.improve, kwargs={"go_on": lambda: monotonic() < until})
    found.aim(15.99)
    thread.start()
    thread.join()
    assert found.value >= 15.99


def test_an_instance_that_is_too_large_keeps_the_simple_bound(monkeypatch):
    monkeypatch.setattr(bounds, "MOST_NUMBERS", 0)
    found = Bound(table(make.instance(teachers=(make.teacher(max_total=2),))), Prices(), 8000.0)
    assert found.too_large
    assert not found.improve()
    assert found.value == pytest.approx(100 + 2000)  # unmet for two lessons: 2000 + 1000


@settings(max_examples=examples(80))
@given(seed=seeds, paid=prices)
def test_the_simple_bound_holds(seed, paid):
    instance = tiny.tiny(seed)
    least = tiny.cheapest(instance, paid)
    assume(least is not None)
    assert bounds.simple(table(instance), paid) <= least[0] + 1e-6
