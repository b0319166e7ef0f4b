"""The small programme of these tests, and the readers of its calendars, set up once a session."""

import gzip
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from scheduler.domain.calendars import FeedKey, FeedKind
from scheduler.services import feeds
from scheduler.services.context import Context
from scheduler.store import feeds as store
from scheduler.store.feed_links import Reader

from . import libical, node
from .node import Node
from .readers import IN_PYTHON, Readers, each
from .seed import World


@pytest.fixture
def world(database) -> World:
    return World(database).plant()


@pytest.fixture
def story(world: World) -> World:
    return world.story()


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the packages from npm."""
    return node.install(tmp_path_factory.mktemp("node"))


@pytest.fixture(scope="session")
def ical_js(packages: Path) -> Node:
    return Node(packages, "ical.js")


@pytest.fixture(scope="session")
def readers(packages: Path) -> Readers:
    """All the readers there are."""
    by_node = {name: Node(packages, name).many for name in ("ical.js", "node-ical")}
    return Readers({**IN_PYTHON, **by_node, "libical": each(libical.reader())})


@pytest.fixture
def feed_of(ctx: Context, world: World) -> Callable[..., bytes]:
    """The bytes of a feed, as stored, after everything due was rendered."""

    def body(kind: str, owner: str, language: str = "vi", **options: bool) -> bytes:
        key = key_of(kind, world.ids[owner], language, **options)
        with ctx.transaction() as db:
            feed_id = store.ensure(db, key)
        while feeds.render_dirty(ctx):
            pass
        return stored(ctx, feed_id)

    return body


FEEDS = [
    ("teacher", "lan"),
    ("teacher", "minh"),
    ("teacher", "hoa"),
    ("class", "7A"),
    ("class", "6C"),
    ("school", "to_hieu"),
    ("school", "odd"),
    ("donor_school", "ba_dinh"),
    ("programme", "programme"),
]
# What a link can ask for, in the words of its key.
OPTIONS = tuple(f.name for f in fields(FeedKey) if f.name not in ("kind", "owner_id", "language"))

# Nothing asked for, each option alone, and all of them.
MANNERS = [{}, *({name: True} for name in OPTIONS), dict.fromkeys(OPTIONS, True)]


def key_of(kind: str, owner_id: int, language: str = "vi", **options: bool) -> FeedKey:
    """The key of a feed, every option off that is not given."""
    return FeedKey(
        FeedKind(kind), owner_id, language, **{**dict.fromkeys(OPTIONS, False), **options}
    )


def stored(ctx: Context, feed_id: int) -> bytes:
    reader = Reader(ctx.database)
    found = reader.body(feed_id)
    reader.close()
    assert found is not None
    return gzip.decompress(found.packed)
