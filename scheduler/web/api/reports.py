"""How lessons went: both sides report, coordinators settle."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter

from scheduler.domain.access import Actor
from scheduler.domain.lessons import Cause, LessonId
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Filed, Report, Waiting
from scheduler.services import reports, sides
from scheduler.services.context import Context
from scheduler.services.reports import Account, Settlement
from scheduler.web.api import wording
from scheduler.web.api.bodies import Body, Count, Flag, Words, example
from scheduler.web.api.lessons import LessonOut, lesson_out
from scheduler.web.api.paging import Paged, by_time
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(tags=["reports"])


@dataclass(frozen=True, slots=True)
class ReportOut:
    """What one side told."""

    side: Side
    held: bool
    minutes_late: int
    cause: Cause | None
    note: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AccountOut:
    """A lesson and what was said of it; `closed`: why its sides can say no more, or not yet."""

    lesson: LessonOut
    reports: list[ReportOut]
    closed: str | None


@dataclass(frozen=True, slots=True)
class OpenOut:
    """A lesson that waits for a coordinator's decision, and why."""

    lesson: LessonOut
    reports: list[ReportOut]
    why: Waiting


class ReportIn(Body):
    """What one side says; `side` is needed by who stands on neither."""

    held: Flag
    side: Side | None = None
    minutes_late: Count = 0
    cause: Cause | None = None
    note: Words = ""

    model_config = example(held=False, side="school", cause="power", note="Mất điện cả xã")


class SettlementIn(Body):
    """What a coordinator decides for both sides, and why."""

    held: Flag
    cause: Cause | None = None
    words: Words

    model_config = example(held=True, words="Hai bên đã gọi điện xác nhận")


def _filed(found: Mapping[Side, Filed]) -> list[ReportOut]:
    return [
        ReportOut(
            side=side,
            held=each.report.held,
            minutes_late=each.report.minutes_late,
            cause=each.report.cause,
            note=each.report.note,
            by=each.by_name,
            at=each.at,
        )
        for side, each in found.items()
    ]


def _account(ctx: Context, actor: Actor, found: Account) -> AccountOut:
    lesson = lesson_out(found.lesson, ctx.now())
    return AccountOut(lesson, _filed(found.filed), wording.told(found.closed, actor))


@router.get("/reports/open")
def open_questions(ctx: Ctx, actor: ApiActor, paged: Paged) -> list[OpenOut]:
    """The lessons that wait for a decision: both sides differ, or one alone has told."""
    found = reports.open_questions(ctx, actor)
    told = paged.cut(found, lambda each: by_time(each.lesson.starts_at, each.lesson.id))
    return [OpenOut(lesson_out(x.lesson, ctx.now()), _filed(x.filed), x.why) for x in told]


@router.get("/lessons/{lesson_id}/reports")
def reports_of(ctx: Ctx, actor: ApiActor, lesson_id: RowId) -> AccountOut:
    """What was said of a lesson until now."""
    return _account(ctx, actor, reports.seen(ctx, actor, LessonId(lesson_id)))


@router.post("/lessons/{lesson_id}/reports")
def report(ctx: Ctx, actor: ApiActor, lesson_id: RowId, body: ReportIn) -> AccountOut:
    """Say how a lesson went, instead of what the same side said before."""
    speaker = sides.of_actor(ctx, actor, LessonId(lesson_id), body.side)
    said = Report(body.held, body.minutes_late, body.cause, body.note)
    return _account(ctx, actor, reports.report(ctx, speaker, said))


@router.post("/lessons/{lesson_id}/settlement")
def settle(ctx: Ctx, actor: ApiActor, lesson_id: RowId, body: SettlementIn) -> AccountOut:
    """Decide for both sides how a lesson went."""
    made = Settlement(body.held, body.cause, body.words)
    return _account(ctx, actor, reports.settle(ctx, actor, LessonId(lesson_id), made))
