"""Are you there?  A side checks in to a lesson, by a link or signed in."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import Person
from scheduler.domain.reminders import Side
from scheduler.errors import Invalid, Text, text
from scheduler.locale import Language
from scheduler.security import Purpose
from scheduler.services import checkins, links, sides
from scheduler.services.checkins import Attendance
from scheduler.services.context import Context
from scheduler.services.sides import Speaker
from scheduler.services.words import Wall, lesson_words
from scheduler.web import frame, guard
from scheduler.web.forms import Fields
from scheduler.web.guard import Ctx, Form, KeyedForm, RowId, SchoolActor, TeacherActor
from scheduler.web.view import render, see_other

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Seat:
    """Who sits at this page, where its form posts, and where they say how the lesson went."""

    speaker: Speaker
    person: Person
    here: str
    report: str


@router.get("/c/{token}")
def linked_page(request: Request, ctx: Ctx, token: str) -> Response:
    return _page(request, ctx, _linked(request, ctx, token))


@router.post("/c/{token}")
def linked_check_in(request: Request, ctx: Ctx, token: str, form: KeyedForm) -> Response:
    return _check_in(request, ctx, _linked(request, ctx, token), form)


@router.get("/teacher/lessons/{lesson_id}/check-in")
def teacher_page(request: Request, ctx: Ctx, actor: TeacherActor, lesson_id: RowId) -> Response:
    return _page(request, ctx, _own(ctx, actor, lesson_id, Side.TEACHER))


@router.post("/teacher/lessons/{lesson_id}/check-in")
def teacher_check_in(
    request: Request, ctx: Ctx, actor: TeacherActor, lesson_id: RowId, form: Form
) -> Response:
    return _check_in(request, ctx, _own(ctx, actor, lesson_id, Side.TEACHER), form)


@router.get("/school/lessons/{lesson_id}/check-in")
def school_page(request: Request, ctx: Ctx, actor: SchoolActor, lesson_id: RowId) -> Response:
    return _page(request, ctx, _own(ctx, actor, lesson_id, Side.SCHOOL))


@router.post("/school/lessons/{lesson_id}/check-in")
def school_check_in(
    request: Request, ctx: Ctx, actor: SchoolActor, lesson_id: RowId, form: Form
) -> Response:
    return _check_in(request, ctx, _own(ctx, actor, lesson_id, Side.SCHOOL), form)


def _linked(request: Request, ctx: Context, token: str) -> Seat:
    speaker = sides.of_link(ctx, Purpose.CHECK_IN, token)
    person, lesson = sides.person_of(ctx, speaker), checkins.attendance(ctx, speaker).lesson
    request.state.language = person.language
    report = links.report_url(ctx, lesson, speaker.side, person.id)
    return Seat(speaker, person, f"/c/{token}", report)


def _own(ctx: Context, actor: Actor, lesson_id: int, side: Side) -> Seat:
    speaker = sides.of_actor(ctx, actor, LessonId(lesson_id), side)
    room = f"/{side.value}/lessons/{lesson_id}"
    return Seat(speaker, sides.person_of(ctx, speaker), f"{room}/check-in", f"{room}/report")


def _check_in(request: Request, ctx: Context, seat: Seat, form: FormData) -> Response:
    """A form without its tick acts on nothing: some programs that look through mail send forms."""
    if Fields(form).typed("present") != "yes":
        fault = Invalid(
            text("Nothing was sent yet."), fields={"present": text("Tick this, then send it.")}
        )
        return _page(request, ctx, seat, fault)
    checkins.check_in(ctx, seat.speaker)
    return see_other(seat.here)


def _page(request: Request, ctx: Context, seat: Seat, fault: Invalid | None = None) -> Response:
    found, side = checkins.attendance(ctx, seat.speaker), seat.speaker.side
    wall = Wall(Language(frame.language_of(request, guard.seen(request))), seat.person.zone)
    lesson = found.lesson
    here = side in found.arrived
    return render(
        request,
        "join/check_in.html",
        status=422 if fault else 200,
        section=f"/{side}",
        lesson=lesson_words(lesson, wall, ctx.settings.base_url, own=side is Side.TEACHER),
        heading=text("You are there. Thank you!") if here else text("Are you there?"),
        note=_note(found, side, wall),
        open=not here and found.closed is None,
        enter=found.closed is None,
        report=seat.report if lesson.starts_at <= ctx.now() else "",
        problems=list(fault.fields.items()) if fault else [],
        title=fault.message if fault else "",
        here=seat.here,
    )


def _note(found: Attendance, side: Side, wall: Wall) -> Text | None:
    if side not in found.arrived:
        return found.closed
    return text("Noted at {time}.", time=wall.time(found.arrived[side], found.lesson.zone))
