"""After publishing: what is in force stays where it can, and what changes is asked for."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.errors import Invalid, NotFound
from scheduler.matching import problem, replan
from scheduler.matching.plan import Plan, PlannedLesson
from scheduler.matching.problem import Instance, School, Slot, Span, Window
from scheduler.matching.replan import Budget, Desk, Substitute
from scheduler.matching.verify import verify
from tests.effort import examples

from . import make, referee

WEEK = timedelta(days=7)
DAY = timedelta(days=1)
seeds = st.integers(0, 2**32)
PAIR = (make.teacher(), make.teacher("mai", max_total=20))
TERM = tuple(make.current(week) for week in range(4))


@pytest.fixture(scope="module")
def published() -> tuple[Instance, Plan]:
    """The programme with its plan in force."""
    programme = problem.parse(referee.programme_json())
    plan = make.solve(programme, iterations=12_000).plan
    return replan.with_plan(programme, plan), plan


def away(instance: Instance, names: set[str], span: Span) -> Instance:
    teachers = (
        replace(t, unavailable=(*t.unavailable, span)) if t.id in names else t
        for t in instance.teachers
    )
    return replace(instance, teachers=tuple(teachers))


def key(lesson: PlannedLesson) -> tuple[object, ...]:
    return lesson.request, lesson.day, lesson.start


def changes(before: Plan, after: Plan) -> int:
    """Lessons that have another teacher or time."""
    return len(set(before.lessons) - set(after.lessons))


# -- the plan in force taken up


def test_the_plan_in_force_is_where_a_search_starts(published):
    instance, plan = published
    assert make.solve(instance).plan == plan
    assert replan.resolve(instance, plan) == plan


@settings(max_examples=examples(60))
@given(seed=seeds)
def test_a_valid_plan_in_force_never_becomes_dearer(seed):
    instance = replace(make.by_chance(seed), current=(), freeze_before=None)
    plan = make.solve(instance, iterations=100, seed=seed).plan
    in_force = replan.with_plan(instance, plan)
    before = verify(in_force, plan).cost
    assert make.solve(in_force).cost <= before + 0.001
    assert make.solve(in_force, iterations=60).cost <= before + 0.001


def test_who_is_away_for_a_week_is_replaced_and_little_else_changes(published):
    instance, plan = published
    week = Span(make.MONDAY + 3 * WEEK, make.MONDAY + 4 * WEEK - DAY)
    names = sorted({x.teacher for x in plan.lessons if week.holds(x.day)})[:3]
    after = away(instance, set(names), week)
    lost = [x for x in plan.lessons if x.teacher in names and week.holds(x.day)]
    assert len(lost) >= 3
    solution = make.solve(after, iterations=500)
    assert referee.judge(after, solution.plan)["valid"]
    assert solution.taught == solution.requested
    assert len(lost) <= changes(plan, solution.plan) <= 3 * len(lost)
    first = replan.resolve(after, plan)
    assert referee.judge(after, first)["valid"]
    assert len(first.lessons) == solution.taught
    assert verify(replan.with_plan(after, plan), first).violations == ()


def test_lessons_that_cannot_stay_go_and_the_others_stay():
    last = make.MONDAY + 3 * WEEK
    gone = replace(PAIR[0], unavailable=(Span(last, last),))
    instance = make.instance(teachers=(gone, PAIR[1]), current=TERM)
    solution = make.solve(instance, iterations=20)
    assert [x.teacher for x in solution.plan.lessons] == ["lan", "lan", "lan", "mai"]
    assert solution.terms["change"] == 80


def test_pins_stay_where_the_search_would_rather_have_something_else():
    pinned = tuple(make.current(n, "mai", pinned=True) for n in (0, 2))
    dear = (PAIR[0], replace(PAIR[1], available=(Window(0, 420, 690, if_needed=True),)))
    instance = make.instance(teachers=dear, current=pinned)
    lessons = make.solve(instance, iterations=100).plan.lessons
    assert {make.lesson(0, "mai"), make.lesson(2, "mai")} <= set(lessons)
    assert len(lessons) == 4


def test_a_freeze_in_mid_week_parts_the_week():
    slots = (Slot(0, 450, 485), Slot(4, 450, 485))
    windows = (Window(0, 420, 690), Window(4, 420, 690))
    people = tuple(make.teacher(name, available=windows) for name in ("lan", "mai"))
    friday = 4 * DAY
    current = (
        make.current(1, "mai"),
        make.current(1, "mai", day=make.MONDAY + WEEK + friday),
        make.current(2, "mai"),
    )
    instance = make.instance(
        teachers=(people[0], replace(people[1], available=())),
        requests=(make.request(slots=slots, lessons_per_week=2),),
        current=current,
        freeze_before=make.MONDAY + WEEK + 2 * DAY,
    )
    lessons = make.solve(instance, iterations=50).plan.lessons
    assert make.lesson(1, "mai") in lessons  # past, though she could not any more
    assert all(x.teacher == "lan" for x in lessons if x != make.lesson(1, "mai"))
    assert min(x.day for x in lessons if x.teacher == "lan") == make.MONDAY + WEEK + friday
    assert len(lessons) == 6


def test_of_two_lessons_in_force_on_one_day_one_stays():
    slots = (Slot(0, 450, 485), Slot(0, 500, 535))
    double = tuple(make.current(n, "mai", start=500, end=535) for n in range(3))
    instance = make.instance(
        teachers=PAIR, requests=(make.request(slots=slots),), current=(*TERM, *double)
    )
    solution = make.solve(instance, iterations=50)
    assert [(x.start, x.teacher) for x in solution.plan.lessons] == [(450, "lan")] * 4
    assert solution.terms["change"] == 3 * 120


def test_a_lesson_in_force_keeps_its_end_where_two_slots_begin_together():
    for slots in (Slot(0, 450, 495), Slot(0, 450, 485)), (Slot(0, 450, 485), Slot(0, 450, 495)):
        asked = make.request(slots=slots)
        instance = make.instance(teachers=PAIR, requests=(asked,), current=TERM)
        assert {x.end for x in make.solve(instance).plan.lessons} == {485}


@pytest.mark.parametrize(
    "wrong",
    [
        make.current(0, "gone"),
        make.current(0, what="nothing"),
        make.current(0, start=455),
        make.current(0, end=480),
        make.current(-3),
        make.current(9),
        make.current(0, day=make.MONDAY + DAY),
    ],
)
def test_a_lesson_in_force_that_makes_no_sense_is_no_hindrance(wrong):
    instance = make.instance(teachers=PAIR, current=(wrong,))
    solution = make.solve(instance, iterations=20)
    verdict = referee.judge(instance, solution.plan)
    assert (verdict["valid"], verdict["cost"], solution.taught) == (True, solution.cost, 4)
    assert replan.resolve(instance, Plan((*solution.plan.lessons, lesson_of(wrong))))


def lesson_of(x: problem.CurrentLesson) -> PlannedLesson:
    return PlannedLesson(x.request, x.day, x.start, x.end, x.teacher)


# -- the budget


@pytest.mark.parametrize("budget", [Budget(6, 4), Budget(0, None), Budget(None, 0), Budget(3, 1)])
def test_no_more_changes_than_the_budget(published, budget):
    instance, plan = published
    span = Span(make.MONDAY + 2 * WEEK, make.MONDAY + 3 * WEEK - DAY)
    names = set(sorted({x.teacher for x in plan.lessons if span.holds(x.day)})[:6])
    after = away(instance, names, span)
    lost = {x for x in plan.lessons if x.teacher in names and span.holds(x.day)}
    solution = make.solve(after, iterations=4000, budget=budget)
    assert referee.judge(after, solution.plan)["valid"]
    moved = set(plan.lessons) - set(solution.plan.lessons) - lost
    assert budget.lessons is None or len(moved) <= budget.lessons
    assert budget.teachers is None or len({x.teacher for x in moved}) <= budget.teachers
    free = make.solve(after, iterations=4000)
    assert solution.taught >= verify(after, Plan(tuple(set(plan.lessons) - lost))).taught
    assert free.cost <= solution.cost + 100


def test_without_changes_nothing_can_be_mended_but_with_free_people():
    last = make.MONDAY + 3 * WEEK
    gone = replace(PAIR[0], unavailable=(Span(last, last),))
    instance = make.instance(teachers=(gone, PAIR[1]), current=TERM)
    assert make.solve(instance, iterations=50, budget=Budget(0, 0)).taught == 4


# -- substitutes


def test_everyone_who_could_give_the_lesson_is_named_the_cheapest_first():
    people = (
        *PAIR,
        make.teacher("hoa", available=(Window(0, 420, 690, if_needed=True),)),
        make.teacher("away", unavailable=(Span(make.MONDAY, make.MONDAY),)),
        make.teacher("full", max_total=0),
    )
    desk = Desk(make.instance(teachers=people, current=TERM))
    assert desk.substitutes(make.lesson(0)) == (
        Substitute("mai", pytest.approx(60 + 30 + 80 + 100 / 400 + 9 - 16)),
        Substitute("hoa", pytest.approx(60 + 30 + 80 + 15 + 1 + 9 - 16)),
    )
    assert [s.teacher for s in desk.substitutes(make.lesson(1))] == ["mai", "away", "hoa"]


@pytest.mark.parametrize(
    "lesson",
    [
        make.lesson(0, what="nothing"),
        make.lesson(9),
        make.lesson(-1),
        make.lesson(1, day=make.MONDAY + DAY),
        make.lesson(0, start=500),
        make.lesson(2),  # pinned
        make.lesson(3),  # gone
    ],
)
def test_of_a_lesson_that_nobody_may_move_there_are_no_substitutes(lesson):
    current = (*TERM[:2], replace(TERM[2], pinned=True), replace(TERM[3], teacher="gone"))
    desk = Desk(make.instance(teachers=PAIR, current=current))
    with pytest.raises(NotFound):
        desk.substitutes(lesson)


# -- one more slot


def test_one_more_slot_brings_what_a_search_with_it_finds():
    thursday = Slot(3, 450, 485)
    people = (
        make.teacher(unavailable=(Span(make.MONDAY + WEEK, make.MONDAY + 9 * WEEK),)),
        make.teacher("mai", available=(Window(3, 420, 690),)),
    )
    plain = make.instance(teachers=people)
    instance = replan.with_plan(plain, make.solve(plain, iterations=50).plan)
    found = Desk(instance).insertion("A/1", thursday)
    offered = replace(instance, requests=(make.request(slots=(Slot(0, 450, 485), thursday)),))
    best = make.solve(offered, iterations=500)
    assert best.plan.lessons == found.lessons
    assert found.taught == best.taught - make.solve(instance, iterations=500).taught == 3
    before = verify(offered, Plan((make.lesson(0),))).cost
    assert found.price == pytest.approx(best.cost - before)


def test_a_slot_that_brings_nothing_costs_nothing():
    instance = make.instance(teachers=PAIR, current=TERM)
    found = Desk(instance).insertion("A/1", Slot(3, 450, 485))
    assert (found.taught, found.price) == (0, 0)
    assert found.lessons == tuple(make.lesson(n) for n in range(4))
    with pytest.raises(NotFound):
        Desk(instance).insertion("nothing", Slot(3, 450, 485))


@settings(max_examples=examples(60))
@given(seed=seeds)
def test_one_more_slot_gives_a_valid_plan_at_that_price(seed):
    instance, rng = make.agreeing(make.by_chance(seed)), Random(seed)
    if not instance.requests:
        return
    plan = make.solve(instance, iterations=20).plan
    instance = replan.with_plan(instance, plan)
    desk = Desk(instance)
    request = rng.choice(instance.requests)
    slot = Slot(rng.randrange(7), *rng.choice(make.BELLS))
    found = desk.insertion(request.id, slot)
    requests = (
        replace(r, slots=(*r.slots, slot)) if r == request else r for r in instance.requests
    )
    offered = replace(instance, requests=tuple(requests))
    others = tuple(x for x in plan.lessons if x.request != request.id)
    after = verify(offered, Plan((*others, *found.lessons)))
    assert after.violations == ()
    before = verify(offered, plan)
    assert found.price == pytest.approx(after.cost - before.cost, abs=1e-6)
    assert found.price <= 1e-6
    assert found.taught == after.taught - before.taught


# -- a first answer for an instance that changed


@settings(max_examples=examples(60))
@given(seed=seeds)
def test_resolve_gives_a_valid_plan_for_what_an_instance_has_become(seed):
    instance = make.agreeing(make.by_chance(seed))
    plan = make.solve(instance, iterations=30, seed=seed).plan
    after = make.agreeing(make.Chance(seed).changed(instance))
    found = replan.resolve(after, plan)
    assert verify(replan.with_plan(after, plan), found).violations == ()
    assert referee.judge(after, found)["valid"]


def test_resolve_keeps_what_must_stay_though_the_plan_has_lost_it():
    pin = make.current(1, "mai", pinned=True)
    instance = make.instance(teachers=PAIR, current=(pin,))
    others = Plan(tuple(make.lesson(n) for n in (0, 2)))
    instead = Plan(tuple(make.lesson(n) for n in range(4)))
    for plan in others, instead:
        found = replan.resolve(instance, plan)
        assert make.lesson(1, "mai") in found.lessons
        assert [x.day for x in found.lessons] == [make.lesson(n).day for n in range(4)]


def test_resolve_can_do_without_people_and_classes_that_are_gone():
    gone = Plan((make.lesson(0, "gone"), make.lesson(1), make.lesson(2, what="nothing")))
    found = replan.resolve(make.instance(), gone)
    assert found.lessons == tuple(make.lesson(n) for n in range(4))


def test_resolve_refuses_a_past_lesson_of_somebody_who_is_gone():
    past = make.instance(freeze_before=make.MONDAY + DAY)
    with pytest.raises(Invalid):
        replan.resolve(past, Plan((make.lesson(0, "gone"),)))
    with pytest.raises(Invalid):
        replan.resolve(past, Plan((make.lesson(0, what="nothing"),)))


def test_resolve_of_many_rooms_and_one_school_takes_a_lesson_given_twice_once():
    instance = make.instance(schools=(School("YB1", 9),))
    twice = Plan((make.lesson(0), make.lesson(0), make.lesson(0, "mai")))
    assert len(replan.resolve(instance, twice).lessons) == 4
