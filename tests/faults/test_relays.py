"""Relays that are away or slow: they are left alone for a while, and no message pays for it."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.delivery.channels import Outcome, Receipt
from scheduler.domain import relays as rules
from scheduler.domain.messages import Channel
from scheduler.domain.relays import Limit, Relay
from scheduler.services import outbox, sending
from scheduler.services.sending import Fate
from scheduler.store import relays, tables
from scheduler.store.leases import database_now
from tests.faults.kit import Post, announce, rows, states, write

AWAY = Receipt(Outcome.REFUSED_FOR_NOW, "no answer", relay_away=True)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FREE = Limit()


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


def relay(ctx):
    with ctx.reading() as db:
        return relays.seen(db).get(Channel.MAIL)


def let_it_open(ctx):
    """The time for which the relay is left alone is over."""
    with ctx.transaction() as db:
        past = database_now(db) - timedelta(seconds=1)
        db.execute(tables.relays.update().values(open_until=past))


@pytest.mark.fault(11)
def test_a_relay_that_is_away_five_times_is_left_alone(ctx, cast, clock):
    announce(ctx, cast, 30)
    post = Post(*[AWAY] * 6)
    for _ in range(5):
        assert sending.send_due(ctx, post).fates == {Fate.RETRIED: 1, Fate.GIVEN_BACK: 19}
    assert sending.due_channels(ctx) == ()
    assert sending.send_due(ctx, post).claimed == 0
    assert outbox.show(ctx).away == ("mail",)
    assert sorted(tries for (tries,) in rows(ctx, "attempts")) == [0] * 25 + [1] * 5
    let_it_open(ctx)
    assert sending.send_due(ctx, post).fates == {Fate.RETRIED: 1}  # one alone tries the door
    assert sending.send_due(ctx, post).claimed == 0
    let_it_open(ctx)
    assert sending.send_due(ctx, post).fates == {Fate.SENT: 1}
    assert outbox.show(ctx).away == ()
    clock.forward(minutes=3)
    assert sending.send_due(ctx, post).count(Fate.SENT) == 20
    assert relay(ctx).failures == 0


def test_a_relay_is_left_alone_twice_as_long_each_time():
    found, waits = Relay(1.0, NOW), []
    for _ in range(12):
        found = rules.away(found, NOW, "no answer")
        waits.append(found.open_until and (found.open_until - NOW).total_seconds())
    assert waits == [None] * 4 + [30, 60, 120, 240, 480, 900, 900, 900]
    assert rules.answered(found, 0.5) == Relay(1.0, NOW, send_seconds=0.5)


def test_several_workers_share_one_rate(ctx, cast):
    announce(ctx, cast, 20)
    slow = ctx.settings.model_copy(update={"mail_rate": 5.0})
    own = type(ctx)(slow, ctx.database, ctx.clock, ctx.key)
    post = Post()
    assert sending.send_due(own, post).claimed == 5
    with ctx.transaction() as db:  # no time passes
        ahead = database_now(db) + timedelta(minutes=1)
        db.execute(tables.relays.update().values(refilled_at=ahead))
    assert sending.send_due(own, post).claimed == 0
    assert sending.any_due(own, Channel.MAIL) is True
    with ctx.transaction() as db:
        past = database_now(db) - timedelta(seconds=0.61)
        db.execute(tables.relays.update().values(refilled_at=past))
    assert sending.send_due(own, post).claimed == 3


def test_what_a_worker_gives_back_may_be_sent_by_another(ctx, cast):
    announce(ctx, cast, 20)
    slow = ctx.settings.model_copy(update={"mail_rate": 5.0})
    own = type(ctx)(slow, ctx.database, ctx.clock, ctx.key)
    assert sending.send_due(own, Post(), go_on=lambda: False).fates == {Fate.GIVEN_BACK: 5}
    assert sending.send_due(own, Post()).fates == {Fate.SENT: 5}


def test_tokens_never_gather_beyond_one_second():
    limit, idle = Limit(14.0), NOW + timedelta(hours=1)
    assert rules.may_take(Relay(0.0, NOW), limit, idle, 100) == 14
    assert rules.may_take(Relay(0.0, NOW), Limit(0.1), NOW + timedelta(seconds=9), 5) == 0
    assert rules.may_take(Relay(0.0, NOW), Limit(0.1), NOW + timedelta(seconds=11), 5) == 1
    assert rules.may_take(Relay(0.0, NOW), FREE, NOW, 100) == 100


def test_how_long_a_message_takes_is_a_moving_mean(ctx, cast):
    announce(ctx, cast, 2)
    sending.send_due(ctx, Post(), limit=1)
    write(ctx, tables.relays, tables.relays.c.name == "mail", send_seconds=10.0)
    sending.send_due(ctx, Post(), limit=1)
    assert relay(ctx).send_seconds == pytest.approx(8.0, abs=0.1)
