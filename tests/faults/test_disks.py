"""Disks that fill and readers that never end: nothing is spoilt, nothing goes out unrecorded."""

import os
import shutil
import sqlite3
import subprocess
import threading
from contextlib import closing

import pytest
import sqlalchemy as sa

from scheduler.clock import SystemClock
from scheduler.delivery import journal
from scheduler.errors import Busy, Full
from scheduler.jobs import tick
from scheduler.services import batches, room, sending
from scheduler.services.context import Context
from scheduler.services.sending import Fate
from scheduler.store import space, tables
from scheduler.store.database import Database
from tests.cast import gather
from tests.conftest import KEY
from tests.faults.kit import Post, announce, rows, states, until, write
from tests.web.browser import Site

MB = 1024 * 1024


class Disk:
    """A small file system of its own, and the file that fills it."""

    def __init__(self, folder):
        self.folder = folder
        self.ballast = folder / "ballast"

    def fill(self, leave=0):
        """Leave so many octets free."""
        self.empty()
        size = max(0, space.disk(self.folder).free - leave)
        with self.ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)

    def empty(self):
        self.ballast.unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root makes a disk of 32 MB")
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)], capture_output=True
    )
    if made.returncode:
        pytest.skip(f"no disk can be made here: {made.stderr.decode().strip()}")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def house(disk, sqlite_template, usual_settings, clock):
    """All on the small disk: the database, its log, the journal of sent messages."""
    path = disk.folder / "chungtay.db"
    shutil.copy(sqlite_template, path)
    own = {"var_dir": disk.folder / "var", "database_url": f"sqlite:///{path}"}
    database = Database(own["database_url"])
    yield Context(usual_settings.model_copy(update=own), database, clock, KEY)
    database.close()


def is_whole(ctx):
    with closing(sqlite3.connect(ctx.database.path)) as look:
        return look.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.fault(27)
def test_a_full_disk_leaves_all_readable_and_takes_changes_when_there_is_room(disk, house, clock):
    cast = gather(house)
    teacher = Site(house).of(cast.actors["teacher1"])
    disk.fill()
    clock.forward(minutes=11)  # since when the session was seen would be written down
    for path in ("/teacher", "/teacher/lessons", "/calendar"):
        assert teacher.see(path).status_code == 200
    made = {"device": "apple", "feed": f"teacher:{cast['teacher1']}"}
    refused = teacher.submit("/calendar", made)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert "Ổ đĩa đã đầy" in refused.text
    disk.empty()
    assert teacher.submit("/calendar", made).status_code == 200
    assert is_whole(house)


@pytest.mark.fault(27)
def test_sending_stops_while_there_is_still_room_to_note_what_was_sent(disk, house, caplog):
    announce(house, gather(house), 5)

    class Fills(Post):
        def send(self, parcel):
            if len(self.arrived) == 1:
                disk.fill(leave=4 * MB)
            return super().send(parcel)

    post = Fills()
    assert sending.send_due(house, post).fates == {Fate.SENT: 2, Fate.GIVEN_BACK: 3}
    assert states(house) == {"sent": 2, "planned": 3}
    assert sending.send_due(house, post).claimed == 0
    tick.watch(house)
    assert "the disk is nearly full" in caplog.text
    disk.empty()
    assert sending.send_due(house, post).fates == {Fate.SENT: 3}
    assert len(set(post.subjects)) == 1
    assert len(journal.read(journal.files(house.settings.journal_dir))) == 5


@pytest.mark.fault(27)
def test_a_disk_that_is_full_at_once_costs_no_mark_and_doubles_nothing(disk, house, monkeypatch):
    announce(house, gather(house), 3)
    monkeypatch.setattr(batches, "PAUSE", 0.02)
    emptied = threading.Timer(0.3, disk.empty)

    class Fills(Post):
        def send(self, parcel):
            if not self.arrived:
                disk.fill()
                emptied.start()
            return super().send(parcel)

    post = Fills()
    assert sending.send_due(house, post).count(Fate.SENT) >= 1
    emptied.join()
    sending.send_due(house, post)
    assert states(house) == {"sent": 3}
    assert len(post.arrived) == len({mail["Message-ID"] for mail in post.arrived}) == 3
    assert is_whole(house)


@pytest.mark.fault(27)
def test_what_a_full_disk_says_is_a_request_for_patience_on_each_engine(ctx, cast):
    def fill(db):
        if ctx.database.is_sqlite:
            pages = db.scalar(sa.text("PRAGMA page_count"))
            db.execute(sa.text(f"PRAGMA max_page_count = {pages}"))
            db.execute(tables.switches.insert(), {"name": "x", "value": "y" * 90_000, "at": now})
        else:  # what the server says of its own disk
            raised = "RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'"
            db.execute(sa.text(f"DO $$ BEGIN {raised}; END $$"))

    now = ctx.now()
    with pytest.raises(Full), ctx.transaction() as db:
        fill(db)
    with ctx.reading() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(tables.switches)) == 0


# -- readers that never end


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(space, "LONGEST_READING", 0.1)


SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@SQLITE
@pytest.mark.fault(28)
def test_a_reading_that_never_ends_is_cut_off_and_the_log_can_be_emptied(
    ctx, cast, impatient, caplog
):
    count = sa.select(sa.func.count()).select_from(tables.persons)

    def stuck():
        with ctx.reading() as db:
            assert db.scalar(count) > 0
            person = tables.persons.c.id == cast["person_teacher1"]
            write(ctx, tables.persons, person, name="Cô Hai")
            until(lambda: "cut off" in caplog.text or tick.watch(ctx), 10)
            db.scalar(count)

    with pytest.raises(Busy, match="took too long"):
        stuck()
    with closing(sqlite3.connect(ctx.database.path)) as other:
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    with ctx.reading() as db:  # its connection serves the next
        assert db.scalar(count) > 0
    assert ctx.database.wal() == 0


@SQLITE
@pytest.mark.fault(28)
def test_a_question_without_an_end_is_ended(ctx, cast, impatient):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    over = threading.Event()

    def watching():
        while not over.wait(0.05):
            room.watch(ctx)

    watch = threading.Thread(target=watching)
    watch.start()
    try:
        with pytest.raises(Busy, match="took too long"), ctx.reading() as db:
            db.execute(sa.text(endless)).all()
    finally:
        over.set()
        watch.join()


@SQLITE
@pytest.mark.fault(28)
def test_short_readings_are_left_alone(ctx, cast, impatient):
    with ctx.reading() as db:
        assert space.end_stuck(ctx.database) == 0
        assert db.scalar(sa.text("SELECT 1")) == 1


@SQLITE
@pytest.mark.fault(28)
def test_a_log_that_grows_behind_somebody_else_raises_the_alarm(ctx, cast, caplog, monkeypatch):
    monkeypatch.setattr(room, "MOST_WAL", 1000)
    announce(ctx, cast, 1)
    tick.watch(ctx)
    assert "keeps the database's log from being emptied" in caplog.text


# -- backups


@pytest.mark.fault(31)
def test_a_backup_taken_while_others_write_is_whole(
    run, ctx, cast, tmp_path, postgresql_programs, monkeypatch
):
    monkeypatch.setenv("CHUNGTAY_CLOCK", ctx.now().isoformat())
    over, planned = threading.Event(), []

    def plan():
        while not over.wait(0.005):
            write(ctx, tables.persons, tables.persons.c.id == cast["person_teacher1"],
                  name=f"Cô {len(planned)}")  # fmt: skip
            planned.append(SystemClock().now())

    announce(ctx, cast, 20)
    writing = threading.Thread(target=plan)
    writing.start()
    until(lambda: len(planned) > 3)
    before = len(planned)
    done = run("backup", tmp_path / "state.backup")
    during = len(planned) - before
    over.set()
    writing.join()
    assert done.exit_code == 0, done.output
    assert during > 3
    assert run("restore", tmp_path / "state.backup").exit_code == 0
    assert states(ctx) == {"planned": 20}
    if ctx.database.is_sqlite:
        assert is_whole(ctx)
    assert rows(ctx, "attempts") == [(0,)] * 20
