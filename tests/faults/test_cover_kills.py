"""Whoever dies while taking a lesson over leaves all of it done, or nothing."""

import signal

import pytest
import sqlalchemy as sa

from scheduler import failpoints
from scheduler.clock import Clock, ShiftedClock
from scheduler.config import Settings
from scheduler.domain.cover import Reply, Standing
from scheduler.services import offers
from scheduler.services.context import Context
from scheduler.store import tables
from scheduler.store.database import Database
from tests.faults.forks import SERVER
from tests.faults.kit import book, replan, states
from tests.standins import WEDNESDAY, asked, cannot, get

_TOUCHED = (
    "lessons", "handovers", "lesson_history", "cover_calls", "offers", "outbox", "audits", "feeds",
)  # fmt: skip


def accept(settings: Settings, url: str, clock: Clock, key: bytes, offer: int, fail: str) -> None:
    failpoints.arm(fail)
    offers.reply(Context(settings, Database(url), clock, key), offer, Reply.ACCEPT)


@pytest.fixture
def offer(ctx, cast):
    lesson = book(ctx, cast, WEDNESDAY)
    replan(ctx, lesson)
    cannot(ctx, cast, lesson)
    return asked(ctx, lesson)[0]


def everything(ctx):
    """Every row that taking a lesson over may touch."""
    with ctx.reading() as db:
        found = {}
        for name in _TOUCHED:
            table = tables.metadata.tables[name]
            rows = db.execute(sa.select(table).order_by(*table.primary_key.columns))
            found[name] = [tuple(map(str, row)) for row in rows]
        return found


def done(ctx, offer):
    """The lesson changes hands once, whole."""
    assert offers.reply(ctx, offer.id, Reply.ACCEPT).standing is Standing.YOURS
    assert get(ctx, offer.lesson_id).teacher_id == offer.teacher_id
    found = everything(ctx)
    assert len(found["handovers"]) == 1
    assert sum("taken_over" in row for row in found["lesson_history"]) == 1
    assert sum("thanked" in str(row) for row in found["outbox"]) == 1
    states(ctx)


@pytest.mark.parametrize("place", failpoints.TAKING_OVER)
def test_who_is_killed_while_taking_a_lesson_over_leaves_nothing_half_done(ctx, offer, place):
    before = everything(ctx)
    clock = ShiftedClock.starting_at(ctx.now())
    told = (ctx.settings, ctx.database.url, clock, ctx.key, offer.id, f"{place}:kill")
    worker = SERVER.Process(target=accept, args=told, daemon=True)
    worker.start()
    worker.join(60)
    assert worker.exitcode == -signal.SIGKILL
    assert everything(ctx) == before
    done(ctx, offer)


class Cut(RuntimeError):
    """The line is gone."""


def broken(ctx, offer, said):
    """Break before each statement of an answer in turn, until it comes through; how many broke."""
    before, left = everything(ctx), [0]

    def cut(*_):
        left[0] -= 1
        if left[0] == 0:
            raise Cut

    engine = ctx.database.writer
    for number in range(1, 200):
        left[0] = number
        sa.event.listen(engine, "before_cursor_execute", cut)
        try:
            offers.reply(ctx, offer.id, said)
            return number - 1
        except Cut:
            pass
        finally:
            sa.event.remove(engine, "before_cursor_execute", cut)
        assert everything(ctx) == before
    raise AssertionError("it never came through")


def test_a_fault_before_any_statement_leaves_nothing_half_done(ctx, offer):
    assert broken(ctx, offer, Reply.LATER) > 5
    assert broken(ctx, offer, Reply.ACCEPT) > 30
    done(ctx, offer)
