"""Workers that stand still or are told to end, machines that sleep, clocks that jump."""

import os
import signal
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from scheduler.clock import ShiftedClock
from scheduler.domain.messages import Channel
from scheduler.jobs import loop
from scheduler.services import outbox, sending, workers
from scheduler.services.sending import Fate
from scheduler.services.workers import Timekeeper
from tests.delivery.sink import listening
from tests.faults.kit import FOREVER, Post, announce, arrived, process, states, until
from tests.faults.worker import working


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


@pytest.fixture
def started(law):
    """Start a loop without transports; it ends with the test, whatever became of that."""
    running = []

    def start(ctx):
        running.append(loop.start(ctx, {}))
        return running[-1]

    yield start
    for each in running:
        each.stop()


@pytest.mark.fault(6)
def test_a_worker_frozen_past_its_lease_sends_nothing_further(ctx, cast):
    announce(ctx, cast, 4)
    with listening() as sink, working(ctx, smtp_url=SecretStr(sink.url), lease=2) as worker:
        frozen = threading.Event()

        def freeze(step):
            if step == "dot" and not frozen.is_set():
                os.kill(worker.pid, signal.SIGSTOP)
                frozen.set()

        sink.watch = freeze
        assert frozen.wait(30)
        time.sleep(2.1)  # the database's own clock: its lease is over
        transport = Post()
        sending.sweep(ctx)
        sending.sweep(ctx)
        assert sending.send_due(ctx, transport).count(Fate.SENT) == 4
        os.kill(worker.pid, signal.SIGCONT)
        until(lambda: outbox.show(ctx).lease_lost == 1)
        assert sum(arrived(sink).values()) == 1
    assert states(ctx) == {"sent": 4}
    assert outbox.show(ctx).maybe_twice == 1


@pytest.mark.fault(36)
def test_a_worker_told_to_end_finishes_the_mails_in_flight(ctx, cast):
    announce(ctx, cast, 60)
    with (
        listening() as sink,
        process(ctx, "-c", FOREVER, smtp_url=sink.url, mail_connections=2) as worker,
    ):
        until(lambda: len(sink.arrived) > 4)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
        found = arrived(sink)
    assert set(found.values()) == {1}
    assert states(ctx) == {"sent": len(found), "planned": 60 - len(found)}


@pytest.mark.fault(9)
def test_a_machine_that_slept_sends_what_is_still_of_use(ctx, cast, clock):
    announce(ctx, cast, 2)
    with ctx.transaction() as db:
        urgent = replace(
            outbox.NewMessage("urgent", "note", cast["person_teacher1"], ctx.now(), ctx.now()),
            useless_after=ctx.now() + timedelta(hours=1),
        )
        outbox.plan(ctx, db, [urgent])
    clock.forward(hours=6)
    assert sending.sweep(ctx).expired == 1
    assert sending.send_due(ctx, Post()).fates == {Fate.SENT: 2}


# -- clocks


class Wall:
    """A wall clock that runs with ours and can be set."""

    def __init__(self, at):
        self.clock = ShiftedClock.starting_at(at)

    def now(self):
        return self.clock.now()

    def set(self, **by):
        self.clock = ShiftedClock(self.clock.offset + timedelta(**by))


@pytest.fixture
def wall(ctx):
    return Wall(ctx.now())


@pytest.fixture
def running(ctx, wall):
    """A loop that beats twenty times a second by that clock."""
    settings = ctx.settings.model_copy(update={"tick_seconds": 0.05})
    post = Post()
    made = loop.start(replace(ctx, clock=wall, settings=settings), {Channel.MAIL: [post]})
    made.post = post
    yield made
    made.stop()


@pytest.mark.parametrize("hours", [1, -1])
@pytest.mark.fault(8)
def test_an_hour_on_the_clock_stops_nothing_and_is_noted(ctx, cast, wall, running, hours):
    until(lambda: loop.ready(ctx))
    wall.set(hours=hours)
    until(lambda: outbox.show(ctx).drift_seconds)
    assert outbox.show(ctx).drift_seconds == pytest.approx(hours * 3600, abs=2)
    now = wall.now()
    with ctx.transaction() as db:
        late = now + timedelta(days=1)
        outbox.plan(
            ctx, db, [outbox.NewMessage("odd", "changes", cast["person_teacher1"], now, late)]
        )
    until(lambda: "planned" not in states(ctx))
    assert outbox.show(ctx).paused is False


@pytest.mark.fault(8)
def test_a_clock_in_another_century_pauses_and_expires_nothing(ctx, cast, wall, running):
    until(lambda: loop.ready(ctx))
    outbox.pause(ctx)
    announce(ctx, cast, 3)
    wall.set(days=65_000)
    until(lambda: outbox.show(ctx).pause_reason == "clock")
    beat = running.last_beat
    until(lambda: running.last_beat > beat + 0.2)
    assert states(ctx) == {"planned": 3}
    assert running.post.arrived == []


@pytest.mark.fault(8)
def test_a_clock_that_jumps_between_two_mails_stops_the_second(ctx, cast, wall):
    announce(ctx, cast, 3)
    own = replace(ctx, clock=wall)
    keeper = Timekeeper(own)

    class Sets(Post):
        def send(self, parcel):
            wall.set(days=40_000)
            return super().send(parcel)

    done = sending.send_due(own, Sets(), go_on=keeper.is_steady)
    assert done.fates == {Fate.SENT: 1, Fate.GIVEN_BACK: 2}
    assert sending.send_due(own, Post(), go_on=keeper.is_steady).claimed == 0
    assert sending.sweep(own) is None
    assert outbox.show(own).pause_reason == "clock"


def test_a_database_that_shows_another_day_pauses_sending(ctx, cast):
    class Elsewhere:
        def now(self):
            return datetime.now(UTC) - timedelta(days=2)

    workers.note_beat(ctx)
    assert outbox.show(ctx).pause_reason is None
    workers.leave(ctx)
    workers.note_beat(ctx, host=Elsewhere())
    assert outbox.show(ctx).pause_reason == "clock"


def test_the_metronome_beats_at_once_when_the_wall_clock_was_set_back(ctx, started, monkeypatch):
    settings = ctx.settings.model_copy(update={"tick_seconds": 0.05})
    running = started(replace(ctx, settings=settings))
    until(lambda: loop.ready(ctx))
    later = datetime.now(UTC) + timedelta(hours=1)  # as if it had been an hour later until now
    running.metronome.modify_job("beat", next_run_time=later)
    beat = running.last_beat
    monkeypatch.setattr(loop.SystemClock, "now", lambda _: datetime.now(UTC) - timedelta(hours=1))
    until(lambda: running.last_beat > beat + 0.01)


# -- loops that hang


@pytest.mark.fault(32)
def test_a_loop_that_no_longer_beats_says_so(ctx, started, monkeypatch, caplog):
    settings = ctx.settings.model_copy(update={"tick_seconds": 0.05})
    running = started(replace(ctx, settings=settings))
    until(lambda: loop.ready(ctx))
    assert running.is_alive()
    running.metronome.pause()
    monkeypatch.setattr(loop, "BEAT_DEAD", timedelta(seconds=0.2))
    until(running.dead.is_set)
    until(lambda: not running.is_alive())  # the beat that was under way may still have ended
    assert "must be started again" in caplog.text
