"""The contact person of a receiving school: the week, and calling a lesson off."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from scheduler.domain import intervals
from scheduler.domain.access import Actor, Role
from scheduler.domain.lessons import Lesson, LessonId, LessonState
from scheduler.domain.people import ReceivingSchool, SchoolId
from scheduler.domain.terms import TermId
from scheduler.errors import Conflict, Invalid, NotFound, Text, text
from scheduler.services import (
    first_steps,
    joint_attendance,
    lessons,
    requests,
    restores,
    subscriptions,
)
from scheduler.services.context import Context
from scheduler.services.first_steps import Step
from scheduler.services.joins import DOORS_OPEN
from scheduler.services.joint_attendance import Mine
from scheduler.services.lessons import Day, SchoolWeek
from scheduler.services.restores import Return
from scheduler.web.forms import Fields
from scheduler.web.guard import LARGEST_ID, Ctx, Form, RowId, SchoolActor
from scheduler.web.pages import steps
from scheduler.web.terms import with_term
from scheduler.web.view import local, render, see_other, shown_state

router = APIRouter()

Chosen = Annotated[int | None, Query(alias="school", ge=1, le=LARGEST_ID)]
WeekOf = Annotated[date | None, Query(alias="week")]


@dataclass(frozen=True, slots=True)
class Look:
    """A lesson as a page shows it: its state to readers, whether it can be called off, or may have
    been by somebody who takes that back, and where its teacher is reached by telephone today, if
    anywhere."""

    lesson: Lesson
    state: str
    open: bool
    off: bool = False
    phone: str = ""


# -- the week


@router.get("/school")
def week(
    request: Request, ctx: Ctx, actor: SchoolActor, chosen: Chosen = None, day: WeekOf = None
) -> Response:
    own, shown = lessons.own_week(ctx, actor, SchoolId(chosen) if chosen else None, day)
    school = shown.school
    over = steps.are_over(request, actor)
    left = () if over else first_steps.of_school(ctx, actor, school.id, shown.term)
    frame = WeekFrame(
        here=f"/school?school={school.id}&",
        calls="/school",
        asks=requests_path(school.id),
        schools=tuple((x, None if x == school else _week_path(x.id)) for x in own),
        steps=left,
        meetings=joint_attendance.mine(ctx, actor, Role.SCHOOL),
    )
    response = week_page(request, ctx, shown, frame)
    return response if over or left else steps.over(ctx, actor, response)


@dataclass(frozen=True, slots=True)
class WeekFrame:
    """Where the links of a week page lead, for whoever looks at it.

    `here`: this page, its query open; `calls`: where lessons are called off; `asks`: where
    lessons are asked for; `above`: address and name of the page above; `schools`: the reader's
    schools, each with its address, None for the one shown; `steps`: of a first visit; `more`: other
    pages about the school; `meetings`: joint sessions that invite the reader.
    """

    here: str
    calls: str
    asks: str | None = None
    above: tuple[str, Text] | None = None
    schools: tuple[tuple[ReceivingSchool, str | None], ...] = ()
    steps: tuple[Step, ...] = ()
    more: tuple[tuple[str, Text], ...] = ()
    meetings: tuple[Mine, ...] = ()


def week_page(request: Request, ctx: Context, shown: SchoolWeek, frame: WeekFrame) -> Response:
    now = ctx.now()
    days = [
        (day.date, [_look_in(shown, x, now) for x in day.lessons]) for day in _today_first(shown)
    ]
    return render(
        request,
        "school/week.html",
        section=frame.above[0] if frame.above else "",
        week=shown,
        days=days,
        next=_coming(shown, now),
        now=now,
        doors=DOORS_OPEN // timedelta(minutes=1),
        frame=frame,
    )


def look(lesson: Lesson, now: datetime) -> Look:
    going = lesson.state in (LessonState.SCHEDULED, LessonState.COVER)
    off = lesson.state is LessonState.CANCELLED and bool(lesson.cancel_reason)
    ahead = now < lesson.starts_at
    return Look(lesson, shown_state(lesson, now), going and ahead, off and ahead)


def _look_in(shown: SchoolWeek, lesson: Lesson, now: datetime) -> Look:
    seen, today = look(lesson, now), local(lesson.starts_at, lesson.zone).date() == shown.today
    phone = shown.phones.get(lesson.teacher_person_id, "") if today else ""
    return replace(seen, phone=phone) if seen.open or seen.state == "live" else seen


def _coming(shown: SchoolWeek, now: datetime) -> Lesson | None:
    """The lesson that goes on or comes next, in the present week; another week has no news."""
    if shown.monday != intervals.monday(shown.term.today(now)):
        return None
    going = (LessonState.SCHEDULED, LessonState.COVER)
    live = (x for day in shown.days for x in day.lessons if x.state in going)
    return next((lesson for lesson in live if now < lesson.ends_at), None)


def _today_first(shown: SchoolWeek) -> tuple[Day, ...]:
    if not shown.days[0].date <= shown.today <= shown.days[-1].date:
        return shown.days
    passed = shown.today.weekday()
    return shown.days[passed:] + shown.days[:passed]


def own_schools(ctx: Context, actor: Actor) -> tuple[ReceivingSchool, ...]:
    """The schools that the actor speaks for; raises NotFound for somebody of none."""
    found = requests.own_schools(ctx, actor)
    if not found:
        raise NotFound("There is no such school here.")
    return found


def choose(own: tuple[ReceivingSchool, ...], chosen: int | None) -> ReceivingSchool:
    """The school asked for, if it is theirs; without a wish the first."""
    found = next((school for school in own if chosen in (None, school.id)), None)
    if found is None:
        raise NotFound("There is no such school here.")
    return found


def requests_path(school_id: SchoolId, term: TermId | None = None) -> str:
    return with_term(f"/school/requests?school={school_id}", term)


def _week_path(school_id: SchoolId, day: date | None = None) -> str:
    return f"/school?school={school_id}" + (f"&week={day}" if day else "")


# -- calling a lesson off


@router.get("/school/lessons/{lesson_id}/call-off")
def call_off_page(request: Request, ctx: Ctx, actor: SchoolActor, lesson_id: RowId) -> Response:
    lesson = lessons.visible_lesson(ctx, actor, LessonId(lesson_id))
    return call_off_form(
        request, ctx, actor, lesson, "/school", _week_path(lesson.school_id, _day(lesson))
    )


@router.post("/school/lessons/{lesson_id}/call-off")
def call_off(
    request: Request, ctx: Ctx, actor: SchoolActor, lesson_id: RowId, form: Form
) -> Response:
    lesson = lessons.visible_lesson(ctx, actor, LessonId(lesson_id))
    back = _week_path(lesson.school_id, _day(lesson))
    return answer_call_off(request, ctx, actor, lesson, form, "/school", back)


def answer_call_off(
    request: Request,
    ctx: Context,
    actor: Actor,
    lesson: Lesson,
    form: FormData,
    calls: str,
    back: str,
) -> Response:
    """Call the lesson off and go `back`; or the form again, with what is in the way."""
    reason = Fields(form).typed("reason")
    try:
        lessons.call_off(ctx, actor, lesson.id, reason)
    except Invalid as error:
        return call_off_form(
            request, ctx, actor, lesson, calls, back, reason, error.fields["reason"], status=422
        )
    except Conflict as error:
        now_is = lessons.visible_lesson(ctx, actor, lesson.id)
        return call_off_form(
            request, ctx, actor, now_is, calls, back, reason, refused=error.message, status=409
        )
    done = text("The lesson of class {name} is called off.", name=lesson.class_name)
    return see_other(back, done)


@router.post("/school/lessons/{lesson_id}/restore")
def restore(
    request: Request, ctx: Ctx, actor: SchoolActor, lesson_id: RowId, _form: Form
) -> Response:
    lesson = lessons.visible_lesson(ctx, actor, LessonId(lesson_id))
    back = _week_path(lesson.school_id, _day(lesson))
    return answer_restore(request, ctx, actor, lesson, "/school", back)


def answer_restore(
    request: Request, ctx: Context, actor: Actor, lesson: Lesson, calls: str, back: str
) -> Response:
    """Let it take place after all and go `back`; or the page again, with what is in the way."""
    try:
        found = restores.restore(ctx, actor, lesson.id)
    except Conflict as error:
        now_is = lessons.visible_lesson(ctx, actor, lesson.id)
        return call_off_form(
            request, ctx, actor, now_is, calls, back, refused=error.message, status=409
        )
    return see_other(back, came_back(found))


def came_back(found: Return) -> Text:
    """What is said of a lesson that takes place after all."""
    name = found.lesson.class_name
    if found.cover:
        return text(
            "The lesson of class {name} takes place after all; somebody is looked for to give it. "
            "All concerned are told.",
            name=name,
        )
    return text(
        "The lesson of class {name} takes place after all. Teacher and school are told.", name=name
    )


def call_off_form(
    request: Request,
    ctx: Context,
    actor: Actor,
    lesson: Lesson,
    calls: str,
    back: str,
    reason: str = "",
    error: Text | None = None,
    refused: Text | None = None,
    status: int = 200,
) -> Response:
    shown = look(lesson, ctx.now())
    return render(
        request,
        "school/call_off.html",
        status=status,
        lesson=lesson,
        state=shown.state,
        open=shown.open,
        unseen=shown.open and subscriptions.teacher_would_miss(ctx, lesson),
        reason=reason,
        error=error,
        refused=refused,
        here=f"{calls}/lessons/{lesson.id}/call-off",
        back=back,
        returns=restores.look(ctx, actor, lesson.id) if shown.off else None,
    )


def _day(lesson: Lesson) -> date:
    return local(lesson.starts_at, lesson.zone).date()
