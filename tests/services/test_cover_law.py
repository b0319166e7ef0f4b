"""Who could stand in is the same by the database's rules and by the engine's."""

import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from scheduler.domain.lessons import placed
from scheduler.matching import problem
from scheduler.matching.plan import PlannedLesson
from scheduler.matching.replan import Desk
from scheduler.services import accounts, cover, demo, exports
from scheduler.store import lessons, people, requests, tables
from tests.cast import minutes
from tests.faults.kit import book, write
from tests.standins import join, put

SAMPLE = 150
MONDAY = date(2023, 10, 9)
DAY = timedelta(days=1)


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_those_who_fit_are_whom_the_engine_would_let_stand_in(ctx, clock):
    demo.build(ctx, 1)
    rng = random.Random(7)
    _trouble(ctx, rng)
    with ctx.reading() as db:
        ahead = lessons.find(db, since=ctx.now())[40:]
    differ, some = compared(ctx, accounts.operator(ctx), rng.sample(ahead, SAMPLE))
    assert differ == []
    assert some > SAMPLE


def compared(ctx, actor, sample):
    """The lessons for which the two differ, and how many could stand in in all."""
    desk = Desk(problem.parse(exports.export_instance(ctx)))
    with ctx.reading() as db:
        mails = {t.id: t.email for t in people.teachers(db, sample[0].programme_id)}
        keys = {r.id: r.key for r in requests.by_ids(db, {x.request_id for x in sample})}
    differ, some = [], 0
    for lesson in sample:
        place = placed(lesson)
        planned = PlannedLesson(
            keys[place.request_id], place.day, place.start, place.end, mails[place.teacher_id]
        )
        engine = {each.teacher for each in desk.substitutes(planned)}
        ours = {mails[x.who.teacher_id] for x in cover.ranking(ctx, actor, lesson.id) if x.fits}
        some += len(engine)
        if ours != engine:
            differ.append((planned, ours - engine, engine - ours))
    return differ, some


def _trouble(ctx, rng):
    """Tight limits, narrower windows, windows for a while, and appointments here and there."""
    with ctx.transaction() as db:
        pledges = tables.pledges
        for row in db.execute(sa.select(pledges)).all():
            given = db.scalar(
                sa.select(sa.func.count()).where(tables.lessons.c.teacher_id == row.teacher_id)
            )
            if rng.random() < 0.3:
                tight = pledges.update().where(pledges.c.id == row.id)
                db.execute(tight.values(max_total=max(1, given + rng.randrange(2))))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_they_agree_on_teachers_with_every_kind_of_trouble(ctx, cast):
    """Weekly lessons of both classes; teachers with odd windows, absences, appointments, limits."""
    rng = random.Random(3)
    for week in range(8):
        day = datetime.combine(MONDAY, time(), ZoneInfo("Asia/Ho_Chi_Minh")) + 7 * week * DAY
        wednesday, thursday = day + 2 * DAY, day + 3 * DAY
        book(ctx, cast, at(wednesday, "08:25"), "7A", "teacher1")
        book(ctx, cast, at(thursday, "07:30"), "8B", "teacher2")
    for number in range(40):
        teacher = join(ctx, cast, f"t{number}", max_total=rng.choice((1, 40)))
        _odd(ctx, rng, teacher)
    limit = tables.pledges.c.teacher_id == cast["teacher2"]
    write(ctx, tables.pledges, limit, max_per_week=rng.choice((1, 2)), max_total=8)
    with ctx.reading() as db:
        ahead = lessons.find(db, term_id=cast["term"])
    differ, some = compared(ctx, cast.actors["coordinator"], ahead)
    assert differ == []
    assert 0 < some < 42 * len(ahead)


def at(day, clock):
    return (day + timedelta(minutes=minutes(clock))).astimezone(UTC)


def _odd(ctx, rng, teacher):
    """A window that may be too short or too late, and absences and appointments of some weeks."""
    with ctx.transaction() as db:
        pledge = db.scalar(
            sa.select(tables.pledges.c.id).where(tables.pledges.c.teacher_id == teacher)
        )
        windows = tables.availability
        start = rng.choice((420, 450, 451, 505, 510))
        db.execute(
            windows.update().where(windows.c.pledge_id == pledge).values(
                start_minute=start, end_minute=rng.choice((start + 44, start + 45, 690)),
                first_day=rng.choice((None, MONDAY + 16 * DAY)),
                if_needed=rng.random() < 0.3,
            )
        )  # fmt: skip
        if rng.random() < 0.5:
            first = MONDAY + rng.randrange(50) * DAY
            put(
                db,
                "absences",
                pledge_id=pledge,
                first_day=first,
                last_day=first + 4 * DAY,
                reason="",
            )
        for _ in range(rng.randrange(4)):
            day = datetime.combine(MONDAY + rng.randrange(56) * DAY, time(), UTC)
            begins = day + timedelta(minutes=rng.randrange(0, 300, 15))
            put(
                db, "busy_times", teacher_id=teacher, soft=rng.random() < 0.3, starts_at=begins,
                ends_at=begins + timedelta(hours=1),
            )  # fmt: skip
