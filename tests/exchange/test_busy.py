"""A teacher's calendar becomes times that are taken; a hostile one becomes a sentence, in time."""

import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.domain import busy as rules
from scheduler.domain.busy import BusyChoices, BusyReading, BusyTime
from scheduler.domain.intervals import Interval
from scheduler.exchange import busy, busy_reading, child
from tests.effort import examples
from tests.exchange import calendars
from tests.exchange.calendars import calendar, crlf, event, hour_from

HANOI = "Asia/Ho_Chi_Minh"
REACH = Interval(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))


def read(body: bytes, reach: Interval = REACH, zone: str = HANOI, **choices: bool) -> BusyReading:
    return busy.read(
        body,
        zone=zone,
        reach=reach,
        choices=BusyChoices(**choices),
        own_domain="chungtay.example",
    )


def here(body: bytes, reach: Interval = REACH, zone: str = HANOI, **choices: bool) -> BusyReading:
    """As the child reads it, without the child."""
    return busy_reading.read(body, zone, reach, BusyChoices(**choices), "chungtay.example")


def hanoi(*spans: str) -> tuple[BusyTime, ...]:
    """Each as "0907 08:00-09:30" of 2026 on the clock of Hà Nội, "?" behind a soft one."""
    return tuple(_time(words) for words in spans)


def _time(words: str) -> BusyTime:
    def at(clock: str) -> datetime:
        local = datetime.strptime(f"2026{words[:4]} {clock} +0700", "%Y%m%d %H:%M %z")
        return local.astimezone(UTC)

    return BusyTime(Interval(at(words[5:10]), at(words[11:16])), words.endswith("?"))


def day(words: str) -> BusyTime:
    start = datetime.strptime(f"2026{words} +0700", "%Y%m%d %z").astimezone(UTC)
    return BusyTime(Interval(start, start + timedelta(days=1)))


GOOGLE_TIMES = (
    "0907 08:00-09:00",
    "0908 14:00-15:30",
    "0923 09:00-10:00",
    "0929 14:00-15:30",
)


def test_google_calendar_is_understood() -> None:
    assert read(crlf(calendars.GOOGLE)) == BusyReading(
        hanoi(*GOOGLE_TIMES), events=8, free=3, all_day_left_out=1, ours=1
    )


def test_choices_add_whole_days_and_timed_events_that_are_shown_as_free() -> None:
    found = read(crlf(calendars.GOOGLE), all_day=True, shown_free=True)
    more = hanoi(*GOOGLE_TIMES, "0916 08:00-09:00")
    assert found == BusyReading(
        tuple(sorted([*more, day("0910")])), events=8, free=2, all_day_left_out=0, ours=1
    )


def test_outlook_calendar_is_understood_with_zones_of_windows_and_of_its_own() -> None:
    """The second zone changes its clock between two occurrences: +02 in summer, +01 in winter."""
    times = ("0907 08:00-09:30", "0908 08:00-09:00?", "1023 14:00-15:00", "1030 15:00-16:00")
    assert read(crlf(calendars.OUTLOOK)) == BusyReading(
        hanoi(*times), events=6, free=2, all_day_left_out=1, ours=0
    )
    whole = read(crlf(calendars.OUTLOOK), all_day=True)
    assert set(whole.times) - set(hanoi(*times)) == {day("0911")}


def test_apple_calendar_is_understood_across_the_end_of_summer_time() -> None:
    assert read(crlf(calendars.APPLE)) == BusyReading(
        hanoi(
            "0907 08:00-09:30",
            "0908 07:00-08:00",
            "1024 15:00-16:00?",
            "1025 16:00-17:00?",
            "1026 16:00-17:00?",
        ),
        events=3,
        free=0,
        all_day_left_out=0,
        ours=0,
    )


def test_free_busy_lists_are_understood() -> None:
    body = calendar(
        "BEGIN:VFREEBUSY",
        "FREEBUSY:20260907T010000Z/20260907T020000Z,20260908T010000Z/PT90M",
        "FREEBUSY;FBTYPE=FREE:20260909T010000Z/PT1H",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260910T010000Z/PT1H",
        "FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260911T010000Z/PT1H",
        "END:VFREEBUSY",
    )
    assert read(body).times == hanoi(
        "0907 08:00-09:00", "0908 08:00-09:30", "0910 08:00-09:00?", "0911 08:00-09:00"
    )


@pytest.mark.parametrize(
    ("said", "hour"),
    [
        ("X-WR-TIMEZONE:Asia/Tokyo", 6),
        ("X-WR-TIMEZONE:Tokyo Standard Time", 6),
        ("X-WR-TIMEZONE:Nowhere/At_All", 8),
        ("X-WR-TIMEZONE:../../etc/passwd", 8),
        ("X-OTHER:1", 8),
    ],
)
def test_floating_times_are_of_the_calendars_zone_or_the_teachers(said: str, hour: int) -> None:
    body = calendar(said, event("DTSTART:20260907T080000", "DTEND:20260907T090000"))
    assert here(body).times == hanoi(f"0907 {hour:02}:00-{hour + 1:02}:00")


def test_whole_days_are_the_teachers_own_whatever_zone_the_calendar_has() -> None:
    body = calendar("X-WR-TIMEZONE:America/New_York", event("DTSTART;VALUE=DATE:20260910"))
    assert here(body, all_day=True).times == (day("0910"),)


def test_change_from_one_occurrence_onwards_moves_the_rest_of_the_series() -> None:
    start = "DTSTART;TZID=Asia/Ho_Chi_Minh:2026"
    body = calendar(
        event("UID:a", f"{start}0907T080000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=5"),
        event(
            "UID:a",
            f"{start}0922T100000",
            "DURATION:PT2H",
            "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Asia/Ho_Chi_Minh:20260921T080000",
        ),
        event(
            "UID:a",
            f"{start}1005T080000",
            "STATUS:CANCELLED",
            "RECURRENCE-ID;TZID=Asia/Ho_Chi_Minh:20261005T080000",
        ),
    )
    assert here(body).times == hanoi(
        "0907 08:00-09:00", "0914 08:00-09:00", "0922 10:00-12:00", "0929 10:00-12:00"
    )


def test_length_in_days_goes_by_the_calendar_and_in_hours_by_the_stopwatch() -> None:
    """The night in London has 25 hours."""
    zone = "DTSTART;TZID=Europe/London:20261024T120000"
    for length, hours in (("P1D", 25), ("PT24H", 24), ("P1DT1H", 26)):
        [found] = here(calendar(event(zone, f"DURATION:{length}"))).times
        assert found.span.end - found.span.start == timedelta(hours=hours)


def test_event_that_goes_beyond_reach_is_cut_to_it() -> None:
    body = calendar(event("DTSTART:20200101T000000Z", "DTEND:20300101T000000Z"))
    assert read(body).times == (BusyTime(REACH),)


def test_times_that_overlap_become_one_by_softness() -> None:
    at = datetime(2026, 9, 7, 1, tzinfo=UTC)
    body = calendar(
        hour_from(at),
        hour_from(at + timedelta(minutes=30)),
        hour_from(at + timedelta(minutes=30), "STATUS:TENTATIVE"),
        hour_from(at + timedelta(minutes=90)),
    )
    assert here(body).times == hanoi("0907 08:00-10:30", "0907 08:30-09:30?")


@pytest.mark.parametrize(
    "lines",
    [
        ("SUMMARY:no time",),
        ("DTSTART:yesterday",),
        ("DTSTART:20260230T080000Z",),
        ("DTSTART:2026\x000907T080000Z",),
        ("DTSTART:20260907T080000Z", "DTEND:20260906T080000Z"),
        ("DTSTART:20260907T080000Z", "DTEND;VALUE=DATE:20260908"),
        ("DTSTART:20260907T080000Z", "DURATION:-PT1H"),
        ("DTSTART:20260907T080000Z", "DURATION:P"),
        ("DTSTART:20260907T080000Z", "DURATION:P999999W", "RRULE:FREQ=DAILY"),
        ("DTSTART;TZID=Asia/Tokyo:00010101T000000", "DURATION:PT1H"),
        ("DTSTART:20260907T080000Z", "DURATION:PT1H", "RRULE:FREQ=FORTNIGHTLY"),
        ("DTSTART:20260907T080000Z", "DURATION:PT1H", "RRULE:nonsense"),
        ("DTSTART:20260907T080000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;BYMONTH=x"),
        ("DTSTART:20260907T080000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;BYSETPOS=400"),
        ("DTSTART:20260907T080000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;INTERVAL=" + "9" * 5000),
        ("DTSTART:20260907T080000Z", "DURATION:PT1H", "RDATE:20260908T0800"),
        ("DTSTART:20260907T080000Z", "DURATION:PT1H", "RECURRENCE-ID:now"),
        ("DTSTART:20260907T080000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;BYDAY=" + "MO," * 500),
    ],
    ids=range(18),
)
def test_event_that_makes_no_sense_is_left_out_and_counted(lines: tuple[str, ...]) -> None:
    body = calendar(event(*lines), hour_from(datetime(2026, 9, 9, 1, tzinfo=UTC)))
    expected = BusyReading(
        hanoi("0909 08:00-09:00"), events=2, free=0, all_day_left_out=0, ours=0, unclear=1
    )
    assert here(body) == expected


def test_titles_and_secrets_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child is not told the house's secrets, and tells nothing but times and counts."""
    monkeypatch.setenv("CHUNGTAY_SECRET_KEY", "house-secret")
    asked: list[str] = []
    said: list[dict[str, Any]] = []
    start, ask = subprocess.Popen, child.asked

    def starting(*command: Any, **settings: Any) -> Any:
        asked.append(str(settings["env"]))
        return start(*command, **settings)

    def asking(*order: Any, **limits: Any) -> dict[str, Any]:
        said.append(ask(*order, **limits))
        return dict(said[-1])

    monkeypatch.setattr(subprocess, "Popen", starting)
    monkeypatch.setattr(child, "asked", asking)
    read(crlf(calendars.GOOGLE))
    assert "CHUNGTAY" not in asked[0]
    [answer] = said
    assert set(answer) == {"times", "events", "free", "all_day_left_out", "ours", "unclear"}
    assert answer["times"][0] == ["2026-09-07T01:00:00+00:00", "2026-09-07T02:00:00+00:00", False]


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ("RRULE:FREQ=DAILY;COUNT=999999999", 91),
        ("RRULE:FREQ=YEARLY;BYDAY=MO;BYSETPOS=36,36,36,-1", 1),
        ("RRULE:FREQ=DAILY;BYHOUR=1,9", 182),
        ("RRULE:FREQ=DAILY;INTERVAL=0", 91),
    ],
)
def test_long_rule_is_expanded_inside_reach_only(rule: str, count: int) -> None:
    assert (
        len(read(calendar(event("DTSTART:20200101T000000Z", "DURATION:PT1H", rule))).times) == count
    )


def test_large_honest_calendar_is_read() -> None:
    """Ten years of a busy teacher with long descriptions, of which four months matter."""
    first = datetime(2017, 1, 1, 1, tzinfo=UTC)
    words = "DESCRIPTION:" + "Kính gửi thầy cô, " * 25
    body = calendar(
        *(hour_from(first + timedelta(hours=12 * n), f"UID:{n}", words) for n in range(7_300))
    )
    assert len(body) > 4_000_000
    assert len(read(body).times) == 182


# By the wall clock, and far from the hours of the night that clocks leave out or say twice: there
# the other reader measures by the clock, where RFC 5545 wants the stopwatch.
STARTS = st.builds(
    lambda days, hour: datetime(2026, 8, 1, hour, tzinfo=UTC) + timedelta(days=days),
    st.integers(0, 90),
    st.integers(4, 15),
)
RULES = st.builds(
    lambda *parts: ";".join(filter(None, parts)),
    st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=MONTHLY"]),
    st.sampled_from(["", "INTERVAL=2", "INTERVAL=3"]),
    st.sampled_from(["", "COUNT=1", "COUNT=7", "UNTIL=20261015T000000Z"]),
)


@st.composite
def series(draw: st.DrawFn, number: int) -> list[str]:
    """A series with what is left out of it, added to it, and moved."""
    start, zone = draw(STARTS), draw(st.sampled_from([HANOI, "Europe/London", "America/New_York"]))
    at = f";TZID={zone}:"
    tail = (f"UID:{number}", f"DURATION:PT{draw(st.integers(1, 3))}H")
    rule = draw(RULES)
    lines = [f"DTSTART{at}{calendars.stamp(start)}", f"RRULE:{rule}"]
    # On days apart: the other reader drops what is added on a day on which something is left out.
    if draw(st.booleans()):
        out = start + timedelta(days=draw(st.integers(1, 40)))
        lines.append(f"EXDATE{at}{calendars.stamp(out)}")
    if draw(st.booleans()):
        more = start + timedelta(days=draw(st.integers(41, 50)), hours=5)
        lines.append(f"RDATE{at}{calendars.stamp(more)}")
    found = [event(*lines, *tail)]
    if draw(st.booleans()):
        moved = f"DTSTART{at}{calendars.stamp(start + timedelta(hours=3))}"
        found.append(event(moved, f"RECURRENCE-ID{at}{calendars.stamp(start)}", *tail))
    return found


def others_times(body: bytes) -> tuple[BusyTime, ...]:
    found = recurring_ical_events.of(icalendar.Calendar.from_ical(body))
    spans = [
        Interval(
            max(each.start.astimezone(UTC), REACH.start), min(each.end.astimezone(UTC), REACH.end)
        )
        for each in found.between(REACH.start, REACH.end)
    ]
    return rules.merged([BusyTime(span) for span in spans if span.start < span.end])


@settings(max_examples=examples(150))
@given(st.data())
def test_series_are_understood_as_another_reader_does(data: st.DataObject) -> None:
    parts = [data.draw(series(number)) for number in range(data.draw(st.integers(1, 3)))]
    body = calendar(*(each for part in parts for each in part))
    assert here(body).times == others_times(body)


SPANS = st.builds(
    lambda start, minutes, soft: BusyTime(
        Interval(start, start + timedelta(minutes=minutes)), soft
    ),
    st.integers(-3000, 200_000).map(lambda n: REACH.start + timedelta(minutes=n)),
    st.integers(0, 3000),
    st.booleans(),
)


@settings(max_examples=examples(200))
@given(st.lists(SPANS, max_size=30))
def test_times_are_ordered_apart_and_inside_reach_and_lose_no_minute(given: list[BusyTime]) -> None:
    body = calendar(
        *(
            event(
                f"DTSTART:{calendars.stamp(each.span.start)}Z",
                f"DTEND:{calendars.stamp(each.span.end)}Z",
                f"STATUS:{'TENTATIVE' if each.soft else 'CONFIRMED'}",
            )
            for each in given
        )
    )
    found = here(body).times
    assert list(found) == sorted(found)
    for soft in (True, False):
        spans = [each.span for each in found if each.soft is soft]
        assert all(REACH.start <= span.start < span.end <= REACH.end for span in spans)
        assert all(before.end < after.start for before, after in pairwise(spans))
        asked = [each.span for each in given if each.soft is soft]
        for at in {edge for span in asked for edge in (span.start, span.end)}:
            taken = any(span.start <= at < span.end for span in asked)
            inside = REACH.start <= at < REACH.end
            assert any(span.start <= at < span.end for span in spans) is (taken and inside)
