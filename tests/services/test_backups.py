"""Backups: what is in them and what is not, a shelf of them, and files that are none."""

import hashlib
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections import namedtuple
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from scheduler import security
from scheduler.domain.access import Role
from scheduler.domain.backups import Keep
from scheduler.domain.invitations import Place
from scheduler.errors import ChungTayError, Conflict, Invalid, NotFound
from scheduler.services import (
    accounts,
    backups,
    feeds,
    invitations,
    outbox,
    recovery,
    system,
)
from scheduler.services.invitations import Wanted
from scheduler.services.system import Verdict
from scheduler.store import dumps, migrations, tables
from scheduler.store.database import Damaged
from tests.conftest import KEY
from tests.faults.kit import announce, states

NIGHT = datetime(2026, 11, 27, 19, 15, tzinfo=UTC)
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def programs(postgresql_programs):
    """pg_dump, pg_restore and psql of the server that the tests run on."""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# -- writing


def test_a_backup_is_read_again_and_stands_with_its_digest_for_its_owner_alone(ctx, cast, tmp_path):
    target = tmp_path / "shelf" / "one.backup"
    size = backups.backup(ctx, target)
    assert size == target.stat().st_size > 10_000
    assert target.stat().st_mode & 0o777 == 0o600
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    assert target.with_name("one.backup.sha256").read_text() == f"{digest}  one.backup\n"
    assert names(target.parent) == ["one.backup", "one.backup.sha256"]
    assert dumps.revision(ctx.database, target) == migrations.head()
    with pytest.raises(Conflict, match="exists already"):
        backups.backup(ctx, target)


def test_before_there_are_data_nothing_is_written(ctx, tmp_path):
    migrations.downgrade(ctx.database, "base")
    with pytest.raises(NotFound, match="no data here yet"):
        backups.backup(ctx, tmp_path / "none.backup")
    assert not (tmp_path / "none.backup").exists()


def test_a_shelf_keeps_the_newest_of_days_and_weeks(ctx, cast, tmp_path):
    shelf = tmp_path / "shelf"
    for night in (0, 15, 22, 27, 28, 29):
        backups.shelve(ctx, shelf, Keep(daily=3, weekly=2), NIGHT + timedelta(days=night))
        if night == 15:
            (shelf / "notes.txt").write_text("of somebody else")
    assert names(shelf) == [
        f"chungtay-2026-12-{day}T191500Z.backup{end}"
        for day in (19, 24, 25, 26) for end in ("", ".sha256")
    ] + ["notes.txt"]  # fmt: skip


def test_a_backup_that_fails_throws_nothing_away(ctx, cast, tmp_path, monkeypatch):
    shelf = tmp_path / "shelf"
    for night in range(2):
        backups.shelve(ctx, shelf, Keep(daily=9), NIGHT + timedelta(days=night))
    there = names(shelf)
    full = Usage(10**9, 10**9 - 5000, 5000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: full)
    with pytest.raises(Conflict, match=r"has 0 MB left, and the backup may need \d+ MB"):
        backups.shelve(ctx, shelf, Keep(0, 0, 0), NIGHT + timedelta(days=9))
    assert names(shelf) == there


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_disk_that_is_full_after_all_leaves_no_half_file(ctx, cast, tmp_path, monkeypatch):
    """The disk says there is room, and then there is none: as a quota does."""
    shelf = tmp_path / "shelf"
    backups.shelve(ctx, shelf, Keep(), NIGHT)
    there = names(shelf)
    settings = {
        "CHUNGTAY_VAR_DIR": ctx.settings.var_dir, "CHUNGTAY_SECRET_KEY": KEY.decode(),
        "CHUNGTAY_DATABASE_URL": ctx.settings.database_url, "CHUNGTAY_LOCALE": "en",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "scheduler", "backup", "--into", str(shelf), "--keep-daily", "0",
         "--keep-weekly", "0"],
        env=os.environ | {name: str(value) for name, value in settings.items()},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)),
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()
    assert names(shelf) == there


def test_a_copy_half_written_by_somebody_who_died_goes_after_a_day(ctx, cast, tmp_path):
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for name, hours in (("old", 30), ("new", 1)):
        half = shelf / f"chungtay-{name}.part"
        half.write_bytes(b"half")
        at = (NIGHT - timedelta(hours=hours)).timestamp()
        os.utime(half, (at, at))
    backups.shelve(ctx, shelf, Keep(), NIGHT)
    assert [name for name in names(shelf) if name.endswith(".part")] == ["chungtay-new.part"]


def test_the_newest_backup_is_known_wherever_it_was_made(ctx, cast, tmp_path):
    assert backups.newest(ctx) is None
    backups.backup(ctx, tmp_path / "one.backup")
    found = backups.newest(ctx)
    assert found.file == str(tmp_path / "one.backup")
    assert found.size == (tmp_path / "one.backup").stat().st_size
    assert found.age < timedelta(minutes=1)
    assert not found.is_late


@pytest.mark.parametrize(
    ("hours", "verdict"), [(None, "note"), (1, "good"), (27, "note"), (100, "bad")]
)
def test_the_doctor_tells_how_old_the_newest_backup_is(ctx, cast, tmp_path, hours, verdict):
    if hours is not None:
        backups.backup(ctx, tmp_path / "one.backup")
        with ctx.transaction() as db:
            row = tables.switches
            at = db.scalar(sa.select(row.c.at).where(row.c.name == "backed_up"))
            earlier = at - timedelta(hours=hours)
            db.execute(row.update().where(row.c.name == "backed_up").values(at=earlier))
    [found] = [each for each in system.doctor(ctx) if each.subject == "backup"]
    assert found.verdict is Verdict(verdict)
    assert ("No backup has been made" if hours is None else f"{hours} hours ago") in str(
        found.sentence
    )


# -- what is in it


def test_no_secret_stands_in_a_backup(ctx, cast, tmp_path):
    """Whoever has the file can open no link, and read no key, of those that are in force."""
    secrets = _secrets(ctx, cast)
    backups.backup(ctx, tmp_path / "one.backup")
    content = _readable(ctx, tmp_path / "one.backup", tmp_path)
    assert b"teacher1@x.example" in content  # it is the whole state
    found = [name for name, secret in secrets.items() if secret.encode() in content]
    assert found == []


def _secrets(ctx, cast):
    """One of each kind, made as people make them; links that still wait to be sent, too."""
    teacher, desk = cast.actors["teacher1"], cast.actors["coordinator"]
    accounts.request_sign_in(ctx, "teacher2@x.example")
    accounts.make_links(ctx)
    place = Place(Role.SCHOOL, cast["programme"], school_id=cast["A"])
    invitations.invite(ctx, desk, Wanted("moi@x.example", "Khách", "vi", place))
    with ctx.reading() as db:
        told = db.scalars(sa.select(tables.outbox.c.payload)).all()
    opened = [outbox.opened(ctx, payload) for payload in told]
    links = {f"link {n}": x["url"].rsplit("/", 1)[1] for n, x in enumerate(opened) if "url" in x}
    codes = {f"code {n}": x["code"] for n, x in enumerate(opened) if "code" in x}
    assert (len(links), len(codes)) == (2, 1)
    link = accounts.operator_link(ctx, teacher.email).rsplit("/", 1)[1]
    session = accounts.sign_in(ctx, link, "any").token
    feed = feeds.link_for_person(ctx, teacher.email)
    with ctx.transaction() as db:
        row = {
            "person_id": cast["person_coordinator"], "created_at": ctx.now(),
            "sealed_secret": security.seal(KEY, "JBSWY3DPEHPK3PXP"), "last_step": 0,
            "last_used_at": ctx.now(),
        }  # fmt: skip
        db.execute(tables.authenticators.insert().values(row))
    return links | codes | {
        "the key": KEY.decode(), "an operator's link": link, "a session": session,
        "a calendar": feed.split("/feeds/")[1].split("/")[0].removesuffix(".ics"),
        "a second factor": "JBSWY3DPEHPK3PXP",
    }  # fmt: skip


def _readable(ctx, backup, folder):
    """All bytes that somebody who steals it gets to see."""
    if ctx.database.is_sqlite:
        return backup.read_bytes()
    subprocess.run(["pg_restore", f"--file={folder / 'all.sql'}", str(backup)], check=True)
    return (folder / "all.sql").read_bytes()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_erased_is_in_no_later_backup(ctx, cast, tmp_path):
    """Deleted rows stay in the pages of a database file until something is written over them."""
    mark = "Người đã rời chương trình"
    with ctx.transaction() as db:
        person = cast["person_teacher1"]
        row = tables.persons
        db.execute(row.update().where(row.c.id == person).values(name=mark * 3))
    with ctx.transaction() as db:
        db.execute(row.update().where(row.c.id == person).values(name="x"))
    backups.backup(ctx, tmp_path / "one.backup")
    assert mark.encode() not in (tmp_path / "one.backup").read_bytes()


# -- what is no backup


def spoilt(kind, good, folder):
    """A file that somebody might take for a backup."""
    path, content = folder / f"{kind}.backup", good.read_bytes()
    match kind:
        case "empty":
            path.write_bytes(b"")
        case "photo":
            path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(5000))
        case "other":
            with closing(sqlite3.connect(path)) as made:
                made.execute("CREATE TABLE photos (id INTEGER)")
        case "other engine":
            path.write_bytes(b"PGDMP" + bytes(900) if content[:6] == b"SQLite" else SQLITE_HEAD)
        case _ if kind.startswith("cut"):
            path.write_bytes(content[: len(content) * int(kind[3:]) // 100])
        case _:
            at = len(content) * int(kind[4:]) // 100
            path.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
            shutil.copy(f"{good}.sha256", f"{path}.sha256")
    return path


SQLITE_HEAD = b"SQLite format 3\0" + bytes(4080)
SPOILT = ("empty", "photo", "other", "other engine", "cut1", "cut20", "cut50", "cut99", "flip3",
          "flip40", "flip80", "flip99")  # fmt: skip


@pytest.mark.parametrize("kind", SPOILT)
def test_a_file_that_is_no_good_backup_is_one_sentence_and_changes_nothing(
    ctx, cast, tmp_path, kind
):
    announce(ctx, cast, 3)
    good = tmp_path / "good.backup"
    backups.backup(ctx, good)
    announce_more = states(ctx)
    bad = spoilt(kind, good, tmp_path)
    with pytest.raises(Invalid) as told:
        recovery.restore(ctx, bad)
    assert str(bad) in str(told.value)
    assert str(told.value).endswith("nothing was changed.")
    assert "\n" not in str(told.value)
    assert states(ctx) == announce_more
    with ctx.reading() as db:
        paused = db.scalar(sa.select(tables.switches.c.value).where(
            tables.switches.c.name == "sending_paused"))  # fmt: skip
    assert paused is None
    assert not ctx.settings.backup_dir.exists()


def test_a_backup_of_a_newer_version_is_refused(ctx, cast, tmp_path):
    with ctx.transaction() as db:
        db.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    dumps.write(ctx.database, tmp_path / "newer.backup")
    with ctx.transaction() as db:
        db.execute(sa.text(f"UPDATE alembic_version SET version_num = '{migrations.head()}'"))
    with pytest.raises(Conflict, match=r"newer version \(9999\). Install that version"):
        recovery.restore(ctx, tmp_path / "newer.backup")
    assert system.is_at_head(ctx)


def test_a_folder_and_a_file_that_is_not_there_are_told_so(ctx, tmp_path):
    for path in (tmp_path, tmp_path / "nowhere.backup"):
        with pytest.raises(NotFound, match="There is no file"):
            recovery.restore(ctx, path)


def test_what_comes_back_is_paused_in_the_same_step(ctx, cast, tmp_path):
    """There is no moment at which a worker that still runs could send of the old state."""
    announce(ctx, cast, 3)
    backups.backup(ctx, tmp_path / "one.backup")
    dumps.put_back(ctx.database, tmp_path / "one.backup", "restored")
    assert (outbox.show(ctx).paused, outbox.show(ctx).pause_reason) == (True, "restored")


# -- upgrades, and the way back


def test_an_upgrade_of_an_embedded_database_begins_with_a_copy(ctx, cast):
    before = migrations.head()
    migrations.downgrade(ctx.database, "0021")
    assert system.migrate(ctx) == before
    copies = names(ctx.settings.backup_dir) if ctx.settings.backup_dir.exists() else []
    if ctx.database.is_sqlite:
        assert [name.partition("Z-")[2] for name in copies] == [
            f"before-{before}.backup", f"before-{before}.backup.sha256",
        ]  # fmt: skip
    else:
        assert copies == []
    assert backups.newest(ctx) is None  # no copy elsewhere: a watcher must not count on it


@pytest.mark.parametrize("wanted", [True, False])
def test_whoever_upgrades_may_say_whether_a_copy_is_made(ctx, cast, wanted):
    migrations.downgrade(ctx.database, "0021")
    system.migrate(ctx, backup=wanted)
    assert ctx.settings.backup_dir.exists() is wanted


def test_the_backup_from_before_an_upgrade_comes_back_and_is_upgraded(ctx, cast):
    """As after an upgrade that went wrong: the newer schema has tables that the copy lacks."""
    announce(ctx, cast, 3)
    migrations.downgrade(ctx.database, "0010")
    copy = backups.before(ctx, "0022")
    system.migrate(ctx, backup=False)
    with ctx.transaction() as db:
        db.execute(tables.kept_answers.delete())
        db.execute(tables.outbox.delete())
    done = recovery.restore(ctx, copy)
    assert done.waiting == 3
    assert system.is_at_head(ctx)
    assert "before-restore" in done.kept.name
    assert recovery.restore(ctx, done.kept).waiting == 0  # and there is a way back from that


def test_two_copies_of_one_second_are_two(ctx, cast, monkeypatch):
    at = datetime(2026, 11, 28, 2, 15, tzinfo=UTC)
    monkeypatch.setattr(backups.SystemClock, "now", lambda _: at)
    first, second = backups.before(ctx, "restore"), backups.before(ctx, "restore")
    assert first.name < second.name
    assert first.exists()


def test_a_database_that_is_damaged_is_replaced_and_kept(ctx, cast, tmp_path):
    if not ctx.database.is_sqlite:
        pytest.skip("a server looks after its own files")
    announce(ctx, cast, 3)
    backups.backup(ctx, tmp_path / "good.backup")
    ctx.database.close()
    content = ctx.database.path.read_bytes()
    for path in ctx.database.path.parent.glob(f"{ctx.database.path.name}-*"):
        path.unlink()
    ctx.database.path.write_bytes(b"x" * 4096 + content[4096:])
    with pytest.raises(Damaged, match=r"chungtay restore FILE"):
        system.migrate(ctx)
    done = recovery.restore(ctx, tmp_path / "good.backup")
    assert (done.waiting, done.kept.read_bytes()[:4]) == (3, b"xxxx")
    assert states(ctx) == {"planned": 3}


@pytest.mark.fault(29)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("part", [0.3, 0.5, 0.7])
def test_a_start_on_a_damaged_file_is_refused_with_the_way_out(ctx, cast, part):
    announce(ctx, cast, 3)
    backups.before(ctx, "damage")  # it makes sure that all is in the file
    ctx.database.close()
    content = bytearray(ctx.database.path.read_bytes())
    at = int(len(content) * part) // 4096 * 4096
    content[at : at + 4096] = b"\x5a" * 4096
    ctx.database.path.write_bytes(content)
    with pytest.raises(Damaged, match=r"chungtay restore FILE"):
        system.migrate(ctx)
    [found] = [each for each in system.doctor(ctx) if each.subject == "database"]
    assert (found.verdict, "damaged" in str(found.sentence)) == (Verdict.BAD, True)


def test_other_tables_in_the_same_database_stay(ctx, cast, tmp_path):
    if ctx.database.is_sqlite:
        pytest.skip("a file of its own")
    backups.backup(ctx, tmp_path / "good.backup")
    with ctx.transaction() as db:
        db.execute(sa.text("CREATE TABLE of_others (id int)"))
    try:
        recovery.restore(ctx, tmp_path / "good.backup")
        with ctx.reading() as db:
            assert db.scalar(sa.text("SELECT count(*) FROM of_others")) == 0
    finally:
        with ctx.transaction() as db:
            db.execute(sa.text("DROP TABLE IF EXISTS of_others"))


def test_without_the_programs_of_postgresql_it_is_said_which_is_missing(
    ctx, cast, tmp_path, monkeypatch
):
    if ctx.database.is_sqlite:
        pytest.skip("needs none")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ChungTayError, match="the program pg_dump of PostgreSQL"):
        backups.backup(ctx, tmp_path / "one.backup")
    assert names(tmp_path) == []
