"""Who is there: both sides check in to a lesson."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter

from scheduler.domain.access import Actor
from scheduler.domain.checkins import Presence
from scheduler.domain.lessons import LessonId
from scheduler.domain.reminders import Side
from scheduler.services import checkins, sides
from scheduler.services.checkins import Attendance
from scheduler.services.context import Context
from scheduler.web.api.bodies import Body, example
from scheduler.web.api.lessons import LessonOut, lesson_out
from scheduler.web.api.wording import told
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(tags=["check-ins"])


@dataclass(frozen=True, slots=True)
class AttendanceOut:
    """A lesson and when each side came; `closed`: why nobody can check in, or not yet."""

    lesson: LessonOut
    arrived: dict[Side, datetime]
    closed: str | None


@dataclass(frozen=True, slots=True)
class WatchedOut:
    """A lesson that runs or is about to; `red`: a side should be there and is not."""

    lesson: LessonOut
    arrived: dict[Side, datetime]
    sides: dict[Side, Presence]
    red: bool


class CheckInIn(Body):
    """`side` is needed by who stands on neither."""

    side: Side | None = None

    model_config = example(side="teacher")


def _attendance(ctx: Context, actor: Actor, found: Attendance) -> AttendanceOut:
    lesson = lesson_out(found.lesson, ctx.now())
    return AttendanceOut(lesson, dict(found.arrived), told(found.closed, actor))


@router.get("/check-ins/now")
def running(ctx: Ctx, actor: ApiActor) -> list[WatchedOut]:
    """The lessons that run or begin within 15 minutes, those of a missing side first."""
    found = checkins.board(ctx, actor)
    return [
        WatchedOut(lesson_out(x.lesson, ctx.now()), dict(x.arrived), dict(x.sides), x.red)
        for x in found
    ]


@router.get("/lessons/{lesson_id}/check-ins")
def check_ins(ctx: Ctx, actor: ApiActor, lesson_id: RowId) -> AttendanceOut:
    """Who has checked in to a lesson."""
    return _attendance(ctx, actor, checkins.seen(ctx, actor, LessonId(lesson_id)))


@router.post("/lessons/{lesson_id}/check-ins")
def check_in(ctx: Ctx, actor: ApiActor, lesson_id: RowId, body: CheckInIn) -> AttendanceOut:
    """Say that a side is there; the first time counts."""
    speaker = sides.of_actor(ctx, actor, LessonId(lesson_id), body.side)
    return _attendance(ctx, actor, checkins.check_in(ctx, speaker))
