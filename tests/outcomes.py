"""What became of lessons of the cast, outright: as reports of both sides would leave them."""

from datetime import timedelta

from scheduler.domain.lessons import LessonState
from scheduler.store import tables
from tests.planning import WEDNESDAY, draft, publish, timetable


def autumn(ctx, cast):
    """Lessons by time: 9 Wednesdays of class 7A with teacher 1, 2 of 8B with teacher 2."""
    days = [WEDNESDAY + timedelta(days=7 * n) for n in range(9)]
    wanted = [("request_7A", day, 450, "teacher1") for day in days]
    wanted += [("request_8B", day, 505, "teacher2") for day in days[:2]]
    publish(ctx, cast, draft(ctx, cast, *wanted))
    found = timetable(ctx, cast)
    return (
        [lesson for lesson in found if lesson.teacher_id == cast["teacher1"]],
        [lesson for lesson in found if lesson.teacher_id == cast["teacher2"]],
    )


def end(ctx, lessons, state, **values):
    """Leave these lessons in this state."""
    rows = tables.lessons
    with ctx.transaction() as db:
        mine = rows.c.id.in_([lesson.id for lesson in lessons])
        db.execute(rows.update().where(mine).values(state=state, **values))


def hold(ctx, *lessons):
    end(ctx, lessons, LessonState.HELD)


def report(ctx, cast, lesson, side, held=True):
    """One side says how it went."""
    person = cast["person_teacher1"] if side == "teacher" else cast["person_schoolA"]
    with ctx.transaction() as db:
        db.execute(
            tables.reports.insert().values(
                lesson_id=lesson.id, side=side, held=held, cause="", note="",
                reported_by=person, reported_at=ctx.now(),
            )
        )  # fmt: skip
