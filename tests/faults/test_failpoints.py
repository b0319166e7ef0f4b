"""A worker may break at any place: no message is lost, and each copy too many is known."""

from collections import Counter

import pytest
from pydantic import SecretStr

from scheduler import failpoints
from scheduler.services import outbox, sending, ways
from tests.delivery.sink import listening
from tests.faults.kit import announce, arrived, let_leases_end, states
from tests.faults.worker import working

# The number of copies of the one message that was in the worker's hands.
COPIES = {
    "after_claim": 1,
    "after_prepare": 1,
    "after_begin": 1,
    "after_send": 2,
    "after_journal": 2,
    "after_mark": 1,
    "before_give_back": 1,
}


def finish(ctx, sink):
    """Another worker, once the leases of the first are over."""
    let_leases_end(ctx)
    own = ctx.settings.model_copy(update={"smtp_url": SecretStr(sink.url)})
    transport = ways.mail(type(ctx)(own, ctx.database, ctx.clock, ctx.key))
    for _ in range(3):
        sending.sweep(ctx)
        sending.send_due(ctx, transport)
    transport.close()


def test_the_table_here_has_every_place_of_a_batch():
    assert {*COPIES, "after_sweep"} == set(failpoints.SENDING)


@pytest.mark.parametrize("name", COPIES)
@pytest.mark.fault(1, 3, 4)
def test_a_worker_killed_there_loses_nothing_and_doubles_what_it_had_in_hand(ctx, cast, name):
    announce(ctx, cast, 2)
    with listening() as sink:
        with working(ctx, smtp_url=SecretStr(sink.url), fail=f"{name}:kill") as worker:
            worker.join(30)
            assert worker.exitcode == -9
        finish(ctx, sink)
        copies = Counter(arrived(sink).values())
    assert copies == Counter([1, COPIES[name]])
    assert states(ctx) == {"sent": 2}
    begun = name in ("after_begin", "after_send", "after_journal", "after_mark")
    assert outbox.show(ctx).maybe_twice == begun


def test_a_worker_killed_after_its_sweep_leaves_what_it_swept(ctx, cast, clock):
    announce(ctx, cast, 2)
    clock.forward(days=8)
    with working(ctx, fail="after_sweep:kill") as worker:
        worker.join(30)
        assert worker.exitcode == -9
    assert states(ctx) == {"expired": 2}


@pytest.mark.parametrize("name", ["after_prepare", "after_mark", "after_send"])
def test_an_error_that_nobody_foresaw_gives_the_others_back(ctx, cast, monkeypatch, name):
    announce(ctx, cast, 3)
    monkeypatch.setattr(failpoints, "_armed", [])
    failpoints.arm(f"{name}:raise")
    with listening() as sink:
        transport = ways.SmtpTransport(sink.url, ctx.settings.mail_from)
        with pytest.raises(failpoints.Failure):
            sending.send_due(ctx, transport)
        left = states(ctx)
        assert left.get("leased", 0) <= 1  # the one that may be on its way
        transport.close()
        finish(ctx, sink)
        assert len(arrived(sink)) == 3
    assert states(ctx) == {"sent": 3}


@pytest.mark.parametrize(
    "told", ["", "nowhere:kill", "after_mark:burn", "after_mark", "after_mark:kill:x", "a:b:c:d"]
)
def test_what_names_no_place_or_mode_is_refused(told):
    with pytest.raises(ValueError, match=r"CHUNGTAY_FAIL|invalid literal|unpack"):
        failpoints.arm(told)
