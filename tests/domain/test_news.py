"""What changed for a reader: the difference between what they knew and what is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scheduler.domain import news
from scheduler.domain.lessons import LessonState
from scheduler.domain.messages import Channel
from scheduler.domain.news import Entry, Gathering, News, What
from scheduler.domain.reminders import Side
from tests.domain.test_reminders import LESSON, NOW, START

DAY = timedelta(days=1)
MINE, HOSTED = Entry(1, Side.TEACHER, was=START), Entry(1, Side.SCHOOL, was=START, teacher="Cô Lan")
FRESH = Entry(1, Side.TEACHER)
OFF = replace(LESSON, state=LessonState.CANCELLED)
MOVED = replace(LESSON, starts_at=START + DAY)
PASSED_ON = replace(LESSON, teacher_person_id=99, teacher_name="Thầy Nam")


@pytest.mark.parametrize(
    ("entry", "lesson", "told"),
    [
        (FRESH, LESSON, News.NEW),
        (FRESH, MOVED, News.NEW),
        (FRESH, OFF, None),
        (FRESH, PASSED_ON, None),
        (MINE, LESSON, None),
        (MINE, MOVED, News.MOVED),
        (MINE, PASSED_ON, News.GIVEN_AWAY),
        (MINE, OFF, News.CALLED_OFF),
        (MINE, replace(LESSON, state=LessonState.HELD), None),
        (HOSTED, PASSED_ON, News.OTHER_TEACHER),
        (HOSTED, replace(PASSED_ON, starts_at=START + DAY), News.MOVED),
        (HOSTED, LESSON, None),
        (HOSTED, OFF, News.CALLED_OFF),
    ],
)
def test_the_difference_is_told(entry, lesson, told):
    assert news.told(entry, lesson, 11) is told


def test_what_was_called_off_so_late_that_its_own_message_told_it_is_not_told_twice():
    late = replace(OFF, cancel_reason="Bão", changed_at=START - DAY)
    assert news.told(MINE, late, 11) is None
    assert news.told(MINE, replace(late, changed_at=START - 2 * DAY), 11) is News.CALLED_OFF
    assert news.told(MINE, replace(late, cancel_reason=""), 11) is News.CALLED_OFF


def test_an_offer_is_one_only_while_the_lesson_looks_for_cover():
    offered = Entry(1, Side.TEACHER, What.OFFERED)
    wanting = replace(LESSON, state=LessonState.COVER)
    assert news.told(offered, wanting, 99) is News.OFFERED
    assert news.told(offered, wanting, 11) is None
    assert news.told(offered, LESSON, 99) is None
    assert news.told(Entry(1, Side.TEACHER, What.THANKED), LESSON, 11) is News.THANKED


def test_what_the_reader_knew_first_counts_when_news_is_gathered():
    first = Gathering((MINE,), ("publication:1",))
    second = Gathering((replace(MINE, was=START + DAY), HOSTED), ("publication:2",))
    both = first.with_(second)
    assert both == Gathering((MINE, HOSTED), ("publication:1", "publication:2"))
    assert news.read(both.payload()) == both


def test_a_message_from_before_news_was_gathered_still_reads():
    old = news.read({"side": "school", "lessons": [[1, "added"], [2, "moved"]]})
    assert old == Gathering((Entry(1, Side.SCHOOL), Entry(2, Side.SCHOOL, was=news.LONG_AGO)), ())


@pytest.mark.parametrize(
    ("ahead", "wait"),
    [
        (timedelta(hours=3), timedelta(0)),
        (timedelta(hours=3, seconds=1), timedelta(minutes=15)),
        (-timedelta(minutes=10), timedelta(0)),
    ],
)
def test_news_is_gathered_for_a_while_unless_a_lesson_is_near(ahead, wait):
    assert news.due([NOW + 9 * DAY, NOW + ahead], NOW) == NOW + wait


def test_an_offer_ends_with_its_deadline_and_is_not_gathered():
    deadline = NOW + timedelta(hours=4)
    (found,) = news.offer(LESSON, {99: Channel.MAIL}, 1, deadline, NOW)
    assert (found.due_at, found.useless_after) == (NOW, deadline)
    assert news.read(found.payload).causes == ()


def test_calling_off_late_tells_at_once_until_the_lesson_would_be_over():
    off = replace(LESSON, state=LessonState.CANCELLED, sequence=3)
    found = news.called_off(off, {11: (Channel.MAIL,), 12: (Channel.SMS,)}, NOW)
    assert [(m.key, m.due_at, m.useless_after) for m in found] == [
        ("1:3:11:called_off:mail", NOW, LESSON.ends_at),
        ("1:3:12:called_off:sms", NOW, LESSON.ends_at),
    ]
    assert news.is_late(LESSON, START - DAY)
    assert not news.is_late(LESSON, START - DAY - timedelta(seconds=1))
