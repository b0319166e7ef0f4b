"""How the house does, counted where all processes write."""

import shutil
from collections import namedtuple
from dataclasses import replace
from datetime import timedelta

import pytest

from scheduler.domain import calendars
from scheduler.domain.calendars import FeedKind
from scheduler.domain.messages import MessageKind
from scheduler.domain.runs import Point, RunState, Standing
from scheduler.domain.vitals import Backlog, Lateness, Search, Sources
from scheduler.services import checkups, feeds, runs, vitals, workers
from scheduler.services.system import Verdict
from scheduler.store import feeds as feed_rows
from scheduler.store import runs as run_rows
from scheduler.store import switches, tables
from scheduler.store.database import Database
from tests.faults.kit import write
from tests.standins import put

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def gathered(cast):
    return cast


def sent(ctx, cast, *late: float, kind=MessageKind.HOUR_BEFORE, ago=timedelta(minutes=5), **more):
    """Reminders that went out a while ago, each so many seconds after its time."""
    at = ctx.now() - ago
    with ctx.transaction() as db:
        for number, seconds in enumerate(late):
            due = at - seconds * SECOND
            put(db, "outbox", **{
                "key": f"{kind}:{ago}:{number}", "kind": kind, "channel": "mail",
                "person_id": cast["person_teacher1"], "payload": {}, "due_at": due,
                "useless_after": at + timedelta(days=1), "state": "sent", "attempts": 1,
                "next_try_at": due, "phase": "waiting", "message_id": f"<{number}@x>",
                "last_error": "", "sent_at": at, "created_at": due - timedelta(days=1), **more,
            })  # fmt: skip


def test_how_late_reminders_were_is_that_of_the_last_hour(ctx, cast):
    assert vitals.look(ctx).lateness == Lateness(0, 0.0, 0.0, 0.0)
    sent(ctx, cast, *range(200))
    sent(ctx, cast, 5000, ago=timedelta(minutes=61))
    sent(ctx, cast, 5000, kind=MessageKind.SIGN_IN)
    assert vitals.look(ctx).lateness == Lateness(200, 99.0, 197.0, 199.0)


def test_a_reminder_is_not_late_for_the_time_before_it_was_planned(ctx, cast):
    sent(ctx, cast, 4000, created_at=ctx.now() - timedelta(minutes=5, seconds=7))
    assert vitals.look(ctx).lateness == Lateness(1, 7.0, 7.0, 7.0)


def test_runs_are_counted_with_those_that_nobody_works_on(ctx, cast, clock):
    run_id = runs.start(ctx, cast.actors["coordinator"], cast["term"], 60.0)
    clock.forward(seconds=40)
    house = vitals.look(ctx)
    assert house.runs.by_state[RunState.QUEUED] == 1
    assert (house.runs.abandoned, house.runs.waits_seconds, house.searches) == (0, 40.0, ())
    with ctx.transaction() as db:
        run_rows.claim(db, "token", runs.LEASE)
        found = Standing(3.0, 1000.0, 25, 26, 900.0, 5.0)
        run_rows.progress(db, run_id, "token", -SECOND, found, [Point(3.0, 1000.0, 900.0)])
    house = vitals.look(ctx)
    assert house.runs.by_state[RunState.RUNNING] == 1
    assert (house.runs.abandoned, house.runs.waits_seconds) == (1, 0.0)
    assert house.searches == (Search(cast["term"], 3.0, 1000.0, 900.0, 0.1),)


def dirty(ctx, cast) -> int:
    """The id of a feed that is to be rendered, beside another that was."""
    teacher = cast.actors["teacher1"]
    feeds.create_link(ctx, teacher, FeedKind.TEACHER, cast["teacher1"], "phone")
    while feeds.render_dirty(ctx):
        pass
    with ctx.transaction() as db:
        feed_rows.mark_all_dirty(db)
        return db.execute(tables.feeds.select()).one().id


def since(ctx, seconds: float) -> None:
    """As if that had been noted so much earlier."""
    noted = tables.switches.c.name == switches.FEED_WAITS
    with ctx.reading() as db:
        at = db.execute(tables.switches.select().where(noted)).one().at
    write(ctx, tables.switches, noted, at=at - timedelta(seconds=seconds))


def test_a_calendar_that_nobody_can_render_is_seen_to_wait(ctx, cast):
    assert vitals.look(ctx).feeds == Backlog(0, 0.0)
    dirty(ctx, cast)
    assert vitals.look(ctx).feeds == Backlog(1, 0.0)
    for _ in range(2):  # of whoever claims it, nobody comes to the end
        claim(ctx)
        since(ctx, 500)
    waits = vitals.look(ctx).feeds
    assert waits.feeds == 1
    assert 1000 <= waits.seconds < 1060
    assert finding(ctx, "calendars").verdict is Verdict.BAD
    feeds.render_dirty(ctx)
    assert vitals.look(ctx).feeds == Backlog(0, 0.0)
    assert finding(ctx, "calendars").verdict is Verdict.GOOD


def test_a_calendar_that_is_rendered_between_two_changes_does_not_wait_longer(ctx, cast):
    feed = dirty(ctx, cast)
    claim(ctx)
    since(ctx, 500)
    feeds.render_feed(ctx, feed)  # by a reader who could not wait
    with ctx.transaction() as db:
        feed_rows.mark_all_dirty(db)
    claim(ctx)
    assert vitals.look(ctx).feeds.seconds < 60


def claim(ctx) -> None:
    with ctx.transaction() as db:
        assert feed_rows.claim(db, calendars.week_of(ctx.now()), 10)


def test_calendars_of_teachers_that_cannot_be_read_are_counted(ctx, cast):
    assert vitals.look(ctx).sources == Sources(0, 0)
    for teacher, failures in (("teacher1", 0), ("teacher2", 3)):
        with ctx.transaction() as db:
            put(db, "busy_sources", teacher_id=cast[teacher], sealed_address="x",
                all_day=True, shown_free=False, failures=failures, next_try_at=ctx.now(),
                events=0, free=0, all_day_left_out=0, ours=0, unclear=0)  # fmt: skip
    assert vitals.look(ctx).sources == Sources(2, 1)


def test_the_size_is_told_and_of_sqlite_that_of_its_log(ctx, cast):
    size = vitals.look(ctx).footprint
    assert size.database > 100_000
    assert (size.wal is not None) == ctx.database.is_sqlite


def test_connections_that_are_lent_are_counted(ctx):
    [pool] = [each for each in ctx.database.pools() if each.name in ("all", "writer")]
    with ctx.transaction() as db:
        db.connection()
        [lent] = [each for each in ctx.database.pools() if each.name == pool.name]
    assert (lent.lent, lent.most) == (pool.lent + 1, pool.most)
    assert lent.most > 1


def test_the_last_backup_is_known_where_there_was_one(ctx):
    assert vitals.look(ctx).backup_seconds is None
    with ctx.transaction() as db:
        switches.turn_on(db, switches.BACKED_UP, "1000 x")
    assert 0 <= vitals.look(ctx).backup_seconds < 60


def test_nothing_of_the_house_is_told_while_the_database_is_away(ctx):
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    assert vitals.look(replace(ctx, database=away)) is None


# -- the doctor


def finding(ctx, subject):
    [found] = [each for each in checkups.doctor(ctx) if each.subject == subject]
    return found


def test_the_doctor_says_whether_a_loop_beats(ctx):
    assert finding(ctx, "loop").verdict is Verdict.NOTE
    workers.note_beat(ctx)
    assert finding(ctx, "loop").verdict is Verdict.GOOD


def test_the_doctor_tells_of_a_full_disk(ctx, monkeypatch):
    assert finding(ctx, "disk").verdict is Verdict.GOOD
    full = namedtuple("Usage", "free total")(10**9, 10**12)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: full)
    found = finding(ctx, "disk")
    assert found.verdict is Verdict.BAD
    assert str(found.sentence).startswith("Only 953 MB are free")


def test_the_doctor_tells_of_a_log_that_grows(ctx, monkeypatch):
    if not ctx.database.is_sqlite:
        assert all(each.subject != "size" for each in checkups.doctor(ctx))
        return
    assert finding(ctx, "size").verdict is Verdict.GOOD
    with ctx.database.path.with_name(f"{ctx.database.path.name}-wal").open("ab") as log:
        log.truncate(100 * 1024 * 1024)
    assert finding(ctx, "size").verdict is Verdict.NOTE
