"""Reads of a link: how many, how fast, and what is kept about it."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.web import limits
from scheduler.web.limits import BURST, Limit

NOW = datetime(2023, 10, 2, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def spent(limit: Limit, link: int = 1, now: datetime = NOW) -> int:
    """Reads that are allowed at one moment."""
    count = 0
    while limit.wait(link, now) is None:
        count += 1
    return count


def test_a_burst_is_allowed_and_then_one_a_minute():
    limit = Limit()
    assert spent(limit) == BURST
    assert limit.wait(1, NOW) == MINUTE
    assert limit.wait(1, NOW + 59 * SECOND) == SECOND
    assert limit.wait(1, NOW + MINUTE) is None
    assert limit.wait(1, NOW + MINUTE) == MINUTE
    assert spent(limit, now=NOW + 4 * MINUTE) == 3
    assert spent(limit, now=NOW + timedelta(days=1)) == BURST


def test_what_was_refused_is_not_counted():
    limit = Limit()
    spent(limit)
    for _ in range(1000):
        limit.wait(1, NOW + SECOND)
    assert limit.wait(1, NOW + MINUTE) is None


def test_each_link_has_its_own():
    limit = Limit()
    spent(limit, link=1)
    assert spent(limit, link=2) == BURST


@pytest.mark.parametrize("every", [timedelta(minutes=1), timedelta(minutes=5)])
def test_a_client_that_comes_each_minute_or_less_often_never_meets_it(every):
    limit = Limit()
    assert [limit.wait(1, NOW + n * every) for n in range(2000)] == [None] * 2000


def test_no_more_than_a_burst_and_sixty_are_allowed_in_any_hour():
    limit = Limit()
    allowed = [s for s in range(7200) if limit.wait(1, NOW + s * SECOND) is None]
    busiest = max(sum(s <= t < s + 3600 for t in allowed) for s in allowed)
    assert busiest == BURST + 59


def test_a_clock_set_back_costs_a_minute_and_not_an_hour():
    limit = Limit()
    spent(limit)
    earlier = NOW - timedelta(hours=5)
    assert limit.wait(1, earlier) == MINUTE
    assert spent(limit, now=earlier + MINUTE) == 1
    assert spent(limit, now=earlier + 3 * MINUTE) == 2


def test_links_that_rested_are_forgotten_when_there_are_many(monkeypatch):
    monkeypatch.setattr(limits, "MOST_LINKS", 3)
    limit = Limit()
    for link in (1, 2):
        limit.wait(link, NOW)
    spent(limit, link=3)
    later = NOW + 2 * MINUTE
    limit.wait(4, later)
    assert limit.wait(3, later) is None
    assert spent(limit, link=3, now=later) == 1
    for link in range(5, 50):
        limit.wait(link, later)
        assert len(limit._whole_at) <= 3


def test_what_other_processes_gave_counts_here_too():
    limit = Limit()
    limit.wait(1, NOW)
    limit.learn({1: NOW + BURST * MINUTE, 2: NOW + BURST * MINUTE})
    assert limit.wait(1, NOW) == MINUTE
    assert spent(limit, link=2) == BURST  # nobody asks for it here: nothing is kept about it
    limit.learn({1: NOW})
    assert limit.wait(1, NOW) == MINUTE
