"""The ladder of reminders: who is told what, when, and until when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain import reminders
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.messages import MessageKind, NewMessage
from scheduler.domain.people import HalfDay
from scheduler.domain.reminders import LADDER, Recipient, Side

NOW = datetime(2023, 9, 25, tzinfo=UTC)
START = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)
TEACHER, CONTACT = Recipient(11, Side.TEACHER), Recipient(12, Side.SCHOOL)
LESSON = Lesson(
    id=1, uid="u", join_token="j", programme_id=1, request_id=1, class_id=1, class_name="7A",
    school_id=1, school_name="THCS A", school_district="Lục Yên", teacher_id=1,
    teacher_name="Cô Lan", teacher_person_id=11, donor_school="THCS Ái Mộ",
    state=LessonState.SCHEDULED, starts_at=START,
    ends_at=START + timedelta(minutes=45), zone="Asia/Ho_Chi_Minh", half_day=HalfDay.MORNING,
    period=1, sequence=2, created_at=NOW, changed_at=NOW, moved_from=None, cancel_reason="",
    cancelled_by="", meeting_url=None, pinned=False,
)  # fmt: skip


def plan(lesson=LESSON, people=(TEACHER, CONTACT), now=NOW):
    return reminders.planned([lesson], {lesson.id: people}, now)


def test_the_teacher_has_three_reminders_and_the_school_one():
    found = plan()
    assert [(m.key, m.useless_after) for m in found] == [
        ("1:2:11:day_before:mail", START - timedelta(hours=2)),
        ("1:2:11:hour_before:mail", START - timedelta(minutes=15)),
        ("1:2:11:soon:mail", START),
        ("1:2:12:day_before:mail", START - timedelta(hours=2)),
    ]
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


@pytest.mark.parametrize("state", [LessonState.CANCELLED, LessonState.HELD, LessonState.NOT_HELD])
def test_nobody_is_reminded_of_what_does_not_come(state):
    assert plan(replace(LESSON, state=state)) == ()


def test_who_waits_for_cover_is_still_reminded():
    assert len(plan(replace(LESSON, state=LessonState.COVER))) == 4


@pytest.mark.parametrize(
    ("before", "kinds"),
    [
        (timedelta(hours=2), {MessageKind.HOUR_BEFORE, MessageKind.SOON}),
        (timedelta(hours=2, seconds=1), set(reminders.REMINDERS)),
        (timedelta(minutes=15), {MessageKind.SOON}),
        (timedelta(0), set()),
    ],
)
def test_what_is_useless_already_is_not_planned(before, kinds):
    assert {m.kind for m in plan(now=START - before)} == kinds


@pytest.mark.parametrize("rung", LADDER)
def test_reminders_are_spread_over_their_whole_window_the_same_each_time(rung):
    keys = [f"{n}:0:1:{rung.kind}:mail" for n in range(1000)]
    dues = [reminders.due(rung, START, key) for key in keys]
    assert dues == [reminders.due(rung, START, key) for key in keys]
    assert START - rung.earliest <= min(dues) <= max(dues) <= START - rung.latest
    window = rung.earliest - rung.latest
    assert max(dues) - min(dues) >= window * 0.98
    tenth = START - rung.earliest + window / 10
    assert not window or 60 <= sum(due < tenth for due in dues) <= 140


def test_a_contact_who_teaches_at_her_own_school_is_reminded_once():
    both = (TEACHER, Recipient(TEACHER.person_id, Side.SCHOOL))
    assert [m.kind for m in plan(people=both)] == list(reminders.REMINDERS)


def test_calling_off_tells_everyone_at_once_until_the_lesson_would_be_over():
    off = replace(LESSON, state=LessonState.CANCELLED, sequence=3)
    found = reminders.called_off(off, (TEACHER, CONTACT, TEACHER), NOW)
    assert [(m.key, m.due_at, m.useless_after) for m in found] == [
        ("1:3:11:called_off:mail", NOW, LESSON.ends_at),
        ("1:3:12:called_off:mail", NOW, LESSON.ends_at),
    ]
    assert reminders.called_off(off, (TEACHER,), LESSON.ends_at) == ()
