"""Who could stand in is the same by the database's rules and by the engine's: the programme's own
term, with a plan in force."""

import random

import pytest
import sqlalchemy as sa

from scheduler.domain.lessons import placed
from scheduler.matching import problem
from scheduler.matching.plan import PlannedLesson
from scheduler.matching.replan import Desk
from scheduler.services import accounts, cover, demo, exports
from scheduler.store import lessons, people, requests, tables

SAMPLE = 150


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_those_who_fit_are_whom_the_engine_would_let_stand_in(ctx, clock):
    demo.build(ctx, 1)
    rng = random.Random(7)
    _trouble(ctx, rng)
    actor = accounts.operator(ctx)
    desk = Desk(problem.parse(exports.export_instance(ctx)))
    with ctx.reading() as db:
        ahead = lessons.find(db, since=ctx.now())[40:]
        mails = {t.id: t.email for t in people.teachers(db, ahead[0].programme_id)}
        keys = {r.id: r.key for r in requests.by_ids(db, {x.request_id for x in ahead})}
    differ, some = [], 0
    for lesson in rng.sample(ahead, SAMPLE):
        place = placed(lesson)
        planned = PlannedLesson(
            keys[place.request_id], place.day, place.start, place.end, mails[place.teacher_id]
        )
        engine = {each.teacher for each in desk.substitutes(planned)}
        ours = {mails[x.who.teacher_id] for x in cover.ranking(ctx, actor, lesson.id) if x.fits}
        some += len(engine)
        if ours != engine:
            differ.append((planned, ours - engine, engine - ours))
    assert differ == []
    assert some > SAMPLE


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
