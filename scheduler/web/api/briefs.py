"""What a class did, for whoever teaches it next."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter

from scheduler.domain.briefs import Brief, Written
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import Level
from scheduler.domain.reminders import Side
from scheduler.services import briefs, sides
from scheduler.services.briefs import LessonBrief
from scheduler.services.context import Context
from scheduler.web.api.bodies import Body, Lines, Words, example
from scheduler.web.api.lessons import LessonOut, lesson_out
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(tags=["briefs"])


@dataclass(frozen=True, slots=True)
class WrittenOut:
    """What a class did in one lesson, and what comes next."""

    lesson: int
    unit: str
    pages: str
    done: str
    next: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BriefOut:
    """What is written of the lesson itself, and the last of the same class before it."""

    lesson: LessonOut
    level: Level
    own: WrittenOut | None
    last: WrittenOut | None


class BriefIn(Body):
    """At least one of these; no pupil is ever named."""

    unit: Words = ""
    pages: Words = ""
    done: Lines = ""
    next: Lines = ""

    model_config = example(unit="Unit 3", pages="24–27", done="Từ vựng", next="Luyện nghe")


def _written(found: Written | None) -> WrittenOut | None:
    if found is None:
        return None
    told = found.brief
    return WrittenOut(
        lesson=found.lesson_id,
        unit=told.unit,
        pages=told.pages,
        done=told.done,
        next=told.next,
        by=found.by_name,
        at=found.at,
    )


def _brief(ctx: Context, found: LessonBrief) -> BriefOut:
    lesson = lesson_out(found.lesson, ctx.now())
    return BriefOut(lesson, found.level, _written(found.own), _written(found.last))


@router.get("/lessons/{lesson_id}/brief")
def brief(ctx: Ctx, actor: ApiActor, lesson_id: RowId) -> BriefOut:
    """What there is to read before a lesson."""
    return _brief(ctx, briefs.of_lesson(ctx, actor, LessonId(lesson_id)))


@router.put("/lessons/{lesson_id}/brief")
def write(ctx: Ctx, actor: ApiActor, lesson_id: RowId, body: BriefIn) -> BriefOut:
    """Leave a brief of one's own lesson instead of what was written of it before."""
    speaker = sides.of_actor(ctx, actor, LessonId(lesson_id), Side.TEACHER)
    made = Brief(body.unit, body.pages, body.done, body.next)
    return _brief(ctx, briefs.write(ctx, speaker, made))
