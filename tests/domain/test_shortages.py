"""Certain shortage: never more than a plan lacks, and all of it where days are simple."""

from dataclasses import replace
from functools import cache
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.domain.people import HalfDay, Level, TeacherId
from scheduler.domain.requests import RequestId
from scheduler.domain.shortages import Asking, Giving, Supply, Time, bound, cells, certain
from tests.effort import examples

LOWER, UPPER = Level.LOWER_SECONDARY, Level.UPPER_SECONDARY
MORNING, AFTERNOON = HalfDay.MORNING, HalfDay.AFTERNOON
GAP = 10


def at(weekday: int, start: int = 450, half: HalfDay = MORNING) -> Time:
    return Time(weekday, half, start, start + 45)


def asks(n: int, *times: Time, lessons: int = 1, level: Level = LOWER) -> Asking:
    return Asking(RequestId(n), level, lessons, times)


def gives(n: int, *days: int, per_day: int = 1, per_week: int = 9, level: Level = LOWER) -> Giving:
    free = tuple((day, 420, 1200) for day in days)
    return Giving(TeacherId(n), frozenset({level}), per_day, per_week, free)


def supply(*givers: Giving) -> Supply:
    return Supply(givers, GAP)


def test_a_lesson_that_nobody_could_give_is_short():
    found = bound([asks(1, at(0)), asks(2, at(1))], supply(gives(1, 0)))
    assert (found.asked, found.most, found.short) == (2, 1, 1)
    (group,) = found.groups
    assert [each.request_id for each in group.requests] == [2]
    assert group.givers == 0
    assert group.places == ((1, MORNING, LOWER),)


def test_requests_that_compete_for_one_teacher_are_told_together():
    found = bound([asks(1, at(0)), asks(2, at(0, 540)), asks(3, at(1))],
                  supply(gives(1, 0), gives(2, 1)))  # fmt: skip
    (group,) = found.groups
    assert {each.request_id for each in group.requests} == {1, 2}
    assert (group.asked, group.most, group.givers, group.short) == (2, 1, 1, 1)


def test_what_can_move_to_another_day_is_not_short():
    both = [asks(1, at(0), at(1)), asks(2, at(0))]
    assert bound(both, supply(gives(1, 0, 1))).short == 0
    assert bound(both, supply(gives(1, 0, 1, per_week=1))).short == 1


def test_a_class_has_one_lesson_a_day_however_many_times_it_accepts():
    twice = asks(1, at(0), at(0, 540), lessons=2)
    assert twice.asked == 1
    assert bound([twice], supply(gives(1, 0, per_day=5))).short == 0


def test_a_teacher_rests_between_two_lessons_of_a_day():
    close = [asks(1, at(0, 450)), asks(2, at(0, 500))]  # five minutes after the first one
    assert bound(close, supply(gives(1, 0, per_day=2))).short == 1
    far = [close[0], asks(2, at(0, 505))]
    assert bound(far, supply(gives(1, 0, per_day=2))).short == 0


def test_who_teaches_another_level_helps_nobody():
    assert bound([asks(1, at(0))], supply(gives(1, 0, level=UPPER))).short == 1


def test_a_cell_tells_what_must_be_there_from_what_likes_to_be():
    must, may = asks(1, at(0)), asks(2, at(0), at(2, 800, AFTERNOON))
    monday, wednesday = cells([must, may, replace(must, request_id=RequestId(3))],
                              supply(gives(1, 0)))  # fmt: skip
    assert (monday.weekday, monday.half_day, monday.level) == (0, MORNING, LOWER)
    assert (monday.asked, monday.only, monday.free) == (3, 2, 1)
    assert (monday.certain, monday.strained) == (1, 2)
    assert (wednesday.asked, wednesday.only, wednesday.free, wednesday.certain) == (0, 0, 0, 0)


def test_the_wishes_of_all_cells_add_up_to_what_is_asked():
    several = [asks(1, at(0), at(1), at(2), lessons=2), asks(2, at(1))]
    found = cells(several, supply())
    assert sum(cell.asked for cell in found) == sum(each.asked for each in several)


# -- against all plans of small weeks

STARTS = (450, 500, 560)
times = st.builds(at, st.integers(0, 2), st.sampled_from(STARTS))
requests = st.builds(
    lambda found, lessons: asks(0, *found, lessons=lessons),
    st.lists(times, min_size=1, max_size=3, unique=True),
    st.integers(1, 2),
)
teachers = st.builds(
    lambda days, per_day, per_week: gives(0, *days, per_day=per_day, per_week=per_week),
    st.sets(st.integers(0, 2), max_size=3),
    st.integers(1, 2),
    st.integers(1, 3),
)
weeks = st.lists(requests, max_size=4).map(
    lambda found: [replace(each, request_id=RequestId(n)) for n, each in enumerate(found)]
)
staffs = st.lists(teachers, max_size=3).map(tuple)


def best(asking: list[Asking], givers: tuple[Giving, ...]) -> int:
    """The most lessons that a plan gives, by looking at all of them."""
    chances = [
        (each.request_id, time, giver)
        for each in asking
        for time in each.times
        for giver, teacher in enumerate(givers)
        if any(day == time.weekday for day, _, _ in teacher.free)
    ]
    lessons = {each.request_id: each.lessons for each in asking}

    @cache
    def most(n: int, chosen: tuple) -> int:
        if n == len(chances):
            return len(chosen)
        without = most(n + 1, chosen)
        taken = (*chosen, chances[n])
        return max(without, most(n + 1, taken)) if allowed(taken, lessons, givers) else without

    return most(0, ())


def allowed(chosen, lessons, givers) -> bool:
    request, time, giver = chosen[-1]
    same = [each for each in chosen if each[0] == request]
    own = [each[1] for each in chosen if each[2] == giver]
    today = [each for each in own if each.weekday == time.weekday]
    return (
        len(same) <= lessons[request]
        and len({each[1].weekday for each in same}) == len(same)
        and len(own) <= givers[giver].per_week
        and len(today) <= givers[giver].per_day
        and all(
            one == other or one.end + GAP <= other.start or other.end + GAP <= one.start
            for one, other in product(today, today)
        )
        and len(set(today)) == len(today)
    )


@settings(max_examples=examples(300))
@given(weeks, staffs)
def test_no_plan_gives_more_than_the_bound_says(asking, givers):
    found = bound(asking, supply(*givers))
    assert best(asking, givers) <= found.most
    assert found.short == sum(group.short for group in found.groups)


@settings(max_examples=examples(300))
@given(weeks, staffs)
def test_where_a_teacher_gives_one_lesson_a_day_some_plan_reaches_it(asking, givers):
    simple = tuple(replace(each, per_day=1) for each in givers)
    assert best(asking, simple) == bound(asking, supply(*simple)).most


@settings(max_examples=examples(300))
@given(weeks, staffs)
def test_each_group_is_short_by_itself_and_shares_no_request(asking, givers):
    found = bound(asking, supply(*givers))
    seen = [each.request_id for group in found.groups for each in group.requests]
    assert len(seen) == len(set(seen))
    for group in found.groups:
        assert group.short > 0
        assert bound(list(group.requests), supply(*givers)).short == group.short


@settings(max_examples=examples(300))
@given(weeks, staffs)
def test_what_is_called_certain_is_never_more_than_every_plan_lacks(asking, givers):
    there = supply(*givers)
    found = bound(asking, there)
    assert certain(found, cells(asking, there)) <= found.asked - best(asking, givers)


def test_a_teacher_gives_one_lesson_at_a_time():
    three = [asks(1, at(0)), asks(2, at(0)), asks(3, at(0, 560), at(0, 620))]
    assert bound(three, supply(gives(1, 0, per_day=3))).most == 2


def test_half_days_may_see_more_than_the_week_where_times_overlap():
    both = [asks(1, at(0)), asks(2, at(0, 460)), asks(3, at(0, 800, AFTERNOON), at(1))]
    there = supply(gives(1, 0, 1, per_day=2))
    assert bound(both, there).short == 0
    assert certain(bound(both, there), cells(both, there)) == 1
