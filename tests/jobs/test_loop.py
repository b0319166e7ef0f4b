"""The beat: every step has its turn, one that breaks stops no other, and the loop ends cleanly."""

import signal
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.busy import BusyChoices
from scheduler.domain.messages import Channel
from scheduler.jobs import loop
from scheduler.jobs.senders import Senders, of
from scheduler.jobs.tick import read_calendars, tick
from scheduler.services import busy, workers
from scheduler.services.sending import Fate
from scheduler.store import tables
from scheduler.store.leases import database_now
from tests.delivery.sink import listening
from tests.faults.kit import FOREVER, Post, announce, process, rows, states, until


@pytest.fixture
def quick(ctx):
    """The same context, beating twenty times a second."""
    return replace(ctx, settings=ctx.settings.model_copy(update={"tick_seconds": 0.05}))


@pytest.fixture
def post():
    return Post()


@pytest.fixture
def senders(ctx, post):
    """One thread that sends by mail."""
    made = Senders(ctx, {Channel.MAIL: [post]})
    yield made
    made.close()


def test_a_beat_sends_what_is_due_and_is_noted(ctx, cast, senders):
    announce(ctx, cast, 3)
    assert loop.ready(ctx) is False
    done = tick(ctx, senders)
    assert (done.feeds, done.failed) == (0, ())
    assert senders.settle().fates == {Fate.SENT: 3}
    assert loop.ready(ctx) is True


def test_a_beat_takes_batch_after_batch_over_one_connection(ctx, cast, senders, post):
    announce(ctx, cast, 41)
    tick(ctx, senders)
    assert senders.settle().fates == {Fate.SENT: 41}
    assert post.closed == 1


@pytest.mark.fault(14)
def test_a_beat_does_not_wait_for_a_relay_that_hangs(ctx, cast):
    announce(ctx, cast, 30)
    answers = threading.Event()

    class Hangs(Post):
        def send(self, parcel):
            answers.wait(30)
            return super().send(parcel)

    hangs, well = Hangs(), Post()
    senders = Senders(ctx, {Channel.MAIL: [hangs, well]})
    tick(ctx, senders)
    until(lambda: len(well.arrived) in (10, 20))  # the other thread holds a batch
    assert (tick(ctx, senders).failed, len(hangs.arrived)) == ((), 0)
    answers.set()
    senders.settle()
    senders.close()
    assert states(ctx) == {"sent": 30}


def test_a_process_has_as_many_connections_as_its_settings_say(ctx):
    three = ctx.settings.model_copy(update={"mail_connections": 3})
    made = of(replace(ctx, settings=three))
    ways = [way for way, _ in made.lines]
    assert ways.count(Channel.MAIL) == 3
    assert all(ways.count(way) <= 1 for way in Channel if way is not Channel.MAIL)
    made.close()


@pytest.mark.fault(32)
def test_a_step_that_breaks_stops_no_other(ctx, cast, senders):
    announce(ctx, cast, 1)
    with ctx.transaction() as db:
        db.execute(sa.text("ALTER TABLE feeds RENAME TO gone"))
    assert tick(ctx, senders).failed == ("feeds",)
    assert senders.settle().fates == {Fate.SENT: 1}
    assert loop.ready(ctx) is True


def beaten(ctx, ago):
    with ctx.transaction() as db:
        at = database_now(db) - ago
        db.execute(tables.workers.update().values(beat_at=at))
    return at


def last_beat(ctx):
    with ctx.reading() as db:
        return db.scalar(sa.select(tables.workers.c.beat_at))


def test_beats_are_noted_every_ten_seconds_at_most(ctx, senders):
    tick(ctx, senders)
    noted = beaten(ctx, timedelta(seconds=9))
    tick(ctx, senders)
    assert last_beat(ctx) == noted
    noted = beaten(ctx, timedelta(seconds=11))
    tick(ctx, senders)
    assert last_beat(ctx) > noted


def test_a_minute_without_a_beat_is_not_ready(ctx):
    workers.note_beat(ctx)
    beaten(ctx, timedelta(seconds=55))
    assert loop.ready(ctx) is True
    beaten(ctx, timedelta(seconds=61))
    assert loop.ready(ctx) is False


def test_the_loop_beats_until_it_is_stopped(quick, cast):
    running = loop.start(quick)
    announce(quick, cast, 2)
    until(lambda: states(quick) == {"sent": 2})
    running.stop()
    running.stop()
    with quick.transaction() as db:
        db.execute(tables.outbox.update().values(state="planned", sent_at=None))
    assert not [each for each in threading.enumerate() if "APScheduler" in each.name]
    assert states(quick) == {"planned": 2}


def test_a_worker_told_to_stop_ends_its_mail_and_gives_the_rest_back(ctx, cast):
    announce(ctx, cast, 5)
    slow = threading.Event()  # never set: the relay takes its time over the second mail
    with (
        listening() as sink,
        process(
            ctx, "-c", FOREVER, smtp_url=sink.url, tick_seconds=0.05, mail_connections=1
        ) as worker,
    ):
        sink.watch = lambda step: slow.wait(3) if (step, len(sink.arrived)) == ("dot", 2) else None
        until(lambda: len(sink.arrived) == 2)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=60) == 0
    assert states(ctx) == {"sent": 2, "planned": 3}
    assert rows(ctx, "state", "attempts", "lease_token").count(("planned", 0, None)) == 3


def test_calendars_that_are_due_are_read_once(ctx, cast, clock):
    lan = cast.actors["teacher1"]
    busy.set_source(ctx, lan, "https://127.0.0.1/private.ics", BusyChoices())
    assert (read_calendars(ctx), read_calendars(ctx)) == (1, 0)
    fault = busy.desk(ctx, lan).source.fault
    assert str(fault).startswith("This address is not allowed.")
    clock.forward(days=1)
    assert read_calendars(ctx, go_on=lambda: False) == 0


def test_a_loop_reads_calendars_beside_its_beat(ctx, cast):
    lan = cast.actors["teacher1"]
    busy.set_source(ctx, lan, "https://127.0.0.1/private.ics", BusyChoices())
    running = loop.start(ctx)
    until(lambda: busy.desk(ctx, lan).source.fault is not None)
    running.stop()
    assert not [each for each in threading.enumerate() if "APScheduler" in each.name]


HANGS = (
    "from datetime import timedelta; from scheduler.jobs import loop; "
    "loop.BEAT_DEAD = timedelta(seconds=1); "
    "loop.tick = lambda *_: loop.threading.Event().wait(); "
    "from scheduler.cli import main; main(['worker'])"
)


@pytest.mark.fault(32)
def test_a_worker_whose_beat_hangs_ends_so_that_it_is_started_again(ctx):
    with process(ctx, "-c", HANGS, tick_seconds=0.1) as worker:
        assert worker.wait(timeout=60) == 1
