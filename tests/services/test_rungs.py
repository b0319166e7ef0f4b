"""The last rungs of a call for cover: the lesson moves, or its class joins another one."""

import threading
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.cover import CallEnd
from scheduler.domain.lessons import Deed, LessonState
from scheduler.errors import Conflict, NotAllowed, NotFound
from scheduler.services import joins, pins, rungs, sending
from scheduler.services import lessons as life
from scheduler.services.joins import CalledOff, Go, NotYet
from scheduler.store import history, tables
from tests.faults.kit import Post, book, change, replan, states, write
from tests.standins import WEDNESDAY, call, calls, cannot, get, join, put
from tests.standins import neighbour as neighbouring

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
THURSDAY = date(2023, 10, 5)
FIRST, SECOND, THIRD = 450, 505, 560  # the bells of the school


@pytest.fixture
def lesson(ctx, cast):
    made = book(ctx, cast, WEDNESDAY)
    replan(ctx, made)
    return made


@pytest.fixture
def sought(ctx, cast, lesson):
    """A lesson that looks for cover, which nobody may be asked to give."""
    cannot(ctx, cast, lesson)
    return lesson


@pytest.fixture
def neighbour(ctx, cast):
    """Class 7B of the same school and level; its lesson, by teacher 2, is an hour later."""
    return neighbouring(ctx, cast, WEDNESDAY + HOUR)


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


@pytest.fixture
def actor(cast):
    return cast.actors["coordinator"]


def texts(ctx, clock):
    """What everybody is sent within the next quarter of an hour."""
    clock.forward(minutes=15)
    post = Post()
    sending.send_due(ctx, post)
    found = {}
    for message in post.arrived:
        body = message.get_body(("plain",)).get_content()
        found.setdefault(message["To"].addresses[0].addr_spec, []).append(body)
    return {who: "\n".join(bodies) for who, bodies in found.items()}


def deeds(ctx, lesson):
    with ctx.reading() as db:
        return [version.deed for version in history.of_lesson(db, lesson)]


def audited(ctx):
    with ctx.reading() as db:
        return list(db.scalars(sa.select(tables.audits.c.action).order_by(tables.audits.c.id)))


# -- another time


def test_the_ways_tell_each_time_of_the_week_with_what_stands_in_the_way(ctx, cast, actor, sought):
    late = join(ctx, cast, "late")
    write(ctx, tables.pledges, tables.pledges.c.teacher_id == cast["teacher1"], max_per_week=1)
    book(ctx, cast, WEDNESDAY + DAY, "7A", "teacher2")
    found = rungs.ways(ctx, actor, sought)
    told = [
        (x.place.day, x.place.start, x.fits, x.fault.msgid if x.fault else "") for x in found.times
    ]
    crowded = "The class has a lesson of this request on that day already."
    assert told == [
        (THURSDAY, FIRST, False, crowded),
        (THURSDAY - DAY, SECOND, True, ""),
        (THURSDAY, THIRD, False, crowded),
    ]
    able = found.times[1]
    assert able.hindrances == ()
    assert [who.teacher_id for who in able.others] == [
        cast["teacher2"],
        late,
    ]  # who knows the class first
    assert found.hosts == ()


def test_a_lesson_moves_in_its_week_and_all_concerned_hear_of_it(ctx, cast, actor, sought, clock):
    done = rungs.move(ctx, actor, sought, THURSDAY, FIRST)
    assert done.state is LessonState.SCHEDULED
    assert (done.starts_at, done.moved_from) == (WEDNESDAY + DAY, WEDNESDAY)
    assert done.teacher_id == cast["teacher1"]
    assert calls(ctx) == [CallEnd.MOVED]
    assert deeds(ctx, sought)[-1] is Deed.MOVED
    assert audited(ctx)[-1] == "move_lesson"
    told = texts(ctx, clock)
    for who in ("teacher1@x.example", "schoola@x.example"):
        assert "Thứ Năm 05/10 · 07:30–08:15" in told[who]
        assert "trước đây: Thứ Tư 04/10 · 07:30" in told[who]
    assert "Đổi giờ" not in told.get("schoolb@x.example", "")
    (pinned,) = pins.of_term(ctx, actor, cast["term"])
    assert (pinned.pin.lesson_id, pinned.pin.until) == (sought, THURSDAY)


def test_a_lesson_moves_to_another_teacher_who_fits(ctx, cast, actor, sought, clock):
    done = rungs.move(ctx, actor, sought, THURSDAY, THIRD, cast["teacher2"])
    assert (done.teacher_id, done.starts_at) == (
        cast["teacher2"],
        WEDNESDAY + DAY + 110 * HOUR / 60,
    )
    told = texts(ctx, clock)
    assert "Thứ Năm 05/10 · 09:20–10:05" in told["teacher2@x.example"]
    assert "Thứ Tư 04/10 · 07:30" in told["teacher1@x.example"]


def test_a_lesson_moves_to_its_weekly_time_without_a_pin(ctx, cast, actor, sought):
    book(ctx, cast, WEDNESDAY + 8 * DAY)
    rungs.move(ctx, actor, sought, THURSDAY, FIRST)
    assert pins.of_term(ctx, actor, cast["term"]) == ()


@pytest.mark.parametrize(
    ("day", "start", "said"),
    [
        (THURSDAY + DAY, FIRST, "The class did not ask for this time."),
        (THURSDAY + timedelta(days=7), FIRST, "A lesson moves inside its week only."),
        (THURSDAY - DAY, FIRST, "The lesson is at this time already."),
    ],
)
def test_a_lesson_moves_nowhere_else(ctx, cast, actor, sought, day, start, said):
    with pytest.raises(Conflict) as fault:
        rungs.move(ctx, actor, sought, day, start)
    assert fault.value.message.msgid == said
    assert get(ctx, sought).state is LessonState.COVER
    assert call(ctx, sought) is not None


def test_a_lesson_does_not_move_to_a_teacher_who_is_hindered_or_takes_no_part(
    ctx, cast, actor, sought
):
    book(ctx, cast, WEDNESDAY + DAY, "8B", "teacher2")
    with pytest.raises(Conflict) as fault:
        rungs.move(ctx, actor, sought, THURSDAY, FIRST, cast["teacher2"])
    assert fault.value.message.values["name"] == "Cô teacher2"
    (first, *_) = (x for x in rungs.ways(ctx, actor, sought).times if x.place.start == FIRST)
    assert cast["teacher2"] not in [who.teacher_id for who in first.others]
    with pytest.raises(Conflict, match="gives no lessons"):
        rungs.move(ctx, actor, sought, THURSDAY, FIRST, 10_000)


def test_a_lesson_does_not_move_to_a_day_for_which_one_was_called_off(ctx, cast, actor, sought):
    off = book(ctx, cast, WEDNESDAY + DAY)
    life.call_off(ctx, actor, off, "Lớp thi")
    with pytest.raises(Conflict, match="called off"):
        rungs.move(ctx, actor, sought, THURSDAY, THIRD)


def test_what_nobody_looks_for_or_has_begun_does_not_move(ctx, cast, actor, lesson, clock):
    with pytest.raises(Conflict, match="Nobody is looked for"):
        rungs.move(ctx, actor, lesson, THURSDAY, FIRST)
    cannot(ctx, cast, lesson)
    rungs.move(ctx, actor, lesson, THURSDAY, FIRST)
    with pytest.raises(Conflict, match="Nobody is looked for"):
        rungs.move(ctx, actor, lesson, THURSDAY, FIRST)
    clock.at = WEDNESDAY + DAY
    for do in (
        lambda: rungs.move(ctx, actor, lesson, THURSDAY, THIRD),
        lambda: rungs.ways(ctx, actor, lesson),
    ):
        with pytest.raises(Conflict, match="has begun"):
            do()


def test_strangers_know_no_such_lesson_and_others_may_not(ctx, cast, sought, neighbour):
    for do in (
        lambda actor: rungs.ways(ctx, actor, sought),
        lambda actor: rungs.move(ctx, actor, sought, THURSDAY, FIRST),
        lambda actor: rungs.merge(ctx, actor, sought, neighbour),
    ):
        with pytest.raises(NotFound):
            do(cast.actors["stranger"])
        for who in ("teacher1", "schoolA"):
            with pytest.raises(NotAllowed):
                do(cast.actors[who])


# -- together with another class


def test_a_class_joins_a_lesson_and_everybody_hears_where_it_goes(
    ctx, cast, actor, sought, neighbour, clock
):
    done = rungs.merge(ctx, actor, sought, neighbour)
    assert (done.state, done.merged_into_id) == (LessonState.CANCELLED, neighbour)
    assert done.cancel_reason == "Lớp học chung với lớp 7B lúc 08:30, do Cô teacher2 dạy"
    assert get(ctx, neighbour).state is LessonState.SCHEDULED
    assert calls(ctx) == [CallEnd.MERGED]
    assert deeds(ctx, sought)[-1] is Deed.MERGED
    assert audited(ctx)[-1] == "merge_lesson"
    told = texts(ctx, clock)
    where = "Lớp học chung với lớp 7B lúc 08:30"
    assert where in told["teacher1@x.example"]
    assert where in told["schoola@x.example"]
    for who in ("teacher2@x.example", "schoola@x.example"):
        assert "Lớp 7A cũng vào học cùng." in told[who]
    assert where not in told["teacher2@x.example"]
    with pytest.raises(Conflict):
        rungs.merge(ctx, actor, sought, neighbour)


def test_two_classes_that_join_one_lesson_are_both_told(ctx, cast, actor, sought, neighbour, clock):
    cast.ids["request_7C"] = cast["request_7B"]
    with ctx.transaction() as db:
        values = {"name": "7C", "level": "lower_secondary", "pupils": 28}
        cast.ids["7C"] = put(db, "classes", school_id=cast["A"], **values)
    third = book(ctx, cast, WEDNESDAY + 3 * HOUR, "7C", "teacher1")
    cannot(ctx, cast, third)
    rungs.merge(ctx, actor, sought, neighbour)
    rungs.merge(ctx, actor, third, neighbour)
    told = texts(ctx, clock)["teacher2@x.example"]
    assert "Lớp 7A cũng vào học cùng." in told
    assert "Lớp 7C cũng vào học cùng." in told


def test_the_link_of_a_merged_lesson_leads_to_the_room_of_its_host(
    ctx, cast, actor, sought, neighbour, clock
):
    rungs.merge(ctx, actor, sought, neighbour)
    links = {x: get(ctx, x).join_token for x in (sought, neighbour)}
    early = joins.open_room(ctx, links[sought])
    assert isinstance(early, NotYet)
    assert early.lesson.id == neighbour
    clock.at = WEDNESDAY + HOUR - timedelta(minutes=15)
    door = joins.open_room(ctx, links[sought])
    assert isinstance(door, Go)
    assert door == joins.open_room(ctx, links[neighbour])
    life.call_off(ctx, actor, neighbour, "Mất điện")
    shut = joins.open_room(ctx, links[sought])
    assert isinstance(shut, CalledOff)
    assert (shut.lesson.id, shut.reason) == (neighbour, "Mất điện")


def test_a_class_joins_no_lesson_that_cannot_have_it(ctx, cast, actor, sought, neighbour):
    elsewhere = book(ctx, cast, WEDNESDAY + 2 * HOUR, "8B", "teacher2")
    tomorrow = book(ctx, cast, WEDNESDAY + DAY, "7B", "teacher2")
    for other in (elsewhere, tomorrow, sought, 10_000):
        with pytest.raises(NotFound):
            rungs.merge(ctx, actor, sought, other)
    write(ctx, tables.classes, tables.classes.c.id == cast["7B"], level="primary")
    with pytest.raises(NotFound):
        rungs.merge(ctx, actor, sought, neighbour)
    write(ctx, tables.classes, tables.classes.c.id == cast["7B"], level="lower_secondary")
    twin = book(ctx, cast, WEDNESDAY + HOUR + timedelta(minutes=30))
    (host,) = rungs.ways(ctx, actor, sought).hosts
    assert (host.lesson.id, host.fault.msgid) == (neighbour, "The class is in another lesson then.")
    with pytest.raises(Conflict, match="in another lesson then"):
        rungs.merge(ctx, actor, sought, neighbour)
    life.call_off(ctx, actor, twin, "Lớp thi")
    assert rungs.merge(ctx, actor, sought, neighbour).merged_into_id == neighbour


def test_a_class_joins_no_lesson_whose_teacher_cannot_come(ctx, cast, actor, sought, neighbour):
    change(ctx, neighbour, teacher_id=cast["teacher1"])
    cannot(ctx, cast, neighbour)
    with pytest.raises(Conflict, match="cannot come either"):
        rungs.merge(ctx, actor, sought, neighbour)
    assert get(ctx, sought).merged_into_id is None


def test_a_lesson_that_another_class_joins_stays(ctx, cast, actor, sought, neighbour):
    change(ctx, neighbour, teacher_id=cast["teacher1"])
    late = book(ctx, cast, WEDNESDAY + 3 * HOUR, "7A", "teacher2")
    rungs.merge(ctx, actor, sought, neighbour)
    cannot(ctx, cast, neighbour)
    with pytest.raises(Conflict, match="Another class joins"):
        rungs.merge(ctx, actor, neighbour, late)


def test_two_coordinators_at_once_merge_or_move_a_lesson_once(ctx, cast, actor, sought, neighbour):
    """One of the two wins, and the other hears that nobody is looked for any more."""
    done, gate = [], threading.Barrier(2)

    def run(act):
        gate.wait()
        try:
            act()
            done.append("done")
        except Conflict:
            done.append("refused")

    acts = (
        lambda: rungs.merge(ctx, actor, sought, neighbour),
        lambda: rungs.move(ctx, actor, sought, THURSDAY, FIRST),
    )
    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["done", "refused"]
    assert len([x for x in audited(ctx) if x in ("merge_lesson", "move_lesson")]) == 1
    found = get(ctx, sought)
    assert (found.merged_into_id is None) is (found.state is LessonState.SCHEDULED)
