"""Who has seen a change, and who will not in time."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain.people import PersonId
from scheduler.domain.subscriptions import (
    Change,
    LinkUse,
    Standing,
    Subscriber,
    by_standing,
    standing,
    would_miss,
)

NOW = datetime(2023, 10, 2, 1, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CHANGE = Change(at=NOW - HOUR, starts_at=NOW + 8 * HOUR)


def link(client: str = "Apple", read_ago: timedelta | None = HOUR) -> LinkUse:
    return LinkUse("máy", client, None if read_ago is None else NOW - read_ago)


@pytest.mark.parametrize(
    ("links", "found"),
    [
        ([], Standing.NONE),
        ([link(read_ago=None)], Standing.ASLEEP),
        ([link(read_ago=8 * DAY)], Standing.ASLEEP),
        ([link(read_ago=HOUR)], Standing.READ),
        ([link(read_ago=2 * HOUR)], Standing.IN_TIME),
        ([link("Outlook", 2 * HOUR)], Standing.IN_TIME),
        ([link("Google", 2 * HOUR)], Standing.LATE),  # looks again in 22 hours
        ([link("Google", 20 * HOUR)], Standing.IN_TIME),  # in 4 hours
        ([link("Google", 30 * HOUR)], Standing.IN_TIME),  # any moment
        ([link("Google", 0 * HOUR)], Standing.READ),
        ([link("Google", 2 * HOUR), link(read_ago=2 * HOUR)], Standing.IN_TIME),
        ([link("Google", 2 * HOUR), link(read_ago=None)], Standing.LATE),
    ],
)
def test_the_best_link_tells_how_somebody_stands(links, found):
    assert standing(links, CHANGE, NOW) is found


def test_a_change_of_this_moment_has_been_read_by_nobody():
    assert not would_miss([link(read_ago=timedelta())], NOW + 3 * HOUR, NOW)
    assert would_miss([link(read_ago=timedelta())], NOW + HOUR, NOW)
    assert would_miss([link("Google", timedelta())], NOW + 23 * HOUR, NOW)
    assert would_miss([], NOW + 9 * DAY, NOW)


def test_people_stand_under_their_standing_the_next_lesson_first():
    def person(n: int, hours: int) -> Subscriber:
        change = Change(NOW - HOUR, NOW + hours * HOUR)
        return Subscriber(PersonId(n), f"Cô {n}", f"{n}@x.example", None, change, ())

    found = by_standing([person(1, 9), person(2, 3), person(3, 9)], NOW)
    assert [x.person_id for x in found[Standing.NONE]] == [2, 1, 3]
    assert [key for key, people in found.items() if people] == [Standing.NONE]
