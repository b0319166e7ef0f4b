"""The compiled kernel: it prices as its plain twin does and never breaks a rule."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.matching import annealing, candidates, replan
from scheduler.matching.annealing import LARGE, SCARCE
from scheduler.matching.kernel import THOROUGH, Assignment, Effort, Kernel
from scheduler.matching.plan import PlannedLesson
from scheduler.matching.prices import Prices
from scheduler.matching.problem import Instance, School, Slot, Window
from scheduler.matching.replan import Budget
from scheduler.matching.table import NOBODY, Table
from scheduler.matching.twin import Twin
from scheduler.matching.verify import verify
from tests.effort import examples

from . import make

seeds = st.integers(0, 2**32)
LATE = Window(0, 420, 690, first_day=make.lesson(2).day)


def near(price: float) -> object:
    return pytest.approx(price, rel=1e-9, abs=1e-6)


def empty(table: Table) -> Assignment:
    return Kernel(table, Prices()).read()


def same(one: Assignment, other: Assignment) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def open_slots(kernel: Kernel) -> list[int]:
    """Slots of requests that may have one more."""
    table, slot = kernel.table, kernel.read(best=False).slot
    free = [
        bool((slot[r, : table.request_places[r]] == NOBODY).any()) for r in range(table.requests)
    ]
    return [n for n in range(table.slots) if free[table.slot_request[n]]]


# -- the same prices as the twin


def assert_priced_as_by_the_twin(kernel: Kernel, prices: Prices) -> None:
    plan = kernel.read(best=False)
    nothing = Kernel(kernel.table, prices)
    ours = kernel.cost(best=False) - nothing.cost()
    twin = Twin(kernel.table, prices, plan)
    theirs = twin.cost() - Twin(kernel.table, prices, nothing.read()).cost()
    assert ours == near(theirs)


@settings(max_examples=examples(80))
@given(seed=seeds)
def test_a_plan_costs_what_the_twin_says(seed):
    for prices in Prices(), make.prices(seed):
        assert_priced_as_by_the_twin(make.half_done(make.by_chance(seed), seed, prices), prices)


@settings(max_examples=examples(80))
@given(seed=seeds)
def test_a_slot_is_staffed_at_the_price_of_the_twin(seed):
    instance = make.by_chance(seed)
    if candidates.calendar(instance).weeks > 12:
        return  # the twin would take too long; see the next test
    for prices in Prices(), make.prices(seed):
        kernel = make.half_done(instance, seed, prices)
        twin = Twin(kernel.table, prices, kernel.read(best=False))
        for slot in open_slots(kernel):
            assert kernel.staff(slot)[0] == near(twin.staff(slot)), slot


@pytest.mark.parametrize("weeks", [*make.LONG, 1024])
def test_long_terms_are_priced_as_by_the_twin(weeks):
    mornings = Window(0, 420, 690, last_day=make.lesson(weeks - 2).day)
    later = Window(0, 420, 690, first_day=make.lesson(weeks // 2).day, if_needed=True)
    people = (make.teacher(max_total=weeks // 2, available=(mornings,)), make.teacher("mai"))
    last = make.lesson(weeks - 1).day
    instance = make.long(
        weeks,
        teachers=(*people, make.teacher("hoa", max_total=weeks, available=(later,))),
        requests=(make.request(last_day=last), make.request("A/2", last_day=last)),
        schools=(School("YB1", 2),),
        current=(make.current(-1, pinned=True), make.current(weeks, "mai", pinned=True)),
    )
    kernel = Kernel(candidates.table(instance), Prices())
    twin = Twin(kernel.table, Prices(), kernel.read())
    assert kernel.staff(0)[0] == near(twin.staff(0))
    kernel.construct([0, 1])
    kernel.search(50, 150, 3, SCARCE.ruined)
    assert_priced_as_by_the_twin(kernel, Prices())


@settings(max_examples=examples(60))
@given(seed=seeds)
def test_the_price_of_a_staffing_is_what_the_plan_then_costs_more(seed):
    instance = make.by_chance(seed)
    kernel = make.half_done(instance, seed)
    plan, before = kernel.read(best=False), kernel.cost(best=False)
    twin = Twin(kernel.table, Prices(), plan)
    for slot in open_slots(kernel)[:10]:
        request = int(kernel.table.slot_request[slot])
        used = plan.slot[request][plan.slot[request] != NOBODY]
        if kernel.table.slot_weekday[slot] in kernel.table.slot_weekday[used]:
            continue
        kernel.load(plan)
        price, who = kernel.staff(slot)
        lessons = int((who != NOBODY).sum())
        place = plan.slot[request].tolist().index(NOBODY)
        one_more = Assignment(plan.slot.copy(), plan.who.copy())
        if lessons:
            one_more.slot[request, place], one_more.who[request, place] = slot, who
        kernel.load(one_more)
        school = int(kernel.table.request_school[request])
        given = Twin(kernel.table, Prices(), one_more)
        unmet = given._school(school) - twin._school(school)
        worth = lessons * twin.worth(request)
        assert price == near(kernel.cost(best=False) - before - unmet - worth)


# -- plans in and out


@settings(max_examples=examples(40))
@given(seed=seeds)
def test_a_plan_reads_back_as_it_was_loaded(seed):
    kernel = make.half_done(make.by_chance(seed), seed)
    plan, cost, taught = kernel.read(), kernel.cost(), kernel.taught()
    kernel.search(30, 150, 3, SCARCE.ruined)
    kernel.load(plan)
    for best in True, False:
        assert same(kernel.read(best), plan)
        assert (kernel.cost(best), kernel.taught(best)) == (near(cost), taught)
    other = Kernel(kernel.table, Prices())
    other.load(plan)
    assert (other.cost(), other.taught()) == (near(cost), taught)
    other.load(None)
    assert same(other.read(), empty(kernel.table))


def lessons_of(instance: Instance, table: Table, plan: Assignment) -> set[PlannedLesson]:
    return set(replan.plan_of(instance, table, plan).lessons)


@settings(max_examples=examples(80))
@given(seed=seeds)
def test_adopt_keeps_what_keeps_the_rules_and_loses_only_what_breaks_them(seed):
    instance = make.agreeing(make.by_chance(seed))
    table = candidates.table(instance)
    asked = replan.in_force(table)
    kernel = Kernel(table, Prices())
    lost = kernel.adopt(asked)
    kept = lessons_of(instance, table, kernel.read())
    wanted = lessons_of(instance, table, asked)
    assert kept <= wanted
    assert len(wanted) - len(kept) == lost
    assert verify(instance, replan.Plan(tuple(kept))).violations == ()
    for lesson in sorted(wanted - kept)[:20]:
        assert verify(instance, replan.Plan((*kept, lesson))).violations


@settings(max_examples=examples(40))
@given(seed=seeds)
def test_adopt_takes_a_valid_plan_whole(seed):
    instance = make.by_chance(seed)
    kernel = make.half_done(instance, seed)
    plan = kernel.read()
    over = kernel.taught() - int(kernel.table.request_need.sum())
    if kernel.table.slot_current is None and over <= 0 and not len(kernel.table.fixed_request):
        assert kernel.adopt(plan) == 0
        assert same(kernel.read(), plan)


# -- moves


@settings(max_examples=examples(60))
@given(seed=seeds)
def test_renewing_a_request_never_makes_the_plan_dearer(seed):
    prices = make.prices(seed)
    kernel = make.half_done(make.by_chance(seed), seed, prices)
    for request in range(kernel.table.requests):
        before = kernel.cost(best=False)
        kernel.renew([request])
        assert kernel.cost(best=False) <= before + 1e-6
        assert_priced_as_by_the_twin(kernel, prices)


@settings(max_examples=examples(60))
@given(seed=seeds)
def test_moves_keep_the_rules_and_the_books(seed):
    instance, prices = make.agreeing(make.by_chance(seed)), make.prices(seed)
    kernel = make.half_done(instance, seed, prices)
    for schedule in SCARCE, LARGE:
        kernel.effort(schedule.effort)
        kernel.search(40, 300, 300, schedule.ruined)
        assert_priced_as_by_the_twin(kernel, prices)
        for best in True, False:
            plan = replan.plan_of(instance, kernel.table, kernel.read(best))
            assert verify(instance, plan).violations == ()
            assert kernel.taught(best) == len(plan.lessons)


def constructed(kernel: Kernel) -> Assignment:
    kernel.load(None)
    kernel.seed(3)
    kernel.construct(range(kernel.table.requests))
    return kernel.read(best=False)


def changed(keepable: np.ndarray, table: Table, plan: Assignment) -> tuple[int, int]:
    """Lessons that could stay and did not, and how many teachers they had."""
    lost: list[int] = []
    for slot, week in np.argwhere(keepable >= 0).tolist():
        places = np.argwhere(plan.slot == slot)
        now = plan.who[tuple(places[0])][week] if len(places) else NOBODY
        if now != keepable[slot, week]:
            lost.append(int(keepable[slot, week]))
    return len(lost), len(set(lost))


@settings(max_examples=examples(60))
@given(
    seed=seeds, lessons=st.sampled_from([None, 0, 1, 3]), teachers=st.sampled_from([None, 0, 1, 2])
)
def test_no_more_is_changed_than_the_budget_allows(seed, lessons, teachers):
    instance = make.agreeing(make.by_chance(seed))
    instance = replan.with_plan(instance, make.solve(instance, iterations=20, seed=seed).plan)
    instance = make.agreeing(make.Chance(seed).changed(instance))
    table = candidates.table(instance)
    kernel = Kernel(table, make.prices(seed))
    kernel.adopt(replan.in_force(table))
    keepable = replan.keepable(table, kernel.read())
    replan.take_up(kernel, Budget(lessons, teachers))
    kernel.search(150, 300, 3, SCARCE.ruined)
    for best in True, False:
        moved, of = changed(keepable, table, kernel.read(best))
        assert lessons is None or moved <= lessons
        assert teachers is None or of <= teachers


@settings(max_examples=examples(60))
@given(seed=seeds)
def test_a_seed_gives_the_same_plan_to_the_byte_whatever_was_before(seed):
    table = candidates.table(make.by_chance(seed))
    fresh, used = Kernel(table, Prices()), Kernel(table, Prices())
    used.construct(range(table.requests))
    used.search(37, 200, 1, SCARCE.ruined)
    for kernel in fresh, used:
        constructed(kernel)
        kernel.effort(LARGE.effort)
        kernel.search(60, 200, 1, SCARCE.ruined)
        kernel.effort(THOROUGH)
    assert same(fresh.read(best=False), used.read(best=False))
    assert same(fresh.read(), used.read())
    assert fresh.cost() == used.cost()


def test_a_sample_of_a_long_list_is_looked_at_from_the_first_insertion_on():
    teachers = tuple(make.teacher(f"t{n}") for n in range(60))
    kernel = Kernel(candidates.table(make.instance(teachers=teachers)), Prices())
    kernel.effort(LARGE.effort)
    kernel.construct([0])
    assert kernel.taught() == 4


# -- substitutes


@settings(max_examples=examples(40))
@given(seed=seeds)
def test_a_substitute_can_give_the_lesson_at_that_price_and_nobody_else_can(seed):
    instance = make.agreeing(make.by_chance(seed))
    instance = replan.with_plan(instance, make.solve(instance, iterations=20, seed=seed).plan)
    desk = replan.Desk(instance)
    lessons = desk_lessons(desk)
    before = verify(instance, replan.Plan(lessons))
    assert before.violations == ()
    fixed = {(x.request, x.day, x.start) for x in instance.current if instance.is_fixed(x)}
    for lesson in [x for x in lessons if (x.request, x.day, x.start) not in fixed][:6]:
        found = {one.teacher: one.price for one in desk.substitutes(lesson)}
        for teacher in instance.teachers:
            if teacher.id == lesson.teacher:
                assert teacher.id not in found
                continue
            others = (x for x in lessons if x != lesson)
            plan = replan.Plan((*others, replace(lesson, teacher=teacher.id)))
            verdict = verify(instance, plan)
            assert bool(verdict.violations) == (teacher.id not in found)
            if teacher.id in found:
                assert found[teacher.id] == near(verdict.cost - before.cost)
        prices = [one.price for one in desk.substitutes(lesson)]
        assert prices == sorted(prices)


def desk_lessons(desk: replan.Desk) -> tuple[PlannedLesson, ...]:
    return replan.plan_of(desk.instance, desk.table, desk.plan).lessons


# -- what broke once


def test_a_teacher_without_a_limit_a_day_is_in_one_lesson_at_a_time():
    free = {"max_per_day": make.HUGE, "max_per_week": make.HUGE, "max_total": make.HUGE}
    requests = tuple(
        make.request(
            f"A/{n}",
            slots=(Slot(0, 450 + 20 * n, 485 + 20 * n), Slot(0, 600 - 20 * n, 640 - 20 * n)),
        )
        for n in range(6)
    )
    instance = make.instance(
        teachers=(make.teacher(**free), make.teacher("mai", **free)),
        requests=requests,
        schools=(School("YB1", 50),),
    )
    for seed in range(10):
        assert make.solve(instance, iterations=100, seed=seed).taught == 20


@pytest.mark.parametrize("weeks", [63, 64, 128, 1024])
def test_pinned_lessons_beside_a_term_that_fills_the_masks_end_no_search(weeks):
    pins = make.current(-1, "mai", pinned=True), make.current(weeks, "mai", pinned=True)
    for current in pins[1:], pins:
        assert make.solve(make.long(weeks, current=current), iterations=5).taught == min(weeks, 700)


def test_of_many_pinned_lessons_beside_the_term_the_nearest_hands_over():
    before = tuple(make.current(-n, "lan" if n > 1 else "mai", pinned=True) for n in range(1, 100))
    after = tuple(make.current(n, "mai" if n < 5 else "lan", pinned=True) for n in range(4, 100))
    teachers = make.teacher(), make.teacher("mai")
    table = candidates.table(make.instance(teachers=teachers, current=(*before, *after)))
    assert table.standing_week.tolist() == [-1, 4]
    assert table.standing_teacher.tolist() == [1, 1]
    assert len(table.fixed_week) == len(before) + len(after)


def test_a_short_last_block_that_does_not_pay_does_not_hide_those_that_do():
    """A bound on a whole slot once forgot that the last block may be left out."""
    cheap = Prices(unmet=8, handover=60, extra_teacher=0, load=0)
    turns = [
        Window(0, 500, 540, make.lesson(first).day, make.lesson(last).day)
        for first, last in ((0, 9), (10, 19), (20, 20))
    ]
    long = Window(0, 400, 490, last_day=make.lesson(11).day)
    teachers = tuple(
        make.teacher(f"t{n}", max_total=100, available=(window,))
        for n, window in enumerate((long, *turns))
    )
    slots = Slot(0, 400, 490), Slot(0, 500, 540)
    asked = make.request(last_day=make.lesson(20).day, slots=slots)
    instance = make.long(21, teachers=teachers, requests=(asked,))
    kernel = Kernel(candidates.table(instance), cheap)
    for seed in range(8):
        kernel.load(None)
        kernel.seed(seed)
        kernel.construct([0])
        assert kernel.taught(best=False) == 20


# -- the sensible thing


def best(instance: Instance) -> list[str | None]:
    """The teachers, week by week, of the best staffing of the first slot."""
    kernel = Kernel(candidates.table(instance), Prices())
    who = kernel.staff(0)[1].tolist()
    return [instance.teachers[teacher].id if teacher >= 0 else None for teacher in who]


def test_a_teacher_is_not_hired_again_for_what_the_path_already_took():
    teachers = (make.teacher(max_total=3), make.teacher("mai", max_total=9, available=(LATE,)))
    assert best(make.instance(teachers=teachers)) == ["lan", "lan", "mai", "mai"]


def test_a_slot_goes_on_with_the_teacher_of_the_lesson_that_must_stay():
    teachers = (make.teacher(max_total=10), make.teacher("mai", max_total=11))
    pin = make.current(1, pinned=True)
    assert best(make.instance(teachers=teachers, current=(pin,))) == ["lan", None, "lan", "lan"]


def test_a_slot_that_nobody_can_teach_costs_nothing():
    kernel = Kernel(candidates.table(make.instance(teachers=())), Prices())
    assert kernel.staff(0)[0] == 0
    worthless = Kernel(candidates.table(make.instance()), replace(Prices(), unmet=0))
    assert worthless.staff(0)[0] == 0


def test_many_searches_leave_nothing_behind():
    table = candidates.table(make.long(210))
    for seed in range(300):
        kernel = Kernel(table, Prices())
        kernel.seed(seed)
        kernel.effort(Effort(1, 1, 1, 16, 200) if seed % 2 else THOROUGH)
        kernel.construct([0])
        kernel.search(5, 50, 1, annealing.LARGE.ruined)
    assert kernel.taught() <= 210
