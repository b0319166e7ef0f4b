"""What a teacher who goes away, and a school that closes, may decide for themselves."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from scheduler.domain.disruptions import Absence, Choice, Closure, Way
from scheduler.domain.intervals import DaySpan
from scheduler.errors import NotAllowed
from scheduler.services import disruptions
from scheduler.store import availability
from tests.planning import A1, WEDNESDAY, draft, publish, timetable

THURSDAY = WEDNESDAY + timedelta(days=1)
ON_WEDNESDAY = DaySpan(WEDNESDAY, WEDNESDAY)


@pytest.fixture
def lesson(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1))
    return timetable(ctx, cast)[0]


def away(cast, who="teacher1"):
    return Absence(cast[who], ON_WEDNESDAY, "Đi công tác")


def choose(ctx, cast, who, disruption, lesson, choice=None):
    actor = cast.actors[who]
    seen = disruptions.preview(ctx, actor, disruption).fingerprint
    choices = {lesson.id: choice} if choice else {}
    return disruptions.apply(ctx, actor, disruption, seen, choices)


@pytest.mark.parametrize("way", [Way.CALL_OFF, Way.MOVE])
def test_a_teacher_who_is_away_moves_no_class_and_calls_nothing_off(ctx, cast, lesson, way):
    with ctx.transaction() as db:  # nobody could stand in
        availability.go_away(db, cast["term"], cast["teacher2"], ON_WEDNESDAY, "Ốm")
    seen = disruptions.preview(ctx, cast.actors["coordinator"], away(cast))
    assert [line.proposal.way for line in seen.lines] == [Way.MOVE]
    with pytest.raises(NotAllowed):
        choose(ctx, cast, "teacher1", away(cast), lesson, Choice(way, THURSDAY, 450))
    done = choose(ctx, cast, "teacher1", away(cast), lesson)
    assert [line.proposal.way for line in done.lines] == [Way.COVER]


def test_a_teacher_who_is_away_may_leave_a_lesson_as_it_is(ctx, cast, lesson):
    done = choose(ctx, cast, "teacher1", away(cast), lesson, Choice(Way.LEAVE))
    assert [line.proposal.way for line in done.lines] == [Way.LEAVE]


def test_a_school_that_closes_chooses_no_teacher(ctx, cast, lesson):
    closed = Closure((cast["A"],), ON_WEDNESDAY, "Bão số 4")
    chosen = Choice(Way.MOVE, THURSDAY, 450, cast["teacher2"])
    with pytest.raises(NotAllowed):
        choose(ctx, cast, "schoolA", closed, lesson, chosen)
    done = choose(ctx, cast, "schoolA", closed, lesson)
    assert [line.proposal.way for line in done.lines] == [Way.MOVE]


def test_a_storm_is_asked_of_the_database_alike_for_one_school_and_two(ctx, cast, lesson):
    counts = []
    for codes in (["A"], ["A", "B"]):
        said = []
        event.listen(ctx.database.reader, "before_cursor_execute", lambda *_, to=said: to.append(1))
        actor = cast.actors["coordinator"]
        storm = disruptions.closure_of(ctx, actor, ON_WEDNESDAY, "Bão", codes=codes)
        disruptions.preview(ctx, actor, storm)
        counts.append(len(said))
    assert counts[0] == counts[1]
