"""Two people change the same lesson at once: what was seen is what is done, or nothing is."""

import threading
import time

import pytest
import sqlalchemy as sa

from scheduler.domain.lessons import Deed
from scheduler.errors import ChungTayError, Stale
from scheduler.services import lessons, offers, plans
from scheduler.services.timetable import Cause
from scheduler.store import candidates, covers, history, tables
from tests.planning import A1, A2, draft, publish, timetable
from tests.standins import get, join

A2_OTHER = (*A2[:3], "teacher2")
PATIENCE = 200  # looks, a hundredth of a second each


class Asking(threading.Thread):
    """Does something in a thread of its own, and keeps what became of it."""

    def __init__(self, act):
        super().__init__()
        self.act, self.fault = act, None
        self.start()

    def run(self):
        try:
            self.act()
        except ChungTayError as fault:
            self.fault = fault


def wait_until_held_up(ctx, asking):
    """Until the other one stands in line for what this transaction holds."""
    if ctx.database.is_sqlite:
        return  # there every writer does, from its first statement on
    waiting = sa.text(
        "select count(*) from pg_locks join pg_database d on d.oid = database"
        " where not granted and datname = current_database()"
    )
    for _ in range(PATIENCE):
        with ctx.reading() as db:
            if db.scalar(waiting) or not asking.is_alive():
                return
        time.sleep(0.01)


@pytest.fixture
def second(ctx, cast):
    """The second lesson of class 7A, of teacher 1."""
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    return timetable(ctx, cast)[1].id


def hand_over(ctx, db, lesson_id, to):
    need = candidates.need(db, get(ctx, lesson_id))
    offers.hand_over(ctx, db, need, to, Cause(Deed.TAKEN_OVER, "test", None, ""))


def test_a_publication_takes_no_lesson_from_who_took_it_over_just_then(ctx, cast, second):
    third = join(ctx, cast, "ba")
    coordinator, plan = cast.actors["coordinator"], draft(ctx, cast, A1, A2_OTHER)
    seen = plans.preview(ctx, coordinator, plan).fingerprint
    with ctx.transaction() as db:
        covers.lock(db, second)
        publishing = Asking(lambda: plans.publish(ctx, coordinator, plan, seen))
        wait_until_held_up(ctx, publishing)
        hand_over(ctx, db, second, third)
    publishing.join()
    assert isinstance(publishing.fault, Stale)
    assert get(ctx, second).teacher_id == third
    with ctx.reading() as db:
        deeds = [version.deed for version in history.of_lesson(db, second)]
    assert deeds == [Deed.PUBLISHED, Deed.TAKEN_OVER]


@pytest.mark.fault(21)
def test_of_two_plans_published_at_once_the_second_is_shown_anew(ctx, cast, second):
    coordinator = cast.actors["coordinator"]
    both = [draft(ctx, cast, A1, A2_OTHER), draft(ctx, cast, A1)]
    seen = {plan: plans.preview(ctx, coordinator, plan).fingerprint for plan in both}
    publishing = [Asking(lambda p=p: plans.publish(ctx, coordinator, p, seen[p])) for p in both]
    for each in publishing:
        each.join()
    faults = [each.fault for each in publishing]
    assert sorted(isinstance(fault, Stale) for fault in faults) == [False, True], faults
    assert None in faults


def test_calling_off_reaches_the_calendar_of_who_took_it_over_just_then(ctx, cast, second):
    third = join(ctx, cast, "ba")
    with ctx.transaction() as db:
        feed = {"kind": "teacher", "owner_id": third, "language": "vi", "show_cancelled": False}
        feed["dirty"] = False
        db.execute(tables.feeds.insert().values(feed))
    with ctx.transaction() as db:
        covers.lock(db, second)
        school = cast.actors["schoolA"]
        calling = Asking(lambda: lessons.call_off(ctx, school, second, "Mất điện"))
        wait_until_held_up(ctx, calling)
        hand_over(ctx, db, second, third)
        db.execute(tables.feeds.update().values(dirty=False))  # made anew for the take-over
    calling.join()
    assert calling.fault is None
    with ctx.reading() as db:
        mine = tables.feeds.c.owner_id == third
        assert db.scalar(sa.select(tables.feeds.c.dirty).where(mine)) is True
