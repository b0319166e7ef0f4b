"""A plan beside the timetable: read as plain fields it is the same as of whole values."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.store import differences, lessons, plans, tables, terms
from tests.planning import WEDNESDAY, draft, publish


@pytest.mark.parametrize("zone", ["Asia/Ho_Chi_Minh", "Europe/Berlin", "America/St_Johns"])
def test_what_goes_and_comes_is_what_both_sides_say(ctx, cast, zone):
    first = ("request_7A", WEDNESDAY, 505, "teacher1")
    weeks = [(first[0], WEDNESDAY + timedelta(days=7 * n), 505, "teacher1") for n in range(5)]
    publish(ctx, cast, draft(ctx, cast, *weeks))
    wanted = draft(ctx, cast, *weeks[1:], (*first[:3], "teacher2"))
    with ctx.transaction() as db:
        db.execute(sa.update(tables.programmes).values(zone=zone))
    with ctx.reading() as db:
        term = terms.get(db, cast["term"])
        current, there = lessons.placements(db, term.id), set(plans.placements(db, wanted))
        off = frozenset((place.request_id, place.day) for place in list(current)[1:2])
        found = differences.of_plan(db, wanted, term, None, off)
    left = {place for place in there if (place.request_id, place.day) not in off}
    assert found.gone == {place: current[place] for place in current.keys() - left}
    assert set(found.come) == left - current.keys()
    assert found.kept == len(current.keys() & left)
