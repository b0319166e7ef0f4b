"""The contact person of a receiving school: the week, calling a lesson off, and requests."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from scheduler.domain import intervals
from scheduler.domain.access import Actor
from scheduler.domain.lessons import Lesson, LessonId, LessonState
from scheduler.domain.people import BellPeriod, ReceivingSchool, SchoolId
from scheduler.domain.requests import MOST_A_WEEK, PRIORITIES, NewRequest, RequestId, Slot
from scheduler.errors import Conflict, Invalid, NotFound, Text, text
from scheduler.services import lessons, requests, subscriptions
from scheduler.services.context import Context
from scheduler.services.joins import DOORS_OPEN
from scheduler.services.lessons import Day, SchoolWeek
from scheduler.services.requests import SchoolDesk
from scheduler.web.forms import Fields
from scheduler.web.guard import LARGEST_ID, Ctx, Form, RowId, SchoolActor
from scheduler.web.pages import gaps
from scheduler.web.view import local, render, see_other, shown_state

router = APIRouter()

LESSON_DAYS = 6  # Monday to Saturday
Chosen = Annotated[int | None, Query(alias="school", ge=1, le=LARGEST_ID)]
WeekOf = Annotated[date | None, Query(alias="week")]


@dataclass(frozen=True, slots=True)
class Look:
    """A lesson as a page shows it: its state to readers, whether it can be called off, and where
    its teacher is reached by telephone today, if anywhere."""

    lesson: Lesson
    state: str
    open: bool
    phone: str = ""


# -- the week


@router.get("/school")
def week(
    request: Request, ctx: Ctx, actor: SchoolActor, chosen: Chosen = None, day: WeekOf = None
) -> Response:
    own = _own(ctx, actor)
    school = _choose(own, chosen)
    frame = WeekFrame(
        here=f"/school?school={school.id}&",
        calls="/school",
        asks=_requests_path(school.id),
        schools=tuple((x, None if x == school else _week_path(x.id)) for x in own),
    )
    return week_page(request, ctx, lessons.school_week(ctx, actor, school.id, day), frame)


@dataclass(frozen=True, slots=True)
class WeekFrame:
    """Where the links of a week page lead, for whoever looks at it.

    `here`: this page, its query open; `calls`: where lessons are called off; `asks`: where
    lessons are asked for; `above`: address and name of the page above; `schools`: the reader's
    schools, each with its address, None for the one shown.
    """

    here: str
    calls: str
    asks: str | None = None
    above: tuple[str, Text] | None = None
    schools: tuple[tuple[ReceivingSchool, str | None], ...] = ()


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
    return Look(lesson, shown_state(lesson, now), going and now < lesson.starts_at)


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


def _own(ctx: Context, actor: Actor) -> tuple[ReceivingSchool, ...]:
    found = requests.own_schools(ctx, actor)
    if not found:
        raise NotFound("There is no such school here.")
    return found


def _choose(own: tuple[ReceivingSchool, ...], chosen: int | None) -> ReceivingSchool:
    """The school asked for, if it is theirs; without a wish the first."""
    found = next((school for school in own if chosen in (None, school.id)), None)
    if found is None:
        raise NotFound("There is no such school here.")
    return found


def _week_path(school_id: SchoolId, day: date | None = None) -> str:
    return f"/school?school={school_id}" + (f"&week={day}" if day else "")


# -- calling a lesson off


@router.get("/school/lessons/{lesson_id}/call-off")
def call_off_page(request: Request, ctx: Ctx, actor: SchoolActor, lesson_id: RowId) -> Response:
    lesson = lessons.visible_lesson(ctx, actor, LessonId(lesson_id))
    return call_off_form(
        request, ctx, lesson, "/school", _week_path(lesson.school_id, _day(lesson))
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
            request, ctx, lesson, calls, back, reason, error.fields["reason"], status=422
        )
    except Conflict as error:
        now_is = lessons.visible_lesson(ctx, actor, lesson.id)
        return call_off_form(
            request, ctx, now_is, calls, back, reason, refused=error.message, status=409
        )
    done = text("The lesson of class {name} is called off.", name=lesson.class_name)
    return see_other(back, done)


def call_off_form(
    request: Request,
    ctx: Context,
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
    )


def _day(lesson: Lesson) -> date:
    return local(lesson.starts_at, lesson.zone).date()


# -- requests


@router.get("/school/requests")
def desk(request: Request, ctx: Ctx, actor: SchoolActor, chosen: Chosen = None) -> Response:
    own = _own(ctx, actor)
    shown = requests.desk(ctx, actor, _choose(own, chosen).id)
    return _desk_page(request, own, shown, _blank(shown, ctx.now()))


@router.post("/school/requests")
def submit(request: Request, ctx: Ctx, actor: SchoolActor, form: Form) -> Response:
    own = _own(ctx, actor)
    fields = Fields(form)
    school = _choose(own, fields.number("school", 1, LARGEST_ID))
    try:
        new = _new_request(fields, school.periods)
        fields.check()
        requests.submit(ctx, actor, school.id, new)
    except Invalid as error:
        shown = requests.desk(ctx, actor, school.id)
        typed = {name: fields.typed(name) for name in form}
        return _desk_page(request, own, shown, typed, error.fields, status=422)
    done = text("Asked: class {name}. The next plan takes it in.", name=new.class_name)
    return see_other(_requests_path(school.id), done)


@router.post("/school/requests/{request_id}/withdraw")
def withdraw(ctx: Ctx, actor: SchoolActor, request_id: RowId, form: Form) -> Response:
    school = _choose(_own(ctx, actor), Fields(form).number("school", 1, LARGEST_ID))
    requests.withdraw(ctx, actor, RequestId(request_id))
    done = text("The request is taken back. Lessons already published stay until the next plan.")
    return see_other(_requests_path(school.id), done)


def _requests_path(school_id: SchoolId) -> str:
    return f"/school/requests?school={school_id}"


def _desk_page(
    request: Request,
    own: tuple[ReceivingSchool, ...],
    shown: SchoolDesk,
    typed: Mapping[str, str],
    errors: Mapping[str, Text] | None = None,
    status: int = 200,
) -> Response:
    first = intervals.monday(shown.term.first_day)
    return render(
        request,
        "school/requests.html",
        status=status,
        desk=shown,
        planned=sum(line.planned for line in shown.lines),
        waiting=sum(not line.planned for line in shown.lines),
        gaps={x.request.id: gaps.shown(x.gap) for x in shown.lines if x.gap and x.missing},
        weekdays=[first + timedelta(days=n) for n in range(LESSON_DAYS)],
        clocks={p: f"{_clock(p.start)}–{_clock(p.end)}" for p in shown.school.periods},
        most=MOST_A_WEEK,
        typed=typed,
        errors=errors or {},
        schools=[(x, None if x.id == shown.school.id else _requests_path(x.id)) for x in own],
    )


def _clock(minute: int) -> str:
    return intervals.clock_text(minute)


def _blank(shown: SchoolDesk, now: datetime) -> dict[str, str]:
    """The form before anybody types: one lesson a week for the rest of the term."""
    term = shown.term
    first = min(max(term.today(now), term.first_day), term.last_day)
    return {
        "class_name": "",
        "lessons_per_week": "1",
        "first_day": f"{first:%d/%m/%Y}",
        "last_day": f"{term.last_day:%d/%m/%Y}",
        "priority": "1",
    }


def _new_request(fields: Fields, periods: tuple[BellPeriod, ...]) -> NewRequest:
    return NewRequest(
        class_name=fields.text("class_name"),
        lessons_per_week=fields.number("lessons_per_week", 1, MOST_A_WEEK),
        first_day=fields.day("first_day"),
        last_day=fields.day("last_day"),
        priority=fields.number("priority", PRIORITIES[0], PRIORITIES[-1]),
        slots=_slots(fields, periods),
    )


def _slots(fields: Fields, periods: tuple[BellPeriod, ...]) -> tuple[Slot, ...]:
    """The cells with a number, in order of preference: 1 in a cell is rank 0."""
    chosen = []
    for weekday in range(LESSON_DAYS):
        for period in periods:
            name = f"slot-{weekday}-{period.start}"
            if fields.typed(name):
                rank = fields.number(name, 1, 3) - 1
                chosen.append(Slot(weekday, period.start, period.end, rank))
    return tuple(sorted(chosen, key=lambda slot: (slot.rank, slot.weekday, slot.start)))
