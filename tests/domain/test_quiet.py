"""Quiet hours: nothing at three in the night, whatever the clocks do."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from scheduler.domain.quiet import Quiet, news_wait, reminder_time, reminder_wait

NIGHT = Quiet(22 * 60, 6 * 60 + 30, "Asia/Ho_Chi_Minh")
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
HOUR = timedelta(hours=1)


def at(text, zone=HANOI):
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [("21:59", False), ("22:00", True), ("03:00", True), ("06:29", True), ("06:30", False)],
)
def test_quiet_goes_past_midnight(clock, quiet):
    assert NIGHT.covers(at(f"2023-10-03 {clock}")) is quiet
    assert not Quiet(60, 60, "UTC").covers(at(f"2023-10-03 {clock}"))


@pytest.mark.parametrize(
    ("due", "useless", "goes"),
    [
        ("2023-10-03 12:00", "2023-10-03 13:00", "2023-10-03 12:00"),
        ("2023-10-03 03:00", "2023-10-03 08:00", "2023-10-03 06:30"),
        ("2023-10-03 03:00", "2023-10-03 07:30", "2023-10-03 06:30"),
        ("2023-10-03 03:00", "2023-10-03 07:29", "2023-10-02 21:59"),
        ("2023-10-02 23:00", "2023-10-03 05:00", "2023-10-02 21:59"),
    ],
)
def test_a_reminder_comes_after_the_quiet_or_just_before_it(due, useless, goes):
    assert reminder_time(at(due), at(useless), HOUR, NIGHT) == at(goes)


def test_a_reminder_that_would_go_out_in_the_quiet_waits_while_it_is_of_use():
    now = at("2023-10-03 03:00")
    assert reminder_wait(now, at("2023-10-03 08:00"), HOUR, NIGHT) == at("2023-10-03 06:30")
    assert reminder_wait(now, at("2023-10-03 06:45"), HOUR, NIGHT) == at("2023-10-03 06:30")
    assert reminder_wait(now, at("2023-10-03 06:30"), HOUR, NIGHT) is None
    assert reminder_wait(now, at("2023-10-03 06:30"), HOUR, None) == now


def test_news_waits_unless_it_would_be_useless_then():
    now = at("2023-10-03 03:00")
    assert news_wait(now, at("2023-10-03 08:00"), NIGHT) == at("2023-10-03 06:30")
    assert news_wait(now, at("2023-10-03 06:30"), NIGHT) == now
    assert news_wait(at("2023-10-03 12:00"), at("2023-10-03 12:01"), NIGHT) == at(
        "2023-10-03 12:00"
    )


@pytest.mark.parametrize(
    ("zone", "start", "end", "due", "goes"),
    [
        # 02:00 to 03:00 is not there: quiet that ends at 02:30 ends by the old clock's reckoning
        ("Europe/Berlin", 22 * 60, 150, "2026-03-29T00:30Z", "2026-03-29T01:30Z"),
        # 02:00 to 03:00 is there twice: the first 02:30 ends it
        ("Europe/Berlin", 22 * 60, 150, "2026-10-25T00:10Z", "2026-10-25T00:30Z"),
        ("Australia/Sydney", 22 * 60, 150, "2026-10-03T15:30Z", "2026-10-03T16:30Z"),
        ("Australia/Lord_Howe", 22 * 60, 135, "2026-10-03T15:00Z", "2026-10-03T15:45Z"),
    ],
)
@pytest.mark.fault(10)
def test_quiet_ends_once_where_clocks_jump(zone, start, end, due, goes):
    quiet = Quiet(start, end, zone)
    when = reminder_time(datetime.fromisoformat(due), datetime(2027, 1, 1, tzinfo=UTC), HOUR, quiet)
    assert when == datetime.fromisoformat(goes)
    assert not quiet.covers(when)


def jumps(zone, year):
    """The days on which the zone's clocks jump in that year."""
    info, day = ZoneInfo(zone), timedelta(days=1)
    moments = [datetime(year, 1, 1, tzinfo=UTC) + n * day for n in range(366)]
    offsets = [moment.astimezone(info).utcoffset() for moment in moments]
    return [m for m, one, two in zip(moments, offsets, offsets[1:], strict=False) if one != two]


def check(rng, zone, near):
    start, end = rng.sample(range(1440), 2)
    quiet = Quiet(start, end, zone)
    due = near + timedelta(seconds=rng.randrange(2 * 86400))
    useless = due + timedelta(minutes=rng.randrange(1, 1500))
    use = timedelta(minutes=rng.choice((0, 5, 15, 60)))
    when = reminder_time(due, useless, use, quiet)
    context = (zone, start, end, due, useless, use)
    assert not quiet.covers(when), context
    assert when <= useless, context
    # a day's only loud minutes may fall into those that the clocks leave out
    assert abs(when - due) <= timedelta(hours=49), context
    waits = reminder_wait(due, useless, use, quiet)
    assert waits is None or (due <= waits <= useless and not quiet.covers(waits)), context
    news = news_wait(due, useless, quiet)
    assert due <= news <= useless, context
    assert news == due or not quiet.covers(news), context


def test_in_no_zone_and_no_year_a_reminder_falls_into_the_quiet():
    rng = random.Random(20261126)
    zones = sorted(available_timezones())
    for zone in zones:
        for _ in range(6):
            year = rng.randrange(2000, 2101)
            check(rng, zone, datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=rng.randrange(364)))


def test_around_the_jumps_of_the_clocks_it_does_not_either():
    rng = random.Random(310326)
    zones = ("Europe/Berlin", "Australia/Sydney", "America/New_York", "Australia/Lord_Howe",
             "Africa/Casablanca", "Pacific/Apia", "America/Santiago", "Asia/Tehran")  # fmt: skip
    for zone in zones:
        for year in (2011, 2022, 2026, 2100):
            for jump in jumps(zone, year):
                for _ in range(40):
                    check(rng, zone, jump - timedelta(hours=12))
