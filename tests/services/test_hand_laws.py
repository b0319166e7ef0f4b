"""Whatever is swapped and changed by hand: nobody is booked twice, no rule breaks, nothing lies."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.domain.baskets import Add, Alter, CallOff, Time
from scheduler.domain.lessons import LessonState
from scheduler.domain.swaps import Reply
from scheduler.errors import ChungTayError, Conflict
from scheduler.services import baskets, plans, runs, swap_partners, swaps
from tests.planning import WEDNESDAY, draft, publish, timetable

WEEK, DAY = timedelta(days=7), timedelta(days=1)
STARTS = (430, 450, 505, 560)
_any = st.integers(0, 40)
_time = st.builds(
    lambda week, day, start: Time(WEDNESDAY + week * WEEK + day * DAY, start, start + 45),
    st.integers(0, 3), st.integers(0, 1), st.sampled_from(STARTS),
)  # fmt: skip
_teacher = st.sampled_from(("teacher1", "teacher2"))
_move = st.one_of(
    st.tuples(st.just("teacher"), _any, _teacher),
    st.tuples(st.just("time"), _any, _time),
    st.tuples(st.just("both"), _any, _time, _teacher),
    st.tuples(st.just("off"), _any),
    st.tuples(st.just("new"), st.sampled_from(("request_7A", "request_8B")), _time, _teacher),
)
_step = st.one_of(
    st.tuples(st.just("swap"), _any, _any),
    st.tuples(st.just("basket"), st.lists(_move, min_size=1, max_size=3)),
)
STEPS = st.lists(_step, min_size=1, max_size=4)


@pytest.fixture
def world(ctx, cast):
    """Two classes with four weekly lessons each, as the engine could have planned them."""
    wanted = [
        (request, WEDNESDAY + n * WEEK, 505, teacher)
        for request, teacher in (("request_7A", "teacher1"), ("request_8B", "teacher2"))
        for n in range(4)
    ]
    publish(ctx, cast, draft(ctx, cast, *wanted))
    return ctx, cast


def live(ctx, cast):
    return [x for x in timetable(ctx, cast) if x.state is not LessonState.CANCELLED]


def swapped(ctx, cast, one, other):
    """Propose to swap two of the lessons in force, and agree."""
    found = live(ctx, cast)
    if len(found) < 2:
        return
    x, y = found[one % len(found)], found[other % len(found)]
    actors = {cast[name]: cast.actors[name] for name in ("teacher1", "teacher2")}
    able = {each.lesson_id for each in swap_partners.of_lesson(ctx, actors[x.teacher_id], x.id)}
    try:
        made = swaps.ask(ctx, actors[x.teacher_id], x.id, y.id)
    except Conflict:
        assert y.id not in able
        return
    asked = swaps.of_actor(actors[y.teacher_id], made.swap.id)
    assert y.id in able
    assert swaps.answer(ctx, asked, Reply.ACCEPT).end == "agreed"
    after = {z.id: z.teacher_id for z in live(ctx, cast)}
    assert (after[x.id], after[y.id]) == (y.teacher_id, x.teacher_id)


def moves_of(cast, found, drawn):
    moves = {}
    for number, (kind, which, *rest) in enumerate(drawn):
        if kind == "new":
            moves[-number - 1] = Add(cast[which], rest[0], cast[rest[1]])
        elif found:
            lesson = found[which % len(found)].id
            match kind:
                case "teacher":
                    moves[lesson] = Alter(lesson, teacher_id=cast[rest[0]])
                case "time":
                    moves[lesson] = Alter(lesson, time=rest[0])
                case "both":
                    moves[lesson] = Alter(lesson, cast[rest[1]], rest[0])
                case "off":
                    moves[lesson] = CallOff(lesson, "Bão")
    return list(moves.values())


def by_hand(ctx, cast, drawn):
    """A green basket is published, and makes what it said; a red one is no draft."""
    actor = cast.actors["coordinator"]
    moves = moves_of(cast, live(ctx, cast), drawn)
    if not moves:
        return
    before = live(ctx, cast)
    seen = baskets.check(ctx, actor, cast["term"], moves)
    if seen.clashes:
        with pytest.raises(ChungTayError):
            baskets.draft(ctx, actor, cast["term"], moves)
        return
    plan = baskets.draft(ctx, actor, cast["term"], moves)
    preview = plans.preview(ctx, actor, plan)
    plans.publish(ctx, actor, plan, preview.fingerprint)
    added = sum(isinstance(move, Add) for move in moves)
    gone = sum(isinstance(move, CallOff) for move in moves)
    assert len(live(ctx, cast)) == len(before) + added - gone
    after = {(x.request_id, x.starts_at, x.teacher_id) for x in live(ctx, cast)}
    for move in moves:
        if isinstance(move, Alter | Add) and move.time and move.teacher_id:
            assert any(x[2] == move.teacher_id for x in after)


def unbroken(ctx, cast):
    """No rule is broken but those about weekly times, which a hand may."""
    found = {v.rule for v in runs.verdict(ctx, cast["term"]).violations}
    assert found <= baskets.WEEKLY


def law(world, steps):
    ctx, cast = world
    sequences = {}
    for kind, *rest in steps:
        swapped(ctx, cast, *rest) if kind == "swap" else by_hand(ctx, cast, *rest)
        unbroken(ctx, cast)
        now = {x.id: x.sequence for x in timetable(ctx, cast)}
        assert all(now[each] >= was for each, was in sequences.items())
        sequences = now
        times = [(x.teacher_id, x.starts_at) for x in live(ctx, cast)]
        assert len(set(times)) == len(times)


KEPT = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


@given(steps=STEPS)
@settings(max_examples=5, derandomize=True, **KEPT)
def test_no_swap_and_no_basket_breaks_what_held(world, steps):
    law(world, steps)


@pytest.mark.soak
@given(steps=st.lists(_step, min_size=1, max_size=25))
@settings(max_examples=200, **KEPT)
def test_long_histories_of_hands_break_nothing(world, steps):
    law(world, steps)
