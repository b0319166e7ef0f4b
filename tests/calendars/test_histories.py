"""Whatever happens to lessons: UIDs stay, counters rise with every visible difference.

And whoever read at whatever moments ends with the right calendar.
"""

import dataclasses
import gzip
import re
from collections.abc import Mapping
from functools import lru_cache

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scheduler.delivery import ical
from scheduler.domain.calendars import week_of
from scheduler.domain.lessons import LessonState
from scheduler.services import calendars, feeds
from scheduler.store import feeds as store
from scheduler.store import tables
from scheduler.store.feed_links import Reader

from .conftest import key_of
from .office import ACTIONS, Office
from .readers import Seen, by_icalendar
from .seed import DAY, MONDAY
from .subscribers import Google, Icsx5, Nextcloud, Outlook, Read

KINDS = (Icsx5, Nextcloud, Google, Outlook)
EXAMPLES = 250  # on each of two engines
STEPS = st.lists(
    st.tuples(
        st.sampled_from(ACTIONS), st.integers(0, 2), st.sets(st.sampled_from(range(len(KINDS))))
    ),
    min_size=1,
    max_size=8,
)
WATCHED = [("teacher", "lan"), ("teacher", "minh"), ("class", "7A")]
ALL = set(range(len(KINDS)))


@dataclasses.dataclass(frozen=True)
class Stored(Read):
    body: bytes


def _told(*actions: str, polls: bool = True) -> list[tuple[str, int, set[int]]]:
    return [(action, 0, ALL if polls else set()) for action in actions]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
@example(steps=_told("create", "restaff", "rename_class", "move", "restaff"))
@example(steps=_told("create", "move", "wait", "wait", "wait", "rename_class", "cancel", "restore"))
@example(steps=_told("create", "move", "restaff", "wait", "wait", "wait", "restaff"))
@example(steps=_told("create", "cancel", "restaff", "restore", polls=False))
def test_any_history_keeps_uids_raises_counters_and_leaves_every_subscriber_right(
    ctx, clock, world, database, steps
):
    clock.at = MONDAY - DAY / 48
    office = Office(world, clock, ctx)
    with ctx.transaction() as db:
        ids = {who: store.ensure(db, key_of(who[0], world.ids[who[1]])) for who in WATCHED}
    subscribers = {who: [kind() for kind in KINDS] for who in WATCHED}
    before = _look(ctx, ids)
    for action, which, polls in steps:
        week = week_of(clock.now())
        office.do(action, which)
        after = _look(ctx, ids)
        for who in WATCHED:
            _compare(before[who], after[who], same_week=week == week_of(clock.now()))
            for number in polls:
                subscribers[who][number].poll(after[who])
        before = after
    assert _look_again(ctx, ids) == before, "two reads without a change differ"
    for who in WATCHED:
        for subscriber in subscribers[who]:
            subscriber.poll(before[who])
        _all_right(ctx, world.ids[who[1]], who[0], before[who], *subscribers[who])


def _look(ctx, ids: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], Stored]:
    while feeds.render_dirty(ctx):
        pass
    reader = Reader(ctx.database)
    found = {who: reader.body(feed) for who, feed in ids.items()}
    reader.close()
    return {who: _stored(x.etag, x.changed_at, x.packed) for who, x in found.items()}


def _look_again(ctx, ids):
    """As another process would, which remembers nothing and was told that all is old."""
    ical._event.cache_clear()
    calendars._entry.cache_clear()
    with ctx.transaction() as db:
        store.mark_all_dirty(db)
    return _look(ctx, ids)


def _stored(etag, changed_at, packed: bytes) -> Stored:
    body = gzip.decompress(packed)
    events = re.findall(rb"^BEGIN:VEVENT.*?^END:VEVENT\r\n", body, re.M | re.S)
    return Stored(etag, changed_at, tuple(map(_parsed, events)), body)


@lru_cache(maxsize=10_000)
def _parsed(event: bytes) -> Seen:
    return by_icalendar(b"BEGIN:VCALENDAR\r\n" + event + b"END:VCALENDAR\r\n")[0]


def _compare(before: Stored, after: Stored, *, same_week: bool) -> None:
    assert (before.etag == after.etag) == (before.body == after.body), "the ETag is the body's"
    if before.body != after.body:
        assert after.changed_at > before.changed_at, "a new body has a later time"
    else:
        assert after.changed_at == before.changed_at, "an old body keeps its time"
    old = {event.uid: event for event in before.events}
    new = {event.uid: event for event in after.events}
    assert old.keys() <= new.keys(), "nothing vanishes"
    for uid, event in old.items():
        assert new[uid].sequence >= event.sequence
        assert new[uid].changed >= event.changed
        if _visible(new[uid]) != _visible(event):
            assert new[uid].changed > event.changed
            assert new[uid].sequence > event.sequence or not same_week


def _visible(event: Seen) -> Seen:
    return dataclasses.replace(
        event, sequence=0, changed=event.created, stamp=event.created, created=event.created
    )


def _all_right(ctx, owner, kind, feed: Stored, icsx5, nextcloud, google, outlook) -> None:
    """Each shows what its kind can, by the feed and by the database's own list."""
    inside = {event.uid: event for event in feed.events}
    assert icsx5.shows() == nextcloud.shows() == inside
    live, off, gone = _by_state(ctx, kind, owner)
    assert inside.keys() == live.keys() | off | gone
    shown = google.shows()
    assert {uid: (x.start, x.end) for uid, x in shown.items()} == live
    assert {uid: x.summary for uid, x in shown.items()} == {u: inside[u].summary for u in live}
    shown = outlook.shows()
    assert {uid: (shown[uid].start, shown[uid].end) for uid in live} == live
    assert {uid for uid, event in shown.items() if event.summary.startswith("[HUỶ] ")} == off
    assert {u for u, event in shown.items() if event.summary.startswith("[ĐÃ CHUYỂN] ")} == gone
    for uid in gone:
        event = shown[uid]
        assert (event.location, event.url) == (None, None)
        assert "/j/" not in event.description


def _by_state(ctx, kind: str, owner: int):
    """Live lessons with their times, called off ones, and those that another teacher has now."""
    column = tables.lessons.c.teacher_id if kind == "teacher" else tables.lessons.c.class_id
    with ctx.reading() as db:
        rows = db.execute(tables.lessons.select().where(column == owner)).all()
        gone = db.execute(
            tables.lessons.select()
            .join(tables.handovers)
            .where(tables.handovers.c.teacher_id == owner, tables.lessons.c.teacher_id != owner)
        ).all()
    live = {_uid(x): (x.starts_at, x.ends_at) for x in rows if x.state != LessonState.CANCELLED}
    off = {_uid(x) for x in rows if x.state == LessonState.CANCELLED}
    return live, off, {_uid(x) for x in gone} if kind == "teacher" else set()


def _uid(row) -> str:
    return f"lesson-{row.uid}@chungtay.example"
