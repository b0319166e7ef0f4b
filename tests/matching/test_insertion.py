"""Block insertion: it prices what it does exactly, and does the sensible thing."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.matching import prices as price
from scheduler.matching.candidates import Table, table
from scheduler.matching.insertion import THOROUGH, insert, staff
from scheduler.matching.prices import Prices
from scheduler.matching.problem import Instance, School, Window
from scheduler.matching.state import State

from . import make

WORTH = 1000.0
LATE = Window(0, 420, 690, first_day=make.lesson(2).day)


def unmet(state: State) -> float:
    wanted = state.table.wanted
    return sum(price.unmet(Prices(), u, q) for u, q in zip(state.short, wanted, strict=True))


def half_full(instance: Instance, rng: Random) -> tuple[Table, State]:
    """Some requests placed, by chance."""
    rows = table(instance)
    state = State(rows, Prices())
    for request in range(len(rows.requests)):
        if rng.random() < 0.5:
            insert(state, request, rng, THOROUGH, ())
    return rows, state


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_price_of_a_staffing_is_what_the_plan_then_costs_more(seed):
    rng, instance = Random(seed), make.by_chance(seed)
    rows, state = half_full(instance, rng)
    for request, row in enumerate(rows.requests):
        if state.placed[request]:
            continue
        for slot in row.slots:
            found = staff(state, slot, rng, THOROUGH, state.teachers(request), WORTH, 0.0)
            lessons = found[1].weeks.bit_count() if found else 0
            if found is None or (lessons == state.missing(request) and not slot.current):
                continue  # perhaps cut to what was missing: then the price is not of the whole
            before = state.cost - unmet(state)
            state.place(found[1])
            dearer = state.cost - unmet(state) - before
            state.remove(request)
            assert found[0] == pytest.approx(dearer - WORTH * lessons, abs=1e-6)


def best(instance: Instance) -> list[tuple[str, int]]:
    """The teachers and weeks of the best staffing of the only slot."""
    rows = table(instance)
    state = State(rows, Prices())
    slot = rows.requests[0].slots[0]
    found = staff(state, slot, Random(1), THOROUGH, state.teachers(0), WORTH, 0.0)
    assert found is not None
    return [(instance.teachers[who].id, weeks) for who, weeks in found[1].staffing]


def test_a_teacher_is_not_hired_again_for_what_the_path_already_took():
    teachers = (make.teacher(max_total=3), make.teacher("mai", max_total=9, available=(LATE,)))
    assert best(make.instance(teachers=teachers)) == [("lan", 0b0011), ("mai", 0b1100)]


def test_a_slot_goes_on_with_the_teacher_of_the_lesson_that_must_stay():
    teachers = (make.teacher(max_total=10), make.teacher("mai", max_total=11))
    schools, pin = (School("YB1", 1),), make.current(1, pinned=True)
    instance = make.instance(teachers=teachers, schools=schools, current=(pin,))
    assert best(instance) == [("lan", 0b0001), ("lan", 0b1100)]


def test_a_hopeless_slot_is_left_alone():
    rows = table(make.instance())
    state = State(rows, Prices())
    slot = rows.requests[0].slots[0]
    assert staff(state, slot, Random(1), THOROUGH, set(), WORTH, -4000.0) is None
    assert staff(state, slot, Random(1), THOROUGH, set(), 0.0, 0.0) is None
