"""What could be done about one lesson: other teachers, other times."""

from dataclasses import dataclass
from datetime import date, datetime

from fastapi import APIRouter

from scheduler.domain.busy import Availability
from scheduler.domain.candidates import Obstacle
from scheduler.domain.intervals import clock_text
from scheduler.domain.lessons import LessonId
from scheduler.services import suggestions
from scheduler.services.standing import Told
from scheduler.services.suggestions import Bar, TeacherLine, TimeLine
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(tags=["suggestions"])


@dataclass(frozen=True, slots=True)
class ToldOut:
    """A lesson on the term's wall; `lesson` null: a new one."""

    lesson: int | None
    class_name: str
    school: str
    teacher: str
    day: date
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class TeacherOut:
    """`dearer`: what the timetable would cost more; null where there is an obstacle."""

    teacher: int
    name: str
    donor_school: str
    obstacles: list[Obstacle]
    dearer: float | None
    if_needed: bool
    calendar: Availability
    class_lessons: int
    wished: bool
    lessons: int
    max_total: int
    asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class TimeOut:
    """`bars`: why the class or its school cannot; `obstacles`: why its teacher cannot; `others`
    could give it then, `other` of them at the least cost."""

    day: date
    start: str
    end: str
    bars: list[Bar]
    obstacles: list[Obstacle]
    dearer: float | None
    others: int
    other: str
    other_dearer: float | None


@dataclass(frozen=True, slots=True)
class SuggestionsOut:
    """A lesson, with other teachers and other times for it."""

    lesson: ToldOut
    teachers: list[TeacherOut]
    times: list[TimeOut]


def told_out(found: Told) -> ToldOut:
    return ToldOut(
        lesson=found.lesson_id,
        class_name=found.class_name,
        school=found.school_name,
        teacher=found.teacher_name,
        day=found.day,
        start=clock_text(found.start),
        end=clock_text(found.end),
    )


def _teacher(found: TeacherLine) -> TeacherOut:
    return TeacherOut(
        teacher=found.teacher_id,
        name=found.name,
        donor_school=found.donor_school,
        obstacles=list(found.obstacles),
        dearer=found.dearer,
        if_needed=found.if_needed,
        calendar=found.calendar,
        class_lessons=found.class_lessons,
        wished=found.wished,
        lessons=found.total,
        max_total=found.max_total,
        asked_at=found.asked_at,
    )


def _time(found: TimeLine) -> TimeOut:
    return TimeOut(
        day=found.day,
        start=clock_text(found.start),
        end=clock_text(found.end),
        bars=list(found.bars),
        obstacles=list(found.obstacles),
        dearer=found.dearer,
        others=found.others,
        other=found.other,
        other_dearer=found.other_dearer,
    )


@router.get("/lessons/{lesson_id}/suggestions")
def suggestions_for(ctx: Ctx, actor: ApiActor, lesson_id: RowId) -> SuggestionsOut:
    """Other teachers and other times for a lesson, with what stands in the way."""
    found = suggestions.of_lesson(ctx, actor, LessonId(lesson_id))
    teachers, times = map(_teacher, found.teachers), map(_time, found.times)
    return SuggestionsOut(told_out(found.lesson), list(teachers), list(times))
