"""Workers that die: nothing is lost, and what may have gone out twice is known."""

from collections import Counter

import pytest
from pydantic import SecretStr

from scheduler.delivery.smtp import SmtpTransport
from scheduler.services import outbox, sending
from tests.delivery.sink import listening
from tests.faults.kit import Post, announce, arrived, let_leases_end, rows, states, until
from tests.faults.worker import working


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


def run_until_killed(ctx, sink, step, number):
    """Run a worker and kill -9 it when it comes to that step for the `number`th time."""
    with working(ctx, smtp_url=SecretStr(sink.url)) as worker:
        seen = Counter()

        def watch(at):
            seen[at] += 1
            if (at, seen[at]) == (step, number):
                worker.kill()
                worker.join()

        sink.watch = watch
        worker.join(60)
    sink.watch = lambda at: None


def swept(ctx):
    """What the sweep finds once the dead worker's lease has run out."""
    assert sending.sweep(ctx) is None
    let_leases_end(ctx)
    return sending.sweep(ctx)


def finish(ctx, sink):
    transport = SmtpTransport(sink.url, ctx.settings.mail_from)
    while states(ctx).keys() & {"planned", "leased"}:
        sending.sweep(ctx)
        sending.send_due(ctx, transport)


@pytest.mark.fault(1)
def test_a_worker_killed_before_it_sent_leaves_one_unknown_and_loses_nothing(ctx, cast):
    announce(ctx, cast, 5)
    with listening() as sink:
        run_until_killed(ctx, sink, "banner", 1)
        assert states(ctx) == {"leased": 5}
        found = swept(ctx)
        assert (found.unknown, found.freed) == (1, 4)
        assert states(ctx) == {"planned": 4, "unknown": 1}
        finish(ctx, sink)
    assert sorted(arrived(sink).values()) == [1] * 5
    assert states(ctx) == {"sent": 5}


@pytest.mark.fault(3)
def test_a_worker_killed_after_the_relay_accepted_leaves_one_that_may_come_twice(ctx, cast):
    announce(ctx, cast, 5)
    with listening() as sink:
        run_until_killed(ctx, sink, "dot", 3)
        assert states(ctx) == {"sent": 2, "leased": 3}
        found = swept(ctx)
        assert (found.unknown, found.freed) == (1, 2)
        finish(ctx, sink)
    assert sorted(arrived(sink).values()) == [1, 1, 1, 1, 2]
    assert states(ctx) == {"sent": 5}
    assert outbox.show(ctx).maybe_twice == 1


@pytest.mark.fault(2)
def test_a_worker_killed_in_the_midst_of_a_mail_leaves_one_unknown_and_no_copy(ctx, cast):
    announce(ctx, cast, 3)
    with listening(body="hang") as sink:
        run_until_killed(ctx, sink, "body", 1)
        assert sink.arrived == []
        assert states(ctx) == {"leased": 3}
        assert ("transmitting",) in rows(ctx, "phase")
        found = swept(ctx)
        assert (found.unknown, found.freed) == (1, 2)
        sink.script.clear()
        finish(ctx, sink)
    assert sorted(arrived(sink).values()) == [1] * 3
    assert states(ctx) == {"sent": 3}


@pytest.mark.fault(5)
def test_workers_killed_again_and_again_lose_nothing_and_double_at_most_one_each(ctx, cast):
    announce(ctx, cast, 20)
    kills = 3
    with listening() as sink:
        for number in range(kills):
            run_until_killed(ctx, sink, ("dot", "RCPT", "DATA")[number], 5)
            swept(ctx)
        finish(ctx, sink)
    counted = arrived(sink)
    assert len(counted) == 20
    assert sum(counted.values()) - 20 <= kills
    assert states(ctx) == {"sent": 20}
    assert outbox.show(ctx).maybe_twice <= kills


@pytest.mark.fault(7)
def test_two_real_workers_share_the_work_and_double_nothing(ctx, cast):
    announce(ctx, cast, 20)
    with (
        listening() as sink,
        working(ctx, smtp_url=SecretStr(sink.url)),
        working(ctx, smtp_url=SecretStr(sink.url)),
    ):
        until(lambda: states(ctx) == {"sent": 20})
    assert sorted(arrived(sink).values()) == [1] * 20
    assert {tries for (tries,) in rows(ctx, "attempts")} == {1}


def test_the_late_mark_of_a_worker_that_was_only_slow_changes_nothing(ctx, cast):
    announce(ctx, cast, 1)

    class Slow(Post):
        """By the time it answers, the lease is over and another worker has finished."""

        def send(self, parcel):
            swept(ctx)
            sending.sweep(ctx)
            sending.send_due(ctx, other)
            return super().send(parcel)

    other, slow = Post(), Slow()
    done = sending.send_due(ctx, slow)
    assert done.fates == {sending.Fate.LEASE_LOST: 1}
    assert states(ctx) == {"sent": 1}
    assert len(other.arrived) == 1
    assert other.arrived[0]["Message-ID"] == slow.arrived[0]["Message-ID"]
