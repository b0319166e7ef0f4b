"""One lesson on the coordinator's desk: how it stands, what became of it, and what can be done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from scheduler.domain import checkins, remarks
from scheduler.domain import reports as report_rules
from scheduler.domain.access import Actor
from scheduler.domain.intervals import end_of
from scheduler.domain.lessons import Cause, Lesson, LessonId, LessonState
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Filed
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.services import cover, days, lessons, pins, reports, restores, rungs
from scheduler.services.context import Context
from scheduler.services.days import DayLesson
from scheduler.services.joins import DOORS_OPEN
from scheduler.services.reports import Settlement
from scheduler.services.restores import Return
from scheduler.services.rungs import Host
from scheduler.services.words import CAUSES, report_words
from scheduler.store.history import Version
from scheduler.web import frame, guard
from scheduler.web.forms import Fields, read_day
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages import covers
from scheduler.web.pages.covers import CoverShown
from scheduler.web.pages.record import BECAME
from scheduler.web.pages.school import came_back
from scheduler.web.view import local, render, see_other, shown_state

router = APIRouter()

HERE = "/coordinator/lessons"
_Typed = Annotated[str, Query(max_length=20)]
_NOT_HELD = "not_held"
_SOON = timedelta(hours=1)  # so long before it starts, who could step in is shown unasked
_OPEN = (LessonState.SCHEDULED, LessonState.COVER)
# Which part of the page each field belongs to, for the links of what is wrong.
_FORM = ("note", "cause", "pin_note", "pin_until", "ask_reason", "take_reason", "teacher")


@dataclass(frozen=True, slots=True)
class Told:
    """What one side said of it, or that it said nothing."""

    side: Side
    filed: Filed | None
    words: Text | None


@dataclass(frozen=True, slots=True)
class Then:
    """How the lesson stood at the end of a day; `version` None: it was not there yet."""

    day: date
    version: Version | None


@router.get(f"{HERE}/{{lesson_id}}")
def page(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    lesson_id: RowId,
    on: _Typed = "",
    went: _Typed = "",
    everybody: Annotated[str, Query(alias="all", max_length=1)] = "",
) -> Response:
    then = read_day(on) if on.strip() else None
    if isinstance(then, Text):
        fault = Invalid(then, fields={"on": then})
        return _page(request, ctx, actor, lesson_id, fault=fault, typed={"on": on})
    typed = {"on": on} | ({"went": went} if went == _NOT_HELD else {})
    return _page(request, ctx, actor, lesson_id, then=then, typed=typed, everybody=bool(everybody))


# -- what is done here


@router.post(f"{HERE}/{{lesson_id}}/settle")
def settle(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId, form: Form
) -> Response:
    def act(fields: Fields) -> Text:
        went = fields.one_of("went", ("held", _NOT_HELD))
        seen = fields.choice("seen", LessonState)
        cause = fields.choice("cause", Cause) if went == _NOT_HELD else None
        fields.check()
        made = Settlement(went == "held", cause, fields.typed("note"))
        reports.settle(ctx, actor, LessonId(lesson_id), made, seen)
        return text("It is settled how this lesson went.")

    return done(request, ctx, actor, lesson_id, form, act)


@router.post(f"{HERE}/{{lesson_id}}/pin")
def pin(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId, form: Form
) -> Response:
    def act(fields: Fields) -> Text:
        until = fields.day("pin_until") if fields.typed("pin_until").strip() else None
        fields.check()
        pins.put(ctx, actor, [LessonId(lesson_id)], fields.typed("pin_note"), until)
        return text("Pinned: no plan moves this lesson.")

    return done(
        request, ctx, actor, lesson_id, form, act, {"note": "pin_note", "until": "pin_until"}
    )


@router.post(f"{HERE}/{{lesson_id}}/unpin")
def unpin(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId, form: Form
) -> Response:
    def act(_fields: Fields) -> Text:
        pins.remove(ctx, actor, [LessonId(lesson_id)])
        return text("Not pinned any more: plans may move this lesson.")

    return done(request, ctx, actor, lesson_id, form, act)


@router.post(f"{HERE}/{{lesson_id}}/restore")
def restore(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId, form: Form
) -> Response:
    def act(_fields: Fields) -> Text:
        return came_back(restores.restore(ctx, actor, LessonId(lesson_id)))

    return done(request, ctx, actor, lesson_id, form, act)


def done(
    request: Request,
    ctx: Context,
    actor: Actor,
    lesson_id: int,
    form: FormData,
    act: Callable[[Fields], Text],
    names: Mapping[str, str] | None = None,
) -> Response:
    """Do it, and show the lesson with a word of it; or with what stood in the way and what was
    typed.  `names`: of fields that the service calls otherwise."""
    fields = Fields(form)
    try:
        return see_other(f"{HERE}/{lesson_id}", act(fields))
    except Invalid as fault:
        known = {(names or {}).get(name, name): why for name, why in fault.fields.items()}
        wrong: Invalid | Conflict = Invalid(fault.message, fields=known)
    except Conflict as fault:
        wrong = fault
    typed = {name: fields.typed(name) for name in (*_FORM, "went")}
    return _page(request, ctx, actor, lesson_id, fault=wrong, typed=typed)


# -- what is shown


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    lesson_id: int,
    *,
    fault: Invalid | Conflict | None = None,
    then: date | None = None,
    typed: Mapping[str, str] | None = None,
    everybody: bool = False,
) -> Response:
    seen, now = days.lesson(ctx, actor, LessonId(lesson_id)), ctx.now()
    lesson = seen.lesson
    search = _search(request, ctx, actor, seen, everybody=everybody)
    return render(
        request,
        "coordinator/lesson.html",
        status=_status(fault),
        section="/coordinator",
        seen=seen,
        lesson=lesson,
        state="missing" if seen.missing else shown_state(lesson, now),
        now=now,
        enter=lesson.starts_at - DOORS_OPEN <= now < lesson.ends_at and lesson.state in _OPEN,
        watched=checkins.refusal(lesson, now) is None,
        ahead=lesson.state in _OPEN and now < lesson.starts_at,
        by_hand=lesson.state in _OPEN and _is_later(lesson, now),
        begun=report_rules.not_to_be_told(lesson, now) is None,
        told=[_told(seen, side) for side in Side],
        causes=[("", text("Choose…")), *((cause.value, words) for cause, words in CAUSES.items())],
        search=search,
        returns=_returns(ctx, actor, lesson),
        hosts=_hosts(ctx, actor, seen, now),
        pin=pins.of_lesson(ctx, actor, lesson.id),
        versions=[(x, BECAME[x.deed]) for x in lessons.history(ctx, actor, lesson.id)],
        then=_then(ctx, actor, lesson, then) if then else None,
        typed=dict.fromkeys((*_FORM, "went", "on"), "") | dict(typed or {}),
        errors=fault.fields if isinstance(fault, Invalid) else {},
        fault=fault.message if fault else None,
        most=remarks.LONGEST,
    )


def _status(fault: Invalid | Conflict | None) -> int:
    if fault is None:
        return 200
    return 422 if isinstance(fault, Invalid) else 409


def _search(
    request: Request, ctx: Context, actor: Actor, seen: DayLesson, *, everybody: bool
) -> CoverShown | None:
    """Who could stand in, where somebody is looked for, or will be any minute."""
    lesson, now = seen.lesson, ctx.now()
    near = lesson.state in _OPEN and lesson.starts_at - _SOON <= now < lesson.ends_at
    if seen.call is None and not near:
        return None
    language = frame.language_of(request, guard.seen(request))
    board = cover.board(ctx, actor, lesson.id)
    return covers.shown(board, now, language, everybody=everybody)


def _returns(ctx: Context, actor: Actor, lesson: Lesson) -> Return | None:
    off = lesson.state is LessonState.CANCELLED and ctx.now() < lesson.starts_at
    return restores.look(ctx, actor, lesson.id) if off else None


def _hosts(ctx: Context, actor: Actor, seen: DayLesson, now: datetime) -> tuple[Host, ...]:
    if seen.call is None or seen.lesson.starts_at <= now:
        return ()
    return rungs.hosts(ctx, actor, seen.lesson.id)


def _is_later(lesson: Lesson, now: datetime) -> bool:
    """Changes by hand go through a plan, and plans begin tomorrow."""
    return local(lesson.starts_at, lesson.zone).date() > local(now, lesson.zone).date()


def _told(seen: DayLesson, side: Side) -> Told:
    filed = seen.filed.get(side)
    return Told(side, filed, report_words(filed.report) if filed else None)


def _then(ctx: Context, actor: Actor, lesson: Lesson, day: date) -> Then:
    return Then(day, lessons.as_of(ctx, actor, lesson.id, end_of(day, lesson.zone)))
