"""Moving one lesson inside its week: a school asks for it, a coordinator agrees."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.intervals import clock_text, monday
from scheduler.domain.lessons import Lesson, LessonId, placed
from scheduler.domain.plans import Placement
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.services import moves
from scheduler.services.context import Context
from scheduler.services.moves import Openings
from scheduler.web.forms import Fields
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId, SchoolActor
from scheduler.web.view import local, render, see_other, shown_state

router = APIRouter()

_Typed = Annotated[str, Query(max_length=20)]


@dataclass(frozen=True, slots=True)
class Time:
    """A time in the list: the value that its radio sends, its day and its clock."""

    value: str
    day: date
    clock: str


@router.get("/school/lessons/{lesson_id}/move")
def ask_page(request: Request, ctx: Ctx, actor: SchoolActor, lesson_id: RowId) -> Response:
    seen = moves.openings(ctx, actor, LessonId(lesson_id))
    return _page(request, ctx, seen, "/school", _week(seen.lesson))


@router.post("/school/lessons/{lesson_id}/move")
def ask(request: Request, ctx: Ctx, actor: SchoolActor, lesson_id: RowId, form: Form) -> Response:
    fields, lesson = Fields(form), LessonId(lesson_id)
    seen = moves.openings(ctx, actor, lesson)
    back = _week(seen.lesson)
    try:
        chosen = _chosen(fields, seen)
        reason = fields.text("reason")
        fields.check()
        moves.ask(ctx, actor, lesson, chosen.day, chosen.start, reason)
    except Invalid as error:
        return _page(request, ctx, seen, "/school", back, fields, error.fields, status=422)
    except Conflict as error:
        now_is = moves.openings(ctx, actor, lesson)
        return _page(
            request, ctx, now_is, "/school", back, fields, refused=error.message, status=409
        )
    done = text(
        "Asked: class {name} to {day}, {time}. The lesson stays where it is until a coordinator "
        "agrees; you will be told.",
        name=seen.lesson.class_name, day=chosen.day, time=clock_text(chosen.start),
    )  # fmt: skip
    return see_other(back, done)


@router.get("/coordinator/lessons/{lesson_id}/move")
def agree_page(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    lesson_id: RowId,
    day: _Typed = "",
    start: _Typed = "",
) -> Response:
    seen = moves.openings(ctx, actor, LessonId(lesson_id))
    wished = f"{day} {start}"
    gone = bool(day) and seen.over is None and wished not in {_value(x) for x in seen.times}
    lost = text("The time that the school wished is not free any more.") if gone else None
    return _page(request, ctx, seen, "/coordinator", _above(seen.lesson), refused=lost, wish=wished)


@router.post("/coordinator/lessons/{lesson_id}/move")
def agree(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId, form: Form
) -> Response:
    fields, lesson = Fields(form), LessonId(lesson_id)
    seen = moves.openings(ctx, actor, lesson)
    back = _above(seen.lesson)
    try:
        chosen = _chosen(fields, seen)
        fields.check()
        moves.agree(ctx, actor, lesson, chosen.day, chosen.start)
    except Invalid as error:
        return _page(request, ctx, seen, "/coordinator", back, fields, error.fields, status=422)
    except Conflict as error:
        now_is = moves.openings(ctx, actor, lesson)
        return _page(
            request, ctx, now_is, "/coordinator", back, fields, refused=error.message, status=409
        )
    done = text(
        "Class {name} has its lesson on {day} at {time}. Teacher and school are told.",
        name=seen.lesson.class_name, day=chosen.day, time=clock_text(chosen.start),
    )  # fmt: skip
    return see_other(back, done)


def _chosen(fields: Fields, seen: Openings) -> Placement:
    """The time chosen among those that are open, or where it stands, as after a double tap; for
    any other a stand-in and its fault."""
    here = placed(seen.lesson)
    if fields.typed("time") == _value(here):
        return here
    if seen.over is not None:
        raise Conflict(seen.over)
    known = {_value(each): each for each in seen.times}
    if not known:
        raise Conflict("No other time of this week is free.")
    value = fields.one_of("time", known)
    return known.get(value, seen.times[0])


def _value(place: Placement) -> str:
    return f"{place.day} {clock_text(place.start)}"


def _page(
    request: Request,
    ctx: Context,
    seen: Openings,
    room: str,
    back: str,
    fields: Fields | None = None,
    errors: Mapping[str, Text] | None = None,
    refused: Text | None = None,
    wish: str = "",
    status: int = 200,
) -> Response:
    """`room`: /school, where a move is asked for, or /coordinator, where it is done."""
    times = [
        Time(_value(x), x.day, f"{clock_text(x.start)}–{clock_text(x.end)}") for x in seen.times
    ]
    first = times[0].value if times else ""
    wished = wish if wish in {each.value for each in times} else first
    return render(
        request,
        "school/move.html",
        status=status,
        lesson=seen.lesson,
        state=shown_state(seen.lesson, ctx.now()),
        over=seen.over,
        times=times,
        chosen=fields.typed("time") if fields else wished,
        reason=fields.typed("reason") if fields else "",
        asks=room == "/school",
        errors=errors or {},
        refused=refused,
        here=f"{room}/lessons/{seen.lesson.id}/move",
        off=f"{room}/lessons/{seen.lesson.id}/call-off",
        back=back,
    )


def _week(lesson: Lesson) -> str:
    day = local(lesson.starts_at, lesson.zone).date()
    return f"/school?school={lesson.school_id}&week={day}"


def _above(lesson: Lesson) -> str:
    first = monday(local(lesson.starts_at, lesson.zone).date())
    return f"/coordinator/schools/{lesson.school_id}?week={first}"
