"""Published lessons of the cast: class 7A with teacher 1, on Wednesdays, first period."""

from datetime import date, timedelta

from scheduler.domain.lessons import Lesson
from scheduler.domain.plans import Placement
from scheduler.services import plans
from scheduler.services.context import Context
from scheduler.store import lessons, tables
from scheduler.store import plans as plan_rows

WEDNESDAY = date(2023, 10, 4)


def publish(ctx: Context, cast, *, weeks: int = 1, request: str = "request_7A") -> list[Lesson]:
    """Lessons on that many Wednesdays from 4 October 2023, 07:30–08:15; the first is the next."""
    days = [WEDNESDAY + timedelta(days=7 * week) for week in range(weeks)]
    with ctx.transaction() as db:
        plan_id = plan_rows.save(
            db,
            term_id=cast["term"],
            created_by=None,
            now=ctx.now(),
            cost=1.0,
            lower_bound=0.0,
            requested=weeks,
            seconds=0.1,
            seed=1,
            input_hash="x",
            placements=[Placement(cast[request], day, 450, 495, cast["teacher1"]) for day in days],
            gaps=[],
        )
    actor = cast.actors["coordinator"]
    plans.publish(ctx, actor, plan_id, plans.preview(ctx, actor, plan_id).fingerprint)
    with ctx.reading() as db:
        return list(lessons.find(db, term_id=cast["term"]))


def change(ctx: Context, lesson: Lesson, **values: object) -> None:
    """Put a lesson into some state outright."""
    with ctx.transaction() as db:
        rows = tables.lessons
        db.execute(rows.update().where(rows.c.id == lesson.id).values(**values))
