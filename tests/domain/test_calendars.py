"""Which lessons a calendar shows, for how long, and to whom."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain import calendars
from scheduler.domain.calendars import EntryState, FeedKind, Owner
from scheduler.domain.lessons import Handover, Lesson, LessonState

WEEK = date(2023, 10, 2)
BEGINS = datetime(2023, 10, 2, tzinfo=UTC)
DAY = timedelta(days=1)
PROGRAMME = Owner(FeedKind.PROGRAMME, 1, "P", 1)


def lesson(**values: object) -> Lesson:
    at = values.pop("at", BEGINS)
    base: dict[str, object] = {
        "id": 1, "uid": "u", "join_token": "j", "programme_id": 1,
        "request_id": 1, "class_id": 1, "class_name": "7A", "school_id": 1,
        "school_name": "S", "school_district": "D",
        "teacher_id": 1, "teacher_name": "T", "teacher_person_id": 1, "donor_school": "B",
        "state": LessonState.SCHEDULED, "starts_at": at, "ends_at": at + timedelta(minutes=45),
        "zone": "Asia/Ho_Chi_Minh", "half_day": None, "period": None, "sequence": 1,
        "created_at": BEGINS - 90 * DAY, "changed_at": BEGINS - 90 * DAY, "moved_from": None,
        "cancel_reason": "", "cancelled_by": "", "meeting_url": None,
    }  # fmt: skip
    return Lesson(**{**base, **values})


@given(st.integers(1_577_836_800, 2_051_222_400).map(lambda s: datetime.fromtimestamp(s, UTC)))
def test_the_window_always_reaches_60_days_back_and_a_year_ahead(now):
    reach = calendars.window(calendars.week_of(now))
    assert reach.start <= now - 60 * DAY
    assert reach.end >= now + 365 * DAY
    assert reach.end - reach.start == 432 * DAY


@pytest.mark.parametrize(
    ("state", "days", "there"),
    [
        (LessonState.SCHEDULED, -61, False),
        (LessonState.SCHEDULED, -60, True),
        (LessonState.SCHEDULED, 371, True),
        (LessonState.SCHEDULED, 372, False),
        (LessonState.CANCELLED, -31, False),
        (LessonState.CANCELLED, -30, True),
        (LessonState.HELD, -50, True),
        (LessonState.COVER, 5, True),
    ],
)
def test_a_feed_keeps_lessons_for_their_time(state, days, there):
    shown = calendars.showings(PROGRAMME, [lesson(state=state, at=BEGINS + days * DAY)], [], WEEK)
    assert len(shown) == there


def test_the_mark_of_a_move_goes_after_a_fortnight_and_raises_time_and_counter():
    moved_at = BEGINS - 20 * DAY
    moved = lesson(moved_from=BEGINS - 3 * DAY, changed_at=moved_at)
    seen = []
    for n in range(5):
        week = calendars.week_of(moved_at) + n * timedelta(days=7)
        (one,) = calendars.showings(PROGRAMME, [moved], [], week)
        seen.append((one.state, one.changed_at, one.sequence))
    # Moved on a Tuesday: the mark stays for that week and two more.
    assert seen == [(EntryState.MOVED, moved_at, 2)] * 3 + [(EntryState.PLANNED, BEGINS, 3)] * 2


def test_a_lesson_called_off_after_a_move_is_called_off():
    (one,) = calendars.showings(
        PROGRAMME, [lesson(moved_from=BEGINS, state=LessonState.CANCELLED)], [], WEEK
    )
    assert (one.state, one.over) == (EntryState.CALLED_OFF, True)


def test_what_was_handed_over_shows_the_time_its_teacher_knew_unless_it_came_back():
    mine = Owner(FeedKind.TEACHER, 1, "T", 1, frozenset({1}))
    trace = Handover(lesson(teacher_id=2), 1, BEGINS - DAY, BEGINS, 7, BEGINS)
    (one,) = calendars.showings(mine, [], [trace], WEEK)
    assert (one.state, one.starts_at, one.sequence, one.changed_at) == (
        EntryState.HANDED_OVER, BEGINS - DAY, 14, BEGINS,
    )  # fmt: skip
    (one,) = calendars.showings(mine, [lesson()], [trace], WEEK)
    assert one.state is EntryState.PLANNED


def test_events_stand_in_order_of_time_whatever_the_order_given():
    given_ = [lesson(id=n, uid=f"u{n}", at=BEGINS + (n * 7 % 5) * DAY) for n in range(9)]
    shown = calendars.showings(PROGRAMME, given_, [], WEEK)
    assert shown == calendars.showings(PROGRAMME, given_[::-1], [], WEEK)
    assert [x.starts_at for x in shown] == sorted(x.starts_at for x in given_)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Cô Lê Thị Đào · Chung Tay", "co-le-thi-dao-chung-tay"),
        ("7A · THCS Tô Hiệu", "7a-thcs-to-hieu"),
        ("👩‍🏫", "lich"),
        ("../..\\\r\nSet-Cookie: x", "set-cookie-x"),
    ],
)
def test_a_file_name_is_plain_ascii(name, slug):
    assert calendars.slug(name) == slug


@pytest.mark.parametrize(
    ("said", "family"),
    [
        ("Google-Calendar-Importer", "Google"),
        ("Mozilla/5.0 (compatible; Google-Calendar-Importer)", "Google"),
        ("Microsoft.Exchange/15.20", "Outlook"),
        ("iOS/17.1 (21B74) dataaccessd/1.0", "Apple"),
        ("macOS/14.1 (23B74) CalendarAgent/1015", "Apple"),
        ("ICSx5/2.2 (dav4jvm; okhttp)", "ICSx5"),
        ("Mozilla/5.0 Gecko/20100101 Thunderbird/115.0", "Thunderbird"),
        ("Nextcloud Calendar", "Nextcloud"),
        ("", ""),
        ("curl/8.0", ""),
    ],
)
def test_a_client_is_known_by_its_family(said, family):
    assert calendars.client_of(said) == family


def every_hour(first: int, count: int) -> list[Lesson]:
    """Lessons an hour apart, from `first` hours after the week begins on."""
    return [
        lesson(id=n, uid=f"{n:05d}", at=BEGINS + timedelta(hours=n))
        for n in range(first, first + count)
    ]


def test_a_long_feed_keeps_the_whole_weeks_nearest_ahead():
    shown = calendars.showings(PROGRAMME, every_hour(-500, 2500), [], WEEK)
    starts = [x.starts_at for x in shown]
    assert len(shown) <= calendars.MOST_ENTRIES
    assert (min(starts), max(starts)) == (BEGINS, BEGINS + timedelta(hours=5 * 168 - 1))


def test_a_feed_with_room_left_takes_weeks_behind_from_the_nearest_on():
    shown = calendars.showings(PROGRAMME, every_hour(-1000, 1600), [], WEEK)
    assert len(shown) == 600 + 2 * 168
    assert shown[0].starts_at == BEGINS - timedelta(hours=2 * 168)


def test_a_week_that_is_too_long_by_itself_is_not_left_empty():
    many = [lesson(id=n, uid=f"{n:05d}", at=BEGINS + timedelta(minutes=n)) for n in range(1500)]
    assert len(calendars.showings(PROGRAMME, many, [], WEEK)) == calendars.MOST_ENTRIES
