"""Drafts and publications of the cast in one line each."""

from datetime import date, timedelta

from scheduler.domain.plans import Placement
from scheduler.services import plans
from scheduler.store import lessons as lesson_rows
from scheduler.store import plans as plan_rows

WEDNESDAY = date(2023, 10, 4)


def draft(ctx, cast, *wanted):
    """A draft with the given (request, day, start, teacher) placements."""
    with ctx.transaction() as db:
        return plan_rows.save(
            db,
            term_id=cast["term"],
            created_by=None,
            now=ctx.now(),
            cost=1.0,
            lower_bound=0.0,
            requested=26,
            seconds=0.1,
            seed=1,
            input_hash="x",
            placements=[
                Placement(cast[request], day, start, start + 45, cast[teacher])
                for request, day, start, teacher in wanted
            ],
            gaps=[],
        )


def publish(ctx, cast, plan_id):
    actor = cast.actors["coordinator"]
    return plans.publish(ctx, actor, plan_id, plans.preview(ctx, actor, plan_id).fingerprint)


def timetable(ctx, cast):
    with ctx.reading() as db:
        return lesson_rows.find(db, term_id=cast["term"])


A1 = ("request_7A", WEDNESDAY, 450, "teacher1")
A2 = ("request_7A", WEDNESDAY + timedelta(days=7), 450, "teacher1")
B1 = ("request_8B", WEDNESDAY, 505, "teacher1")
