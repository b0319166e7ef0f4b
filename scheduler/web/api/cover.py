"""Lessons that look for cover: who could stand in, who was asked, and what a hand can do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from scheduler.domain import remarks
from scheduler.domain.candidates import Obstacle
from scheduler.domain.cover import Offer, OfferEnd, Ranked, Reply, Standing
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import TeacherId
from scheduler.services import cover, offers
from scheduler.store.covers import CoverCall
from scheduler.web.api.bodies import Body, Flag, Id, Words, example
from scheduler.web.api.lessons import LessonOut, lesson_out
from scheduler.web.api.paging import Paged, by_time
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(tags=["cover"])


@dataclass(frozen=True, slots=True)
class CallOut:
    """`wave` was asked last; `next`: when it is looked at again; `exhausted`: nobody is left."""

    reason: str
    asked_at: datetime
    wave: int
    next: datetime | None
    exhausted: bool


@dataclass(frozen=True, slots=True)
class OfferOut:
    """One teacher who was asked, and what became of it."""

    teacher: int
    name: str
    wave: int
    asked_at: datetime
    deadline: datetime
    seen_at: datetime | None
    end: OfferEnd | None
    ended_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class CandidateOut:
    """A teacher beside the lesson: what speaks for it, and what stands in the way."""

    teacher: int
    name: str
    donor_school: str
    fits: bool
    obstacles: list[Obstacle]
    ask_first: bool
    if_needed: bool
    same_school: bool
    wished: bool
    class_lessons: int
    lessons: int
    max_total: int
    asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class SearchOut:
    """A lesson that looks for cover, and who was asked."""

    lesson: LessonOut
    call: CallOut
    offers: list[OfferOut]


@dataclass(frozen=True, slots=True)
class BoardOut:
    """`call` null: nobody is looked for now."""

    lesson: LessonOut
    call: CallOut | None
    offers: list[OfferOut]
    candidates: list[CandidateOut]


@dataclass(frozen=True, slots=True)
class OfferedOut:
    """Whom was asked, and until when there is an answer to wait for."""

    lesson: int
    teacher: int
    deadline: datetime


@dataclass(frozen=True, slots=True)
class RepliedOut:
    """How the offer stands now: whoever accepts too late changes nothing."""

    lesson: LessonOut
    teacher: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class AutomaticOut:
    """Whether teachers are asked by themselves."""

    on: bool


class AskIn(Body):
    """Why its teacher cannot come."""

    reason: Words

    model_config = example(reason="Cô báo ốm qua điện thoại")


class OfferIn(Body):
    """Whom to ask."""

    teacher: Id

    model_config = example(teacher=12)


class DeclineIn(Body):
    """Why the teacher cannot."""

    # As long as the column: nobody below shortens it.
    reason: Annotated[Words, Field(max_length=remarks.LONGEST)] = ""

    model_config = example(reason="Có giờ dạy ở trường")


class TakeIn(Body):
    """What was agreed by telephone; the reason is kept."""

    teacher: Id
    reason: Words

    model_config = example(teacher=12, reason="Thầy nhận lời qua điện thoại")


class AutomaticIn(Body):
    """Whether teachers are to be asked by themselves."""

    on: Flag

    model_config = example(on=True)


def _call(found: CoverCall) -> CallOut:
    exhausted = found.exhausted_at is not None
    return CallOut(found.reason, found.asked_at, found.wave.value, found.look_at, exhausted)


def _offers(found: tuple[Offer, ...]) -> list[OfferOut]:
    return [
        OfferOut(
            teacher=each.teacher_id,
            name=each.name,
            wave=each.wave.value,
            asked_at=each.asked_at,
            deadline=each.deadline,
            seen_at=each.seen_at,
            end=each.end,
            ended_at=each.ended_at,
            reason=each.reason,
        )
        for each in found
    ]


def _candidates(found: tuple[Ranked, ...]) -> list[CandidateOut]:
    return [
        CandidateOut(
            teacher=line.who.teacher_id,
            name=line.who.name,
            donor_school=line.who.donor_school,
            fits=line.fits,
            obstacles=list(line.obstacles),
            ask_first=line.ask_first,
            if_needed=line.if_needed,
            same_school=line.same_school,
            wished=line.wished,
            class_lessons=line.who.class_lessons,
            lessons=line.who.total,
            max_total=line.who.max_total,
            asked_at=line.who.asked_at,
        )
        for line in found
    ]


@router.get("/cover")
def searches(ctx: Ctx, actor: ApiActor, paged: Paged) -> list[SearchOut]:
    """The lessons that look for cover, the most urgent first."""
    return [
        SearchOut(lesson_out(each.lesson, ctx.now()), _call(each.call), _offers(each.offers))
        for each in paged.cut(
            cover.searches(ctx, actor), lambda each: by_time(each.lesson.starts_at, each.lesson.id)
        )
    ]


@router.get("/cover/automatic")
def is_automatic(ctx: Ctx, actor: ApiActor) -> AutomaticOut:
    """Whether teachers are asked by themselves, wave after wave."""
    return AutomaticOut(cover.automatic(ctx, actor))


@router.put("/cover/automatic")
def set_automatic(ctx: Ctx, actor: ApiActor, body: AutomaticIn) -> AutomaticOut:
    """Have teachers asked by themselves from now on, or not."""
    return AutomaticOut(cover.automatic(ctx, actor, on=body.on))


@router.get("/lessons/{lesson_id}/cover")
def board(ctx: Ctx, actor: ApiActor, lesson_id: RowId) -> BoardOut:
    """Who was asked to give a lesson, and who could."""
    found = cover.board(ctx, actor, LessonId(lesson_id))
    lesson, call = lesson_out(found.lesson, ctx.now()), _call(found.call) if found.call else None
    return BoardOut(lesson, call, _offers(found.offers), _candidates(found.ranked))


@router.get("/lessons/{lesson_id}/candidates")
def candidates(ctx: Ctx, actor: ApiActor, lesson_id: RowId) -> list[CandidateOut]:
    """Who could give a lesson instead: those who fit first, then the others with the reasons."""
    return _candidates(cover.ranking(ctx, actor, LessonId(lesson_id)))


@router.post("/lessons/{lesson_id}/cover")
def ask(ctx: Ctx, actor: ApiActor, lesson_id: RowId, body: AskIn) -> LessonOut:
    """Look for cover for a teacher who said that they cannot come."""
    return lesson_out(cover.ask(ctx, actor, LessonId(lesson_id), body.reason), ctx.now())


@router.post("/lessons/{lesson_id}/cover/offers", status_code=201)
def offer(ctx: Ctx, actor: ApiActor, lesson_id: RowId, body: OfferIn) -> OfferedOut:
    """Ask one teacher, chosen by hand."""
    until = cover.offer(ctx, actor, LessonId(lesson_id), TeacherId(body.teacher))
    return OfferedOut(lesson_id, body.teacher, until)


@router.post("/lessons/{lesson_id}/cover/offers/{teacher_id}/accept")
def accept(ctx: Ctx, actor: ApiActor, lesson_id: RowId, teacher_id: RowId) -> RepliedOut:
    """Note that a teacher who was asked gives the lesson."""
    asked = (LessonId(lesson_id), TeacherId(teacher_id))
    found = offers.reply_for(ctx, actor, *asked, Reply.ACCEPT)
    return RepliedOut(lesson_out(found.lesson, ctx.now()), teacher_id, found.standing)


@router.post("/lessons/{lesson_id}/cover/offers/{teacher_id}/decline")
def decline(
    ctx: Ctx, actor: ApiActor, lesson_id: RowId, teacher_id: RowId, body: DeclineIn
) -> RepliedOut:
    """Note that a teacher who was asked cannot give the lesson."""
    asked = (LessonId(lesson_id), TeacherId(teacher_id))
    found = offers.reply_for(ctx, actor, *asked, Reply.DECLINE, body.reason)
    return RepliedOut(lesson_out(found.lesson, ctx.now()), teacher_id, found.standing)


@router.post("/lessons/{lesson_id}/cover/take")
def take(ctx: Ctx, actor: ApiActor, lesson_id: RowId, body: TakeIn) -> LessonOut:
    """Give a lesson to a teacher who agreed by telephone."""
    to = TeacherId(body.teacher)
    return lesson_out(cover.take(ctx, actor, LessonId(lesson_id), to, body.reason), ctx.now())


@router.post("/lessons/{lesson_id}/cover/close")
def close(ctx: Ctx, actor: ApiActor, lesson_id: RowId) -> LessonOut:
    """End the search: the teacher comes after all."""
    return lesson_out(cover.close(ctx, actor, LessonId(lesson_id)), ctx.now())
