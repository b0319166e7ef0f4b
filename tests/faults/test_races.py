"""Lessons that change while a worker holds their messages, and transactions that cross."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from scheduler.delivery.channels import Outcome, Receipt
from scheduler.errors import Busy
from scheduler.services import batches, parcels, sending
from scheduler.services.sending import Fate
from scheduler.store import queue, tables
from tests.faults.kit import Post, announce, book, change, replan, rows, states, write

WEDNESDAY = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


@pytest.fixture
def due(ctx, cast, clock):
    """A lesson tomorrow: its teacher and its school are to be reminded now."""
    lesson = book(ctx, cast, WEDNESDAY)
    replan(ctx, lesson)
    clock.at = WEDNESDAY - timedelta(hours=23)
    return lesson


@pytest.fixture
def held(monkeypatch):
    """Parcels are ready, and the worker waits: (it came so far, it may go on)."""
    ready, go_on = threading.Event(), threading.Event()

    def prepare(ctx, messages):
        made = parcels.prepare(ctx, messages)
        ready.set()
        assert go_on.wait(30)
        return made

    class Barrier:
        Ready, Dropped, Poisoned = parcels.Ready, parcels.Dropped, parcels.Poisoned

    Barrier.prepare = staticmethod(prepare)
    monkeypatch.setattr(batches, "parcels", Barrier)
    return ready, go_on


def while_held(ctx, held, meanwhile):
    ready, go_on = held
    post, done = Post(), []
    worker = threading.Thread(target=lambda: done.append(sending.send_due(ctx, post)))
    worker.start()
    assert ready.wait(30)
    meanwhile()
    go_on.set()
    worker.join()
    return post, done[0].fates


@pytest.mark.fault(17)
def test_a_lesson_called_off_before_the_last_look_is_not_reminded_of(ctx, cast, due, held):
    post, fates = while_held(ctx, held, lambda: change(ctx, due, state="cancelled"))
    assert (post.arrived, fates) == ([], {Fate.LEASE_LOST: 2})
    assert states(ctx) == {"cancelled": 4}


def test_what_a_worker_holds_is_recalled_and_made_anew(ctx, cast, due, held):
    def meanwhile():
        write(ctx, tables.classes, tables.classes.c.id == cast["7A"], name="7C")
        with ctx.transaction() as db:
            assert queue.recall(db, person_ids=[cast["person_teacher1"]]) == 1

    post, fates = while_held(ctx, held, meanwhile)
    assert fates == {Fate.SENT: 1, Fate.LEASE_LOST: 1}
    assert "7A" in post.subjects[0]
    assert sending.send_due(ctx, post).fates == {Fate.SENT: 1}
    assert "7C" in post.subjects[1]
    assert {tries for at, tries in rows(ctx, "state", "attempts") if at == "sent"} == {1}


def test_what_is_on_its_way_is_past_recall(ctx, cast, due):
    class Recalled(Post):
        def send(self, parcel):
            with ctx.transaction() as db:
                found.append(queue.recall(db, person_ids=readers))
            return super().send(parcel)

    found, readers = [], {person for (person,) in rows(ctx, "person_id")}
    assert sending.send_due(ctx, Recalled()).fates == {Fate.SENT: 1, Fate.LEASE_LOST: 1}
    assert found == [1]
    assert states(ctx) == {"sent": 1, "planned": 3}


def test_one_lesson_planned_by_two_at_once_reminds_once(ctx, cast):
    lesson, barrier, counts = book(ctx, cast, WEDNESDAY), threading.Barrier(2), []

    def plan():
        barrier.wait()
        counts.append(replan(ctx, lesson))

    both = [threading.Thread(target=plan) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(counts) == [0, 4]
    assert states(ctx) == {"planned": 4}


@pytest.mark.fault(26)
def test_transactions_that_cross_are_tried_again(ctx, cast):
    if ctx.database.is_sqlite:
        pytest.skip("one writer at a time: they cannot cross")
    announce(ctx, cast, 2)
    (first,), (second,) = rows(ctx, "id")
    table = tables.outbox

    def touch(db, row):
        db.execute(table.update().where(table.c.id == row).values(last_error="x"))

    class Crossing(Post):
        """While one message is on its way, another transaction holds it and wants the next."""

        def send(self, parcel):
            if not self.arrived:
                crossing.start()
                assert holds.wait(30)
            return super().send(parcel)

    holds = threading.Event()

    def cross():
        try:
            with ctx.transaction() as db:
                db.execute(sa.text("SET LOCAL deadlock_timeout = '1min'"))  # the worker is undone
                touch(db, second)
                holds.set()
                until_waiting(ctx)
                touch(db, first)
        except Busy:
            lost.append(True)

    lost, crossing = [], threading.Thread(target=cross)
    assert sending.send_due(ctx, Crossing()).fates == {Fate.SENT: 2}
    crossing.join()
    assert lost == []
    assert {tries for (tries,) in rows(ctx, "attempts")} == {1}


def until_waiting(ctx):
    """Until some transaction waits for another."""
    waits = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _ in range(600):
        with ctx.reading() as db:
            if db.scalar(waits):
                return
        threading.Event().wait(0.05)
    raise AssertionError("nobody waits")


# -- addresses at which nobody is


GONE = Receipt(Outcome.REFUSED, "550 no such user", gone=("teacher1@x.example",))


def fault(ctx, cast):
    row = tables.persons.c
    with ctx.reading() as db:
        return db.scalar(sa.select(row.mail_fault).where(row.id == cast["person_teacher1"]))


def test_an_address_at_which_nobody_is_is_marked_and_not_tried_again(ctx, cast):
    announce(ctx, cast, 2)
    post = Post(GONE)
    assert sending.send_due(ctx, post, limit=1).fates == {Fate.FAILED: 1}
    assert fault(ctx, cast) == "550 no such user"
    assert sending.send_due(ctx, post).fates == {Fate.FAILED: 1}
    assert (post.arrived, rows(ctx, "last_error")) == ([], [("550 no such user",)] * 2)
    assert sorted(tries for (tries,) in rows(ctx, "attempts")) == [0, 1]


def test_a_new_address_is_not_marked_for_the_old_one(ctx, cast):
    announce(ctx, cast, 1)

    class Meanwhile(Post):
        def send(self, parcel):
            row = tables.persons
            write(ctx, row, row.c.id == cast["person_teacher1"], email="new@x.example")
            return super().send(parcel)

    sending.send_due(ctx, Meanwhile(GONE))
    assert fault(ctx, cast) is None


def test_a_message_that_failed_follows_by_the_next_way_in_the_same_transaction(
    ctx, cast, monkeypatch
):
    announce(ctx, cast, 2)
    followed = []

    def follow(_ctx, db, message):
        followed.append((message.key, queue.state(db, message)))

    monkeypatch.setattr(batches.ways, "follow", follow)
    sending.send_due(ctx, Post(GONE))
    ((key, _),) = [row for row in rows(ctx, "key", "state") if row[1] == "failed"]
    assert followed == [(key, "failed")]


def test_a_refusal_with_no_time_left_for_another_try_is_a_failure(ctx, cast, clock):
    announce(ctx, cast, 1)
    clock.forward(days=6, hours=23, minutes=59, seconds=30)
    answer = Receipt(Outcome.REFUSED_FOR_NOW, "451 later")
    assert sending.send_due(ctx, Post(answer)).fates == {Fate.FAILED: 1}
