"""What a link's maker may choose: times by the zone's clock, ringing; and the calendar as jCal."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest

from scheduler.delivery import ical
from scheduler.domain import calendars
from scheduler.domain.calendars import FeedKey, FeedKind
from scheduler.locale import Language
from scheduler.services import calendars as wordings
from scheduler.services import feeds
from scheduler.store import feeds as store
from scheduler.store import tables

from .conftest import stored
from .readers import by_icalendar
from .seed import MONDAY


@pytest.fixture
def made(ctx, world):
    """The bytes of the feed with this key."""

    def body(kind: str, owner: str, **options: bool) -> bytes:
        key = FeedKey(FeedKind(kind), world.ids[owner], "vi", **options)
        with ctx.transaction() as db:
            feed_id = store.ensure(db, key)
        while feeds.render_dirty(ctx):
            pass
        return stored(ctx, feed_id)

    return body


def zone_of(body: bytes) -> list[str]:
    text = body.decode()
    if "BEGIN:VTIMEZONE" not in text:
        return []
    return text[text.index("BEGIN:VTIMEZONE") : text.index("BEGIN:VEVENT")].splitlines()


def test_times_of_the_zone_are_the_same_instants_under_a_zone_of_one_part(story, made):
    plain, zoned = made("school", "to_hieu"), made("school", "to_hieu", zoned=True)
    assert zone_of(zoned) == [
        "BEGIN:VTIMEZONE", "TZID:Asia/Ho_Chi_Minh", "BEGIN:STANDARD", "DTSTART:19700101T000000",
        "TZOFFSETFROM:+0700", "TZOFFSETTO:+0700", "TZNAME:+07", "END:STANDARD", "END:VTIMEZONE",
    ]  # fmt: skip
    assert b"DTSTART;TZID=Asia/Ho_Chi_Minh:20231002T070000\r\n" in zoned
    both = [[(x.uid, x.start, x.end) for x in by_icalendar(body)] for body in (plain, zoned)]
    assert both[0] == both[1] != []
    assert zone_of(plain) == []


@pytest.mark.parametrize(
    ("zone", "rules"),
    [
        ("America/New_York", ["BYDAY=1SU;BYMONTH=11", "BYDAY=2SU;BYMONTH=3"]),
        ("Europe/Dublin", ["BYDAY=-1SU;BYMONTH=10", "BYDAY=-1SU;BYMONTH=3"]),
        ("Asia/Gaza", []),
    ],
)
def test_a_zone_with_summer_time_has_two_parts_or_its_times_are_in_utc(world, made, zone, rules):
    world.alter(tables.programmes, world.ids["programme"], zone=zone)
    for days in (0, 60, 180):
        world.lesson("lan", "7A", MONDAY + timedelta(days=days))
    body = made("teacher", "lan", zoned=True)
    found = [line for line in zone_of(body) if line.startswith("RRULE")]
    assert found == [f"RRULE:FREQ=YEARLY;{rule}" for rule in rules]
    starts = [event.start for event in by_icalendar(body)]
    assert starts == [MONDAY + timedelta(days=days) for days in (0, 60, 180)]
    assert (b"DTSTART:20231002T000000Z" in body) == (rules == [])


def test_a_device_rings_only_where_wished_and_only_for_lessons_that_take_place(story, made):
    assert b"VALARM" not in made("teacher", "lan")
    events = icalendar.Calendar.from_ical(made("teacher", "lan", alarms=True)).walk("VEVENT")
    rings = [[(str(a["action"]), a["trigger"].dt) for a in e.walk("VALARM")] for e in events]
    live = [str(event["status"]) == "CONFIRMED" for event in events]
    assert True in live
    assert False in live
    once = [("DISPLAY", timedelta(minutes=-15))]
    assert rings == [once if takes_place else [] for takes_place in live]


def test_the_room_is_named_for_programs_that_know_conferences(story, made):
    (first, *_) = icalendar.Calendar.from_ical(made("teacher", "lan")).walk("VEVENT")
    found = first["conference"]
    assert found.params["FEATURE"] == ["AUDIO", "VIDEO"]
    assert found.params["LABEL"] == "Vào lớp"
    assert str(found) == str(first["url"])


def test_jcal_is_the_same_calendar(story, made):
    for options in ({}, {"zoned": True, "alarms": True}):
        body = made("school", "to_hieu", **options)
        again = icalendar.Calendar.from_jcal(json.loads(ical.as_jcal(body)))
        events = [[e.uid, e.start, e.get("summary")] for e in again.walk("VEVENT")]
        was = icalendar.Calendar.from_ical(body).walk("VEVENT")
        assert events == [[e.uid, e.start, e.get("summary")] for e in was] != []


def test_a_calendar_of_long_texts_keeps_below_the_size_that_google_reads(world, made):
    world.alter(tables.classes, world.ids["7A"], name="Lớp " + "ấ" * 30)
    world.alter(tables.receiving_schools, world.ids["to_hieu"], name="Trường " + "ữ" * 190)
    for n in range(900):
        world.lesson("lan", "7A", MONDAY + timedelta(days=n % 180, minutes=60 * (n // 180)))
    body = made("teacher", "lan")
    assert len(body) <= calendars.MOST_BYTES
    starts = [event.start for event in by_icalendar(body)]
    assert 300 < len(starts) < 900
    last = calendars.week_of(max(starts))
    whole = [n for n in range(900) if calendars.week_of(MONDAY + timedelta(days=n % 180)) <= last]
    assert len(starts) == len(whole)


def test_a_last_event_says_that_the_link_has_ended():
    at = datetime(2023, 10, 2, 3, 4, 5, 6, tzinfo=UTC)
    said = wordings.farewell(7, at, Language("vi"), "x.example")
    (event,) = by_icalendar(ical.render(said))
    assert event.uid == "link-7@x.example"
    assert event.summary.startswith("[ĐÃ NGỪNG]")
    assert event.start == at.replace(microsecond=0).astimezone(ZoneInfo("UTC"))
    assert event.transp == "TRANSPARENT"
