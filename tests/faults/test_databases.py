"""Databases that are locked or go down while workers send: they wait, and lose nothing."""

import sqlite3
import threading
from contextlib import closing

import pytest
from pydantic import SecretStr

from scheduler.errors import Busy
from scheduler.services import batches, sending
from scheduler.services.context import Context
from scheduler.services.sending import Fate
from scheduler.store import migrations
from scheduler.store.database import Database
from tests.cast import gather
from tests.conftest import KEY
from tests.delivery.sink import listening
from tests.faults.kit import Post, announce, arrived, states, until
from tests.faults.worker import working


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.fault(24)
def test_a_database_locked_by_another_program_costs_no_mark(ctx, cast, monkeypatch):
    announce(ctx, cast, 3)
    monkeypatch.setattr(batches, "PAUSE", 0.05)
    unlocked = threading.Event()

    class Locks(Post):
        """A foreign program takes the database while the first mail is on its way."""

        def send(self, parcel):
            if not self.arrived:
                threading.Thread(target=lock, daemon=True).start()
                assert locked.wait(30)
            return super().send(parcel)

    def lock():
        with closing(sqlite3.connect(ctx.database.path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            locked.set()
            unlocked.wait(5.5)  # the worker's own patience is five seconds
            other.execute("ROLLBACK")

    locked, post = threading.Event(), Locks()
    assert sending.send_due(ctx, post).fates == {Fate.SENT: 3}
    assert len(post.arrived) == 3
    assert states(ctx) == {"sent": 3}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.fault(25)
@pytest.mark.parametrize(
    "how",
    ["immediate", *(pytest.param(how, marks=pytest.mark.soak) for how in ("fast", "kill -9"))],
)
def test_a_server_that_goes_and_comes_back_loses_nothing(own_server, settings, clock, how):
    migrations.upgrade(database := Database(own_server.url))
    ctx = Context(settings, database, clock, KEY)
    announce(ctx, gather(ctx), 30)
    with listening() as sink:
        relay = SecretStr(sink.url)
        with working(ctx, smtp_url=relay), working(ctx, smtp_url=relay):
            until(lambda: len(sink.arrived) >= 4)
            own_server.kill() if how == "kill -9" else own_server.stop(how)
            own_server.start()
            until(lambda: _sent(ctx) == 30)
        copies = arrived(sink)
    assert len(copies) == 30
    assert set(copies.values()) == {1}  # the marks were written once it was back
    assert states(ctx) == {"sent": 30}
    database.close()


def _sent(ctx):
    try:
        return states(ctx).get("sent", 0)
    except Busy:
        return 0


@pytest.mark.fault(25)
def test_a_line_that_breaks_while_committing_is_no_lost_lease(ctx, cast, monkeypatch):
    announce(ctx, cast, 2)
    monkeypatch.setattr(batches, "PAUSE", 0.01)
    broken = []

    class Breaks(Post):
        """The mark of this message is committed, and the answer to that is lost."""

        def send(self, parcel):
            monkeypatch.setattr(type(ctx.database), "transaction", once)
            return super().send(parcel)

    whole = type(ctx.database).transaction

    def once(self):
        monkeypatch.setattr(type(ctx.database), "transaction", whole)
        return _Torn(whole(self), broken)

    assert sending.send_due(ctx, Breaks(), limit=1).fates == {Fate.SENT: 1}
    assert broken == [True]


class _Torn:
    def __init__(self, inner, broken):
        self.inner, self.broken = inner, broken

    def __enter__(self):
        return self.inner.__enter__()

    def __exit__(self, *error):
        self.inner.__exit__(*error)
        self.broken.append(True)
        raise Busy("The database does not answer. Try again in a moment.")
