"""A volunteer's pages: the next lesson, those after it, and the whole term."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.reminders import AHEAD
from scheduler.errors import Text, text
from scheduler.services import lessons, offers
from scheduler.services.joins import DOORS_OPEN
from scheduler.services.lessons import TeacherHome
from scheduler.web.guard import Ctx, TeacherActor
from scheduler.web.view import local, render

router = APIRouter()

SHOWN_AHEAD = 5


@dataclass(frozen=True, slots=True)
class Month:
    name: Text
    lessons: tuple[Lesson, ...]


@router.get("/teacher")
def home(request: Request, ctx: Ctx, actor: TeacherActor) -> Response:
    found, now = lessons.teacher_home(ctx, actor), ctx.now()
    return render(
        request,
        "teacher/home.html",
        now=now,
        offers=offers.waiting(ctx, actor),
        confirmed=found.confirmed,
        near=now + AHEAD,
        next=found.next,
        day_word=_day_word(found.next, now),
        opens_at=found.next.starts_at - DOORS_OPEN if found.next else None,
        upcoming=found.upcoming[:SHOWN_AHEAD],
        more=len(found.upcoming) > SHOWN_AHEAD,
        thanks=_thanks(found),
        planned=bool(found.total or found.upcoming),
    )


@router.get("/teacher/lessons")
def term(request: Request, ctx: Ctx, actor: TeacherActor) -> Response:
    found, now = lessons.teacher_home(ctx, actor), ctx.now()
    ahead = tuple(sorted(_ahead(found), key=lambda lesson: lesson.starts_at))
    return render(
        request,
        "teacher/lessons.html",
        now=now,
        confirmed=found.confirmed,
        near=now + AHEAD,
        term=found.term,
        ahead=_by_month(ahead),
        past=_by_month(tuple(reversed(found.past))),
        thanks=_thanks(found),
        total=found.total,
        given=found.given,
        called_off=sum(_is_off(lesson) for lesson in (*ahead, *found.past)),
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
