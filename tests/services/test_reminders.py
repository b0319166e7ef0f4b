"""Reminders follow their lessons: one a person and day, and those before each lesson."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.lessons import LessonState
from scheduler.errors import NotFound
from scheduler.services import outbox, reminders
from scheduler.store import tables
from tests.faults.kit import Post, book, change, replan, rows, states, write

WEDNESDAY = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)  # 07:30 in Hà Nội, morning period 1


@pytest.fixture
def lesson(ctx, cast):
    made = book(ctx, cast, WEDNESDAY)
    replan(ctx, made)
    return made


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


class Counter:
    def __init__(self):
        self.count = 0


@pytest.fixture
def queries(database):
    """Counts the statements of writing transactions."""

    @contextmanager
    def counting():
        found = Counter()

        def note(*_):
            found.count += 1

        sa.event.listen(database.writer, "before_cursor_execute", note)
        yield found
        sa.event.remove(database.writer, "before_cursor_execute", note)

    return counting


def keys(ctx, state="planned"):
    return [key for key, at in rows(ctx, "key", "state") if at == state]


def ladder(cast, lesson, sequence, teacher="person_teacher1", day="2023-10-04"):
    own = [f"{lesson}:{sequence}:{cast[teacher]}:{k}" for k in ("hour_before", "soon")]
    days = [f"day:{cast[who]}:{day}:day_before" for who in (teacher, "person_schoolA")]
    return {f"{key}:mail" for key in own + days}


def stop_token(post, reader):
    mail = post.arrived[post.recipients.index(reader)]
    return str(mail["List-Unsubscribe"]).strip("<>").rpartition("/")[2]


def test_a_lesson_is_planned_once_however_often_it_is_planned(ctx, cast, lesson):
    assert set(keys(ctx)) == ladder(cast, lesson, 0)
    assert replan(ctx, lesson, lesson) == 0
    assert states(ctx) == {"planned": 4}


def test_a_move_cancels_the_old_reminders_and_plans_the_new(ctx, cast, lesson):
    later = WEDNESDAY + timedelta(days=1)
    change(ctx, lesson, starts_at=later, ends_at=later + timedelta(minutes=45))
    assert set(keys(ctx, "cancelled")) == ladder(cast, lesson, 0)
    assert set(keys(ctx)) == ladder(cast, lesson, 1, day="2023-10-05")
    soon = [due for kind, due, at in rows(ctx, "kind", "due_at", "state") if kind == "soon"]
    assert soon == [WEDNESDAY - timedelta(minutes=10), later - timedelta(minutes=10)]


def test_another_teacher_gets_the_reminders_of_the_one_before(ctx, cast, lesson):
    change(ctx, lesson, teacher_id=cast["teacher2"])
    steps = {f"{lesson}:0:{cast['person_teacher1']}:{k}:mail" for k in ("hour_before", "soon")}
    assert set(keys(ctx, "cancelled")) == steps
    own_day = f"day:{cast['person_teacher1']}:2023-10-04:day_before:mail"
    assert set(keys(ctx)) - {own_day} == ladder(cast, lesson, 1, "person_teacher2")


def test_a_cancelled_lesson_reminds_nobody(ctx, cast, lesson):
    change(ctx, lesson, state=LessonState.CANCELLED)
    assert states(ctx) == {"cancelled": 4}


def test_replanning_leaves_other_lessons_alone(ctx, cast, lesson):
    other = book(ctx, cast, WEDNESDAY + timedelta(hours=2), "8B", "teacher2")
    replan(ctx, other)
    change(ctx, lesson, state=LessonState.CANCELLED)
    assert states(ctx) == {"planned": 4, "cancelled": 4}


def test_who_stopped_reminders_or_left_is_not_planned_for(ctx, cast):
    people = tables.persons
    write(ctx, people, people.c.id == cast["person_teacher1"], reminders=False)
    write(ctx, people, people.c.id == cast["person_schoolA"], active=False)
    assert replan(ctx, book(ctx, cast, WEDNESDAY)) == 0


def test_replanning_asks_as_much_of_the_database_for_three_lessons_as_for_one(ctx, cast, queries):
    one = book(ctx, cast, WEDNESDAY)
    replan(ctx, book(ctx, cast, WEDNESDAY + timedelta(days=3)))
    more = [book(ctx, cast, WEDNESDAY + timedelta(days=n)) for n in (1, 2)]
    with queries() as first:
        replan(ctx, one)
    with queries() as second:
        replan(ctx, one, *more)
    assert second.count == first.count


def test_one_press_stops_reminders_and_another_brings_them_back(ctx, cast, lesson, clock):
    post = Post()
    clock.at = WEDNESDAY - timedelta(hours=20)
    outbox.send_due(ctx, post)
    token = stop_token(post, "teacher1@x.example")
    assert reminders.describe_stop(ctx, token).stopped is False
    assert reminders.stop(ctx, token) == reminders.StopNotice(
        "Cô teacher1", "teacher1@x.example", "vi", stopped=True
    )
    assert reminders.stop(ctx, token) == reminders.describe_stop(ctx, token)
    assert states(ctx) == {"sent": 2, "cancelled": 2}
    clock.at = WEDNESDAY - timedelta(minutes=10)
    assert outbox.send_due(ctx, Post()).fates == {}
    assert reminders.start(ctx, token).stopped is False
    assert states(ctx) == {"sent": 2, "planned": 1, "cancelled": 1}
    assert outbox.send_due(ctx, Post()).fates == {outbox.Fate.SENT: 1}


def test_a_link_to_stop_that_is_not_ours_stops_nothing(ctx, cast, lesson, clock):
    clock.at = WEDNESDAY - timedelta(hours=20)
    post = Post()
    outbox.send_due(ctx, post)
    token = stop_token(post, "schoola@x.example")
    clock.forward(days=366)
    for odd in ("", "x", token[:-2], token):  # the last one is too old by now
        with pytest.raises(NotFound):
            reminders.describe_stop(ctx, odd)
        with pytest.raises(NotFound):
            reminders.stop(ctx, odd)
