"""The restore drill (rows 30 and 31): yesterday's backup comes back while everybody is at work.

`pytest -s tests/faults/test_restore_drill.py` prints what was lost and how long it took.
"""

import threading
import time
from collections import Counter
from contextlib import ExitStack
from uuid import uuid4

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from scheduler.domain.backups import Keep
from scheduler.errors import Busy
from scheduler.services import accounts, audits, backups, outbox, recovery, sending, system
from scheduler.services.context import Context
from scheduler.store import audits as audit_rows
from scheduler.store import tables
from scheduler.store.database import Database
from tests.cast import T0
from tests.delivery.sink import listening
from tests.faults.kit import Post, announce, arrived, states, until
from tests.faults.worker import working
from tests.postgresql import of_name
from tests.web.browser import Site

MESSAGES = 60
TEACHERS = 300  # people and their words, so that there is something to copy


@pytest.fixture(autouse=True)
def programs(postgresql_programs):
    """pg_dump, pg_restore and psql of the server that the tests run on."""


def crowd(ctx):
    with ctx.transaction() as db:
        db.execute(tables.persons.insert(), [
            {"email": f"p{n}@x.example", "name": f"Người thứ {n}", "phone": "", "language": "vi",
             "active": True, "reminders": True, "created_at": T0} for n in range(TEACHERS)
        ])  # fmt: skip


def lose(ctx):
    """The disaster: somebody, or something, has taken the data away."""
    if ctx.database.is_sqlite:
        ctx.database.close()
        ctx.database.path.write_bytes(b"\0" * 8192)
        return
    with ctx.transaction() as db:
        db.execute(sa.text("DROP TABLE outbox, feeds CASCADE"))


def sound(database: Database):
    """Whole, and every reference leads somewhere."""
    if not database.is_sqlite:
        return True  # it was looked at while the rows came in
    with database.reading() as db:
        whole = db.connection().exec_driver_sql("PRAGMA integrity_check").all()
        lost = db.connection().exec_driver_sql("PRAGMA foreign_key_check").all()
    return (whole, lost) == ([("ok",)], [])


def test_yesterdays_backup_comes_back_and_nobody_hears_twice(
    ctx, cast, clock, tmp_path, record_property
):
    crowd(ctx)
    announce(ctx, cast, MESSAGES)
    post = Post()
    sending.send_due(ctx, post, limit=20)  # before the night
    night = ctx.now()
    made = backups.shelve(ctx, tmp_path / "shelf", Keep(), night)
    clock.forward(hours=7)
    sending.send_due(ctx, post, limit=25)  # in the morning: lost, and in the journal
    with ctx.transaction() as db:
        lost = {"email": "later@x.example", "name": "Mới", "phone": "", "language": "vi",
                "active": True, "reminders": True, "created_at": ctx.now()}  # fmt: skip
        db.execute(tables.persons.insert().values(lost))
    lose(ctx)

    began = time.perf_counter()
    done = recovery.restore(ctx, made.file)
    restored = time.perf_counter()
    desk = Site(ctx).of(cast.actors["coordinator"])
    assert desk.see("/coordinator/messages").status_code == 200
    served = time.perf_counter()

    assert (done.replayed, done.expired, done.waiting) == (25, 0, 15)
    assert sending.send_due(ctx, post).claimed == 0  # until a person says so
    assert outbox.show(ctx).pause_reason == "restored"
    outbox.resume(ctx)
    sending.send_due(ctx, post, limit=MESSAGES)
    copies = Counter(mail["Message-ID"] for mail in post.arrived)
    assert (len(copies), set(copies.values())) == (MESSAGES, {1})
    shown = outbox.show(ctx)
    assert (shown.law, shown.maybe_twice, states(ctx)["sent"]) == (True, 0, MESSAGES)
    assert sound(ctx.database)
    audits.seal(ctx, everywhere=True)
    assert audits.verify(ctx).broken is None
    with ctx.reading() as db:
        assert db.scalar(sa.select(sa.func.count()).where(
            tables.persons.c.email == "later@x.example")) == 0  # fmt: skip
    lost_hours = (clock.now() - night).total_seconds() / 3600
    figures = {
        "engine": "SQLite" if ctx.database.is_sqlite else "PostgreSQL", "backup bytes": made.size,
        "RPO hours": lost_hours,
        "RTO restore s": round(restored - began, 2), "RTO first page s": round(served - began, 2),
        "doubled": sum(copies.values()) - len(copies),
    }  # fmt: skip
    print("\n" + "; ".join(f"{name}: {value}" for name, value in figures.items()))
    for name, value in figures.items():
        record_property(name, value)
    assert figures["RTO first page s"] < 60


def test_a_worker_that_nobody_stopped_sends_nothing_of_the_old_state(ctx, cast, tmp_path):
    announce(ctx, cast, 12)
    with listening() as sink:
        backups.backup(ctx, tmp_path / "state.backup")
        with working(ctx, smtp_url=SecretStr(sink.url)):
            until(lambda: states(ctx).get("sent") == 12)
            done = recovery.restore(ctx, tmp_path / "state.backup")
            time.sleep(0.5)  # many beats
            assert (done.replayed, done.waiting) == (12, 0)
            accounts.request_sign_in(ctx, "teacher2@x.example")
            accounts.make_links(ctx)
            time.sleep(0.5)
            assert len(sink.arrived) == 12
            outbox.resume(ctx)
            until(lambda: states(ctx).get("sent") == 13)
        assert set(arrived(sink).values()) == {1}


def test_a_backup_amid_heavy_writing_holds_one_moment(ctx, cast, tmp_path, new_place):
    """Writers book pairs, each in one transaction: no copy holds half of one, or an unlawful
    message."""
    stop, booked, faults = threading.Event(), Counter(), []
    writers = [
        threading.Thread(target=_write, args=(ctx, n, stop, booked, faults)) for n in range(3)
    ]
    for writer in writers:
        writer.start()
    copies, counts = [], []
    try:
        for n in range(3):
            before = sum(booked.values())
            backups.backup(ctx, tmp_path / f"{n}.backup")
            copies.append(tmp_path / f"{n}.backup")
            counts.append((before, sum(booked.values())))
            time.sleep(0.1)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert faults == []
    assert counts[-1][1] > counts[0][0], "they wrote meanwhile"
    for copy, (least, most) in zip(copies, counts, strict=True):
        place = new_place()
        recovery.restore(place, copy)
        assert system.is_at_head(place)
        assert outbox.show(place).law
        assert sound(place.database)
        pairs = _pairs(place)
        assert set(pairs.values()) <= {2}
        assert least <= len(pairs) <= most + len(writers)


def _write(ctx, own, stop, booked, faults):
    number = 0
    while not stop.is_set():
        try:
            with ctx.transaction() as db:
                for side in ("a", "b"):
                    audit_rows.record(db, ctx.now(), None, "pair", "term", own * 10**6 + number,
                                      reason=side)  # fmt: skip
                    if side == "a":
                        time.sleep(0.001)  # a copy may begin here
            booked[own] += 1
            number += 1
        except Busy:
            continue
        except Exception as error:  # noqa: BLE001 - the test must see it
            faults.append(error)
            return


def _pairs(ctx):
    row = tables.audits.c
    query = sa.select(row.subject_id, sa.func.count()).where(row.action == "pair")
    with ctx.reading() as db:
        return dict(db.execute(query.group_by(row.subject_id)).all())


@pytest.fixture
def new_place(request, ctx, tmp_path):
    """Makes contexts on empty databases of the same engine, as on another machine."""
    with ExitStack() as stack:

        def make():
            folder = tmp_path / uuid4().hex
            url = f"sqlite:///{folder}/test.db"
            if not ctx.database.is_sqlite:
                databases = request.getfixturevalue("postgresql_server")
                name = stack.enter_context(databases.one())
                url = of_name(databases.address, name).replace("postgresql:", "postgresql+psycopg:")
            own = {"database_url": url, "var_dir": folder}
            database = Database(url)
            stack.callback(database.close)
            return Context(ctx.settings.model_copy(update=own), database, ctx.clock, ctx.key)

        yield make
