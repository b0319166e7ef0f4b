"""The join link: the same for ever, and right at every moment."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain.lessons import LessonState
from scheduler.errors import NotFound
from scheduler.services import joins

from .seed import MONDAY

TOKEN = "join0001" + "x" * 16
MIDNIGHT = datetime(2023, 10, 2, 17, 0, tzinfo=UTC)  # the end of Monday in Hà Nội


def at(clock, moment: datetime) -> None:
    clock.at = moment


def test_the_room_is_open_from_a_quarter_of_an_hour_before_to_the_end_of_the_day(ctx, world, clock):
    world.lesson("lan", "7A", MONDAY)
    opens = MONDAY - timedelta(minutes=15)
    at(clock, opens - timedelta(seconds=1))
    early = joins.open_room(ctx, TOKEN)
    assert isinstance(early, joins.NotYet)
    assert (early.lesson.starts_at, early.opens_at) == (MONDAY, opens)
    at(clock, opens)
    first = joins.open_room(ctx, TOKEN)
    at(clock, MIDNIGHT - timedelta(seconds=1))
    assert joins.open_room(ctx, TOKEN) == first == joins.Go(first.url)
    at(clock, MIDNIGHT)
    with pytest.raises(NotFound):
        joins.open_room(ctx, TOKEN)


def test_the_usual_room_has_a_name_nobody_guesses_and_each_lesson_its_own(ctx, world, clock):
    world.lesson("lan", "7A", MONDAY)
    world.lesson("minh", "8B", MONDAY)
    at(clock, MONDAY)
    one, two = (joins.open_room(ctx, f"join000{n}" + "x" * 16).url for n in (1, 2))
    assert one != two
    prefix = "https://meet.jit.si/chungtay-"
    assert one.startswith(prefix)
    assert len(one.removeprefix(prefix)) == 32
    assert "00000001" not in one


def test_a_lessons_own_room_goes_before_the_usual_one(ctx, world, clock):
    world.lesson("lan", "7A", MONDAY, meeting_url="https://zoom.example/j/1?pwd=a%7Broom%7D")
    at(clock, MONDAY)
    assert joins.open_room(ctx, TOKEN) == joins.Go("https://zoom.example/j/1?pwd=a%7Broom%7D")


def test_a_lesson_called_off_says_so_until_its_day_is_over(ctx, world, clock):
    world.lesson(
        "lan", "7A", MONDAY, state=LessonState.CANCELLED, cancelled_by="Thầy Tô Hiệu",
        cancel_reason="Bão",
    )  # fmt: skip
    for moment in (MONDAY - timedelta(days=3), MONDAY, MIDNIGHT - timedelta(seconds=1)):
        at(clock, moment)
        off = joins.open_room(ctx, TOKEN)
        assert isinstance(off, joins.CalledOff)
        assert (off.by, off.reason) == ("Thầy Tô Hiệu", "Bão")
    at(clock, MIDNIGHT)
    with pytest.raises(NotFound):
        joins.open_room(ctx, TOKEN)


def test_who_comes_at_the_old_time_learns_the_new_one(ctx, world, clock):
    world.lesson("lan", "7A", MONDAY + timedelta(days=2), moved_from=MONDAY)
    at(clock, MONDAY - timedelta(hours=1))
    assert isinstance(joins.open_room(ctx, TOKEN), joins.NotYet)
    at(clock, MONDAY - timedelta(minutes=10))
    moved = joins.open_room(ctx, TOKEN)
    assert isinstance(moved, joins.Moved)
    assert (moved.moved_from, moved.lesson.starts_at) == (MONDAY, MONDAY + timedelta(days=2))
    at(clock, MONDAY + timedelta(days=2))
    assert isinstance(joins.open_room(ctx, TOKEN), joins.Go)


def test_an_unknown_link_leads_nowhere(ctx, world):
    world.lesson("lan", "7A", MONDAY)
    for token in ("", "x", "join0001" + "y" * 16, "x" * 10_000, "%00", "\0", "ễ", "\ud800"):
        with pytest.raises(NotFound):
            joins.open_room(ctx, token)
