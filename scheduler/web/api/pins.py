"""Pins: lessons that no plan may touch."""

from dataclasses import dataclass
from datetime import date, datetime

from fastapi import APIRouter

from scheduler.domain.lessons import LessonId
from scheduler.domain.terms import TermId
from scheduler.services import pins
from scheduler.services.context import Context
from scheduler.services.pins import PinnedLesson
from scheduler.web.api.bodies import Body, Day, Ids, Words, example
from scheduler.web.api.lessons import LessonOut, lesson_out
from scheduler.web.api.paging import Paged, by_time
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(tags=["pins"])


@dataclass(frozen=True, slots=True)
class PinOut:
    """`until`: the last day on which it holds; null: always."""

    lesson: LessonOut
    owner: str
    note: str
    until: date | None
    made_at: datetime


class PinIn(Body):
    """Why, for whoever comes across it, and until when."""

    lessons: Ids
    note: Words
    until: Day | None = None

    model_config = example(lessons=[41, 42], note="Đã hẹn với lớp", until="2023-12-01")


def _pin(ctx: Context, found: PinnedLesson) -> PinOut:
    held = found.pin
    return PinOut(
        lesson=lesson_out(found.lesson, ctx.now()),
        owner=held.owner,
        note=held.note,
        until=held.until,
        made_at=held.made_at,
    )


@router.get("/terms/{term_id}/pins")
def of_term(ctx: Ctx, actor: ApiActor, term_id: RowId, paged: Paged) -> list[PinOut]:
    """The pins that hold today, by the lessons' time."""
    found = pins.of_term(ctx, actor, TermId(term_id))
    told = paged.cut(found, lambda each: by_time(each.lesson.starts_at, each.lesson.id))
    return [_pin(ctx, each) for each in told]


@router.post("/pins")
def put(ctx: Ctx, actor: ApiActor, body: PinIn) -> list[PinOut]:
    """Keep lessons as they stand; a former pin is replaced."""
    wanted = [LessonId(each) for each in body.lessons]
    return [_pin(ctx, each) for each in pins.put(ctx, actor, wanted, body.note, body.until)]


@router.delete("/lessons/{lesson_id}/pin", status_code=204)
def remove(ctx: Ctx, actor: ApiActor, lesson_id: RowId) -> None:
    """Let plans touch a lesson again."""
    pins.remove(ctx, actor, [LessonId(lesson_id)])
