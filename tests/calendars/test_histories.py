"""Whatever happens to lessons: UIDs stay, counters rise with every visible difference.

And whoever read at whatever moments ends with the right calendar.
"""

import dataclasses
import gzip
import itertools
import re
from collections.abc import Mapping
from functools import lru_cache

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from scheduler.delivery import ical
from scheduler.domain.lessons import LessonState
from scheduler.services import calendars, feeds
from scheduler.store import feeds as store
from scheduler.store import tables
from scheduler.store.feed_links import Reader
from tests.effort import examples

from .conftest import key_of
from .office import ACTIONS, Office
from .readers import Seen, by_icalendar
from .seed import DAY, MONDAY
from .subscribers import Google, Icsx5, Nextcloud, Outlook, Read

KINDS = (Icsx5, Nextcloud, Google, Outlook)
CREWS = 25  # histories at once: most of a step's cost is that there is one
ROUNDS = examples(10)  # on one of the engines: of 25 histories each
ALL = set(range(len(KINDS)))
STEP = st.tuples(
    st.sampled_from(ACTIONS), st.integers(0, 2), st.sets(st.sampled_from(range(len(KINDS))))
)
HISTORIES = st.lists(st.lists(STEP, min_size=1, max_size=8), min_size=CREWS, max_size=CREWS)


@dataclasses.dataclass(frozen=True)
class Stored(Read):
    body: bytes


def _told(*actions: str, polls: bool = True) -> list[tuple[str, int, set[int]]]:
    return [(action, 0, ALL if polls else set()) for action in actions]


TOLD = [
    _told("create", "restaff", "rename_class", "move", "restaff"),
    _told("create", "move", "rename_class", "cancel", "restore"),
    _told("create", "move", "restaff", "restaff", "rename_teacher"),
    _told("create", "cancel", "restaff", "restore", polls=False),
    _told("create", "cancel", "restore", "move", "move", "rename_school", "link"),
]


@settings(
    phases=[Phase.explicit, Phase.generate], max_examples=ROUNDS,
    suppress_health_check=[*HealthCheck],
)  # fmt: skip
@given(histories=HISTORIES)
@example(histories=TOLD)
def test_any_history_keeps_uids_raises_counters_and_leaves_every_subscriber_right(
    ctx, clock, world, histories
):
    _play(ctx, clock, world, histories)


def test_a_move_that_is_old_news_is_so_to_every_subscriber(ctx, clock, world):
    _play(ctx, clock, world, [_told("create", "move", "wait", "wait", "wait", "wait")])


def _play(ctx, clock, world, histories) -> None:
    clock.at, world.made = MONDAY - DAY / 48, 0
    with ctx.transaction() as db:
        db.execute(tables.handovers.delete())
        db.execute(tables.lessons.delete())
        store.mark_all_dirty(db)
    offices = [_office(world, clock, f"-{n}") for n in range(len(histories))]
    watched = [who for office in offices for who in office.watched]
    with ctx.transaction() as db:
        ids = {who: store.ensure(db, key_of(who[0], world.ids[who[1]])) for who in watched}
    subscribers = {who: [kind() for kind in KINDS] for who in watched}
    before = _look(ctx, ids)
    for moment in itertools.zip_longest(*histories):
        _do(ctx, clock, offices, moment)
        after = _look(ctx, ids)
        for office, step in zip(offices, moment, strict=True):
            for who in office.watched:
                _compare(before[who], after[who])
                for number in step[2] if step else ():
                    subscribers[who][number].poll(after[who])
        before = after
    assert _look_again(ctx, ids) == before, "two reads without a change differ"
    for who in watched:
        for subscriber in subscribers[who]:
            subscriber.poll(before[who])
        _all_right(ctx, world.ids[who[1]], who[0], before[who], *subscribers[who])


def _office(world, clock, mark: str) -> Office:
    if f"lan{mark}" not in world.ids:
        world.crew(mark)
    return Office(world, clock, mark)


def _do(ctx, clock, offices, moment) -> None:
    """What all of them do in one hour, one publication; the first waits for all."""
    waits = moment[0] is not None and moment[0][0] == "wait"
    clock.forward(hours=1, days=8 if waits else 0)
    with ctx.transaction() as db:
        for office, step in zip(offices, moment, strict=True):
            if step is not None:
                office.do(db, *step[:2])
        store.mark_dirty(
            db,
            programme_id=offices[0].world.ids["programme"],
            teacher_ids=[teacher for office in offices for teacher in office.teachers],
            class_ids=[office.class_id for office in offices],
        )


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


def _compare(before: Stored, after: Stored) -> None:
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
            assert new[uid].sequence > event.sequence


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
