"""The small programme of these tests, and ical.js fetched once a session."""

import gzip
from collections.abc import Callable

import pytest

from scheduler.domain.calendars import FeedKey, FeedKind
from scheduler.services import feeds
from scheduler.services.context import Context
from scheduler.store import feeds as store
from scheduler.store.feed_links import Reader

from .readers import IcalJs, install_ical_js
from .seed import World


@pytest.fixture
def world(database) -> World:
    return World(database).plant()


@pytest.fixture
def story(world: World) -> World:
    return world.story()


@pytest.fixture(scope="session")
def ical_js(tmp_path_factory: pytest.TempPathFactory) -> IcalJs:
    return install_ical_js(tmp_path_factory.mktemp("ical-js"))


@pytest.fixture
def feed_of(ctx: Context, world: World) -> Callable[..., bytes]:
    """The bytes of a feed, as stored, after everything due was rendered."""

    def body(kind: str, owner: str, language: str = "vi", show_cancelled: bool = False) -> bytes:
        key = FeedKey(FeedKind(kind), world.ids[owner], language, show_cancelled)
        with ctx.transaction() as db:
            feed_id = store.ensure(db, key)
        while feeds.render_dirty(ctx):
            pass
        return stored(ctx, feed_id)

    return body


def stored(ctx: Context, feed_id: int) -> bytes:
    reader = Reader(ctx.database)
    found = reader.body(feed_id)
    reader.close()
    assert found is not None
    return gzip.decompress(found.packed)
