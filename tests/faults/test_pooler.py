"""PgBouncer in transaction mode between us and PostgreSQL: each transaction has another session."""

import os
import shutil
import socket
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from scheduler.errors import Conflict
from scheduler.jobs import loop
from scheduler.services import accounts, backups, system
from scheduler.services.context import Context, open_context
from scheduler.store import feed_links, migrations
from scheduler.store.database import Database
from scheduler.store.lines import Lines
from tests.cast import gather
from tests.conftest import KEY
from tests.delivery.sink import listening
from tests.faults.kit import announce, states, until
from tests.web.browser import Site

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = [
    pytest.mark.skipif(
        PROGRAM is None and "CI" not in os.environ, reason="needs PgBouncer (Debian: pgbouncer)"
    ),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
SESSIONS = 2  # of the server, for all of us


@dataclass
class Pooled:
    """The address of the pooler, and the one past it."""

    url: str
    direct: str


@pytest.fixture
def pooled(own_server, tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    folder = Path(own_server.folder).with_name(f"{own_server.folder.name}-bouncer")
    folder.mkdir()
    (folder / "users").write_text('"postgres" ""\n')
    (folder / "ini").write_text(
        f"[databases]\n* = host={own_server.folder}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = trust\nauth_file = {folder}/users\n"
        f"pool_mode = transaction\ndefault_pool_size = {SESSIONS}\nmax_client_conn = 200\n"
    )
    folder.chmod(0o755)
    told = [
        PROGRAM,
        "-q",
        *(["-u", own_server.user] if own_server.user else []),
        str(folder / "ini"),
    ]
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(told, stderr=log, stdout=log)
    url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    until(lambda: _answers(url), 10)
    yield Pooled(url, own_server.url)
    running.terminate()
    running.wait()
    shutil.rmtree(folder)


def _answers(url):
    try:
        psycopg.connect(url.replace("+psycopg", "")).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def through(pooled, settings, clock):
    """A context whose database is behind the pooler, with a line past it."""
    lines = Lines(pooler=True, direct_url=pooled.direct, role="web")
    migrations.upgrade(database := Database(pooled.url, lines))
    settings = settings.model_copy(update={"database_url": pooled.url, "database_pooler": True})
    yield Context(settings, database, clock, KEY)
    database.close()


def test_pages_feeds_and_messages_go_through_a_pooler(through):
    cast = gather(through)
    site = Site(through)
    for name in ("teacher1", "schoolA"):  # the same statements again and again, in any session
        known = site.browser().arrive(cast.actors[name])
        for _ in range(8):
            assert known.get("/").status_code in (200, 303)
            assert known.get("/calendar").status_code == 200
            assert known.get(f"/feeds/{'x' * 43}/a.ics").status_code == 404
    announce(through, cast, 12)
    with listening() as sink:
        update = {"smtp_url": SecretStr(sink.url), "tick_seconds": 0.05}
        own = through.settings.model_copy(update=update)
        beating = loop.start(Context(own, through.database, through.clock, KEY))
        try:
            until(lambda: states(through).get("sent", 0) >= 12)
        finally:
            beating.stop()


def test_no_session_keeps_anything_of_ours(through):
    gather(through)
    with through.reading() as db:
        assert db.scalar(sa.text("SHOW lock_timeout")) == "5s"
        assert db.scalar(sa.text("SHOW statement_timeout")) == "30s"
        assert db.scalar(sa.text("SHOW transaction_read_only")) == "on"
    with through.database.reader.execution_options(isolation_level="AUTOCOMMIT").connect() as bare:
        for name in ("lock_timeout", "statement_timeout"):
            assert bare.exec_driver_sql(f"SHOW {name}").scalar() == "0"
        assert bare.exec_driver_sql("SHOW transaction_read_only").scalar() == "off"
        assert bare.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements").scalar() == 0


def test_changes_of_calendars_are_heard_past_the_pooler(through, pooled):
    reader = feed_links.Reader(through.database)
    reader._cache.start()
    until(lambda: reader._cache._proved > 0)
    note = reader._cache._note
    with psycopg.connect(pooled.direct.replace("+psycopg", "")) as other:
        other.execute("NOTIFY chungtay_feeds")
    until(lambda: reader._cache._note is not note)
    reader.close()


def test_without_a_line_past_it_what_needs_a_session_says_so(pooled, settings, clock, tmp_path):
    migrations.upgrade(Database(pooled.direct))
    database = Database(pooled.url, Lines(pooler=True))
    ctx = Context(settings, database, clock, KEY)
    assert system.migrate(ctx) == migrations.head()  # nothing to do
    for refused in (
        lambda: migrations.downgrade(database, "0021"),
        lambda: backups.backup(ctx, tmp_path / "backup"),
    ):
        with pytest.raises(Conflict, match="CHUNGTAY_DATABASE_DIRECT_URL"):
            refused()
    reader = feed_links.Reader(database)
    reader._cache.start()
    assert reader._cache._thread is None
    found = next(x for x in system.doctor(ctx) if x.subject == "connections")
    assert "Behind a pooler alone" in str(found.sentence)
    reader.close()
    database.close()


def test_settings_lead_through_the_pooler(pooled, settings, monkeypatch):
    ctx = open_context(
        settings.model_copy(
            update={
                "database_url": pooled.url,
                "database_pooler": True,
                "database_direct_url": pooled.direct.replace("+psycopg", ""),
            }
        )
    )
    assert system.migrate(ctx) == migrations.head()
    assert accounts.request_sign_in(ctx, "nobody@x.example") is not None
    ctx.database.close()
