"""Both sides check in, once each, and coordinators see who is missing while the lesson runs."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.checkins import Presence
from scheduler.domain.lessons import LessonState
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Report
from scheduler.errors import Conflict, NotFound
from scheduler.security import Purpose
from scheduler.services import checkins, links, reports, sending, sides
from scheduler.store import checkins as rows
from scheduler.store import lessons, tables
from tests.faults.kit import Post, book, write
from tests.planning import A1, draft, publish, timetable

START = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
IN, AWAITED, MISSING = Presence


@pytest.fixture
def lesson(ctx, cast, clock):
    made = book(ctx, cast, START)
    clock.at = START
    return made


def come(ctx, cast, lesson, who="teacher1"):
    return checkins.check_in(ctx, sides.of_actor(ctx, cast.actors[who], lesson)).arrived


def shown(ctx, cast):
    """The lessons of the board: how it stands with the teacher and with the school, and red."""
    return [
        (x.lesson.id, x.sides[Side.TEACHER], x.sides[Side.SCHOOL], x.red)
        for x in checkins.board(ctx, cast.actors["coordinator"])
    ]


def test_the_first_of_a_side_counts(ctx, cast, lesson, clock):
    first = {Side.TEACHER: START}
    assert come(ctx, cast, lesson) == first
    clock.forward(minutes=5)
    assert come(ctx, cast, lesson) == first
    assert come(ctx, cast, lesson, "schoolA") == first | {Side.SCHOOL: START + 5 * MINUTE}
    with ctx.reading() as db:
        assert db.scalars(sa.select(tables.audits.c.action)).all() == ["check_in", "check_in"]


@pytest.mark.parametrize(
    ("at", "why"),
    [(START - 15 * MINUTE - MINUTE / 60, "15 minutes"), (START + 45 * MINUTE, "is over")],
)
def test_nobody_checks_in_before_the_doors_open_or_after_the_end(ctx, cast, lesson, clock, at, why):
    clock.at = at
    with pytest.raises(Conflict, match=why):
        come(ctx, cast, lesson)


@pytest.mark.parametrize("at", [START - 15 * MINUTE, START + 45 * MINUTE - MINUTE / 60])
def test_from_15_minutes_before_until_the_end_one_checks_in(ctx, cast, lesson, clock, at):
    clock.at = at
    assert come(ctx, cast, lesson) == {Side.TEACHER: at}


def test_nobody_checks_in_to_a_lesson_that_is_called_off(ctx, cast, lesson):
    write(ctx, tables.lessons, tables.lessons.c.id == lesson, state=LessonState.CANCELLED)
    with pytest.raises(Conflict, match="called off"):
        come(ctx, cast, lesson)
    assert shown(ctx, cast) == []


def test_a_link_checks_its_own_side_in(ctx, cast, lesson):
    with ctx.reading() as db:
        found = lessons.get(db, lesson)
    for side, who in ((Side.TEACHER, "person_teacher1"), (Side.SCHOOL, "person_schoolA")):
        token = links.check_in_url(ctx, found, side, cast[who]).rpartition("/")[2]
        speaker = sides.of_link(ctx, Purpose.CHECK_IN, token)
        assert checkins.attendance(ctx, speaker).arrived.get(side) is None
        assert checkins.check_in(ctx, speaker).arrived[side] == START
    token = links.check_in_url(ctx, found, Side.TEACHER, cast["person_teacher2"])
    with pytest.raises(NotFound):
        checkins.check_in(ctx, sides.of_link(ctx, Purpose.CHECK_IN, token.rpartition("/")[2]))


def test_a_stranger_checks_nobody_in(ctx, cast, lesson):
    for who in ("teacher2", "schoolB", "stranger"):
        with pytest.raises(NotFound):
            come(ctx, cast, lesson, who)


def test_the_board_turns_red_three_minutes_after_the_start(ctx, cast, lesson, clock):
    clock.at = START - 15 * MINUTE - MINUTE / 60
    assert shown(ctx, cast) == []
    clock.at = START - 15 * MINUTE
    assert shown(ctx, cast) == [(lesson, AWAITED, AWAITED, False)]
    come(ctx, cast, lesson)
    clock.at = START + 3 * MINUTE - MINUTE / 60
    assert shown(ctx, cast) == [(lesson, IN, AWAITED, False)]
    clock.at = START + 3 * MINUTE
    assert shown(ctx, cast) == [(lesson, IN, MISSING, True)]
    come(ctx, cast, lesson, "schoolA")
    assert shown(ctx, cast) == [(lesson, IN, IN, False)]
    clock.at = START + 45 * MINUTE
    assert shown(ctx, cast) == []


def test_the_board_shows_what_is_missing_first(ctx, cast, lesson, clock):
    later = book(ctx, cast, START + 10 * MINUTE, klass="8B", teacher="teacher2")
    clock.at = START + 5 * MINUTE
    come(ctx, cast, lesson)
    come(ctx, cast, lesson, "schoolA")
    clock.at = START + 13 * MINUTE
    assert [x[0] for x in shown(ctx, cast)] == [later, lesson]


def test_a_lesson_that_its_sides_have_told_of_leaves_the_board(ctx, cast, lesson, clock):
    clock.forward(minutes=5)
    for who in ("teacher1", "schoolA"):
        reports.report(ctx, sides.of_actor(ctx, cast.actors[who], lesson), Report(held=True))
    assert shown(ctx, cast) == []


def test_only_coordinators_see_the_board_and_each_their_own(ctx, cast, lesson):
    assert checkins.board(ctx, cast.actors["stranger"]) == ()
    for who in ("teacher1", "schoolA"):
        with pytest.raises(NotFound):
            checkins.board(ctx, cast.actors[who])


def test_the_mail_ten_minutes_before_leads_there(ctx, cast, clock):
    publish(ctx, cast, draft(ctx, cast, A1))
    clock.at = START - 10 * MINUTE
    post = Post()
    sending.send_due(ctx, post)
    found = [x for x in post.arrived if "/c/" in str(x.get_body(("plain",)).get_content())]
    told = [x.get_body(("plain",)).get_content() for x in found]
    tokens = [re.search(r"/c/(\S+)", each)[1] for each in told]
    sides_told = {sides.of_link(ctx, Purpose.CHECK_IN, token).side for token in tokens}
    assert Side.TEACHER in sides_told
    for token in tokens:
        checkins.check_in(ctx, sides.of_link(ctx, Purpose.CHECK_IN, token))
    (lesson,) = timetable(ctx, cast)
    with ctx.reading() as db:
        arrived = rows.of_lessons(db, [lesson.id])[lesson.id]
    assert arrived.keys() == sides_told
