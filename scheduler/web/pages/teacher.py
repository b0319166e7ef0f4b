"""A volunteer's pages: the next lesson, those after it, and the whole term."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain import line
from scheduler.domain.access import Actor, Role
from scheduler.domain.intervals import monday
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.limits import PAPERS_BY_PERSON
from scheduler.domain.reminders import AHEAD
from scheduler.errors import Conflict, Text, text
from scheduler.services import (
    certificates,
    first_steps,
    joint_attendance,
    lessons,
    limits,
    sightings,
    teacher_desk,
)
from scheduler.services.context import Context
from scheduler.services.joins import DOORS_OPEN
from scheduler.services.lessons import TeacherHome
from scheduler.web.forms import read_day
from scheduler.web.guard import Ctx, Form, TeacherActor
from scheduler.web.pages import filters, steps
from scheduler.web.pages.sightings import HEADS
from scheduler.web.view import local, render, see_other

router = APIRouter()

SHOWN_AHEAD = 5


@dataclass(frozen=True, slots=True)
class Month:
    name: Text
    lessons: tuple[Lesson, ...]


@router.get("/teacher")
def home(request: Request, ctx: Ctx, actor: TeacherActor) -> Response:
    found, now = lessons.teacher_home(ctx, actor), ctx.now()
    term, over = found.term, steps.are_over(request, actor)
    left = () if over or term is None else first_steps.of_teacher(ctx, actor, term)
    response = render(
        request,
        "teacher/home.html",
        now=now,
        changes=sightings.waiting(ctx, actor),
        heads=HEADS,
        desk=teacher_desk.desk(ctx, actor, found),
        confirmed=found.confirmed,
        near=now + AHEAD,
        next=found.next,
        day_word=_day_word(found.next, now),
        try_line=found.next is not None and line.is_near(found.next.starts_at, now),
        opens_at=found.next.starts_at - DOORS_OPEN if found.next else None,
        upcoming=found.upcoming[:SHOWN_AHEAD],
        more=len(found.upcoming) > SHOWN_AHEAD,
        thanks=_thanks(found),
        steps=left,
        planned=bool(found.total or found.upcoming),
        meetings=joint_attendance.mine(ctx, actor, Role.TEACHER),
    )
    asks = over or left or term is None
    return response if asks else steps.over(ctx, actor, response)


@router.get("/teacher/lessons")
def term(
    request: Request,
    ctx: Ctx,
    actor: TeacherActor,
    week: str = "",
    show: str = "",
    of: str = "",
) -> Response:
    """The whole term by months, with the record of service; `week`: seven days around that day;
    `show` and `of`: only some lessons, of one class."""
    if week:
        return _week(request, ctx, actor, week)
    found, now = lessons.teacher_home(ctx, actor), ctx.now()
    ahead = tuple(sorted(_ahead(found), key=lambda lesson: lesson.starts_at))
    shown = filters.chosen(ahead, found.past, teacher_desk.to_report(ctx, found), show, of)
    return render(
        request,
        "teacher/lessons.html",
        now=now,
        confirmed=found.confirmed,
        near=now + AHEAD,
        term=found.term,
        filters=shown,
        ahead=_by_month(shown.ahead),
        past=_by_month(tuple(reversed(shown.past))),
        thanks=_thanks(found),
        total=found.total,
        given=found.given,
        called_off=sum(_is_off(lesson) for lesson in (*ahead, *found.past)),
        service=certificates.service(ctx, actor) if found.term else None,
        today=found.term.today(now) if found.term else None,
        meetings=joint_attendance.mine(ctx, actor, Role.TEACHER),
    )


@router.post("/teacher/record")
def issue(ctx: Ctx, actor: TeacherActor, _form: Form) -> Response:
    """A certificate of the term; the same figures give the same one again."""
    try:
        made = certificates.issue_own(ctx, actor)
    except Conflict as fault:
        return see_other("/teacher/lessons", fault.message)
    ready = text("Your record is ready. Its code is {code}.", code=made.code)
    return see_other("/teacher/lessons", ready)


@router.get("/teacher/record/{code}/paper")
def paper(ctx: Ctx, actor: TeacherActor, code: str) -> Response:
    found = certificates.visible(ctx, actor, code)
    limits.take(ctx, PAPERS_BY_PERSON, str(actor.person_id))
    return Response(certificates.printed(ctx, [found])[0], media_type="application/pdf")


def _week(request: Request, ctx: Context, actor: Actor, typed: str) -> Response:
    """Seven days from Monday on; a day that nobody can read is today."""
    read, now = read_day(typed), ctx.now()
    today = local(now, ctx.settings.timezone).date()
    first = monday(read if isinstance(read, date) else today)
    days, confirmed = lessons.teacher_week(ctx, actor, first)
    return render(
        request,
        "teacher/week.html",
        now=now,
        confirmed=confirmed,
        near=now + AHEAD,
        days=[(day.date, day.lessons) for day in days],
        previous=first - timedelta(days=7),
        following=first + timedelta(days=7),
    )


def _ahead(found: TeacherHome) -> tuple[Lesson, ...]:
    return (*((found.next,) if found.next else ()), *found.upcoming)


def _is_off(lesson: Lesson) -> bool:
    return lesson.state is LessonState.CANCELLED


def _by_month(found: tuple[Lesson, ...]) -> tuple[Month, ...]:
    dated = [(local(lesson.starts_at, lesson.zone), lesson) for lesson in found]
    groups = groupby(dated, key=lambda pair: (pair[0].year, pair[0].month))
    months = (tuple(group) for _, group in groups)
    return tuple(Month(_name(month[0][0]), tuple(x for _, x in month)) for month in months)


def _name(day: datetime) -> Text:
    return Text(_MONTHS[day.month - 1].msgid, {"year": str(day.year)})


_MONTHS = (
    text("January {year}"),
    text("February {year}"),
    text("March {year}"),
    text("April {year}"),
    text("May {year}"),
    text("June {year}"),
    text("July {year}"),
    text("August {year}"),
    text("September {year}"),
    text("October {year}"),
    text("November {year}"),
    text("December {year}"),
)


def _day_word(lesson: Lesson | None, now: datetime) -> Text | None:
    """Today or tomorrow, beside the day itself."""
    if lesson is None:
        return None
    day, today = local(lesson.starts_at, lesson.zone).date(), local(now, lesson.zone).date()
    if day == today:
        return text("Today")
    return text("Tomorrow") if day == today + timedelta(days=1) else None


def _thanks(found: TeacherHome) -> Text | None:
    if found.given == 0:
        return None
    if found.given == found.total:
        return text("You have given all your {total} lessons. Thank you!", total=found.total)
    return text(
        "You have given {given} of your {total} lessons. Thank you!",
        given=found.given,
        total=found.total,
    )
