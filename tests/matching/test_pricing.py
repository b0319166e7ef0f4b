"""The price of changing one lesson is the difference that the verifier finds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.matching import pricing
from scheduler.matching.plan import Plan, PlannedLesson
from scheduler.matching.prices import Prices
from scheduler.matching.pricing import Given, Terms
from scheduler.matching.problem import Slot, Window
from scheduler.matching.verify import verify
from tests.matching import make

WHO = ("lan", "mai", "nga")
SLOTS = (Slot(0, 450, 485), Slot(0, 540, 575, rank=1), Slot(0, 600, 635, rank=2))
PRICES = Prices(60, 7, 11, 3, 5, 13, 17, 19, 23)


def teacher(name: str, if_needed: bool, preferred: tuple[str, ...], most: int):
    late = Window(weekday=0, start=590, end=690, if_needed=if_needed)
    windows = (Window(weekday=0, start=420, end=590), late)
    return make.teacher(name, available=windows, preferred_schools=preferred, max_total=most)


staffs = st.tuples(
    *(
        st.builds(
            teacher,
            st.just(name),
            st.booleans(),
            st.sampled_from(((), ("YB1",), ("YB2",))),
            st.integers(0, 5),
        )
        for name in WHO
    )
)
weekly = st.lists(st.tuples(st.sampled_from(SLOTS), st.sampled_from(WHO)), min_size=1, max_size=4)


def terms(instance, plan, lesson) -> Terms:
    who = next(each for each in instance.teachers if each.id == lesson.teacher)
    slot = next(each for each in SLOTS if each.start == lesson.start)
    return Terms(
        rank=slot.rank,
        if_needed=slot.start >= 590 and who.available[1].if_needed,
        beside_wishes=bool(who.preferred_schools) and "YB1" not in who.preferred_schools,
        others=sum(x.teacher == who.id for x in plan.lessons) - (lesson in plan.lessons),
        max_total=who.max_total,
    )


@given(staffs, weekly, st.data())
def test_a_change_costs_what_the_verifier_finds(staff, weeks, data):
    lessons = [
        make.lesson(week, who, start=slot.start, end=slot.end)
        for week, (slot, who) in enumerate(weeks)
    ]
    instance = make.instance(
        teachers=staff,
        requests=(make.request(slots=SLOTS),),
        current=tuple(
            make.current(week, who, start=slot.start, end=slot.end)
            for week, (slot, who) in enumerate(weeks)
        ),
    )
    was = data.draw(st.sampled_from(lessons))
    slot, who = data.draw(st.tuples(st.sampled_from(SLOTS), st.sampled_from(WHO)))
    now = replace(was, start=slot.start, end=slot.end, teacher=who)
    plan = Plan(tuple(lessons))
    without = Plan(tuple(x for x in lessons if x != was))
    found = pricing.dearer(
        PRICES, list(map(given_of, lessons)), given_of(was), given_of(now),
        (terms(instance, plan, was), terms(instance, without, now)),
    )  # fmt: skip
    costs = [
        verify(instance, each, PRICES).cost
        for each in (plan, Plan(tuple(sorted((*without.lessons, now)))))
    ]
    assert found == pytest.approx(costs[1] - costs[0])


def given_of(lesson: PlannedLesson) -> Given:
    return Given(lesson.day, lesson.start, lesson.teacher)
