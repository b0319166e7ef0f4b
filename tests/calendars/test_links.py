"""Links to feeds: who may have which, what the records say, and keeping feeds up to date."""

import contextlib
import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from scheduler import security
from scheduler.domain.calendars import FeedKey, FeedKind
from scheduler.domain.lessons import LessonState
from scheduler.errors import Conflict, Invalid, NotFound
from scheduler.services import feeds
from scheduler.store import feed_links, tables
from scheduler.store import feeds as store

from .conftest import stored
from .readers import by_icalendar
from .seed import MONDAY

ALL = [
    ("teacher", "lan"), ("teacher", "minh"), ("donor_school", "ba_dinh"),
    ("donor_school", "dong_da"), ("school", "to_hieu"), ("school", "odd"), ("class", "7A"),
    ("class", "6C"), ("programme", "programme"),
]  # fmt: skip
OWN = {
    "lan": {("teacher", "lan"), ("donor_school", "ba_dinh")},
    "contact": {("school", "to_hieu"), ("class", "7A")},
    "head": {("donor_school", "ba_dinh")},
    "coordinator": set(ALL),
    "foreign_lan": set(),
    "foreign_coordinator": set(),
    "foreign_contact": set(),
}


def test_people_subscribe_to_their_own_feeds_and_know_of_no_others(ctx, world):
    assert {who: _open_to(ctx, world, who) for who in OWN} == OWN


def _open_to(ctx, world, who: str) -> set[tuple[str, str]]:
    opened = set()
    for kind, owner in ALL:
        with contextlib.suppress(NotFound):
            feeds.create_link(ctx, world.actor(who), FeedKind(kind), world.ids[owner], "điện thoại")
            opened.add((kind, owner))
    return opened


def test_a_feed_of_nobody_is_as_unknown_as_a_foreign_one(ctx, world):
    said = []
    for owner in (world.ids["foreign_lan"], 999_999):
        with pytest.raises(NotFound) as caught:
            feeds.create_link(ctx, world.actor("lan"), FeedKind.TEACHER, owner, "x")
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_a_link_shows_its_secret_once_and_keeps_only_a_hash(ctx, world, database):
    new = feeds.create_link(
        ctx, world.actor("lan"), FeedKind.TEACHER, world.ids["lan"], " máy của tôi ", language="en"
    )
    assert new.url == f"https://chungtay.example/feeds/{new.token}/co-lan-chung-tay.ics"
    assert new.webcal_url == new.url.replace("https://", "webcal://")
    (link,) = feeds.links_of(ctx, world.actor("lan"))
    assert (link.name, link.key.kind, link.key.language, link.reads) == (
        "máy của tôi", FeedKind.TEACHER, "en", 0,
    )  # fmt: skip
    with database.reading() as db:
        (row,) = db.execute(sa.select(tables.feed_links)).mappings()
        (audit,) = db.execute(sa.select(tables.audits)).mappings()
    assert row["token_hash"] == security.digest(new.token)
    assert new.token not in f"{dict(row)} {dict(audit)}"
    assert (audit["action"], audit["subject_id"]) == ("make_link", new.link_id)


def test_a_link_needs_a_name_of_some_length_and_a_language_we_speak(ctx, world):
    def make(name: str, language: str = "vi") -> None:
        lan = world.actor("lan")
        feeds.create_link(ctx, lan, FeedKind.TEACHER, world.ids["lan"], name, language=language)

    for bad in (("",), ("  ",), ("x" * 101,), ("x", "fr")):
        with pytest.raises(Invalid):
            make(*bad)


def test_nobody_hoards_links(ctx, world):
    def make() -> None:
        feeds.create_link(ctx, world.actor("lan"), FeedKind.TEACHER, world.ids["lan"], "x")

    for _ in range(feeds.MOST_LINKS):
        make()
    with pytest.raises(Conflict):
        make()


def test_only_its_owner_ends_a_link_and_only_once(ctx, world):
    new = feeds.create_link(ctx, world.actor("lan"), FeedKind.TEACHER, world.ids["lan"], "x")
    for stranger in ("minh", "coordinator"):
        with pytest.raises(NotFound):
            feeds.revoke_link(ctx, world.actor(stranger), new.link_id)
    feeds.revoke_link(ctx, world.actor("lan"), new.link_id)
    assert feeds.links_of(ctx, world.actor("lan")) == ()
    with pytest.raises(NotFound):
        feeds.revoke_link(ctx, world.actor("lan"), new.link_id)


def test_ending_a_persons_links_spares_everybody_elses(ctx, world):
    for who in ("lan", "minh"):
        feeds.create_link(ctx, world.actor(who), FeedKind.TEACHER, world.ids[who], "x")
    with ctx.transaction() as db:
        feed_links.revoke_all(db, world.ids["person lan"], ctx.now())
    assert feeds.links_of(ctx, world.actor("lan")) == ()
    assert len(feeds.links_of(ctx, world.actor("minh"))) == 1


def test_the_command_line_gives_everybody_their_nearest_feed(ctx, world):
    for who, slug in [
        ("lan", "co-lan-chung-tay"),
        ("contact", "thcs-to-hieu-chung-tay"),
        ("head", "thcs-ba-dinh-ha-noi-chung-tay"),
        ("coordinator", "ha-noi-yen-bai-chung-tay"),
    ]:
        assert feeds.link_for_person(ctx, f"{who}@x.example").endswith(f"/{slug}.ics")


def test_the_command_line_finds_nothing_for_nobody(ctx, world):
    world.alter(tables.persons, world.ids["person lan"], active=False)
    for email in ("nobody@x.example", "lan@x.example"):
        with pytest.raises(NotFound):
            feeds.link_for_person(ctx, email)


def test_a_feed_for_everyone_is_made_once(ctx, story):
    # In each of two programmes: 3 teachers, 3 classes, 2 schools, 2 donor schools, the programme.
    totals = feeds.ensure_all(ctx)
    assert totals.feeds == 22
    assert feeds.ensure_all(ctx) == totals
    assert totals.events > 20


def _fresh(ctx) -> set[tuple[str, int]]:
    with ctx.reading() as db:
        rows = db.execute(sa.select(tables.feeds).where(tables.feeds.c.dirty.is_(False)))
        return {(row.kind, row.owner_id) for row in rows}


def test_a_change_marks_the_feeds_that_show_it_and_no_others(ctx, story):
    feeds.ensure_all(ctx)
    everything = _fresh(ctx)
    with ctx.transaction() as db:
        store.mark_dirty(
            db, programme_id=story.ids["programme"], teacher_ids=[story.ids["lan"]],
            class_ids=[story.ids["7A"]],
        )  # fmt: skip
    assert everything - _fresh(ctx) == {
        (kind, story.ids[owner])
        for kind, owner in [
            ("teacher", "lan"), ("class", "7A"), ("school", "to_hieu"),
            ("donor_school", "ba_dinh"), ("programme", "programme"),
        ]
    }  # fmt: skip


def test_the_number_of_statements_does_not_depend_on_the_number_of_lessons(ctx, story, database):
    feeds.ensure_all(ctx)

    def statements(teachers: list[int], classes: list[int]) -> int:
        seen = []
        with ctx.transaction() as db:
            sa.event.listen(db.connection(), "before_cursor_execute", lambda *a: seen.append(a[2]))
            store.mark_dirty(
                db, programme_id=story.ids["programme"], teacher_ids=teachers, class_ids=classes
            )
        return len(seen)

    one = statements([story.ids["lan"]], [story.ids["7A"]])
    three = statements(
        [story.ids[name] for name in ("lan", "minh", "hoa")],
        [story.ids[name] for name in ("7A", "8B", "6C")],
    )
    assert one == three <= 3


def _feed(ctx, world, kind="teacher", owner="lan") -> int:
    with ctx.transaction() as db:
        return store.ensure(db, FeedKey(FeedKind(kind), world.ids[owner], "vi", False))


def _mark(ctx, world) -> None:
    with ctx.transaction() as db:
        store.mark_dirty(
            db, programme_id=world.ids["programme"], teacher_ids=[world.ids["lan"]], class_ids=[]
        )


def test_a_change_during_rendering_is_not_lost(ctx, world, clock):
    feed = _feed(ctx, world)
    week = feeds.calendars.week_of(clock.now())
    with ctx.transaction() as db:
        claims = store.claim(db, week, 10)
    old = {claim: store.Body("old", b"old") for claim in claims}
    world.lesson("lan", "7A", MONDAY)  # after the renderer had read
    _mark(ctx, world)
    with ctx.transaction() as db:
        store.save(db, old, week, clock.now())
    assert feeds.render_dirty(ctx) == 1
    assert len(by_icalendar(stored(ctx, feed))) == 1


def test_a_slow_renderer_does_not_overwrite_a_newer_body(ctx, world, clock):
    feed = _feed(ctx, world)
    week = feeds.calendars.week_of(clock.now())
    with ctx.transaction() as db:
        slow = store.claim(db, week, 10)
    world.lesson("lan", "7A", MONDAY)
    feeds.render_feed(ctx, feed)
    with ctx.transaction() as db:
        assert store.save(db, {c: store.Body("old", b"old") for c in slow}, week, clock.now()) == 0
    assert len(by_icalendar(stored(ctx, feed))) == 1


def test_a_feed_whose_renderer_died_is_rendered_by_the_next(ctx, world, clock):
    feed = _feed(ctx, world)
    with ctx.transaction() as db:
        store.claim(db, feeds.calendars.week_of(clock.now()), 10)
    assert feeds.render_dirty(ctx) == 1
    assert by_icalendar(stored(ctx, feed)) == []
    assert feeds.render_dirty(ctx) == 0


def test_renderers_and_writers_at_once_end_with_the_last_word(ctx, world):
    feed = _feed(ctx, world)
    stop = threading.Event()

    def keep_rendering() -> None:
        while not stop.is_set():
            feeds.render_dirty(ctx)

    threads = [threading.Thread(target=keep_rendering) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(15):
        world.lesson("lan", "7A", MONDAY + timedelta(hours=n))
        _mark(ctx, world)
    stop.set()
    for thread in threads:
        thread.join()
    while feeds.render_dirty(ctx):
        pass
    assert len(by_icalendar(stored(ctx, feed))) == 15


def test_the_window_moves_with_the_week_and_the_etag_rests_within_it(ctx, world, clock):
    world.lesson("lan", "7A", datetime(2023, 8, 1, 1, 0, tzinfo=UTC))  # 62 days ago
    feed = _feed(ctx, world)
    clock.at = datetime(2023, 9, 25, 0, 0, tzinfo=UTC)
    feeds.render_dirty(ctx)
    before = stored(ctx, feed)
    assert len(by_icalendar(before)) == 1
    clock.at = datetime(2023, 10, 1, 23, 59, 59, tzinfo=UTC)
    assert feeds.render_dirty(ctx) == 0
    clock.forward(days=7)
    assert feeds.render_dirty(ctx) == 1
    assert by_icalendar(stored(ctx, feed)) == []


def test_a_called_off_lesson_stays_a_month_and_then_goes(ctx, world, clock):
    at = datetime(2023, 9, 20, 1, 0, tzinfo=UTC)
    world.lesson("lan", "7A", at, state=LessonState.CANCELLED)
    feed = _feed(ctx, world)
    left = []
    for _ in range(8):
        feeds.render_dirty(ctx)
        left.append((clock.now() - at, len(by_icalendar(stored(ctx, feed)))))
        clock.forward(days=7)
    assert all(count == 1 for age, count in left if age <= timedelta(days=30))
    assert all(count == 0 for age, count in left if age > timedelta(days=38))
