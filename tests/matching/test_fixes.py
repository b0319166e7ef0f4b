"""Changes that cover a missing lesson: tried, small, and true."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from scheduler.matching import problem
from scheduler.matching.explain import explain
from scheduler.matching.fixes import apply, tried
from scheduler.matching.plan import Fix, FixCode, Plan, PlannedLesson, Unfilled
from scheduler.matching.problem import (
    Instance,
    School,
    Slot,
    Span,
    Teacher,
    Window,
)
from scheduler.matching.verify import monday, verify
from tests.effort import examples

from . import make, referee
from .resolving import resolve

WEEK = timedelta(days=7)
MONDAYS = [make.MONDAY + n * WEEK for n in range(4)]
NEWCOMER = Fix(FixCode.NEW_TEACHER, 4, weekday=0, start=450, end=485)


def fixed(instance: Instance, plan: Plan, **changes: object) -> tuple[Unfilled, ...]:
    options = {"resolve": resolve, "seconds": None, "monotonic": lambda: 0.0, **changes}
    return tried(instance, plan, explain(instance, plan), **options)


def fixes(plan: Plan | None = None, **changes: object) -> list[tuple[Fix, ...]]:
    """The fixes of each week of the request A/1."""
    instance = make.instance(**changes)
    return [gap.fixes for gap in fixed(instance, plan or Plan()) if gap.request == "A/1"]


def taught(plan: Plan, gap: Unfilled) -> int:
    """The lessons of that request in that week."""
    return sum(x.request == gap.request and monday(x.day) == gap.week for x in plan.lessons)


def settled(seed: int) -> tuple[Instance, Plan]:
    """An instance by chance, and a plan to which nothing can be added as it is."""
    instance, solution = make.solved_by_chance(seed)
    if solution is None:
        pytest.skip("the lessons that must stay contradict each other")
    if instance.term.weeks() > 12:
        pytest.skip("resolving a long term in plain Python takes too long")
    return instance, resolve(instance, solution.plan)


def could_be_taught(instance: Instance, plan: Plan, gap: Unfilled) -> bool:
    """Whether one more lesson could stand in that week, were there rooms and teachers enough."""
    request = next(x for x in instance.requests if x.id == gap.request)
    slots = [s for r in instance.requests for s in r.slots if r.school == request.school]
    lengths = {slot.end - slot.start for slot in request.slots}
    anybody = Teacher(
        "anybody", "", (request.level,), 9, 9, 9, tuple(Window(n, 0, 1440) for n in range(7))
    )
    plenty = replace(
        instance,
        schools=tuple(replace(school, rooms=99) for school in instance.schools),
        teachers=(*instance.teachers, anybody),
    )
    for weekday, (start, end) in product(
        {slot.weekday for slot in slots}, {(slot.start, slot.end) for slot in slots}
    ):
        day = gap.week + timedelta(days=weekday)
        one = replace(request, slots=(*request.slots, Slot(weekday, start, end)))
        requests = tuple(one if x.id == one.id else x for x in instance.requests)
        lesson = PlannedLesson(one.id, day, start, end, "anybody")
        verdict = verify(replace(plenty, requests=requests), Plan((*plan.lessons, lesson)))
        broken = {violation.rule for violation in verdict.violations}  # a pinned lesson may break:
        timetable = {rule for rule in broken if rule.startswith("A class keeps its timetable")}
        if broken == timetable and end - start in lengths and not instance.is_past(day):
            return True
    return False


@pytest.mark.parametrize("seed", range(examples(60)))
def test_each_fix_shown_covers_its_lesson_when_the_plan_is_solved_again(seed):
    instance, plan = settled(seed)
    before = Counter(lesson.request for lesson in plan.lessons)
    for gap in fixed(instance, plan):
        codes = [fix.code for fix in gap.fixes]
        assert codes == [code for code in FixCode if code in codes][:3]
        assert bool(gap.fixes) == could_be_taught(instance, plan, gap), gap
        for fix in gap.fixes:
            changed = apply(instance, gap, fix)
            assert problem.parse(problem.dump(changed)) == changed
            again = resolve(changed, plan)
            verdict = referee.judge(changed, again)
            assert verdict["valid"], (fix, verdict["violations"])
            assert taught(again, gap) > taught(plan, gap), fix
            assert len(again.lessons) >= len(plan.lessons) + fix.covers > len(plan.lessons)
            assert not before - Counter(lesson.request for lesson in again.lessons)
            assert fix.changes >= len(set(plan.lessons) - set(again.lessons)), fix


def test_a_slot_is_a_period_of_the_school_when_teachers_are_free_then():
    later = make.request("B/1", slots=(Slot(0, 500, 535), Slot(1, 500, 535), Slot(0, 490, 535)))
    teachers = (
        make.teacher(available=(Window(0, 490, 690),)),
        make.teacher("mai", available=(Window(0, 495, 690, last_day=MONDAYS[1]),)),
    )
    plan = Plan(tuple(make.lesson(n, "hoa", "B/1", start=500, end=535) for n in range(4)))
    hoa = make.teacher("hoa", available=(Window(0, 500, 535),))
    found = fixes(
        plan,
        schools=(School("YB1", 2),),
        teachers=(*teachers, hoa),
        requests=(make.request(), later),
    )
    slot = Fix(FixCode.SLOT, 4, weekday=0, start=500, end=535)
    assert [week[0] for week in found] == [replace(slot, free=n) for n in (2, 2, 1, 1)]


BESIDE = make.request("B/1", level="other", last_day=make.MONDAY, slots=(Slot(0, 500, 535),))
ONCE_THEN_LATER = (Window(0, 420, 490, last_day=MONDAYS[0]), Window(0, 495, 540))


def test_a_slot_replaces_the_timetable_of_a_class_that_gains_more_than_it_moves():
    lan = make.teacher(available=ONCE_THEN_LATER)
    found = fixes(Plan((make.lesson(),)), teachers=(lan,), requests=(make.request(), BESIDE))
    slot = Fix(FixCode.SLOT, 3, weekday=0, start=500, end=535, free=1, changes=1)
    assert [week[0] for week in found] == [slot] * 3


def test_no_slot_replaces_a_timetable_for_a_few_lessons():
    lan = make.teacher(available=(Window(0, 420, 490, last_day=MONDAYS[2]), Window(0, 495, 540)))
    plan = Plan(tuple(make.lesson(n) for n in range(3)))
    (found,) = fixes(plan, teachers=(lan,), requests=(make.request(), BESIDE))
    assert FixCode.SLOT not in {fix.code for fix in found}


def test_a_window_is_asked_of_the_teacher_who_is_nearly_free():
    teachers = (
        make.teacher("an", available=(Window(0, 480, 690),)),
        make.teacher("binh", available=(Window(0, 455, 690),)),
        make.teacher("chi", available=(Window(0, 451, 690),), max_per_week=0),
    )
    window = Fix(FixCode.WINDOW, 4, "binh", 0, 450, 485)
    assert [week[0] for week in fixes(teachers=teachers)] == [window] * 4


def test_a_window_is_asked_of_a_teacher_who_is_never_there_only_where_no_other_helps():
    teachers = (
        make.teacher("an", available=(Window(4, 420, 690),)),
        make.teacher(
            "binh", available=(Window(0, 455, 690),), unavailable=(Span(MONDAYS[3], MONDAYS[3]),)
        ),
    )
    binh = Fix(FixCode.WINDOW, 3, "binh", 0, 450, 485)
    an = Fix(FixCode.WINDOW, 4, "an", 0, 450, 485)
    assert [week[0] for week in fixes(teachers=teachers)] == [binh, binh, binh, an]


def test_a_window_covers_no_more_than_the_teacher_promised():
    binh = make.teacher("binh", available=(Window(0, 455, 690),), max_total=2)
    window = Fix(FixCode.WINDOW, 2, "binh", 0, 450, 485)
    found = fixes(teachers=(binh,))
    assert [window in week for week in found] == [True, True, False, False]
    assert found[2] == (NEWCOMER,)


LATER = make.request("B/1", school="YB2", slots=(Slot(0, 600, 635),))


@pytest.mark.parametrize(
    ("limit", "code", "fix"),
    [
        ("max_per_day", FixCode.DAY_LIMIT, Fix(FixCode.DAY_LIMIT, 4, "lan", limit=2)),
        ("max_per_week", FixCode.WEEK_LIMIT, Fix(FixCode.WEEK_LIMIT, 4, "lan", limit=2)),
        ("max_total", FixCode.TERM_LIMIT, Fix(FixCode.TERM_LIMIT, 4, "lan", limit=8)),
    ],
)
def test_a_limit_is_raised_just_so_far(limit, code, fix):
    lan = make.teacher(**{"max_per_day": 2, "max_total": 10, limit: 4 if "total" in limit else 1})
    plan = Plan(tuple(make.lesson(n, what="B/1", start=600, end=635) for n in range(4)))
    found = fixes(
        plan,
        teachers=(lan,),
        requests=(make.request(), LATER),
        schools=(School("YB1", 1), School("YB2", 1)),
    )
    assert found == [(fix, NEWCOMER)] * 4


def test_a_promise_for_the_term_grows_by_four_lessons_at_most():
    weeks = timedelta(days=7 * 6 - 1)
    instance = {
        "term": replace(make.instance().term, last_day=make.MONDAY + weeks),
        "requests": (make.request(last_day=make.MONDAY + weeks),),
        "teachers": (make.teacher(max_total=0),),
    }
    found = fixes(**instance)
    assert [week[0].limit for week in found] == [4, 4, 4, 4, None, None]


def test_a_make_up_lesson_stands_on_another_day_of_a_week_whose_day_is_closed():
    days = (Slot(0, 450, 485), Slot(2, 450, 485))
    once = (Window(0, 420, 690), Window(2, 420, 690, last_day=MONDAYS[1]))
    lan = make.teacher(available=once)
    closed = (School("YB1", 1, (Span(make.MONDAY, make.MONDAY),)),)
    plan = Plan(tuple(make.lesson(n) for n in range(1, 4)))
    (found,) = fixes(plan, requests=(make.request(slots=days),), schools=closed, teachers=(lan,))
    wednesday = make.MONDAY + timedelta(days=2)
    assert found == (
        Fix(FixCode.MAKE_UP, 1, "lan", start=450, end=485, day=wednesday),
        Fix(FixCode.NEW_TEACHER, 1, start=450, end=485, day=wednesday),
    )


def test_make_up_lessons_do_not_ask_more_of_a_teacher_than_was_promised():
    days = (Slot(0, 450, 485), Slot(2, 450, 485))
    twice = (Window(0, 420, 690), Window(2, 420, 690, last_day=MONDAYS[2]))
    lan = make.teacher(available=twice, max_total=3)
    closed = (School("YB1", 1, tuple(Span(day, day) for day in MONDAYS[:2])),)
    plan = Plan(tuple(make.lesson(n) for n in range(2, 4)))
    found = fixes(plan, requests=(make.request(slots=days),), schools=closed, teachers=(lan,))
    assert [[fix.code for fix in week] for week in found] == [
        [FixCode.MAKE_UP, FixCode.NEW_TEACHER],
        [FixCode.NEW_TEACHER],
    ]


def test_a_room_is_asked_for_when_a_teacher_is_free_and_all_rooms_are_taken():
    plan = Plan(tuple(make.lesson(n, "mai", "A/2") for n in range(4)))
    teachers = (make.teacher(), make.teacher("mai"))
    found = fixes(plan, teachers=teachers, requests=(make.request(), make.request("A/2")))
    room = Fix(FixCode.ROOM, 4, limit=2)
    assert found == [(room, replace(NEWCOMER, limit=2))] * 4


def test_a_new_teacher_comes_at_the_class_s_time_where_nobody_is_qualified():
    assert fixes(teachers=(make.teacher(levels=()),)) == [(NEWCOMER,)] * 4


def test_a_new_teacher_comes_at_a_new_time_to_a_class_that_is_always_in_another_lesson():
    requests = (make.request(), make.request("A/2", class_name="A/1"), LATER, LATER)
    requests = (*requests[:2], replace(LATER, school="YB1", last_day=make.MONDAY, level="other"))
    plan = Plan(tuple(make.lesson(n, what="A/2") for n in range(4)))
    lan = make.teacher(available=(Window(0, 420, 490),))
    found = fixes(plan, requests=requests, teachers=(lan,), schools=(School("YB1", 2),))
    assert found == [(replace(NEWCOMER, start=600, end=635),)] * 4


def test_what_is_past_cannot_be_fixed():
    found = fixes(teachers=(make.teacher(levels=()),), freeze_before=MONDAYS[2])
    assert found == [(), (), *[(replace(NEWCOMER, covers=2),)] * 2]


def test_a_fix_under_which_another_class_loses_a_lesson_is_not_shown():
    plan = Plan(tuple(make.lesson(n, "mai", "B/1", start=600, end=635) for n in range(4)))
    changes = {
        "teachers": (make.teacher(levels=()), make.teacher("mai", max_total=4)),
        "requests": (make.request(), LATER),
        "schools": (School("YB1", 1), School("YB2", 1)),
    }
    instance = make.instance(**changes)

    def careless(changed: Instance, before: Plan) -> Plan:
        again = resolve(changed, before)
        grown = len(again.lessons) > len(before.lessons)
        return Plan(tuple(x for x in again.lessons if not grown or x != plan.lessons[0]))

    assert all(gap.fixes for gap in fixed(instance, plan))
    assert [gap.fixes for gap in fixed(instance, plan, resolve=careless)] == [()] * 4


def test_a_fix_that_does_not_help_is_not_shown():
    instance = make.instance(teachers=(make.teacher(levels=()),))
    assert [gap.fixes for gap in fixed(instance, Plan(), resolve=lambda _, old: old)] == [()] * 4


def test_a_lesson_that_solving_again_covers_needs_no_fix_and_no_fix_takes_the_credit():
    lan = make.teacher(unavailable=(Span(MONDAYS[3], MONDAYS[3]),))
    instance = make.instance(teachers=(lan,))
    found = fixed(instance, Plan())
    assert [gap.week for gap in found] == MONDAYS
    assert [gap.fixes for gap in found] == [(), (), (), (replace(NEWCOMER, covers=1),)]


def after(trials: int, instance: Instance) -> tuple[Unfilled, ...]:
    """What is found when the time is over after so many trials."""
    asked = []

    def counted(changed: Instance, plan: Plan) -> Plan:
        asked.append(changed)
        return resolve(changed, plan)

    found = fixed(
        instance, Plan(), resolve=counted, seconds=trials + 1, monotonic=lambda: len(asked)
    )
    assert len(asked) <= trials + 1  # the first one is without a change
    return found


def test_one_trial_serves_all_weeks_of_a_request():
    instance = make.instance(teachers=(make.teacher(levels=()),))
    assert [gap.fixes for gap in after(1, instance)] == [(NEWCOMER,)] * 4


def test_every_request_gets_one_fix_before_any_gets_a_second():
    instance = make.instance(
        teachers=(make.teacher(available=(Window(0, 455, 690),)),),
        requests=(make.request(), make.request("A/2", slots=(Slot(2, 450, 485),))),
    )
    counts = []
    for trials in range(5):
        per_request = {gap.request: len(gap.fixes) for gap in after(trials, instance)}
        counts.append((per_request["A/1"], per_request["A/2"]))
    assert counts == [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2)]


def test_there_is_no_trial_without_time():
    asked, gap = [], explain(make.instance(), Plan())
    instance = make.instance()
    options = {"resolve": lambda *_: asked.append(1), "seconds": 0, "monotonic": lambda: 0.0}
    assert tried(instance, Plan(), gap, **options) == gap
    assert asked == []
