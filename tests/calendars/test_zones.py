"""Lessons where clocks change: every reader has the instants of the database."""

import itertools
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduler.domain.lessons import LessonState

from .conftest import MANNERS
from .expected import WEEK, facts, shown
from .seed import DAY, MADE, World

ZONES = [
    "America/New_York",
    "Australia/Lord_Howe",  # by half an hour
    "Europe/Dublin",  # its winter is what the tables call saving
    "Africa/Casablanca",  # by Ramadan
    "Asia/Gaza",  # by no rule
    "Asia/Ho_Chi_Minh",
    "America/Santiago",  # at midnight
    "Asia/Kathmandu",
]
HOUR = timedelta(hours=1)


def changes(zone: ZoneInfo) -> list[datetime]:
    """The instants, to the half hour, at which clocks change within a feed's reach."""
    half_hours = [WEEK + n * HOUR / 2 for n in range(-48 * 50, 48 * 360)]
    return [
        after
        for before, after in itertools.pairwise(half_hours)
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset()
    ]


def starts(zone: ZoneInfo) -> list[datetime]:
    """Over each change and within the hours around it, at midnights and on days far from any.

    No two within 45 minutes: a teacher gives one lesson at a time.
    """
    wanted = [WEEK + n * DAY for n in (10, 100, 200)]
    for change in changes(zone):
        wanted += [change + timedelta(minutes=50 * n - 25) for n in (0, -1, 1, -2, 2)]
        wanted += [change - DAY, change + DAY]
    for at in tuple(wanted):
        tomorrow = at.astimezone(zone).date() + DAY
        midnight = datetime.combine(tomorrow, time(), zone).astimezone(UTC)
        wanted += [midnight, midnight - timedelta(minutes=45), midnight + timedelta(minutes=45)]
    found: list[datetime] = []
    for at in wanted:
        if all(abs(at - other) >= timedelta(minutes=45) for other in found):
            found.append(at)
    return sorted(found)


@pytest.fixture
def world(database, request) -> World:
    """A programme in the zone that the test names, with lessons of every kind."""
    world = World(database, request.param).plant()
    zone = ZoneInfo(request.param)
    states = itertools.cycle(
        [
            {},
            {"state": LessonState.CANCELLED, "cancelled_by": "Thầy Tô Hiệu", "sequence": 1},
            {"moved": True, "sequence": 1},
            {"handed": True, "sequence": 1},
        ]
    )
    with database.transaction() as db:
        for at, state in zip(starts(zone), states, strict=False):
            values = dict(state)
            if values.pop("moved", False):
                values |= {"moved_from": at - 3 * HOUR, "changed_at": MADE + 20 * DAY}
            handed = values.pop("handed", False)
            lesson = world.put(db, "hoa" if handed else "lan", "7A", at, **values)
            if handed:
                world.put_trace(db, lesson, "lan", at, MADE)
    return world


@pytest.mark.parametrize("world", ZONES, indirect=True)
def test_every_reader_has_the_times_of_the_database(world, database, feed_of, readers):
    feeds = [("teacher", "lan"), ("class", "7A"), ("programme", "programme")]
    asked = list(itertools.product(feeds, MANNERS))
    bodies = [feed_of(*feed, "vi", **manner) for feed, manner in asked]
    for (feed, manner), events in zip(asked, readers.agreed(bodies), strict=True):
        expected = shown(database, feed[0], world.ids[feed[1]], **manner)
        assert len(expected) > 8
        said = {event.uid: facts(event, expected[event.uid]) for event in events}
        assert said == expected, (feed, manner)


def test_the_zones_of_these_tests_change_their_clocks_or_never_do():
    counts = {zone: len(changes(ZoneInfo(zone))) for zone in ZONES}
    assert {zone for zone, count in counts.items() if count == 0} == {
        "Asia/Ho_Chi_Minh",
        "Asia/Kathmandu",
    }
    assert all(count in (0, 2, 3) for count in counts.values()), counts
