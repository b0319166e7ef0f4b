"""What could be done about a lesson: teachers with reasons, times with what stands in the way."""

from datetime import timedelta

import pytest

from scheduler.domain.baskets import Alter, Time
from scheduler.domain.candidates import Obstacle
from scheduler.errors import ChungTayError
from scheduler.services import baskets, suggestions
from scheduler.services.suggestions import Bar
from scheduler.store import tables
from tests.faults.kit import write
from tests.planning import WEDNESDAY, draft, publish, timetable

WEEK, DAY = timedelta(days=7), timedelta(days=1)
A1 = ("request_7A", WEDNESDAY, 505, "teacher1")
A2 = ("request_7A", WEDNESDAY + WEEK, 505, "teacher1")
B1 = ("request_8B", WEDNESDAY + DAY, 450, "teacher2")


@pytest.fixture
def lesson(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1, A2, B1))
    return timetable(ctx, cast)[0]


@pytest.fixture
def look(ctx, cast, lesson):
    return lambda: suggestions.of_lesson(ctx, cast.actors["coordinator"], lesson.id)


def test_who_could_give_it_is_shown_with_the_price_that_a_basket_asks(ctx, cast, lesson, look):
    (other,) = look().teachers
    assert (other.name, other.obstacles, other.total, other.max_total) == ("Cô teacher2", (), 1, 40)
    move = Alter(lesson.id, teacher_id=cast["teacher2"])
    asked = baskets.check(ctx, cast.actors["coordinator"], cast["term"], [move])
    assert other.dearer == pytest.approx(asked.dearer)
    assert asked.clashes == ()


def test_who_could_not_give_it_is_shown_with_the_reason(ctx, cast, look):
    write(ctx, tables.availability, tables.availability.c.weekday == 2, end_minute=520)
    (other,) = look().teachers
    assert (other.obstacles, other.dearer) == ((Obstacle.NOT_AVAILABLE,), None)


def test_each_accepted_time_of_the_week_says_what_it_costs_with_whom(ctx, cast, lesson, look):
    first, last = look().times
    assert [(x.day, x.start, x.bars) for x in (first, last)] == [
        (WEDNESDAY + DAY, 450, ()), (WEDNESDAY + DAY, 560, ()),
    ]  # fmt: skip
    assert (first.obstacles, first.others) == ((), 0)  # teacher 2 teaches 8B then
    assert (last.others, last.other) == (1, "Cô teacher2")
    at = Time(last.day, last.start, last.end)
    for teacher, dearer in (("teacher1", last.dearer), ("teacher2", last.other_dearer)):
        move = Alter(lesson.id, teacher_id=cast[teacher], time=at)
        asked = baskets.check(ctx, cast.actors["coordinator"], cast["term"], [move])
        assert (asked.clashes, pytest.approx(asked.dearer)) == ((), dearer)


def test_a_time_that_the_class_or_the_school_cannot_says_why(ctx, cast, clock, look):
    with ctx.transaction() as db:
        db.execute(tables.holidays.insert().values(term_id=cast["term"], day=WEDNESDAY + DAY))
    assert {x.bars for x in look().times} == {(Bar.NO_DAY,)}
    clock.forward(days=3)
    assert {x.bars for x in look().times} == {(Bar.PAST, Bar.NO_DAY)}


def test_only_who_plans_the_term_is_told(ctx, cast, lesson):
    for name in ("stranger", "teacher1", "teacher2", "schoolA"):
        with pytest.raises(ChungTayError, match=r"no such lesson|may not"):
            suggestions.of_lesson(ctx, cast.actors[name], lesson.id)
