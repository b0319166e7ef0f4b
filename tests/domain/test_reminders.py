"""The ladder of reminders: who is told what, when, and until when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduler.domain import reminders
from scheduler.domain.choices import Choices
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.messages import Channel, MessageKind, MessageState, NewMessage
from scheduler.domain.people import HalfDay
from scheduler.domain.reminders import LADDER, Reader, Side, Standing

NOW = datetime(2023, 10, 1, tzinfo=UTC)
START = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)
LESSON = Lesson(
    id=1, uid="u", join_token="j", programme_id=1, request_id=1, class_id=1, class_name="7A",
    school_id=1, school_name="THCS A", school_district="Lục Yên", teacher_id=1,
    teacher_name="Cô Lan", teacher_person_id=11, donor_school="THCS Ái Mộ",
    state=LessonState.SCHEDULED, starts_at=START,
    ends_at=START + timedelta(minutes=45), zone="Asia/Ho_Chi_Minh", half_day=HalfDay.MORNING,
    period=1, sequence=2, created_at=NOW, changed_at=NOW, moved_from=None, cancel_reason="",
    cancelled_by="", meeting_url=None,
)  # fmt: skip
LATER = replace(LESSON, id=2, starts_at=START + timedelta(hours=5))
KINDS = {MessageKind.DAY_BEFORE, MessageKind.HOUR_BEFORE, MessageKind.SOON}


def reader(*lessons, side=Side.TEACHER, zone=None, confirmed=(), **chosen):
    pairs = tuple((lesson, side) for lesson in lessons or (LESSON,))
    return Reader(11, Choices(**chosen), Channel.MAIL, zone, pairs, frozenset(confirmed))


def plan(*lessons, now=NOW, **more):
    return reminders.planned(reader(*lessons, **more), now)


def test_a_teacher_has_one_reminder_for_the_day_and_two_before_the_lesson():
    found = plan()
    assert [(m.key, m.useless_after) for m in found] == [
        ("day:11:2023-10-04:day_before:mail", START - timedelta(hours=2)),
        ("1:2:11:hour_before:mail", START - timedelta(minutes=15)),
        ("1:2:11:soon:mail", START),
    ]
    assert found[0].payload == {"day": "2023-10-04", "side": "teacher", "zone": "Asia/Ho_Chi_Minh"}
    assert found[2] == NewMessage(
        key="1:2:11:soon:mail",
        kind=MessageKind.SOON,
        person_id=11,
        due_at=START - timedelta(minutes=10),
        useless_after=START,
        lesson_id=1,
        sequence=2,
        programme_id=1,
    )


def test_a_day_with_two_lessons_has_one_reminder_by_the_first_and_until_the_last():
    both = [m for m in plan(LESSON, LATER) if m.kind is MessageKind.DAY_BEFORE]
    (alone,) = [m for m in plan() if m.kind is MessageKind.DAY_BEFORE]
    assert [(m.due_at, m.useless_after) for m in both] == [
        (alone.due_at, LATER.starts_at - timedelta(hours=2))
    ]


def test_a_school_has_one_reminder_a_day():
    assert [m.kind for m in plan(LESSON, LATER, side=Side.SCHOOL)] == [MessageKind.DAY_BEFORE]


@pytest.mark.parametrize("state", [LessonState.CANCELLED, LessonState.HELD, LessonState.NOT_HELD])
def test_nobody_is_reminded_of_what_does_not_come(state):
    assert plan(replace(LESSON, state=state)) == ()


def test_who_waits_for_cover_is_still_reminded():
    assert len(plan(replace(LESSON, state=LessonState.COVER))) == 3


@pytest.mark.parametrize(
    ("before", "kinds"),
    [
        (timedelta(hours=2), {MessageKind.HOUR_BEFORE, MessageKind.SOON}),
        (timedelta(hours=2, seconds=1), KINDS),
        (timedelta(minutes=15), {MessageKind.SOON}),
        (timedelta(0), set()),
        (timedelta(days=8), set()),
    ],
)
def test_what_is_useless_already_or_far_ahead_is_not_planned(before, kinds):
    assert {m.kind for m in plan(now=START - before)} == kinds


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_was_not_chosen_is_not_planned(kind):
    assert {m.kind for m in plan(**{kind.value: False})} == KINDS - {kind}


def test_who_has_confirmed_hears_no_more_of_the_lesson():
    assert plan(confirmed=[1]) == ()
    kinds = [m.kind for m in plan(confirmed=[1], after_confirming=True)]
    assert kinds == [MessageKind.SOON]
    kept = plan(LESSON, LATER, confirmed=[1])
    assert {m.lesson_id for m in kept if m.lesson_id} == {2}
    assert plan(side=Side.SCHOOL, confirmed=[1]) != ()


@pytest.mark.parametrize("rung", LADDER)
def test_reminders_are_spread_over_their_whole_window_the_same_each_time(rung):
    keys = [f"{n}:0:1:{rung.kind}:mail" for n in range(1000)]
    dues = [reminders.due(rung, START, key) for key in keys]
    assert dues == [reminders.due(rung, START, key.replace("mail", "sms")) for key in keys]
    assert START - rung.earliest <= min(dues) <= max(dues) <= START - rung.latest
    window = rung.earliest - rung.latest
    assert max(dues) - min(dues) >= window * 0.98
    tenth = START - rung.earliest + window / 10
    assert not window or 60 <= sum(due < tenth for due in dues) <= 140


def test_the_week_to_come_is_told_on_sunday_evening_until_monday_noon():
    sunday = datetime(2023, 10, 8, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
    next_week = replace(LESSON, starts_at=START + timedelta(days=7))
    (found,) = reminders.digests(reader(next_week), NOW)
    assert found.key == "week:11:2023-10-09:digest:mail"
    assert found.payload["days"] == 7
    assert sunday.replace(hour=17) <= found.due_at <= sunday.replace(hour=19)
    assert found.useless_after == sunday.replace(hour=12) + timedelta(days=1)
    assert reminders.digests(reader(next_week, digest=False), NOW) == ()
    assert reminders.digests(reader(next_week), found.useless_after) == ()


def test_a_day_is_the_one_on_the_readers_own_wall():
    (day, *_) = plan(zone="America/New_York")
    assert day.key == "day:11:2023-10-03:day_before:mail"
    begins, ends, _ = reminders.day_of(day.payload)
    assert begins <= START < ends
    assert begins == datetime(2023, 10, 3, tzinfo=ZoneInfo("America/New_York"))


# -- what is planned already


def standing(message, state=MessageState.PLANNED, waiting=True, number=5, **other):
    values = {
        "key": message.key, "kind": message.kind, "due_at": message.due_at,
        "useless_after": message.useless_after, "payload": message.payload,
    } | other  # fmt: skip
    return Standing(id=number, state=state, waiting=waiting, **values)


def settle(wanted, *rows):
    return reminders.revised(wanted, rows, NOW)


def test_what_is_planned_as_wanted_stays():
    day = plan()[:1]
    assert settle(day, standing(day[0])) == reminders.Revised((), (), ())
    assert settle(day).new == day


def test_a_waiting_reminder_keeps_the_earlier_time_and_the_later_end():
    (day, *_) = plan()
    hour = timedelta(hours=1)
    row = standing(day, due_at=day.due_at + hour, useless_after=day.useless_after + hour)
    assert settle([day], row).changed == (
        (5, replace(day, useless_after=day.useless_after + hour)),
    )


@pytest.mark.parametrize("state", ["sent", "failed", "expired", "unknown"])
def test_what_went_out_is_not_told_anew_on_any_way(state):
    (day, *_) = plan()
    other = replace(day, key=day.key.replace("mail", "push"), channel=Channel.PUSH)
    assert settle([other], standing(day, MessageState(state))) == reminders.Revised((), (), ())
    begun = standing(day, MessageState.LEASED, waiting=False)
    assert settle([day], begun) == reminders.Revised((), (), ())


def test_another_way_takes_the_place_of_the_one_planned_before():
    (day, *_) = plan()
    other = replace(day, key=day.key.replace("mail", "push"), channel=Channel.PUSH)
    assert settle([other], standing(day)) == reminders.Revised((other,), (), (5,))


def test_what_was_cancelled_and_is_wanted_again_comes_again():
    (day, *_) = plan()
    assert settle([day], standing(day, MessageState.CANCELLED)).changed == ((5, day),)


def test_what_nothing_asks_for_any_more_is_cancelled():
    (day, *_) = plan()
    assert settle([], standing(day)).void == (5,)
    assert settle([], standing(day, kind=MessageKind.DIGEST)).void == ()
    far = standing(day, useless_after=NOW + timedelta(days=9))
    assert settle([], far).void == ()
