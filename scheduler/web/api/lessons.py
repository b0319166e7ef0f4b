"""Lessons, as far as the asker may see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from scheduler.domain.lessons import Cause, Lesson, LessonId, LessonState, Life, life
from scheduler.services import lessons
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(prefix="/lessons")


@dataclass(frozen=True, slots=True)
class LessonOut:
    """A lesson; instants carry their zone.  `state` is how it is kept, `life` what it is now."""

    id: int
    uid: str
    state: LessonState
    life: Life
    cause: Cause | None
    starts_at: datetime
    ends_at: datetime
    sequence: int
    school: str
    class_name: str
    teacher: str
    donor_school: str
    cancel_reason: str
    moved_from: datetime | None


def lesson_out(lesson: Lesson, now: datetime) -> LessonOut:
    return LessonOut(
        id=lesson.id,
        uid=lesson.uid,
        state=lesson.state,
        life=life(lesson, now),
        cause=lesson.cause,
        starts_at=lesson.starts_at,
        ends_at=lesson.ends_at,
        sequence=lesson.sequence,
        school=lesson.school_name,
        class_name=lesson.class_name,
        teacher=lesson.teacher_name,
        donor_school=lesson.donor_school,
        cancel_reason=lesson.cancel_reason,
        moved_from=lesson.moved_from,
    )


Since = Annotated[AwareDatetime, Query(description="The first instant, with its zone.")]


@router.get("")
def lessons_between(ctx: Ctx, actor: ApiActor, since: Since, until: Since) -> list[LessonOut]:
    """The lessons that touch the span, in order of time."""
    found = lessons.visible_lessons(ctx, actor, since, until)
    return [lesson_out(each, ctx.now()) for each in found]


@router.get("/{lesson_id}")
def one_lesson(ctx: Ctx, actor: ApiActor, lesson_id: RowId) -> LessonOut:
    """One lesson."""
    return lesson_out(lessons.visible_lesson(ctx, actor, LessonId(lesson_id)), ctx.now())
