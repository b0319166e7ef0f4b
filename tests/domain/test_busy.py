"""Busy times: what frees a teacher, when to look again, and the same times day by day."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain import busy
from scheduler.domain.busy import (
    Availability,
    BusyChoices,
    BusyReading,
    BusySource,
    BusyTime,
    Counts,
)
from scheduler.domain.intervals import Interval
from scheduler.domain.people import TeacherId
from scheduler.errors import Invalid

NOW = datetime(2023, 10, 2, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
LESSON = Interval(NOW + 2 * HOUR, NOW + 3 * HOUR)


def source(age: timedelta | None = HOUR, ahead: timedelta = timedelta(days=300)) -> BusySource:
    good = None if age is None else NOW - age
    until = None if age is None else NOW + ahead
    return BusySource(
        TeacherId(1), BusyChoices(), NOW, good, until, failures=0, fault=None, next_try_at=NOW,
        counts=Counts(),
    )  # fmt: skip


def taken(start: float, end: float, soft: bool = False) -> BusyTime:
    """From so many hours after NOW to so many."""
    return BusyTime(Interval(NOW + start * HOUR, NOW + end * HOUR), soft)


@pytest.mark.parametrize(
    ("given_source", "times", "answer"),
    [
        (None, (), Availability.FREE),
        (None, (taken(2.5, 4),), Availability.BUSY),
        (source(), (), Availability.FREE),
        (source(), (taken(1, 2), taken(3, 4)), Availability.FREE),
        (source(), (taken(1, 2.1),), Availability.BUSY),
        (source(), (taken(1, 2.1, soft=True),), Availability.UNKNOWN),
        (source(), (taken(2, 3, soft=True), taken(2, 3)), Availability.BUSY),
        (source(timedelta(days=3)), (), Availability.FREE),
        (source(timedelta(days=3, seconds=1)), (), Availability.UNKNOWN),
        (source(timedelta(days=90)), (taken(2, 3),), Availability.BUSY),
        (source(None), (), Availability.UNKNOWN),
        (source(None), (taken(2, 3),), Availability.BUSY),
        (source(ahead=3 * HOUR), (), Availability.FREE),
        (source(ahead=2.9 * HOUR), (), Availability.UNKNOWN),
    ],
)
def test_only_a_young_copy_frees_a_teacher(given_source, times, answer):
    assert busy.availability(given_source, times, LESSON, NOW) is answer


def test_retries_double_up_to_a_day():
    waits = [(busy.next_try(failures, 7, NOW) - NOW) / HOUR for failures in range(9)]
    expected = [1, 2, 4, 8, 16, 24, 24, 24, 24]
    assert all(0.9 * e <= w <= 1.1 * e for w, e in zip(waits, expected, strict=True))
    assert busy.next_try(10_000, 7, NOW) <= NOW + 26.4 * HOUR
    assert busy.next_try(3, 7, NOW) == busy.next_try(3, 7, NOW)


def test_calendars_are_spread_over_time():
    minutes = {busy.next_try(0, seed, NOW).replace(second=0, microsecond=0) for seed in range(200)}
    assert len(minutes) == 12  # from 54 to 66, each minute of it


def test_a_copy_is_read_anew_when_its_look_ahead_has_shrunk_by_a_week():
    until = busy.reach(NOW).end
    assert not busy.is_worn(until, NOW + timedelta(days=7))
    assert busy.is_worn(until, NOW + timedelta(days=7, seconds=1))
    assert busy.is_worn(None, NOW)


@pytest.mark.parametrize(
    ("events", "unclear", "kept", "doubtful"),
    [(0, 0, 1, True), (0, 0, 0, False), (1, 0, 9, False), (3, 3, 1, True), (3, 2, 1, False)],
)
def test_only_an_empty_calendar_that_was_not_is_doubted(events, unclear, kept, doubtful):
    assert busy.emptied(BusyReading((), events, 0, 0, 0, unclear), kept) is doubtful


def test_times_are_merged_in_whole_minutes_rounded_outwards():
    second = timedelta(seconds=1)
    times = [
        BusyTime(Interval(NOW + HOUR + second, NOW + HOUR + 2 * second)),
        BusyTime(Interval(NOW + 5 * HOUR, NOW + 5 * HOUR)),
        taken(3, 4),
        taken(2, 3),
        taken(2.5, 3.5, soft=True),
        taken(2.5, 2.75),
    ]
    assert busy.tidied(times) == (
        taken(1, 1 + 1 / 60),
        taken(2, 4),
        taken(2.5, 3.5, soft=True),
        taken(5, 5 + 1 / 60),
    )


MINUTES = st.integers(0, 600)


@given(st.lists(st.tuples(MINUTES, st.integers(1, 120), st.booleans()), max_size=12))
def test_merging_changes_no_minute(drawn):
    minute = timedelta(minutes=1)
    times = [
        BusyTime(Interval(NOW + start * minute, NOW + (start + long) * minute), soft)
        for start, long, soft in drawn
    ]

    def minutes_of(some):
        return {
            (each.soft, n)
            for each in some
            for n in range((each.span.start - NOW) // minute, (each.span.end - NOW) // minute)
        }

    merged = busy.tidied(times)
    assert minutes_of(merged) == minutes_of(times)
    assert list(merged) == sorted(merged)
    for soft in (False, True):
        spans = [each.span for each in merged if each.soft is soft]
        assert all(a.end < b.start for a, b in pairwise(spans))


def test_days_show_their_part_of_what_crosses_midnight():
    days = busy.by_day(
        [taken(15, 17.5), taken(16, 17, soft=True), taken(40, 90)], "Asia/Ho_Chi_Minh",
        date(2023, 10, 2), 4,
    )  # fmt: skip
    told = [
        (
            each.day.day,
            [(f"{p.start:%H:%M}", f"{p.end:%H:%M}", p.soft, p.whole_day) for p in each.parts],
        )
        for each in days
    ]
    assert told == [
        (2, [("22:30", "00:00", False, False), ("23:30", "00:00", True, False)]),
        (3, [("00:00", "01:00", False, False), ("00:00", "00:30", True, False),
             ("23:30", "00:00", False, False)]),
        (4, [("00:00", "00:00", False, True)]),
        (5, [("00:00", "00:00", False, True)]),
    ]  # fmt: skip


def test_a_day_of_25_hours_is_whole_only_with_all_of_them():
    start = datetime(2023, 10, 28, 22, tzinfo=UTC)  # midnight in Berlin, before the clock goes back
    whole = BusyTime(Interval(start, start + 25 * HOUR))
    short = BusyTime(Interval(start, start + 24 * HOUR))
    for time, is_whole in ((whole, True), (short, False)):
        [day] = busy.by_day([time], "Europe/Berlin", date(2023, 10, 29), 1)
        assert [part.whole_day for part in day.parts] == [is_whole]


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (" https://x.example/a.ics?k=1 ", "https://x.example/a.ics?k=1"),
        ("webcal://x.example/a.ics", "https://x.example/a.ics"),
        ("WEBCALS://x.example/a", "https://x.example/a"),
    ],
)
def test_an_address_is_read_over_https(typed, address):
    assert busy.address_of(typed) == address
    assert busy.host_of(address) == "x.example"


@pytest.mark.parametrize(
    "typed",
    ["", "x", "http://x.example/a", "file:///etc/passwd", "https://", "webcal:x", "https://[::1/a",
     "https://x.example/a b", "https://x.example/\u202e", "https://x.example/" + "a" * 2000,
     "https://x.example/\r\nHost: y"],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_being_said_again(typed):
    with pytest.raises(Invalid) as caught:
        busy.address_of(typed)
    said = [str(sentence) for sentence in caught.value.fields.values()]
    assert said == ["Copy the whole address. It begins with https:// or webcal://."]
