"""Whom the tasks of schools are about, and what the database holds of them."""

from dataclasses import asdict
from datetime import date, timedelta

from scheduler.domain.access import Actor
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.people import BellPeriod, SchoolId
from scheduler.domain.plans import Fix, FixKind, Gap
from scheduler.domain.reminders import Side
from scheduler.domain.requests import NewRequest, Request, Slot, as_asked
from scheduler.services import moves, requests
from scheduler.store import lessons, plans, tables, terms
from scheduler.store import reports as report_rows
from scheduler.store import requests as request_rows
from tests.journeys.stage import (
    Stage,
    Visit,
    ahead,
    local,
    untold,
)

FIRST, LAST = date(2023, 10, 9), date(2023, 12, 17)


def lacking(stage: Stage) -> tuple[Actor, Request, Fix]:
    """A request that the published timetable leaves without a teacher, and what would mend it."""
    me, school = stage.school()
    like = requests_of(stage, school)[0]
    bells = [(day, bell) for day in range(5) for bell in bells_of(stage, school)]
    (day, bell), (other, free) = bells[0], bells[-1]
    slots = (Slot(day, bell.start, bell.end, 0),)
    new = NewRequest(like.class_name, 1, FIRST, LAST, 3, slots)
    made = requests.submit(stage.ctx, me, school, new)
    fix = Fix(FixKind.SLOT, 1, weekday=other, start=free.start, end=free.end, free=7)
    _leave_out(stage, Gap(made, FIRST, 90, {"not_available": 7, "week_limit": 2}, (), (fix,)))
    return me, next(x for x in requests_of(stage, school) if x.id == made), fix


def _leave_out(stage: Stage, gap: Gap) -> None:
    with stage.ctx.transaction() as db:
        term = terms.find(db, None)
        assert term is not None
        published = plans.published(db, term.id)
        assert published is not None
        row = {
            "plan_id": published.id, "request_id": gap.request_id, "week": gap.week,
            "missing": gap.missing, "reasons": gap.reasons, "rivals": [],
            "fixes": [{k: v for k, v in asdict(x).items() if v is not None} for x in gap.fixes],
        }  # fmt: skip
        db.execute(tables.plan_gaps.insert(), row)


def lessons_of(stage: Stage, school: SchoolId) -> list[Lesson]:
    with stage.ctx.reading() as db:
        return list(lessons.find(db, school_id=school))


def of_week(stage: Stage, school: SchoolId, monday: date) -> list[Lesson]:
    week = [monday + timedelta(days=n) for n in range(7)]
    found = [x for x in lessons_of(stage, school) if local(x.starts_at, x).date() in week]
    return [x for x in found if x.state is not LessonState.CANCELLED]


def open_week(v: Visit, lesson: Lesson) -> None:
    v.open(f"/school?week={local(lesson.starts_at, lesson).date()}")


def lesson_of_a_school(stage: Stage, *, movable: bool = False) -> tuple[Actor, Lesson]:
    """A lesson that is a day away or more."""
    for _ in range(20):
        me, school = stage.school()
        for lesson in ahead(stage.ctx.now(), lessons_of(stage, school), 1)[:20]:
            if not movable or moves.openings(stage.ctx, me, lesson.id).times:
                return me, lesson
    raise AssertionError("no such lesson is left in the demo")


def open_reports(stage: Stage, school: SchoolId) -> list[Lesson]:
    """Lessons that are over and of which the school has said nothing."""
    found = untold(stage.ctx.now(), lessons_of(stage, school))
    with stage.ctx.reading() as db:
        told = report_rows.of_lessons(db, [x.id for x in found])
    return [x for x in found if Side.SCHOOL not in told[x.id]]


def requests_of(stage: Stage, school: SchoolId) -> list[Request]:
    with stage.ctx.reading() as db:
        term, *_ = terms.of_school(db, school)
        return list(request_rows.of_school(db, term.id, school))


def request_of(stage: Stage, request_id: int) -> Request:
    with stage.ctx.reading() as db:
        found = request_rows.get(db, request_id)
    assert found is not None
    return found


def restore(stage: Stage, school: SchoolId, before: list[Request]) -> None:
    with stage.ctx.transaction() as db:
        for each in before:
            request_rows.change(db, each.id, as_asked(each))
    assert requests_of(stage, school) == before


def bells_of(stage: Stage, school: SchoolId) -> list[BellPeriod]:
    with stage.ctx.reading() as db:
        found = terms.school(db, school)
    assert found is not None
    return sorted(found.periods, key=lambda bell: bell.start)


def closed_days(stage: Stage, school: SchoolId) -> set[date]:
    with stage.ctx.reading() as db:
        return {each.span.first_day for each in terms.closed_of(db, school)}


def quiet_day(stage: Stage, school: SchoolId) -> date:
    """A day without a lesson."""
    taken = {local(x.starts_at, x).date() for x in lessons_of(stage, school)}
    days = (FIRST + timedelta(days=n) for n in range(14, 60))
    return next(day for day in days if day not in taken | closed_days(stage, school))
