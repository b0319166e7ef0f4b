"""Whoever a joint session invites says whether they come."""

from fastapi import APIRouter
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.joint_sessions import Answer, JointSessionId
from scheduler.errors import Conflict, text
from scheduler.services import joint_attendance
from scheduler.services.context import Context
from scheduler.web.forms import Fields
from scheduler.web.guard import Ctx, Form, RowId, SchoolActor, TeacherActor
from scheduler.web.view import see_other

router = APIRouter()

_SAID = {
    Answer.COMING: text("Thank you! You are expected at the joint session."),
    Answer.CANNOT: text("Noted: you do not come to the joint session. Thank you for saying so."),
    None: text("Your answer is taken back."),
}


@router.post("/teacher/joint-sessions/{joint_session_id}")
def of_teacher(ctx: Ctx, actor: TeacherActor, joint_session_id: RowId, form: Form) -> Response:
    return _answer(ctx, actor, joint_session_id, Fields(form), "/teacher")


@router.post("/school/joint-sessions/{joint_session_id}")
def of_school(ctx: Ctx, actor: SchoolActor, joint_session_id: RowId, form: Form) -> Response:
    return _answer(ctx, actor, joint_session_id, Fields(form), "/school")


def _answer(
    ctx: Context, actor: Actor, joint_session_id: int, fields: Fields, back: str
) -> Response:
    joint_attendance.check_invited(ctx, actor, JointSessionId(joint_session_id))
    said = None
    if fields.typed("say") != "undo":
        said = fields.choice("say", Answer)
        fields.check(text("Say whether you come."))
    try:
        joint_attendance.answer(ctx, actor, JointSessionId(joint_session_id), said)
    except Conflict as error:
        return see_other(back, error.message)
    return see_other(f"{back}#joint", _SAID[said])
