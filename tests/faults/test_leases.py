"""Leases: one worker at a time holds a message, and who lost it changes nothing."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain.messages import Channel
from scheduler.services import sending
from scheduler.services.sending import Fate
from scheduler.store import queue as store
from tests.faults.kit import Post, announce, book, replan, rows, states

WEDNESDAY = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def due(ctx, cast, clock):
    """A lesson tomorrow: its teacher and its school are to be reminded now."""
    lesson = book(ctx, cast, WEDNESDAY)
    replan(ctx, lesson)
    clock.at = WEDNESDAY - timedelta(hours=23)
    return lesson


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


def claim(ctx, token="mine", limit=100, lease=timedelta(minutes=2)):
    with ctx.transaction() as db:
        return store.claim(db, Channel.MAIL, "me", token, ctx.now(), limit, lease)


def sweep(ctx):
    with ctx.transaction() as db:
        return store.sweep(db, ctx.now())


def ours(ctx, change, *arguments):
    with ctx.transaction() as db:
        return change(db, *arguments)


@pytest.mark.fault(7)
def test_two_workers_at_once_send_each_message_once(ctx, cast, clock):
    announce(ctx, cast, 40)
    post, barrier = Post(), threading.Barrier(2)

    def work():
        barrier.wait()
        while sending.send_due(ctx, post, limit=5).claimed:
            pass

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    arrived = [mail["Message-ID"] for mail in post.arrived]
    assert (len(arrived), len(set(arrived))) == (40, 40)
    assert states(ctx) == {"sent": 40}
    assert {tries for (tries,) in rows(ctx, "attempts")} == {1}


def test_two_claims_share_nothing(ctx, cast, due):
    first, second = claim(ctx, "one", limit=1), claim(ctx, "two", limit=5)
    assert len(first) == len(second) == 1
    assert {message.id for message in first}.isdisjoint(message.id for message in second)


@pytest.mark.fault(6)
def test_a_worker_that_lost_its_lease_changes_nothing(ctx, cast, due):
    late = claim(ctx, "late", lease=timedelta(0))
    assert sweep(ctx).freed == 2
    taken = claim(ctx, "new")
    before = rows(ctx, "id", "state", "lease_token", "phase", "next_try_at", "last_error")
    for message in late:
        assert ours(ctx, store.begin_transmission, message) is False
        assert ours(ctx, store.mark_sent, message, ctx.now(), "250 ok") is False
        assert ours(ctx, store.mark_failed, message, "x") is False
        assert ours(ctx, store.mark_unknown, message, "x") is False
        assert ours(ctx, store.mark_cancelled, message, "x") is False
        assert ours(ctx, store.mark_expired, message) is False
        assert ours(ctx, store.retry, message, ctx.now(), "x") is False
    assert ours(ctx, store.give_back, late) == 0
    assert rows(ctx, "id", "state", "lease_token", "phase", "next_try_at", "last_error") == before
    assert all(ours(ctx, store.mark_sent, message, ctx.now(), "250 ok") for message in taken)
    assert not any(ours(ctx, store.mark_failed, message, "x") for message in taken)
    assert states(ctx) == {"sent": 2, "planned": 2}


def test_a_sweep_leaves_living_leases_alone(ctx, cast, due):
    claim(ctx)
    assert sweep(ctx) == store.Swept(expired=0, freed=0, unknown=0, again=0)
    assert states(ctx) == {"leased": 2, "planned": 2}


def test_who_vanished_while_transmitting_leaves_an_unknown_fate(ctx, cast, due):
    begun, waiting = claim(ctx, lease=timedelta(0))
    assert ours(ctx, store.begin_transmission, begun)
    assert sweep(ctx) == store.Swept(expired=0, freed=1, unknown=1, again=0)
    found = dict(rows(ctx, "key", "state"))
    assert (found[begun.key], found[waiting.key]) == ("unknown", "planned")


def test_a_worker_that_is_told_to_stop_or_runs_late_gives_back(ctx, cast, due):
    assert sending.send_due(ctx, Post(), go_on=lambda: False).fates == {Fate.GIVEN_BACK: 2}
    assert sending.send_due(ctx, Post(), lease=timedelta(0)).fates == {Fate.GIVEN_BACK: 2}
    assert {tries for (tries,) in rows(ctx, "attempts")} == {0}
    assert states(ctx) == {"planned": 4}


@pytest.mark.fault(34)
def test_the_most_urgent_goes_first(ctx, cast, clock):
    later = book(ctx, cast, WEDNESDAY + HOUR, "8B", "teacher2")
    sooner = book(ctx, cast, WEDNESDAY)
    replan(ctx, later, sooner)
    clock.at = WEDNESDAY - timedelta(hours=22)
    claimed = claim(ctx)
    hours = [(each.useless_after - claimed[0].useless_after) / HOUR for each in claimed]
    assert hours == [0, 0, 1, 1]
    assert cast["person_teacher1"] in [each.person_id for each in claimed[:2]]


@pytest.mark.bench
def test_ten_thousand_messages_are_planned_claimed_and_marked(ctx, cast, capsys):
    import time  # noqa: PLC0415 - only when measuring

    began = time.perf_counter()
    announce(ctx, cast, 10_000)
    planned = time.perf_counter()
    done = 0
    for n in range(10):
        for message in claim(ctx, f"w{n}"):
            ours(ctx, store.begin_transmission, message)
            done += ours(ctx, store.mark_sent, message, ctx.now(), "250 ok")
    ended = time.perf_counter()
    with capsys.disabled():
        print(f"\n{ctx.database.url[:10]}: 10,000 planned in {planned - began:.2f} s; "
              f"{done} claimed and marked at {done / (ended - planned):.0f}/s")  # fmt: skip
