"""Lessons, as far as the asker may see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from scheduler.domain.lessons import Cause, Deed, Lesson, LessonId, LessonState, Life, life
from scheduler.services import lessons
from scheduler.store.history import Version
from scheduler.web.api.bodies import Body, Instant, Words, example
from scheduler.web.api.paging import Paged, by_time
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(prefix="/lessons", tags=["lessons"])


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


@dataclass(frozen=True, slots=True)
class VersionOut:
    """A lesson as it stood from `at` on; `by` empty: the system made it so."""

    at: datetime
    deed: Deed
    by: str
    reason: str
    publication: int | None
    state: LessonState
    teacher: str
    starts_at: datetime
    ends_at: datetime
    sequence: int


def version_out(found: Version) -> VersionOut:
    return VersionOut(
        at=found.at,
        deed=found.deed,
        by=found.by,
        reason=found.reason,
        publication=found.publication_id,
        state=found.state,
        teacher=found.teacher_name,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        sequence=found.sequence,
    )


class CallOffIn(Body):
    """Why there is no such lesson; its people read it."""

    reason: Words

    model_config = example(reason="Nhà trường tổ chức hội thao")


Since = Annotated[Instant, Query(description="The first instant, with its zone.")]
Until = Annotated[Instant, Query(description="The instant after the last, with its zone.")]
At = Annotated[Instant, Query(description="The instant to look at, with its zone.")]


@router.get("")
def lessons_between(
    ctx: Ctx, actor: ApiActor, paged: Paged, since: Since, until: Until
) -> list[LessonOut]:
    """The lessons that touch the span, in order of time."""
    found = lessons.visible_lessons(ctx, actor, since, until)
    told = paged.cut(found, lambda each: by_time(each.starts_at, each.id))
    return [lesson_out(each, ctx.now()) for each in told]


@router.get("/{lesson_id}")
def one_lesson(ctx: Ctx, actor: ApiActor, lesson_id: RowId) -> LessonOut:
    """One lesson, as far as one may see it."""
    return lesson_out(lessons.visible_lesson(ctx, actor, LessonId(lesson_id)), ctx.now())


@router.get("/{lesson_id}/history")
def history(ctx: Ctx, actor: ApiActor, lesson_id: RowId) -> list[VersionOut]:
    """All that became of a lesson, the oldest first."""
    return [version_out(each) for each in lessons.history(ctx, actor, LessonId(lesson_id))]


@router.get("/{lesson_id}/as-of")
def as_of(ctx: Ctx, actor: ApiActor, lesson_id: RowId, at: At) -> VersionOut | None:
    """What a lesson looked like at an instant; null: it was not there yet."""
    found = lessons.as_of(ctx, actor, LessonId(lesson_id), at)
    return version_out(found) if found else None


@router.post("/{lesson_id}/call-off")
def call_off(ctx: Ctx, actor: ApiActor, lesson_id: RowId, body: CallOffIn) -> LessonOut:
    """Cancel a lesson for everyone."""
    done = lessons.call_off(ctx, actor, LessonId(lesson_id), body.reason)
    return lesson_out(done, ctx.now())
