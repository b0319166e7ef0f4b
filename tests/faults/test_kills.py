"""Workers that die: nothing is lost, and what may have gone out twice is known."""

from collections import Counter
from email import message_from_bytes

import pytest

from scheduler.delivery.smtp import SmtpTransport
from scheduler.services import outbox
from tests.delivery.sink import listening
from tests.faults.kit import Post, announce, let_leases_end, process, rows, states, until

WORKER = ("-m", "tests.faults.worker")


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


def arrived(sink):
    return Counter(message_from_bytes(each)["Message-ID"] for each in sink.arrived)


def run_until_killed(ctx, sink, step, number):
    """Run a worker and kill -9 it when it comes to that step for the `number`th time."""
    with process(ctx, *WORKER, smtp_url=sink.url) as worker:
        seen = Counter()

        def watch(at):
            seen[at] += 1
            if (at, seen[at]) == (step, number):
                worker.kill()
                worker.wait()

        sink.watch = watch
        worker.wait(timeout=60)
    sink.watch = lambda at: None


def swept(ctx):
    """What the sweep finds once the dead worker's lease has run out."""
    assert outbox.sweep(ctx) is None
    let_leases_end(ctx)
    return outbox.sweep(ctx)


def finish(ctx, sink):
    transport = SmtpTransport(sink.url, ctx.settings.mail_from)
    while states(ctx).keys() & {"planned", "leased"}:
        outbox.sweep(ctx)
        outbox.send_due(ctx, transport)


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


def test_two_real_workers_share_the_work_and_double_nothing(ctx, cast):
    announce(ctx, cast, 20)
    with (
        listening() as sink,
        process(ctx, *WORKER, smtp_url=sink.url),
        process(ctx, *WORKER, smtp_url=sink.url),
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
            outbox.sweep(ctx)
            outbox.send_due(ctx, other)
            return super().send(parcel)

    other, slow = Post(), Slow()
    done = outbox.send_due(ctx, slow)
    assert done.fates == {outbox.Fate.LEASE_LOST: 1}
    assert states(ctx) == {"sent": 1}
    assert len(other.arrived) == 1
    assert other.arrived[0]["Message-ID"] == slow.arrived[0]["Message-ID"]
