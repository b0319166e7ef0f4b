"""Whatever happens to lessons: UIDs stay, counters rise with every visible difference."""

import dataclasses
import gzip
from datetime import timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scheduler.domain.calendars import FeedKey, FeedKind, week_of
from scheduler.domain.lessons import LessonState
from scheduler.services import feeds
from scheduler.store import feeds as store
from scheduler.store import tables
from scheduler.store.feed_links import Reader

from .readers import Seen, by_icalendar
from .seed import DAY, MONDAY

STEPS = st.lists(
    st.sampled_from(["create", "move", "cancel", "restore", "restaff", "rename", "link", "wait"]),
    min_size=1,
    max_size=8,
)
START = MONDAY - timedelta(minutes=30)
WATCHED = [("teacher", "lan"), ("teacher", "minh"), ("class", "7A"), ("programme", "programme")]


class Office:
    """Does to lessons what people do, as a publication would write it."""

    def __init__(self, world, clock, ctx) -> None:
        self.world, self.clock, self.ctx = world, clock, ctx
        self.lessons: list[int] = []

    def do(self, step: str) -> None:
        self.clock.forward(hours=1)
        if step == "wait":
            self.clock.forward(days=8)
        elif step == "create" or not self.lessons:
            at = MONDAY + len(self.lessons) * DAY + timedelta(days=40)
            now = self.clock.now()
            made = self.world.lesson("lan", "7A", at, created_at=now, changed_at=now)
            self.lessons.append(made)
        elif step == "rename":
            number = self.clock.now().strftime("%d%H")
            self.world.alter(tables.classes, self.world.ids["7A"], name=f"7A{number}")
            for lesson in self.lessons:
                self.alter(lesson)
        else:
            getattr(self, step)(self.lessons[-1])
        with self.ctx.transaction() as db:
            store.mark_dirty(
                db,
                programme_id=self.world.ids["programme"],
                teacher_ids=[self.world.ids[name] for name in ("lan", "minh")],
                class_ids=[self.world.ids["7A"]],
            )

    def row(self, lesson: int):
        with self.ctx.reading() as db:
            query = tables.lessons.select().where(tables.lessons.c.id == lesson)
            return db.execute(query).one()

    def alter(self, lesson: int, **values: object) -> None:
        row, now = self.row(lesson), self.clock.now().replace(microsecond=0)
        self.world.alter(
            tables.lessons, lesson, sequence=row.sequence + 1,
            changed_at=max(now, row.changed_at + timedelta(seconds=1)), **values,
        )  # fmt: skip

    def move(self, lesson: int) -> None:
        row = self.row(lesson)
        hour = timedelta(minutes=50)
        self.alter(
            lesson, starts_at=row.starts_at + hour, ends_at=row.ends_at + hour,
            moved_from=row.starts_at,
        )  # fmt: skip

    def cancel(self, lesson: int) -> None:
        self.alter(lesson, state=LessonState.CANCELLED)

    def restore(self, lesson: int) -> None:
        self.alter(lesson, state=LessonState.SCHEDULED)

    def link(self, lesson: int) -> None:
        self.alter(lesson, meeting_url=f"https://room.example/{self.clock.now():%H%M}")

    def restaff(self, lesson: int) -> None:
        row, lan, minh = self.row(lesson), self.world.ids["lan"], self.world.ids["minh"]
        new = minh if row.teacher_id == lan else lan
        with self.ctx.transaction() as db:
            db.execute(tables.handovers.delete().where(tables.handovers.c.lesson_id == lesson))
            db.execute(
                tables.handovers.insert().values(
                    lesson_id=lesson, teacher_id=row.teacher_id, starts_at=row.starts_at,
                    ends_at=row.ends_at, sequence=row.sequence + 1,
                    changed_at=max(self.clock.now().replace(microsecond=0),
                                   row.changed_at + timedelta(seconds=1)),
                )
            )  # fmt: skip
        self.alter(lesson, teacher_id=new)


def _visible(event: Seen) -> Seen:
    return dataclasses.replace(
        event, sequence=0, changed=event.created, stamp=event.created, created=event.created
    )


def _look(ctx, ids) -> dict[int, tuple[str, object, bytes]]:
    while feeds.render_dirty(ctx):
        pass
    reader = Reader(ctx.database)
    found = {feed: reader.body(feed) for feed in ids}
    reader.close()
    return {k: (v.etag, v.changed_at, gzip.decompress(v.packed)) for k, v in found.items()}


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
@example(steps=["create", "restaff", "rename", "move", "restaff"])
@example(steps=["create", "move", "wait", "wait", "wait", "rename", "cancel", "restore"])
def test_any_history_keeps_uids_and_raises_counters(ctx, clock, world, steps):
    clock.at = START
    with ctx.transaction() as db:
        db.execute(tables.handovers.delete())
        db.execute(tables.lessons.delete())
        store.mark_all_dirty(db)
    office = Office(world, clock, ctx)
    keys = [FeedKey(FeedKind(kind), world.ids[name], "vi", False) for kind, name in WATCHED]
    with ctx.transaction() as db:
        ids = [store.ensure(db, key) for key in keys]
    before = _look(ctx, ids)
    for step in steps:
        week = week_of(clock.now())
        office.do(step)
        after = _look(ctx, ids)
        assert after == _look(ctx, ids), "two reads without a change differ"
        for feed in ids:
            _compare(before[feed], after[feed], same_week=week == week_of(clock.now()))
        before = after


def _compare(before, after, *, same_week: bool) -> None:
    assert (before[0] == after[0]) == (before[2] == after[2]), "the ETag is the body's"
    if before[2] != after[2]:
        assert after[1] > before[1], "a new body has a later time"
    else:
        assert after[1] == before[1], "an old body keeps its time"
    old = {event.uid: event for event in by_icalendar(before[2])}
    new = {event.uid: event for event in by_icalendar(after[2])}
    if same_week:
        assert old.keys() <= new.keys(), "nothing vanishes but by time"
    for uid in old.keys() & new.keys():
        assert new[uid].sequence >= old[uid].sequence
        assert new[uid].changed >= old[uid].changed
        if _visible(new[uid]) != _visible(old[uid]):
            assert new[uid].changed > old[uid].changed
            assert new[uid].sequence > old[uid].sequence or not same_week
