"""A publisher that dies between any two statements leaves all of a publication or nothing.

It is killed before each statement that writes, and before the commit: what is read in between
changes nothing.
"""

import multiprocessing
import os
import signal

import pytest
import sqlalchemy as sa

from scheduler.clock import ShiftedClock
from scheduler.domain.lessons import LessonState
from scheduler.domain.plans import PlanState
from scheduler.services import plans, publications
from scheduler.services.context import Context
from scheduler.store import plans as plan_rows
from scheduler.store import tables
from scheduler.store.database import Database
from tests.planning import A1, A2, B1, draft, publish, timetable

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.faults.test_publishing"])
WRITTEN = (
    tables.lessons, tables.lesson_history, tables.publications, tables.plans, tables.outbox,
    tables.audits, tables.handovers,
)  # fmt: skip


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def publish_and_die(settings, url, clock, key, actor, plan, seen, number):
    """Publish, and be killed before that one of all writing statements; the last is the commit."""
    database = Database(url)
    done = [0]

    def count(*_given):
        done[0] += 1
        if done[0] == number:
            die()

    def look(_connection, _cursor, statement, *_given):
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            count()

    sa.event.listen(database.writer, "before_cursor_execute", look)
    sa.event.listen(database.writer, "commit", count)
    plans.publish(Context(settings, database, clock, key), actor, plan, seen)


def died_at(ctx, actor, plan, seen, number):
    """Whether it died; False when it came to its end before."""
    given = (ctx.settings, ctx.database.url, ShiftedClock.starting_at(ctx.now()), ctx.key)
    child = SERVER.Process(target=publish_and_die, args=(*given, actor, plan, seen, number))
    child.start()
    child.join(60)
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode != 0


def everything(ctx):
    with ctx.reading() as db:
        return [sorted(map(repr, db.execute(sa.select(table)).all())) for table in WRITTEN]


@pytest.mark.fault(19)
def test_a_publisher_killed_before_any_statement_leaves_nothing(ctx, cast):
    coordinator = cast.actors["coordinator"]
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    publish(ctx, cast, draft(ctx, cast, A1, (*A2[:3], "teacher2"), B1))
    spoilt = publications.newest(ctx, coordinator, cast["term"])
    plan = publications.undo(ctx, coordinator, spoilt).plan_id
    seen = plans.preview(ctx, coordinator, plan).fingerprint
    before, number = everything(ctx), 1
    while died_at(ctx, coordinator, plan, seen, number):
        assert everything(ctx) == before, number
        number += 1
    assert number > 12  # what a publication writes, and its commit
    with ctx.reading() as db:
        assert plan_rows.get(db, plan).state is PlanState.PUBLISHED
    live = [x.teacher_id for x in timetable(ctx, cast) if x.state is LessonState.SCHEDULED]
    assert live == [cast["teacher1"], cast["teacher1"]]
    after = everything(ctx)
    assert all(old != new for old, new in zip(before, after, strict=True))
