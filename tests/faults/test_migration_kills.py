"""kill -9 at every statement of every migration: all of it or nothing, and another try succeeds.

By default a few places of the first and the newest migration; all of all by `-m soak`.
"""

import shutil
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from scheduler.store import migrations
from tests.faults import migrator
from tests.faults.sowing import sow
from tests.postgresql import of_name

# 0012 makes this table anew; nothing ever wrote to it.
GONE = {("0012", "offers")}


class Files:
    """Databases of SQLite, copied as files."""

    def __init__(self, folder):
        self.folder = folder

    def new(self):
        return f"sqlite:///{self.folder / uuid4().hex}.db"

    def copy(self, url):
        made = self.new()
        shutil.copy(url.removeprefix("sqlite:///"), made.removeprefix("sqlite:///"))
        return made

    def drop(self, url):
        path = url.removeprefix("sqlite:///")
        for name in self.folder.glob(f"{path.rsplit('/', 1)[1].removesuffix('.db')}*"):
            name.unlink()


class Served:
    """Databases of a server, copied by it."""

    def __init__(self, address):
        self.address = address

    def new(self, template="template0"):
        name = f"k{uuid4().hex[:12]}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {template}")
        return of_name(self.address.replace("postgresql://", "postgresql+psycopg://"), name)

    def copy(self, url):
        return self.new(_name(url))

    def drop(self, url):
        self._administer(f"DROP DATABASE {_name(url)} WITH (FORCE)")

    def _administer(self, statement):
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(statement)


def _name(url):
    return make_url(url).database


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request, tmp_path):
    if request.param == "sqlite":
        return Files(tmp_path)
    return Served(request.getfixturevalue("postgresql_server").address)


@contextmanager
def at(databases, revision):
    """A database at this revision, with rows in each of its tables."""
    url = databases.new()
    database = migrator.opened(url)
    if revision:
        migrations.upgrade(database, revision)
        _sow(database)
    database.close()
    yield url
    databases.drop(url)


def _sow(database):
    assert sow(database.writer) == set()


def kill_everywhere(databases, before, revision, most=None):
    """Returns the database as it became, and how many times the migration was killed."""
    was = migrator.state(before)
    after = databases.copy(before)
    places = migrator.upgrade(after, revision)
    is_now = migrator.state(after)
    assert is_now[0] == f"('{revision}',)"
    _nothing_is_lost(was[2], is_now[2], revision)
    wanted = range(1, places + 1) if most is None else _spread(places, most)
    for place in wanted:
        tried = databases.copy(before)
        migrator.killed(tried, revision, place)
        left = migrator.state(tried)
        if _stays_in_part(databases, revision):
            assert (left[0] in (was[0], is_now[0]), left[2]) == (True, was[2]), place
        else:
            assert left == was, place
        migrator.upgrade(tried, revision)
        assert migrator.state(tried) == is_now, place
        databases.drop(tried)
    return after, len(wanted)


def _stays_in_part(databases, revision):
    """On a server, of one that makes indexes beside those who write: outside of a transaction."""
    [step] = [each for each in migrations._program().steps if each.revision == revision]
    return isinstance(databases, Served) and bool(getattr(step.module, "alone", False))


def _nothing_is_lost(were, are, revision):
    for table in were.keys() & are.keys():
        if (revision, table) not in GONE:
            assert len(are[table]) == len(were[table]), table


def _spread(places, most):
    """The first, the last, and some between."""
    step = max(1, (places - 1) // max(1, most - 1))
    return sorted({*range(1, places + 1, step), places})


def _revisions():
    return [step.revision for step in migrations._program().between("", migrations.head())]


@pytest.mark.fault(22)
def test_the_first_migration_killed_leaves_nothing(databases):
    with at(databases, "") as before:
        after, kills = kill_everywhere(databases, before, "0001", most=3)
        databases.drop(after)
    assert kills >= 3


@pytest.mark.fault(22)
def test_the_newest_migration_killed_is_done_again_and_loses_nothing(databases):
    *_, last, newest = _revisions()
    with at(databases, last) as before:
        after, kills = kill_everywhere(databases, before, newest, most=5)
        databases.drop(after)
    assert kills >= 3  # a change, the new number, the end


@pytest.mark.fault(22)
@pytest.mark.soak
def test_every_migration_killed_anywhere_leaves_nothing(databases, capsys):
    """Rows of 0001 and of each later one go all the way."""
    total = 0
    with at(databases, "") as before:
        for revision in _revisions():
            after, kills = kill_everywhere(databases, before, revision)
            total += kills
            with capsys.disabled():
                print(f"{type(databases).__name__} {revision}: {kills} kills")
            if before and revision != "0001":
                databases.drop(before)
            before = after
            database = migrator.opened(before)
            _sow(database)
            database.close()
    with capsys.disabled():
        print(f"{type(databases).__name__}: {total} kills")
