"""A teacher says: I have seen this change."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.lessons import LessonId
from scheduler.domain.news import News
from scheduler.errors import text
from scheduler.services import sightings
from scheduler.services.words import NEWS
from scheduler.web.forms import Fields
from scheduler.web.guard import LARGEST_ID, Ctx, Form, RowId, TeacherActor
from scheduler.web.view import render, see_other

router = APIRouter()

HEADS = {news.value: NEWS[news] for news in News}
_NOTED = text("Noted: you have seen it. The coordinators need not call you about it.")


@router.post("/teacher/lessons/{lesson_id}/seen")
def see(request: Request, ctx: Ctx, actor: TeacherActor, lesson_id: RowId, form: Form) -> Response:
    fields = Fields(form)
    sequence = fields.number("sequence", 0, LARGEST_ID)
    shown = None if fields.errors else sequence
    sightings.see(ctx, actor, LessonId(lesson_id), shown)
    if not request.headers.get("hx-request"):
        return see_other("/teacher", _NOTED)
    changes = sightings.waiting(ctx, actor)
    return render(request, "teacher/_changes.html", changes=changes, heads=HEADS, spoken=_NOTED)
