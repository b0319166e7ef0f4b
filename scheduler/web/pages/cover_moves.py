"""A lesson that looks for cover goes to another time and another teacher in one press."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.intervals import clock_text
from scheduler.domain.lessons import LessonId, LessonState
from scheduler.domain.people import TeacherId
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.services import lessons, rungs
from scheduler.services.context import Context
from scheduler.services.rungs import Time
from scheduler.web.forms import Fields
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId
from scheduler.web.view import render, see_other

router = APIRouter()

MOST_NAMED = 4  # beside its own teacher, at each time


@dataclass(frozen=True, slots=True)
class Giver:
    """A teacher at a time: what the radio sends, and what is said of them."""

    value: str
    name: str
    about: Text | None


@dataclass(frozen=True, slots=True)
class Row:
    """A time of the lesson's week with who could give it; `why`: nobody, or not there."""

    day: date
    clock: str
    givers: tuple[Giver, ...]
    more: int
    why: Text | None


@router.get("/coordinator/lessons/{lesson_id}/cover/move")
def page(request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId) -> Response:
    return _page(request, ctx, actor, LessonId(lesson_id))


@router.post("/coordinator/lessons/{lesson_id}/cover/move")
def move(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId, form: Form
) -> Response:
    fields, lesson = Fields(form), LessonId(lesson_id)
    try:
        day, start, teacher = _chosen(fields)
        moved = rungs.move(ctx, actor, lesson, day, start, teacher)
    except Invalid as fault:
        return _page(request, ctx, actor, lesson, fault.fields["time"], status=422)
    except Conflict as fault:
        return _page(request, ctx, actor, lesson, refused=fault.message, status=409)
    said = text(
        "Class {name} has its lesson on {day} at {time}, with {teacher}. All concerned are told.",
        name=moved.class_name, day=day, time=clock_text(start), teacher=moved.teacher_name,
    )  # fmt: skip
    return see_other(f"/coordinator/lessons/{lesson}", said)


def _chosen(fields: Fields) -> tuple[date, int, TeacherId]:
    typed = fields.typed("time").split()
    try:
        day, start, teacher = typed
        if not (start.isascii() and teacher.isascii() and len(start) < 5 and len(teacher) < 10):
            raise ValueError(typed)
        return date.fromisoformat(day), int(start), TeacherId(int(teacher))
    except ValueError:
        fault = text("Choose a time and who gives the lesson then.")
        raise Invalid("Some fields need another look.", fields={"time": fault}) from None


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    lesson_id: LessonId,
    error: Text | None = None,
    refused: Text | None = None,
    status: int = 200,
) -> Response:
    lesson = lessons.visible_lesson(ctx, actor, lesson_id)
    sought = lesson.state is LessonState.COVER and ctx.now() < lesson.starts_at
    rows: tuple[Row, ...] = ()
    if sought:
        found = rungs.ways(ctx, actor, lesson_id)
        rows = tuple(_row(each, lesson.teacher_name) for each in found.times)
    return render(
        request,
        "coordinator/cover_move.html",
        status=status,
        section="/coordinator/cover",
        lesson=lesson,
        sought=sought,
        rows=rows,
        open=any(row.givers for row in rows),
        error=error,
        refused=refused,
        here=f"/coordinator/lessons/{lesson_id}",
    )


def _row(time: Time, own: str) -> Row:
    place, why = time.place, time.fault
    givers = tuple(_givers(time, own)) if why is None else ()
    if why is None and not givers:
        why = text("Nobody could give it then as things stand.")
    clock = f"{clock_text(place.start)}–{clock_text(place.end)}"
    return Row(place.day, clock, givers, max(0, len(time.others) - MOST_NAMED), why)


def _givers(time: Time, own: str) -> Iterator[Giver]:
    place = time.place
    at = f"{place.day} {place.start}"
    if time.hindrances == ():
        yield Giver(f"{at} {place.teacher_id}", own, text("its teacher, free then"))
    for who in time.others[:MOST_NAMED]:
        yield Giver(
            f"{at} {who.teacher_id}",
            who.name,
            text(
                "{school}; {total} of {most} lessons",
                school=who.donor_school, total=who.total, most=who.max_total,
            ),
        )  # fmt: skip
