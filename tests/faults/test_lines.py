"""Lines to PostgreSQL: none left, none that comes free, cut ones, and what waits too long."""

import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.rows import tuple_row
from pydantic import SecretStr

from scheduler.errors import Busy
from scheduler.jobs import loop
from scheduler.services import system
from scheduler.services.context import Context
from scheduler.services.system import Verdict
from scheduler.store import lines, migrations
from scheduler.store.database import Database
from scheduler.store.lines import Lines
from tests.cast import gather
from tests.conftest import KEY
from tests.delivery.sink import listening
from tests.faults.kit import ROOT, announce, states, until
from tests.web.browser import Site

POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def _with(url, **settings):
    """The address with settings for its sessions, which count more than our own."""
    told = "%20".join(f"-c%20{name}%3D{value}" for name, value in settings.items())
    return f"{url}&options={told}"


@pytest.fixture
def other(database_url):
    """Another program's connection."""
    url = database_url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, row_factory=tuple_row) as connection:
        yield connection


@POSTGRESQL
def test_each_session_says_who_it_is_and_waits_for_nothing_long(database_url):
    database = Database(database_url, Lines(role="worker"))
    asked = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    with database.reading() as db:
        found = [db.scalar(sa.text(f"SHOW {name}")) for name in asked]
        name = db.scalar(sa.text("SHOW application_name"))
    database.close()
    assert found == ["5s", "30s", "30s"]
    assert name.startswith(f"chungtay worker {socket.gethostname()[:30]}:")


@POSTGRESQL
def test_what_the_operator_wrote_into_the_address_counts(database_url):
    database = Database(_with(database_url, lock_timeout="9s") + "&application_name=ours")
    with database.reading() as db:
        assert db.scalar(sa.text("SHOW lock_timeout")) == "9s"
        assert db.scalar(sa.text("SHOW statement_timeout")) == "30s"
        assert db.scalar(sa.text("SHOW application_name")) == "ours"
    database.close()


@POSTGRESQL
def test_a_lock_that_somebody_keeps_is_waited_for_and_then_told_of(database_url, cast, other):
    other.execute("SELECT * FROM persons FOR UPDATE")
    database = Database(_with(database_url, lock_timeout="200ms"))
    began = time.monotonic()
    with pytest.raises(Busy), database.transaction() as db:
        db.execute(sa.text("UPDATE persons SET name = 'x'"))
    assert 0.2 <= time.monotonic() - began < 5
    other.rollback()
    with database.transaction() as db:
        db.execute(sa.text("UPDATE persons SET name = 'x'"))
    database.close()


@POSTGRESQL
def test_a_statement_gone_astray_and_a_transaction_left_open_are_ended(database_url):
    asked = {"statement_timeout": "100ms", "idle_in_transaction_session_timeout": "200ms"}
    database = Database(_with(database_url, **asked))
    with pytest.raises(Busy), database.reading() as db:
        db.execute(sa.text("SELECT pg_sleep(9)"))
    with pytest.raises(Busy), database.transaction() as db:
        _frozen(db, 0.5)
    with database.reading() as db:
        assert db.scalar(sa.text("SELECT 1")) == 1
    database.close()


def _frozen(db, seconds):
    db.execute(sa.text("SELECT 1"))
    time.sleep(seconds)  # the server ends the transaction meanwhile
    db.execute(sa.text("SELECT 1"))


@POSTGRESQL
def test_a_process_takes_no_more_lines_than_it_may(database_url, monkeypatch, other):
    monkeypatch.setattr(lines, "WAIT", 0.2)
    database = Database(database_url, Lines(most=3))
    with ExitStack() as held:
        for _ in range(2):  # the third is for who listens
            held.enter_context(database.reading()).execute(sa.text("SELECT 1"))
        with pytest.raises(Busy), database.reading() as db:
            db.execute(sa.text("SELECT 1"))
        ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'chungtay %'"
        listener = database.listener()
        assert other.execute(ours).fetchone() == (3,)
        listener.close()
    database.close()


@SQLITE
def test_the_other_end_of_a_line_is_asked_whether_it_is_there(own_server, settings):
    own_server.stop("fast")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    own_server.start(listen_addresses="127.0.0.1", port=port)
    database = Database(f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres")
    with database.reading() as db:
        driver = db.connection().connection.driver_connection
        with socket.socket(fileno=driver.fileno()) as wire:
            kept = [
                wire.getsockopt(socket.IPPROTO_TCP, option)
                for option in (
                    socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT,
                    socket.TCP_USER_TIMEOUT,
                )
            ]  # fmt: skip
            wire.detach()
        of_server = [db.scalar(sa.text(f"SHOW tcp_{name}")) for name in _SERVER_ASKS]
    database.close()
    assert kept == [5, 2, 3, 10_000]
    assert of_server == ["5", "2", "3", "10000"]


_SERVER_ASKS = ("keepalives_idle", "keepalives_interval", "keepalives_count", "user_timeout")


# -- a server that has no connection left


@pytest.fixture
def small(own_server, settings, clock):
    """A context on a server with twelve connections, and all that are left of them."""
    own_server.stop("fast")
    own_server.start(max_connections=12, superuser_reserved_connections=0)
    migrations.upgrade(database := Database(own_server.url, Lines(most=4, role="web")))
    yield Context(settings, database, clock, KEY)
    database.close()


def take_all(server, held):
    """Every connection that is left."""
    url = server.url.replace("postgresql+psycopg://", "postgresql://")
    with suppress(psycopg.OperationalError):
        while True:
            held.enter_context(psycopg.connect(url))


@SQLITE
def test_without_a_connection_people_are_told_to_come_again_and_the_loop_waits(small, own_server):
    cast = gather(small)
    site = Site(small)
    known = site.browser().arrive(cast.actors["teacher1"])
    announce(small, cast, 3)
    small.database.close()  # so that all of them are free
    with listening() as sink, ExitStack() as held:
        settings = small.settings.model_copy(
            update={"smtp_url": SecretStr(sink.url), "tick_seconds": 0.05}
        )
        take_all(own_server, held)
        beating = loop.start(Context(settings, small.database, small.clock, KEY))
        try:
            beat = beating.last_beat
            for path in ("/teacher", "/sign-in/x", "/readyz"):
                refused = known.get(path)
                assert (refused.status_code, "retry-after" in refused.headers) == (503, True), path
            feed = known.get(f"/feeds/{'x' * 43}/a.ics")
            assert (feed.status_code, feed.headers["retry-after"]) == (503, "60")
            until(lambda: beating.last_beat > beat + 0.2)  # it goes on asking
            assert sink.arrived == []
            held.close()
            assert known.get("/teacher").status_code == 200
            until(lambda: states(small).get("sent") == 3)
        finally:
            beating.stop()


@SQLITE
def test_the_doctor_counts_how_many_processes_the_server_has_room_for(small):
    def told():
        return next(x for x in system.doctor(small) if x.subject == "connections")

    with small.reading() as db:
        db.execute(sa.text("SELECT 1"))
    found = told()
    assert (found.verdict, str(found.sentence)) == (
        Verdict.GOOD,
        "The server gives us 12, up to 4 for each of our processes: enough for 3; 1 run.",
    )
    with ExitStack() as held:
        for n in range(3):
            other = Database(small.database.url, Lines(role=f"worker {n}"))
            held.callback(other.close)
            held.enter_context(other.looking())
        found = told()
    assert found.verdict is Verdict.NOTE
    assert "4 of which run, and the server gives us 12" in str(found.sentence)


# -- a pool that is empty


def test_whoever_finds_no_line_free_is_told_to_come_again(database):
    """Forty threads of pages share the lines of a process."""
    made = database.reader.pool
    made._timeout = 0.2
    with ExitStack() as held:
        while made.checkedout() < made.size() + made._max_overflow:
            held.enter_context(database.looking())
        with pytest.raises(Busy), database.looking():
            pass
    with database.looking():
        pass


# -- a cable that is cut

_FAR = """
import sys, threading, time
import sqlalchemy as sa
from scheduler.errors import Busy
from scheduler.store.database import Database
database = Database(sys.argv[1])

def holds():
    with database.transaction() as db:
        db.execute(sa.text("UPDATE switches SET value = 'far'"))
        print("held", flush=True)
        time.sleep(60)

threading.Thread(target=holds, daemon=True).start()
began = time.monotonic()
try:
    with database.reading() as db:
        db.execute(sa.text("SELECT pg_sleep(29)"))
except Busy:
    print(time.monotonic() - began, flush=True)
"""


def _ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def far_host():
    """The name of a network namespace, our address there, and what cuts the cable between."""
    name, near, far = "chungtay-far", "chungtay-n", "chungtay-f"
    try:
        _ip("netns", "add", name)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no network namespaces may be made here")
    try:
        _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", name)
        _ip("addr", "add", "10.213.7.1/24", "dev", near)
        _ip("link", "set", near, "up")
        _ip("-n", name, "addr", "add", "10.213.7.2/24", "dev", far)
        _ip("-n", name, "link", "set", far, "up")
        yield name, "10.213.7.1", lambda: _ip("link", "set", near, "down")
    finally:
        _ip("netns", "delete", name)


@pytest.mark.soak
def test_a_cut_cable_is_noticed_at_both_ends_within_seconds(own_server, far_host, capsys):
    name, address, cut = far_host
    with (own_server.folder / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 10.213.7.0/24 trust\n")
    own_server.stop("fast")
    own_server.start(listen_addresses=address, port=5499)
    url = f"postgresql+psycopg://postgres@{address}:5499/postgres"
    near = f"{own_server.url}&port=5499&options=-c%20lock_timeout%3D29s"
    migrations.upgrade(database := Database(near))
    with database.transaction() as db:
        db.execute(sa.text("INSERT INTO switches VALUES ('x', 'near', now())"))
    command = ["ip", "netns", "exec", name, sys.executable, "-c", _FAR, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as other:
        assert other.stdout.readline() == "held\n"
        began = time.monotonic()
        cut()
        with database.transaction() as db:
            db.execute(sa.text("UPDATE switches SET value = 'near'"))
        free = time.monotonic() - began
        told = float(other.stdout.readline())
        other.kill()
    database.close()
    with capsys.disabled():
        print(f"a cut cable: noticed after {told:.1f} s, its locks free after {free:.1f} s")
    assert told < 20
    assert free < 20
