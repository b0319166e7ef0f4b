"""Buckets of tries: how many at once, when the next, and the same for every process."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.domain.limits import Limit, narrowed, network_of
from scheduler.errors import TooMany
from scheduler.services import limits
from scheduler.store import limits as rows
from scheduler.store import tables

THREE = Limit("three", 3, timedelta(minutes=1))


def tries(ctx, count: int, subject: str = "a") -> list[bool]:
    done = []
    for _ in range(count):
        try:
            limits.take(ctx, THREE, subject)
        except TooMany:
            done.append(False)
        else:
            done.append(True)
    return done


def test_a_burst_goes_through_and_then_one_each_while(ctx, clock):
    assert tries(ctx, 5) == [True, True, True, False, False]
    clock.forward(seconds=59)
    assert tries(ctx, 1) == [False]
    clock.forward(seconds=1)
    assert tries(ctx, 2) == [True, False]
    clock.forward(hours=1)
    assert tries(ctx, 4) == [True, True, True, False]


def test_each_has_a_bucket_of_its_own_and_none_is_kept_in_clear(ctx):
    assert tries(ctx, 4, "lan@x.example") == [True, True, True, False]
    assert tries(ctx, 1, "hoa@x.example") == [True]
    with ctx.reading() as db:
        kept = str(db.execute(tables.buckets.select()).all())
    assert "lan" not in kept


def test_who_is_refused_is_told_when_to_come_back(ctx, clock):
    tries(ctx, 3)
    clock.forward(seconds=20)
    with pytest.raises(TooMany) as refused:
        limits.take(ctx, THREE, "a")
    assert refused.value.retry_after == 40
    clock.forward(seconds=40)
    assert tries(ctx, 1) == [True]


@pytest.mark.parametrize(("back", "at_once"), [({"hours": 5}, 3), ({"seconds": 20}, 0)])
def test_a_clock_set_back_shuts_nobody_out_for_long(ctx, clock, back, at_once):
    """Far back, the bucket is new; a little, as between two machines, it is the same one."""
    tries(ctx, 3)
    clock.forward(**{unit: -by for unit, by in back.items()})
    assert tries(ctx, 4) == [True] * at_once + [False] * (4 - at_once)
    with pytest.raises(TooMany) as refused:
        limits.take(ctx, THREE, "a")
    clock.forward(seconds=refused.value.retry_after)
    assert refused.value.retry_after <= 180
    assert tries(ctx, 1) == [True]


def test_of_many_at_once_no_more_than_the_burst_goes_through(ctx):
    def one(_n: int) -> bool:
        return tries(ctx, 1)[0]

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(24))) == 3


def test_a_bucket_that_is_full_again_is_forgotten(ctx, clock):
    tries(ctx, 2)
    clock.forward(seconds=119)
    with ctx.transaction() as db:
        assert rows.drop_full(db, int(ctx.now().timestamp() * 1000)) == 0
    clock.forward(seconds=1)
    with ctx.transaction() as db:
        assert rows.drop_full(db, int(ctx.now().timestamp() * 1000)) == 1


@given(steps=st.lists(st.integers(0, 90_000), max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_never_more_than_the_burst_and_what_came_back(ctx, steps):
    now, taken = 0, []
    with ctx.transaction() as db:
        db.execute(tables.buckets.delete())
        for step in steps:
            now += step
            if rows.take(db, THREE, "x", now) is None:
                taken.append(now)
    for n, begin in enumerate(taken):
        for m, end in enumerate(taken[n:], 1):
            assert m <= THREE.burst + (end - begin) // THREE.step


def test_tries_allowed_elsewhere_are_counted_and_never_overdraw_for_long(ctx):
    with ctx.transaction() as db:
        assert rows.add(db, THREE, {}, 0) == {}
        assert rows.add(db, THREE, {"a": 2, "b": 1}, 0) == {"a": 120_000, "b": 60_000}
        assert rows.take(db, THREE, "a", 0) is None
        assert rows.take(db, THREE, "a", 0) == timedelta(minutes=1)
        assert rows.add(db, THREE, {"a": 1, "b": 1000}, 30_000) == {"a": 240_000, "b": 390_000}
        assert rows.take(db, THREE, "b", 30_000) == timedelta(minutes=4)
        assert rows.add(db, THREE, {"a": 1}, 500_000) == {"a": 560_000}


@pytest.mark.parametrize(
    ("address", "network", "kept"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", "2001:db8:1::/48"),
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        ("", "", ""),
        ("testclient", "testclient", ""),
    ],
)
def test_whose_tries_count_together_and_what_is_kept_of_an_address(address, network, kept):
    assert network_of(address) == network
    assert narrowed(address) == kept
