"""Look-ups on PostgreSQL, by two processes' readers: what one changes the other must not miss."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from scheduler import clock as clocks
from scheduler import security
from scheduler.domain import calendars
from scheduler.domain.calendars import FeedKind
from scheduler.services import feeds
from scheduler.services.context import Context
from scheduler.store import feed_cache, feed_links, tables
from scheduler.store import feeds as store
from scheduler.store.database import Database
from scheduler.store.feed_links import Found, Reader

from .seed import World

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

PATIENCE = 5.0  # seconds a machine under load may take for what takes a millisecond


@pytest.fixture
def elsewhere(ctx: Context) -> Iterator[Context]:
    """The context of another process."""
    database = Database(ctx.database.url)
    yield replace(ctx, database=database)
    database.close()


@pytest.fixture
def reader(ctx: Context) -> Iterator[Reader]:
    reader = Reader(ctx.database)
    yield reader
    reader.close()


@pytest.fixture
def link(elsewhere: Context, world: World) -> feeds.NewLink:
    """A link of Cô Lan's to her rendered feed."""
    made = feeds.create_link(
        elsewhere, world.actor("lan"), FeedKind.TEACHER, world.ids["lan"], "máy"
    )
    while feeds.render_dirty(elsewhere):
        pass
    return made


class Asked:
    """One reader's answers about one link."""

    def __init__(self, reader: Reader, link: feeds.NewLink, week: date) -> None:
        self.reader, self.digest, self.week = reader, security.digest(link.token), week

    def find(self) -> Found | None:
        return self.reader.find(self.digest, self.week)

    def remembered(self) -> Found | None:
        return self.reader.remembered(self.digest, self.week)

    def warm(self) -> Found:
        """Ask until the answer is remembered."""
        until(lambda: self.find() is not None and self.remembered() is not None)
        found = self.remembered()
        assert found is not None
        return found


def until(holds: Callable[[], bool]) -> float:
    """Wait for it; how long it took."""
    began = clocks.monotonic()
    while not holds():
        assert clocks.monotonic() < began + PATIENCE, "it never came to be"
        time.sleep(0.0002)
    return clocks.monotonic() - began


@pytest.fixture
def asked(reader: Reader, link: feeds.NewLink, ctx: Context) -> Asked:
    return Asked(reader, link, calendars.week_of(ctx.now()))


def test_an_answer_is_remembered_and_needs_no_read(asked, database):
    found = asked.warm()
    assert found.fresh
    assert found.revoked_at is None
    with database.migrating() as connection:  # DDL is told of by nobody
        connection.execute(sa.text("ALTER TABLE feed_links RENAME TO mislaid"))
        connection.commit()
    assert asked.remembered() == found


def test_a_link_ended_by_another_process_is_refused_once_its_note_has_come(
    asked, elsewhere, world, link
):
    asked.warm()
    feeds.revoke_link(elsewhere, world.actor("lan"), link.link_id)
    until(lambda: asked.remembered() is None)
    assert asked.find().revoked_at == elsewhere.now()


def test_a_link_ended_by_this_process_is_refused_at_once(ctx, asked, world, link):
    for _ in range(50):
        asked.warm()
        with ctx.transaction() as db:
            assert feed_links.revoke(db, link.link_id, world.ids["person lan"], ctx.now())
        assert asked.remembered() is None
        assert asked.find().revoked_at == ctx.now()
        with ctx.transaction() as db:
            db.execute(sa.update(tables.feed_links).values(revoked_at=None))


def test_a_feed_marked_by_another_process_is_no_longer_fresh(asked, elsewhere, world):
    asked.warm()
    with elsewhere.transaction() as db:
        store.mark_dirty(
            db, programme_id=world.ids["programme"], teacher_ids=[world.ids["lan"]], class_ids=[]
        )
    until(lambda: asked.remembered() is None)
    assert asked.find().fresh is False
    assert asked.remembered() is None  # what is out of date is not kept


def test_a_body_saved_by_another_process_is_what_is_found_next(asked, elsewhere, world):
    before = asked.warm()
    old = asked.reader.body(before.feed_id, before.changed_at)
    world.alter(tables.persons, world.ids["person lan"], name="Cô Lan Hương")
    with elsewhere.transaction() as db:
        store.mark_all_dirty(db)
    while feeds.render_dirty(elsewhere):
        pass
    until(lambda: asked.remembered() is None)
    after = asked.warm()
    assert after.etag != before.etag
    assert after.changed_at > before.changed_at
    new = asked.reader.body(after.feed_id, after.changed_at)
    assert (new.etag, old.etag) == (after.etag, before.etag)
    assert asked.reader.kept_body(after.feed_id, after.changed_at) == new


def test_a_person_disabled_by_hand_is_unknown_once_the_note_has_come(asked, world, elsewhere):
    asked.warm()
    world_elsewhere = World(elsewhere.database, world.ids)
    world_elsewhere.alter(tables.persons, world.ids["person lan"], active=False)
    until(lambda: asked.remembered() is None)
    assert asked.find() is None


def test_stamps_of_reads_leave_what_is_remembered(asked, elsewhere, link):
    found = asked.warm()
    with elsewhere.transaction() as db:
        feed_links.stamp_reads(db, {link.link_id: (3, elsewhere.now(), "Apple")})
    time.sleep(0.2)
    assert asked.remembered() == found


def test_a_change_during_a_read_is_not_covered_by_its_answer(ctx, elsewhere, asked):
    found = asked.warm()
    cache = asked.reader._cache
    for changed in (ctx, elsewhere):
        standing = cache.standing()
        with changed.transaction() as db:
            store.mark_all_dirty(db)
        until(lambda seen=standing: cache.standing() != seen)
        cache.put(("late", asked.week), found, standing)
        assert cache.get(("late", asked.week)) is None


def end_all_others(database: Database) -> int:
    """End every connection but this one, as a restart of the server does."""
    with database.transaction() as db:
        others = "FROM pg_stat_activity WHERE datname = current_database()"
        mine = "pid <> pg_backend_pid()"
        ended = db.execute(sa.text(f"SELECT pg_terminate_backend(pid) {others} AND {mine}"))
        return len(ended.all())


def test_without_a_listener_every_answer_is_a_read_until_there_is_one_again(
    asked, elsewhere, world, link, monkeypatch
):
    monkeypatch.setattr(feed_cache, "FIRST_WAIT", 1.5)
    asked.warm()
    assert end_all_others(elsewhere.database) >= 1
    until(lambda: asked.remembered() is None)
    assert asked.find().revoked_at is None
    assert asked.remembered() is None
    feeds.revoke_link(elsewhere, world.actor("lan"), link.link_id)
    assert asked.find().revoked_at == elsewhere.now()
    assert asked.warm().revoked_at == elsewhere.now()  # it listens again
    with elsewhere.transaction() as db:
        db.execute(sa.update(tables.feed_links).values(revoked_at=None))
    until(lambda: asked.remembered() is None)
    assert asked.find().revoked_at is None


def test_an_answer_is_forgotten_when_the_line_was_not_proved_for_its_lifetime(asked, monkeypatch):
    asked.warm()
    proved = asked.reader._cache._proved
    monkeypatch.setattr(feed_cache.clock, "monotonic", lambda: proved + feed_cache.LIFETIME - 0.01)
    assert asked.remembered() is not None
    monkeypatch.setattr(feed_cache.clock, "monotonic", lambda: proved + feed_cache.LIFETIME)
    assert asked.remembered() is None


def test_no_more_is_remembered_than_there_is_room_for(asked, monkeypatch):
    monkeypatch.setattr(feed_cache, "MOST_KNOWN", 3)
    found, cache = asked.warm(), asked.reader._cache
    for name in "abcd":
        cache.put((name, asked.week), found, cache.standing())
    kept = [name for name in "abcd" if cache.get((name, asked.week)) is not None]
    assert kept == ["b", "c", "d"]


def test_a_reader_that_nobody_closed_stops_listening(ctx, link):
    reader = Reader(ctx.database)
    Asked(reader, link, calendars.week_of(ctx.now())).warm()
    thread = reader._cache._thread
    del reader
    thread.join(PATIENCE)
    assert not thread.is_alive()
