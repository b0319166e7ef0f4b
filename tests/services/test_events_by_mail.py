"""Lessons in a mail are the same events as in the reader's calendar feed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.delivery import ical
from scheduler.domain import calendars as rules
from scheduler.domain.calendars import FeedKey, FeedKind, Owner
from scheduler.domain.choices import Choices
from scheduler.domain.lessons import Handover, Lesson, LessonState
from scheduler.domain.people import HalfDay
from scheduler.locale import Language
from scheduler.services import calendars, sending, waves
from scheduler.services import lessons as use_cases
from scheduler.services.events_by_mail import invitation
from scheduler.store import choices, covers
from tests.faults.kit import Post, states
from tests.services.test_plans import A1, draft, publish, timetable

NOW = datetime(2023, 10, 2, 6, 30, tzinfo=UTC)
BASE, DOMAIN = "https://chungtay.example", "chungtay.example"
SENDER = 'Chung "Tay" Hà Nội <no-reply@chungtay.example>'
TEACHER = Owner(FeedKind.TEACHER, 1, "Cô Lan", 1, teacher_ids=frozenset({1}))
LESSON = Lesson(
    id=1, uid="1", join_token="t", programme_id=1, request_id=1, class_id=1, class_name="7A",
    school_id=1, school_name="THCS Tô Hiệu", school_district="Mù Cang Chải", teacher_id=1,
    teacher_name="Nguyễn Thị Lan", teacher_person_id=1, donor_school="THCS Cầu Giấy",
    state=LessonState.SCHEDULED, starts_at=NOW + timedelta(days=2),
    ends_at=NOW + timedelta(days=2, minutes=45), zone="Asia/Ho_Chi_Minh", half_day=HalfDay.MORNING,
    period=2, sequence=0, created_at=NOW, changed_at=NOW, moved_from=None, cancel_reason="",
    cancelled_by="", meeting_url=None,
)  # fmt: skip
CALLED_OFF = replace(LESSON, state=LessonState.CANCELLED, cancel_reason="Bão; trường đóng cửa")


def away(lesson: Lesson) -> Handover:
    """Somebody else took it over."""
    told = replace(lesson, teacher_id=2, sequence=lesson.sequence + 1)
    return Handover(told, 1, lesson.starts_at, lesson.ends_at, lesson.sequence + 1, NOW)


def made(lessons: Sequence[Lesson], former: Sequence[Handover] = ()) -> bytes | None:
    how = calendars.manner_of_mail(Language.VI, BASE, DOMAIN, own=True)
    return invitation(lessons, former, how, SENDER, NOW)


def parsed(body: bytes | None) -> icalendar.Calendar:
    assert body is not None
    return icalendar.Calendar.from_ical(body)


def events(calendar: icalendar.Calendar) -> dict[str, tuple[object, ...]]:
    """What must agree between mail and feed, by UID."""
    names = ("SEQUENCE", "STATUS", "SUMMARY", "DESCRIPTION", "TRANSP")
    return {
        str(each["UID"]): (
            *(str(each[name]) for name in names),
            each.start,
            each.end,
            each["DTSTAMP"].dt,
        )
        for each in calendar.walk("VEVENT")
    }


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Lesson], list[Handover]]:
    """Lessons in every state, some moved, some given away."""
    lessons, former = [], []
    for n in range(1, draw(st.integers(1, 6)) + 1):
        starts_at = NOW + timedelta(minutes=draw(st.integers(60, 60 * 24 * 200)))
        changed_at = NOW - timedelta(days=draw(st.integers(0, 40)))
        moved = draw(st.booleans())
        lesson = replace(
            LESSON,
            id=n,
            uid=str(n),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=45),
            sequence=draw(st.integers(0, 9)),
            changed_at=changed_at,
            moved_from=starts_at - timedelta(days=1) if moved else None,
            state=draw(st.sampled_from(LessonState)),
            zone=draw(st.sampled_from(["Asia/Ho_Chi_Minh", "Europe/Berlin"])),
        )
        if draw(st.booleans()):
            lessons.append(lesson)
        else:
            former.append(away(lesson))
    return lessons, former


@settings(deadline=None)
@given(histories())
def test_an_event_is_the_same_in_a_mail_and_in_the_feed(history):
    lessons, former = history
    key = FeedKey(FeedKind.TEACHER, 1, "vi")
    showings = rules.showings(TEACHER, lessons, former, rules.week_of(NOW))
    how = calendars.manner(key, BASE, DOMAIN)
    feed = ical.render(calendars.calendar(TEACHER, showings, how))
    told = parsed(made(lessons, former))
    assert events(told) == events(icalendar.Calendar.from_ical(feed))
    found = recurring_ical_events.of(told).between(NOW, NOW + timedelta(days=400))
    assert {str(each["UID"]) for each in found} == events(told).keys()


def test_what_is_given_is_published_without_guests():
    calendar = parsed(made([LESSON]))
    assert str(calendar["METHOD"]) == "PUBLISH"
    (event,) = calendar.walk("VEVENT")
    assert str(event["ORGANIZER"]) == "mailto:no-reply@chungtay.example"
    assert event["ORGANIZER"].params["CN"] == "Chung Tay Hà Nội"
    assert "ATTENDEE" not in event
    assert "X-WR-CALNAME" not in calendar
    assert (str(event["STATUS"]), event["SEQUENCE"]) == ("CONFIRMED", 0)


def test_one_lesson_called_off_is_cancelled():
    calendar = parsed(made([CALLED_OFF]))
    assert str(calendar["METHOD"]) == "CANCEL"
    assert [str(each["STATUS"]) for each in calendar.walk("VEVENT")] == ["CANCELLED"]


def test_one_lesson_given_away_is_cancelled_for_who_gave_it():
    calendar = parsed(made([], [away(LESSON)]))
    assert str(calendar["METHOD"]) == "CANCEL"
    (event,) = calendar.walk("VEVENT")
    assert (str(event["STATUS"]), event["SEQUENCE"]) == ("CANCELLED", 2)
    assert "LOCATION" not in event


def test_many_at_once_are_published_and_each_that_is_off_says_so():
    other = replace(CALLED_OFF, id=2, uid="2")
    for lessons in ([LESSON, other], [CALLED_OFF, other]):  # CANCEL may speak of one event only
        assert str(parsed(made(lessons))["METHOD"]) == "PUBLISH"
    stated = [str(each["STATUS"]) for each in parsed(made([LESSON, other])).walk("VEVENT")]
    assert stated == ["CONFIRMED", "CANCELLED"]


def test_a_lesson_that_came_back_is_given_again():
    calendar = parsed(made([LESSON], [away(LESSON)]))
    assert [str(each["STATUS"]) for each in calendar.walk("VEVENT")] == ["CONFIRMED"]


def test_a_mail_without_lessons_has_no_invitation():
    assert made([]) is None


# -- in the mails of changes


@pytest.fixture
def wanted(ctx, cast):
    """Both teachers want the events of changes; the schools have the usual choices."""
    with ctx.transaction() as db:
        for who in ("teacher1", "teacher2"):
            choices.save(db, cast[f"person_{who}"], Choices(invitations=True))


def told(ctx, clock):
    """What each reader's mail brings for a calendar, a quarter of an hour later; None: nothing.

    The method, and of each event UID, SEQUENCE and STATUS.
    """
    clock.forward(minutes=15)
    post = Post()
    sending.send_due(ctx, post)
    states(ctx)
    return {who: brought(mail) for who, mail in zip(post.recipients, post.arrived, strict=True)}


def brought(mail):
    parts = {part.get_content_type(): part for part in mail.walk()}
    if "text/calendar" not in parts:
        assert "application/ics" not in parts
        return None
    shown, kept = parts["text/calendar"], parts["application/ics"]
    assert shown.get_payload(decode=True) == kept.get_payload(decode=True)
    calendar = parsed(shown.get_payload(decode=True))
    method = str(calendar["METHOD"])
    assert shown["Content-Type"].params["method"] == method
    found = calendar.walk("VEVENT")
    return method, [(str(x["UID"]), x["SEQUENCE"], str(x["STATUS"])) for x in found]


def test_a_new_lesson_comes_with_its_event_for_who_wants_it(ctx, cast, clock, wanted):
    publish(ctx, cast, draft(ctx, cast, A1))
    (lesson,) = timetable(ctx, cast)
    event = (f"lesson-{lesson.uid}@{DOMAIN}", 0, "CONFIRMED")
    assert told(ctx, clock) == {
        "teacher1@x.example": ("PUBLISH", [event]),
        "schoola@x.example": None,
    }


def test_a_lesson_given_away_leaves_one_calendar_and_enters_another(ctx, cast, clock, wanted):
    publish(ctx, cast, draft(ctx, cast, A1))
    _, [(uid, _, _)] = told(ctx, clock)["teacher1@x.example"]
    publish(ctx, cast, draft(ctx, cast, (*A1[:3], "teacher2")))
    found = told(ctx, clock)
    method, [(former_uid, sequence, status)] = found.pop("teacher1@x.example")
    assert (method, former_uid, status) == ("CANCEL", uid, "CANCELLED")
    assert sequence > 0
    method, [(_, _, status)] = found.pop("teacher2@x.example")
    assert (method, status) == ("PUBLISH", "CONFIRMED")
    assert found == {"schoola@x.example": None}


@pytest.mark.parametrize("before", [timedelta(days=2), timedelta(hours=2)])
def test_a_lesson_called_off_leaves_the_calendar(ctx, cast, clock, wanted, before):
    """Early it is told among the news, late in a message of its own."""
    publish(ctx, cast, draft(ctx, cast, A1))
    told(ctx, clock)
    (lesson,) = timetable(ctx, cast)
    clock.at = lesson.starts_at - before
    use_cases.call_off(ctx, cast.actors["schoolA"], lesson.id, "Bão")
    event = (f"lesson-{lesson.uid}@{DOMAIN}", 2, "CANCELLED")
    assert told(ctx, clock) == {
        "teacher1@x.example": ("CANCEL", [event]),
        "schoola@x.example": None,
    }


def test_an_offer_brings_no_event(ctx, cast, clock, wanted):
    publish(ctx, cast, draft(ctx, cast, A1))
    told(ctx, clock)
    (lesson,) = timetable(ctx, cast)
    with ctx.transaction() as db:
        covers.lock(db, lesson.id)
        assert waves.begin(ctx, db, lesson, "sick", cast["person_teacher1"])
    found = told(ctx, clock)
    assert found == dict.fromkeys(["teacher2@x.example", "coordinator@x.example"])


def test_who_did_not_choose_events_gets_none(ctx, cast, clock):
    publish(ctx, cast, draft(ctx, cast, A1))
    assert told(ctx, clock) == {"teacher1@x.example": None, "schoola@x.example": None}
