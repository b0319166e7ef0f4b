"""The forecast from the database's own figures, its alarm, and what the queue's law allows."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain.forecast import Rate, RateSource
from scheduler.domain.messages import Channel, MessageKind, NewMessage
from scheduler.domain.news import Gathering
from scheduler.services import mailroom, outbox, sending
from scheduler.services.mailroom import Outlook, Search
from scheduler.services.sending import Fate
from scheduler.store import tables
from scheduler.store.leases import database_now
from tests.faults.kit import Post, announce, states, write
from tests.web.browser import Site

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


def queue(ctx, cast, count: int, minutes: int, **more) -> None:
    """So many messages of any programme, due now and useless in so many minutes."""
    now = ctx.now()
    with ctx.transaction() as db:
        outbox.plan(
            ctx, db,
            [
                NewMessage(
                    **{"key": f"{minutes}:{n}:{more}", "kind": MessageKind.CHANGES, "due_at": now,
                       "person_id": cast["person_teacher1"],
                       "useless_after": now + minutes * MINUTE,
                       "payload": Gathering((), ("publication:1",)).payload()} | more
                )
                for n in range(count)
            ],
        )  # fmt: skip


def work(ctx, seconds: float, senders: int, *, beat_ago: timedelta = timedelta(0)) -> None:
    """A worker with so many senders, on a relay that takes so long for a message."""
    with ctx.transaction() as db:
        at = database_now(db) - beat_ago
        db.execute(
            tables.workers.insert().values(name="w", senders=senders, started_at=at, beat_at=at)
        )
        db.execute(
            tables.relays.insert().values(
                name="mail", tokens=0.0, refilled_at=at, failures=0, send_seconds=seconds,
                last_error="",
            )
        )  # fmt: skip


def test_the_rate_comes_from_the_relay_and_the_workers_that_beat(ctx, cast):
    queue(ctx, cast, 30, 60)
    work(ctx, 2.0, 4)
    (found,) = mailroom.foresee(ctx)
    assert (found.channel, found.waiting) == (Channel.MAIL, 30)
    assert found.rate == Rate(2.0, RateSource.TIMED)
    assert found.needs == timedelta(seconds=15)
    assert found.deadline == ctx.now() + 60 * MINUTE


def test_a_worker_that_beats_no_more_sends_nothing(ctx, cast):
    queue(ctx, cast, 3, 60)
    work(ctx, 2.0, 4, beat_ago=2 * MINUTE)
    assert mailroom.foresee(ctx)[0].rate.source is RateSource.UNKNOWN


def test_without_a_relays_figures_what_went_out_of_late_is_the_rate(ctx, cast, clock):
    announce(ctx, cast, 60)
    assert sending.send_due(ctx, Post(), limit=60).fates == {Fate.SENT: 60}
    queue(ctx, cast, 5, 50)
    assert mailroom.foresee(ctx)[0].rate == Rate(0.1, RateSource.MEASURED)
    clock.forward(minutes=10)
    assert mailroom.foresee(ctx)[0].needs is None


def test_what_is_not_due_or_is_held_is_no_queue(ctx, cast):
    queue(ctx, cast, 2, 60, due_at=ctx.now() + MINUTE)
    queue(ctx, cast, 2, 70, programme_id=cast["programme"])
    assert mailroom.foresee(ctx)[0].waiting == 2
    mailroom.hold_news(ctx, cast.actors["coordinator"])
    assert mailroom.foresee(ctx) == ()


def test_the_alarm_is_logged_once_until_all_is_well_again(ctx, cast, caplog, clock):
    queue(ctx, cast, 10, 5)
    work(ctx, 60.0, 1)
    with caplog.at_level(logging.WARNING, "scheduler.services.mailroom"):
        assert [mailroom.watch(ctx) for _ in range(3)] == [5, 5, 5]
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert caplog.records[0].count == 5
        write(ctx, tables.relays, tables.relays.c.name == "mail", send_seconds=1.0)
        assert [mailroom.watch(ctx) for _ in range(2)] == [0, 0]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_the_figures_for_machines_say_what_waits_and_what_will_be_late(ctx, cast):
    assert mailroom.outlook(ctx) == Outlook(will_be_late=0, needs_seconds=0.0)
    queue(ctx, cast, 10, 5)
    assert mailroom.outlook(ctx) == Outlook(will_be_late=0, needs_seconds=None)
    work(ctx, 60.0, 1)
    assert mailroom.outlook(ctx) == Outlook(will_be_late=5, needs_seconds=600.0)


def test_the_page_raises_the_alarm(ctx, cast):
    queue(ctx, cast, 10, 5)
    work(ctx, 60.0, 1)
    browser = Site(ctx).of(cast.actors["coordinator"])
    page = browser.see("/coordinator/messages")
    assert "5 tin sẽ không kịp giờ</h1>" in page.text
    assert "Qua thư điện tử: 5 tin sẽ không kịp giờ</strong>" in page.text
    assert 'role="alert"' in page.text
    part = browser.see("/coordinator/messages/forecast", headers={"hx-request": "1"})
    assert part.text.lstrip().startswith('<section id="forecast"')
    assert "còn 10 phút; hạn gấp nhất: còn 5 phút" in part.text


def test_news_of_a_whole_province_is_held_in_one_go(ctx, cast):
    queue(ctx, cast, 2500, 60, programme_id=cast["programme"])
    actor = cast.actors["coordinator"]
    assert mailroom.hold_news(ctx, actor) == 2500
    assert mailroom.hold_news(ctx, actor) == 0
    room = mailroom.look(ctx, actor, Search())
    assert (room.news.waiting, room.news.first_due_at, room.news.held) == (0, None, 2500)
    assert mailroom.release_news(ctx, actor) == 2500


def test_the_zone_of_a_day_is_the_programmes(ctx, cast):
    queue(ctx, cast, 1, 60, programme_id=cast["programme"],
          due_at=datetime(2023, 10, 1, 17, 0, tzinfo=UTC))  # fmt: skip
    day = datetime(2023, 10, 2, tzinfo=UTC).date()
    room = mailroom.look(ctx, cast.actors["coordinator"], Search(day=day))
    assert len(room.posts) == 1
