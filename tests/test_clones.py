"""Copies of a programme, for tests and bench of many."""

import sqlalchemy as sa

from bench import clones
from scheduler.store import tables
from tests.web.timetable import publish


def test_a_copy_is_its_own_whatever_letters_an_original_begins_with(ctx, cast):
    """A hash may well begin with the number of a copy."""
    uid = tables.lessons.c.uid
    publish(ctx, cast)
    with ctx.transaction() as db:
        db.execute(sa.update(tables.lessons).values(uid=sa.literal("001") + sa.func.substr(uid, 4)))
        before = db.scalar(sa.select(sa.func.count(uid)))
    clones.multiply(ctx, [1])
    with ctx.reading() as db:
        assert db.scalar(sa.select(sa.func.count(uid.distinct()))) == 2 * before
