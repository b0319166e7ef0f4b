"""Migrations while others work: one at a time, nobody waits behind them, old programs step back."""

import re
import signal
import socket
import threading
import time
from contextlib import closing, contextmanager
from http.client import HTTPConnection

import psycopg
import pytest
import sqlalchemy as sa

from scheduler.errors import Busy, Conflict
from scheduler.services import schemas, system, workers
from scheduler.store import database as databases
from scheduler.store import migrations
from scheduler.store.database import Database
from tests.faults.kit import FOREVER, announce, process, states, until
from tests.web.browser import Site

POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
OURS = migrations.head()
NEXT, AFTER = (f"{int(OURS) + n:04}" for n in (1, 2))
ADDS = (
    "def upgrade():\n    op.add_column('persons', sa.Column('nick', sa.Text()))\n\n"
    "def downgrade():\n    op.drop_column('persons', 'nick')"
)
SERVES = f"serves = '{OURS}'\n\n{ADDS}"
DROPS = (
    "def upgrade():\n    op.drop_column('persons', 'phone')\n\n"
    "def downgrade():\n    op.add_column('persons', sa.Column('phone', sa.Text()))"
)
RENAMES = (
    "def upgrade():\n    op.rename_table('sign_ins', 'sign_ins_of_before')\n\n"
    "def downgrade():\n    op.rename_table('sign_ins_of_before', 'sign_ins')"
)
CONCURRENTLY = (
    "alone = True\n\ndef upgrade():\n"
    "    op.drop_index('ix_persons_name', 'persons', if_exists=True,\n"
    "                  postgresql_concurrently=True)\n"
    "    op.create_index('ix_persons_name', 'persons', ['name'], postgresql_concurrently=True)\n\n"
    "def downgrade():\n    op.drop_index('ix_persons_name', 'persons')"
)


@contextmanager
def connected(url, name="reporting"):
    with psycopg.connect(
        url.replace("postgresql+psycopg://", "postgresql://"), application_name=name
    ) as connection:
        yield connection


# -- who waits for whom


@POSTGRESQL
def test_a_migration_gives_way_to_a_long_reader_and_others_are_answered(
    ctx, cast, next_version, monkeypatch
):
    next_version.brings(NEXT, OURS, ADDS)
    monkeypatch.setattr(migrations, "PAUSES", (0.1,))
    waits, done = [], threading.Event()

    def read():
        """What a page does meanwhile; it queues behind the migration, which gives up."""
        while not done.is_set():
            began = time.monotonic()
            with ctx.reading() as db:
                db.execute(sa.text("SELECT count(*) FROM persons"))
            waits.append(time.monotonic() - began)
            time.sleep(0.01)

    with connected(ctx.database.url) as reader:
        reader.execute("SELECT * FROM persons")  # and no end of the transaction
        thread = threading.Thread(target=read)
        thread.start()
        try:
            with pytest.raises(Busy, match=r"reporting \(\d+\)"):
                system.migrate(ctx)
        finally:
            done.set()
            thread.join()
        assert migrations.current(ctx.database) == OURS
    assert 1 < max(waits) < 4  # one try holds them up for two seconds at most, and not for five
    assert system.migrate(ctx) == NEXT


@POSTGRESQL
def test_a_migration_goes_on_when_the_reader_has_ended(ctx, cast, next_version, caplog):
    next_version.brings(NEXT, OURS, ADDS)
    with connected(ctx.database.url) as reader:
        reader.execute("SELECT * FROM persons")
        thread = threading.Thread(target=system.migrate, args=[ctx])
        thread.start()
        until(lambda: "a table is in use" in caplog.text)
    thread.join()
    assert migrations.current(ctx.database) == NEXT


@POSTGRESQL
def test_two_migrations_take_turns(ctx, next_version, caplog):
    next_version.brings(NEXT, OURS, ADDS)
    with ctx.database.migrating():
        thread = threading.Thread(target=system.migrate, args=[ctx])
        thread.start()
        until(lambda: "another migration is under way" in caplog.text)
    thread.join()
    assert migrations.current(ctx.database) == NEXT


@POSTGRESQL
def test_a_migration_does_not_wait_for_ever_for_another(ctx, next_version, monkeypatch):
    next_version.brings(NEXT, OURS, ADDS)
    monkeypatch.setattr(databases, "MIGRATION_PATIENCE", 0.1)
    with ctx.database.migrating(), pytest.raises(Busy, match="Another migration is under way"):
        system.migrate(ctx)
    assert migrations.current(ctx.database) == OURS


def test_many_that_start_at_once_migrate_once(ctx, next_version):
    next_version.brings(NEXT, OURS, ADDS)
    faults = []

    def start():
        other = Database(ctx.database.url)
        try:
            migrations.upgrade(other)
        except Exception as error:  # noqa: BLE001 - whichever it is, there must be none
            faults.append(error)
        finally:
            other.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert migrations.current(ctx.database) == NEXT


@pytest.mark.parametrize("broken_off", [False, True])
def test_an_index_is_made_beside_those_who_write(ctx, cast, next_version, broken_off):
    next_version.brings(NEXT, OURS, CONCURRENTLY)
    next_version.brings(AFTER, NEXT, DROPS)
    if broken_off:  # what a migration that runs alone leaves when it is killed
        with ctx.transaction() as db:
            db.execute(sa.text("CREATE INDEX ix_persons_name ON persons (name)"))
    assert system.migrate(ctx) == AFTER
    with ctx.database.looking() as connection:
        found = {index["name"] for index in sa.inspect(connection).get_indexes("persons")}
    assert "ix_persons_name" in found


def test_a_migration_that_leaves_broken_references_is_undone(ctx, cast, next_version):
    if not ctx.database.is_sqlite:
        pytest.skip("PostgreSQL looks at them itself")
    next_version.brings(
        NEXT, OURS, "def upgrade():\n    op.execute('DELETE FROM programmes')\n\n"
        "def downgrade():\n    pass",
    )  # fmt: skip
    with pytest.raises(RuntimeError):
        migrations.upgrade(ctx.database)
    assert migrations.current(ctx.database) == OURS
    with ctx.reading() as db:
        assert db.scalar(sa.text("SELECT count(*) FROM programmes")) == 2


# -- programs of before


def test_an_old_program_refuses_a_newer_schema(ctx, next_version):
    next_version.brings(NEXT, OURS, ADDS)
    system.migrate(ctx)
    next_version.ours()
    for refused in (system.migrate, system.require_head):
        with pytest.raises(Conflict, match=rf"newer version \({NEXT}\)"):
            refused(ctx)
    assert not system.is_ours(ctx)
    with pytest.raises(Conflict, match="newer version"):
        migrations.upgrade(ctx.database)


@POSTGRESQL
@pytest.mark.parametrize(
    ("steps", "goes_on"),
    [([SERVES], True), ([ADDS], False), ([SERVES, SERVES], True), ([SERVES, ADDS], False)],
    ids=["adds", "says nothing", "adds twice", "adds, then more"],
)
def test_an_old_program_goes_on_beside_a_schema_that_only_added(ctx, next_version, steps, goes_on):
    names = [OURS, NEXT, AFTER]
    for n, body in enumerate(steps):
        own = body.replace("nick", f"nick{n}")
        next_version.brings(names[n + 1], names[n], own)
    system.migrate(ctx)
    next_version.ours()
    assert system.is_ours(ctx) is goes_on


def test_a_schema_that_goes_on_while_pages_are_served_costs_a_wait_and_no_fault(
    ctx, cast, next_version
):
    site = Site(ctx)
    known = site.browser().arrive(cast.actors["teacher1"])
    workers.note_beat(ctx)
    with schemas.watched(ctx):
        assert known.get("/teacher").status_code == 200
        next_version.brings(NEXT, OURS, DROPS)
        system.migrate(ctx)
        next_version.ours()
        first = known.get("/teacher")  # at once: it meets a column that is gone, or is let in
        assert first.status_code in (200, 503)
        until(lambda: ctx.database.moved)
        for path in ("/teacher", "/api/v1/lessons", f"/feeds/{'x' * 43}/a.ics", "/readyz"):
            refused = known.get(path)
            assert (refused.status_code, "retry-after" in refused.headers) == (503, True), path
        assert "Chung Tay" in known.get("/teacher").text
        assert known.get("/healthz").status_code == 200
        assert known.get("/static/chungtay.css").status_code == 200
        next_version.brings(NEXT, OURS, DROPS)
        migrations.downgrade(ctx.database, OURS)
        next_version.ours()
        until(lambda: not ctx.database.moved)
        assert known.get("/readyz").status_code == 200


def test_what_breaks_on_another_schema_is_no_fault_of_ours(ctx, cast, next_version):
    """In the moment before it is noticed."""
    with schemas.watched(ctx):
        with pytest.raises(sa.exc.DBAPIError), ctx.reading() as db:
            db.execute(sa.text("SELECT nothing FROM nowhere"))
        next_version.brings(NEXT, OURS, DROPS)
        system.migrate(ctx)
        next_version.ours()
        with pytest.raises(Busy, match="being renewed"), ctx.reading() as db:
            db.execute(sa.text("SELECT phone FROM persons"))
        assert ctx.database.moved


# -- real processes


def _free_port():
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return probe.getsockname()[1]


def _get(port, path):
    """Status, and the wait that is asked for."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as line:
        line.request("GET", path)
        answer = line.getresponse()
        answer.read()
        return answer.status, answer.headers.get("retry-after")


def _ready(port):
    try:
        return _get(port, "/readyz")[0] == 200
    except OSError:
        return False


def _asks(port, found, done):
    """As people and programs do all day: which answers they got."""
    while not done.is_set():
        for path in ("/sign-in", "/healthz", "/sign-in/nothing", f"/feeds/{'x' * 43}/a.ics"):
            found.append((path, *_get(port, path)))
        time.sleep(0.02)


@pytest.mark.fault(23)
@POSTGRESQL
def test_processes_that_run_while_the_schema_goes_on_pause(ctx, cast, next_version):
    port, found, done = _free_port(), [], threading.Event()
    address = f"http://127.0.0.1:{port}"
    serve = ("-m", "scheduler", "serve", "--port", str(port))
    plain = {"base_url": address, "tick_seconds": "0.2"}
    with process(ctx, *serve, **plain) as web, process(ctx, "-c", FOREVER, **plain) as worker:
        until(lambda: _ready(port))
        asking = threading.Thread(target=_asks, args=[port, found, done])
        asking.start()
        next_version.brings(NEXT, OURS, RENAMES)
        system.migrate(ctx)
        next_version.ours()
        until(lambda: any(status == 503 for _, status, _ in found))
        until(lambda: not _ready(port))
        time.sleep(0.3)
        done.set()
        asking.join()
        announce(ctx, cast, 2)
        time.sleep(1)
        assert states(ctx) == {"planned": 2}  # nobody begins anything
        assert web.poll() is None
        for each in (worker, web):
            each.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        web.wait(30)
    assert {status for path, status, _ in found if path == "/healthz"} == {200}
    assert {status for _, status, _ in found} <= {200, 404, 503}
    assert all(wait for _, status, wait in found if status == 503)


@pytest.mark.parametrize(
    "command", [["serve"], ["worker"], ["migrate"], ["outbox", "show"]], ids=" ".join
)
def test_no_command_of_an_old_program_works_on_a_newer_schema(run, ctx, next_version, command):
    next_version.brings(NEXT, OURS, ADDS)
    system.migrate(ctx)
    next_version.ours()
    told = run(*command)
    assert (told.exit_code, f"newer version ({NEXT})" in told.stderr) == (1, True)


# -- what CONTRIBUTING.md asks of migrations after the first release

# Tables that grow with use: what is done to all their rows at once, everybody waits for.
LARGE = (
    "audits|audit_origins|audit_seals|lessons|lesson_history|outbox|handovers|reports|check_ins|"
    "confirmations|sessions|sign_ins|feed_bodies|feed_links|webhook_deliveries|cover_calls|offers"
)
BLOCKS = {
    "an index is made CONCURRENTLY": rf"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)\S+ ON ({LARGE})\b",
    "a check is added NOT VALID": (
        rf"ALTER TABLE ({LARGE}) ADD CONSTRAINT \S+ (CHECK|FOREIGN)(?!.*NOT VALID)"
    ),
    "a column is filled first, by the loop": (
        rf"ALTER TABLE ({LARGE}) ALTER COLUMN \S+ (TYPE|SET NOT NULL)"
    ),
    "rows are changed in parts, by the loop": rf"(UPDATE|DELETE FROM) ({LARGE})\b",
}


def blocking(url, revision):
    """The rules that the steps to this revision break."""
    told, database = [], Database(url)

    def note(_connection, _cursor, statement, *_more):
        told.append(" ".join(statement.split()))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        migrations.upgrade(database, revision)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
        database.close()
    return {rule for rule, sign in BLOCKS.items() if any(re.match(sign, each) for each in told)}


@POSTGRESQL
def test_no_new_migration_makes_everybody_wait(ctx):
    migrations.downgrade(ctx.database, "0022")
    assert blocking(ctx.database.url, "head") == set()


@POSTGRESQL
@pytest.mark.parametrize(
    ("step", "broken"),
    [
        ("create_index('ix_lessons_x', 'lessons', ['cause'])", "an index is made CONCURRENTLY"),
        ("create_check_constraint('ck_x', 'outbox', 'id > 0')", "a check is added NOT VALID"),
        (
            "create_check_constraint('ck_x', 'outbox', 'id > 0', postgresql_not_valid=True)",
            None,
        ),
        (
            "alter_column('sessions', 'device', type_=sa.Text())",
            "a column is filled first, by the loop",
        ),
        (
            "execute('UPDATE outbox SET last_error = NULL')",
            "rows are changed in parts, by the loop",
        ),
        ("add_column('lessons', sa.Column('x', sa.Text()))", None),
    ],
)
def test_what_would_make_everybody_wait_is_seen(ctx, next_version, step, broken):
    next_version.brings(NEXT, OURS, f"def upgrade():\n    op.{step}\n\ndef downgrade():\n    pass")
    assert blocking(ctx.database.url, NEXT) == ({broken} if broken else set())
