"""What a class did last time reaches whoever teaches it next, and nobody else."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.briefs import LONGEST, Brief
from scheduler.domain.lessons import LessonState
from scheduler.domain.people import Level
from scheduler.domain.reminders import Side
from scheduler.errors import Conflict, Invalid, NotFound
from scheduler.services import briefs, sides
from scheduler.store import tables
from tests.faults.kit import book, write

START = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)
WEEK = timedelta(weeks=1)
TOLD = Brief("Unit 3", "28–29", "Từ mới về gia đình", "Bài nghe trang 30")


@pytest.fixture
def lesson(ctx, cast):
    return book(ctx, cast, START)


def leave(ctx, cast, lesson, brief=TOLD, who="teacher1"):
    return briefs.write(ctx, sides.of_actor(ctx, cast.actors[who], lesson), brief)


def test_the_next_teacher_of_the_class_reads_the_last_brief(ctx, cast, lesson):
    leave(ctx, cast, lesson)
    book(ctx, cast, START + WEEK / 2)  # of which nothing was written
    following = book(ctx, cast, START + WEEK, teacher="teacher2")
    found = briefs.of_lesson(ctx, cast.actors["teacher2"], following)
    assert (found.lesson.class_name, found.level) == ("7A", Level.LOWER_SECONDARY)
    assert found.own is None
    assert found.last is not None
    assert (found.last.brief, found.last.by_name) == (TOLD, "Cô teacher1")
    assert found.last.starts_at == START


def test_what_was_not_taught_and_what_comes_later_tells_nothing(ctx, cast, lesson):
    later = book(ctx, cast, START + WEEK)
    leave(ctx, cast, lesson)
    leave(ctx, cast, later, Brief(done="sau"))
    assert briefs.of_lesson(ctx, cast.actors["teacher1"], lesson).last is None
    for state in (LessonState.CANCELLED, LessonState.NOT_HELD):
        write(ctx, tables.lessons, tables.lessons.c.id == lesson, state=state)
        assert briefs.of_lesson(ctx, cast.actors["teacher1"], later).last is None


def test_another_class_has_another_book(ctx, cast, lesson):
    leave(ctx, cast, lesson)
    other = book(ctx, cast, START + WEEK, klass="8B")
    assert briefs.of_lesson(ctx, cast.actors["teacher1"], other).last is None


def test_a_brief_is_written_anew_and_the_same_twice_is_once(ctx, cast, lesson):
    leave(ctx, cast, lesson, Brief(done="nháp"))
    for _ in range(2):
        found = leave(ctx, cast, lesson, Brief(TOLD.unit, " 28–29\n", TOLD.done, TOLD.next))
    assert found.own is not None
    assert found.own.brief == TOLD
    with ctx.reading() as db:
        assert db.scalars(sa.select(tables.audits.c.action)).all() == ["write_brief"] * 2


def test_who_stands_in_reads_what_the_former_teacher_left(ctx, cast, lesson):
    leave(ctx, cast, lesson)
    rows = tables.lessons
    write(ctx, rows, rows.c.id == lesson, teacher_id=cast["teacher2"])
    found = briefs.of_speaker(ctx, sides.of_actor(ctx, cast.actors["teacher2"], lesson))
    assert found.own is not None
    assert found.own.brief == TOLD
    with pytest.raises(NotFound):
        leave(ctx, cast, lesson)


def test_a_brief_that_is_too_long_is_refused_and_one_that_fills_its_field_kept(ctx, cast, lesson):
    for field in LONGEST:
        check_length(ctx, cast, lesson, field)


def check_length(ctx, cast, lesson, field):
    full = Brief(**{field: "ữ" * LONGEST[field]})
    assert leave(ctx, cast, lesson, full).own.brief == full
    with pytest.raises(Invalid) as fault:
        leave(ctx, cast, lesson, Brief(**{field: "x" * (LONGEST[field] + 1)}))
    assert set(fault.value.fields) == {field}


def test_a_brief_says_something_that_can_be_kept(ctx, cast, lesson):
    for brief in (Brief(), Brief(done=" \n"), Brief(done="a\0b")):
        with pytest.raises(Invalid):
            leave(ctx, cast, lesson, brief)


def test_lines_are_joined_where_there_is_room_for_some(ctx, cast, lesson):
    told = Brief(done="Từ mới\r\n\r\nvề gia đình", next="Bài nghe\ntrang 30")
    kept = leave(ctx, cast, lesson, told).own.brief
    assert (kept.done, kept.next) == ("Từ mới về gia đình", "Bài nghe trang 30")
    with pytest.raises(Invalid) as fault:
        leave(ctx, cast, lesson, Brief(unit="Unit\n3", pages="1\n2"))
    assert set(fault.value.fields) == {"unit", "pages"}


def test_nobody_but_the_teacher_writes(ctx, cast, lesson):
    with pytest.raises(NotFound):
        leave(ctx, cast, lesson, who="schoolA")
    coordinator = sides.of_actor(ctx, cast.actors["coordinator"], lesson, Side.TEACHER)
    with pytest.raises(NotFound):
        briefs.write(ctx, coordinator, TOLD)
    for who in ("teacher2", "schoolB", "stranger"):
        with pytest.raises(NotFound):
            leave(ctx, cast, lesson, who=who)
        with pytest.raises(NotFound):
            briefs.of_lesson(ctx, cast.actors[who], lesson)


def test_nothing_is_written_of_a_lesson_called_off(ctx, cast, lesson):
    write(ctx, tables.lessons, tables.lessons.c.id == lesson, state=LessonState.CANCELLED)
    with pytest.raises(Conflict):
        leave(ctx, cast, lesson)
