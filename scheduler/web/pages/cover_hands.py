"""What a coordinator does by hand about a lesson that needs cover; its page shows the rest."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.cover import OfferEnd, Reply
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import TeacherId
from scheduler.errors import Conflict, Text, text
from scheduler.services import cover, offers, rungs
from scheduler.web.forms import Fields
from scheduler.web.guard import LARGEST_ID, CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages import lesson_desk
from scheduler.web.view import local

router = APIRouter()

_ENDS = {Reply.ACCEPT: OfferEnd.ACCEPTED, Reply.DECLINE: OfferEnd.DECLINED}


@router.post("/coordinator/lessons/{lesson_id}/cover/ask")
def ask(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId, form: Form
) -> Response:
    def act(fields: Fields) -> Text:
        cover.ask(ctx, actor, LessonId(lesson_id), fields.typed("ask_reason"))
        return text("We look for somebody to stand in.")

    return lesson_desk.done(request, ctx, actor, lesson_id, form, act, {"reason": "ask_reason"})


@router.post("/coordinator/lessons/{lesson_id}/cover/next")
def ask_next(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId, form: Form
) -> Response:
    def act(fields: Fields) -> Text:
        seen = fields.number("asked", 0, LARGEST_ID)
        fields.check()
        made = cover.next_wave(ctx, actor, LessonId(lesson_id), seen)
        return text("{count} more were asked.", count=made)

    return lesson_desk.done(request, ctx, actor, lesson_id, form, act)


@router.post("/coordinator/lessons/{lesson_id}/cover/stop")
def stop(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId, form: Form
) -> Response:
    def act(_fields: Fields) -> Text:
        kept = cover.close(ctx, actor, LessonId(lesson_id))
        return text("Nobody is asked any more: {name} gives the lesson.", name=kept.teacher_name)

    return lesson_desk.done(request, ctx, actor, lesson_id, form, act)


@router.post("/coordinator/lessons/{lesson_id}/cover/offer")
def offer(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId, form: Form
) -> Response:
    def act(fields: Fields) -> Text:
        until = cover.offer(ctx, actor, LessonId(lesson_id), _teacher(fields))
        zone = cover.board(ctx, actor, LessonId(lesson_id)).lesson.zone
        at = local(until, zone)
        said = text("{time}, {day}", time=at.time(), day=at.date())
        return text("Asked. The answer counts until {time}.", time=said)

    return lesson_desk.done(request, ctx, actor, lesson_id, form, act)


@router.post("/coordinator/lessons/{lesson_id}/cover/answer")
def answer(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId, form: Form
) -> Response:
    """What one who was asked said by telephone."""

    def act(fields: Fields) -> Text:
        said = fields.one_of("said", tuple(_ENDS))
        fields.check()
        reply = Reply(said)
        found = offers.reply_for(ctx, actor, LessonId(lesson_id), _teacher(fields), reply)
        if found.offer.end is not _ENDS[reply]:
            raise Conflict("This answer comes too late: see how the search stands now.")
        return text("Noted what {name} said.", name=found.person.name)

    return lesson_desk.done(request, ctx, actor, lesson_id, form, act)


@router.post("/coordinator/lessons/{lesson_id}/cover/take")
def take(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId, form: Form
) -> Response:
    def act(fields: Fields) -> Text:
        teacher, seen = _teacher(fields), fields.number("was", 1, LARGEST_ID)
        fields.check()
        given = cover.take(
            ctx, actor, LessonId(lesson_id), teacher, fields.typed("take_reason"), TeacherId(seen)
        )
        return text("{name} gives the lesson. All concerned are told.", name=given.teacher_name)

    return lesson_desk.done(request, ctx, actor, lesson_id, form, act, {"reason": "take_reason"})


@router.post("/coordinator/lessons/{lesson_id}/cover/merge")
def merge(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId, form: Form
) -> Response:
    def act(fields: Fields) -> Text:
        into = fields.number("into", 1, LARGEST_ID)
        fields.check()
        joined = rungs.merge(ctx, actor, LessonId(lesson_id), LessonId(into))
        return text("Class {name} joins the other lesson. All concerned are told.",
                    name=joined.class_name)  # fmt: skip

    return lesson_desk.done(request, ctx, actor, lesson_id, form, act)


def _teacher(fields: Fields) -> TeacherId:
    found = TeacherId(fields.number("teacher", 1, LARGEST_ID))
    if "teacher" in fields.errors:
        fields.errors["teacher"] = text("Choose a teacher.")
    fields.check()
    return found
