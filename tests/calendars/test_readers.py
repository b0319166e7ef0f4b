"""Every kind of feed is read alike by strangers, and as the database has it."""

import itertools
from datetime import timedelta

from scheduler.domain.calendars import MOST_ENTRIES

from .conftest import FEEDS, MANNERS
from .expected import facts, shown
from .readers import by_icalendar
from .seed import MONDAY


def test_every_feed_says_what_the_database_says_to_every_reader(story, database, feed_of, readers):
    asked = list(itertools.product(FEEDS, ("vi", "en"), MANNERS))
    bodies = [feed_of(*feed, language, **manner) for feed, language, manner in asked]
    for (feed, language, manner), events in zip(asked, readers.agreed(bodies), strict=True):
        expected = shown(database, feed[0], story.ids[feed[1]], language, **manner)
        assert expected, feed
        said = {event.uid: facts(event, expected[event.uid]) for event in events}
        assert said == expected, (feed, language, manner)
        assert all(e.stamp == e.changed and e.created <= e.changed for e in events)


def test_a_lesson_reads_well_on_a_lock_screen(story, feed_of):
    first = by_icalendar(feed_of("teacher", "lan"))[0]
    assert first.summary == "Tiếng Anh 7A · THCS Tô Hiệu · Sáng tiết 1"
    assert first.description == (
        "https://chungtay.example/j/join0001xxxxxxxxxxxxxxxx\n"
        "Giáo viên: Cô Lan (THCS Ba Đình)\n"
        "Lớp 7A, THCS Tô Hiệu (Trấn Yên)"
    )
    assert first.location == first.url == first.description.splitlines()[0]


def test_a_called_off_lesson_says_by_whom_when_and_why(story, feed_of):
    off = next(e for e in by_icalendar(feed_of("class", "7A")) if e.status == "CANCELLED")
    assert off.summary == "[HUỶ] Tiếng Anh 7A · THCS Tô Hiệu · Sáng tiết 1"
    assert off.description.splitlines()[1:3] == [
        "Thầy Tô Hiệu huỷ vào Thứ Năm 21/09 · 08:00.",
        "Lý do: Bão, lũ; trường nghỉ",
    ]


def test_a_moved_lesson_says_from_when_and_after_a_fortnight_only_in_small_print(story, feed_of):
    fresh, old = (e for e in by_icalendar(feed_of("teacher", "hoa")) if "Dời" in e.description)
    assert fresh.summary == "[ĐÃ DỜI] Tiếng Anh 7A · THCS Tô Hiệu · Sáng tiết 1"
    assert old.summary == "Tiếng Anh 8B · THCS Tô Hiệu · Sáng tiết 1"
    assert "Dời từ Thứ Năm 05/10 · 07:00." in fresh.description
    assert "Dời từ Thứ Năm 05/10 · 07:00." in old.description


def test_a_handed_over_lesson_leaves_a_trace_without_a_way_in(story, feed_of):
    trace = next(e for e in by_icalendar(feed_of("teacher", "lan")) if "ĐÃ CHUYỂN" in e.summary)
    assert (trace.status, trace.transp, trace.location, trace.url) == (
        "CANCELLED", "TRANSPARENT", None, None,
    )  # fmt: skip
    assert "/j/" not in trace.description
    uids = [e.uid for e in by_icalendar(feed_of("teacher", "lan"))]
    assert len(uids) == len(set(uids))


def test_only_a_teachers_own_live_lessons_take_time(story, feed_of):
    for kind, owner in FEEDS:
        for event in by_icalendar(feed_of(kind, owner)):
            live = event.status == "CONFIRMED"
            assert (event.transp == "OPAQUE") == (kind == "teacher" and live)


def test_the_google_manner_keeps_called_off_lessons_in_sight(story, feed_of):
    events = by_icalendar(feed_of("teacher", "lan", show_cancelled=True))
    assert {e.status for e in events} == {"CONFIRMED"}
    marked = [e for e in events if e.summary.startswith("[")]
    assert [e.summary.split("]")[0] for e in marked] == ["[HUỶ", "[ĐÃ CHUYỂN"]
    assert {e.transp for e in marked} == {"TRANSPARENT"}


def test_an_english_feed_speaks_english(story, feed_of):
    events = by_icalendar(feed_of("teacher", "lan", "en"))
    assert events[0].summary == "English 7A · THCS Tô Hiệu · Morning period 1"
    marks = [e.summary.split("]")[0] for e in events if e.summary.startswith("[")]
    assert marks == ["[CALLED OFF", "[TAKEN OVER"]


def test_an_empty_feed_is_a_calendar_all_the_same(world, feed_of, readers, ical_js):
    bodies = [feed_of("class", "7A", **manner) for manner in MANNERS]
    assert readers.agreed(bodies) == [[] for _ in MANNERS]
    body = bodies[0]
    head = ical_js.read(body)
    assert (head["name"], head["poll"]) == ("7A · THCS Tô Hiệu · Chung Tay", "PT1H")


def test_a_feed_holds_nothing_that_clients_or_strangers_misuse(story, feed_of):
    for kind, owner in FEEDS:
        body = feed_of(kind, owner).decode()
        plain = body.replace("\r\n ", "")
        for unwanted in ("ATTENDEE", "ORGANIZER", "METHOD", "VALARM", "RRULE", "TZID", "SOURCE"):
            assert unwanted not in body
        for secret in ("0912345678", "@x.example", "pwd=1", "secret.example"):
            assert secret not in plain
        assert "\r\nREFRESH-INTERVAL;VALUE=DURATION:PT1H\r\nX-PUBLISHED-TTL:PT1H\r\n" in body


def test_a_thousand_events_are_read_alike_and_stay_under_googles_limit(
    world, database, feed_of, readers
):
    with database.transaction() as db:
        for n in range(MOST_ENTRIES):
            world.put(db, "lan", "7A", MONDAY + n * timedelta(hours=1))
    body = feed_of("teacher", "lan")
    (events,) = readers.agreed([body])
    expected = shown(database, "teacher", world.ids["lan"])
    assert len(events) == MOST_ENTRIES
    assert {event.uid: facts(event, expected[event.uid]) for event in events} == expected
    assert len(body) < 900_000


def test_a_full_feed_stays_under_googles_limit_where_names_are_long(world, database, feed_of):
    with database.transaction() as db:
        for n in range(MOST_ENTRIES):
            world.put(db, "lan", "6C", MONDAY + n * timedelta(hours=1))
    assert len(feed_of("teacher", "lan")) < 900_000
