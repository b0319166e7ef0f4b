"""The coordinator's desk: the programme at a glance, and each school's week."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.lessons import Lesson, LessonId
from scheduler.domain.people import SchoolId
from scheduler.domain.plans import Plan
from scheduler.errors import Text, text
from scheduler.locale import wording
from scheduler.services import addresses, calendars, lessons, programmes
from scheduler.services.programmes import Overview
from scheduler.services.words import excuse_words
from scheduler.web import frame, guard
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages import (
    design,
    faults,
    imports,
    matching,
    messages,
    notes,
    people,
    plans,
    school,
    schools,
    settings,
    subscriptions,
    summaries,
    weights,
)
from scheduler.web.pages.school import WeekFrame, WeekOf
from scheduler.web.view import local, render

router = APIRouter()
router.include_router(design.router)
router.include_router(faults.router)
router.include_router(imports.router)
router.include_router(matching.router)
router.include_router(messages.router)
router.include_router(notes.router)
router.include_router(people.router)
router.include_router(plans.router)
router.include_router(schools.router)
router.include_router(settings.router)
router.include_router(subscriptions.router)
router.include_router(summaries.router)
router.include_router(weights.router)

DRAFTS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Step:
    """The next thing to do: why, and the button that does it."""

    why: Text
    label: Text
    href: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A lesson that looks for cover, ready to print."""

    when: str
    title: str
    teacher: str
    reason: str


# -- the programme at a glance


@router.get("/coordinator")
def overview(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    seen = programmes.overview(ctx, actor)
    return render(
        request,
        "coordinator/overview.html",
        seen=seen,
        shown=_plans(seen),
        step=next_step(seen),
        wanted=_wanted(request, seen),
        faults=addresses.count(ctx, actor),
    )


def _wanted(request: Request, seen: Overview) -> list[Wanted]:
    language = frame.language_of(request, guard.seen(request))
    return [
        Wanted(
            when=wording.when(
                local(each.lesson.starts_at, each.lesson.zone),
                local(each.lesson.ends_at, each.lesson.zone),
                language,
            ),
            title=calendars.title(each.lesson, language),
            teacher=f"{each.lesson.teacher_name} ({each.lesson.donor_school})",
            reason=excuse_words(each.reason, language),
        )
        for each in seen.covers
    ]


def _plans(seen: Overview) -> tuple[Plan, ...]:
    """The timetable in force, and the newest drafts."""
    in_force = (seen.published,) if seen.published else ()
    return in_force + seen.drafts[:DRAFTS_SHOWN]


def next_step(seen: Overview) -> Step:
    """What the state of the programme asks for."""
    newest = seen.drafts[0] if seen.drafts else None
    if seen.run and seen.run.open:
        return Step(
            text("The matching engine is looking for a plan."),
            text("See how far it is"),
            "/coordinator/matching",
        )
    if newest and (seen.published is None or newest.created_at > seen.published.created_at):
        return Step(
            text("A draft waits for you. Nobody else sees it until you publish it."),
            text("See what it would change"),
            f"/coordinator/plans/{newest.id}",
        )
    if seen.published is None:
        return Step(
            text("No timetable is published yet. First let the engine look for a plan."),
            text("Look for a plan"),
            "/coordinator/matching",
        )
    return Step(
        text(
            "The timetable is published. Match again when schools ask for more or teachers change."
        ),
        text("Match again"),
        "/coordinator/matching",
    )


# -- a school's week


@router.get("/coordinator/schools/{school_id}")
def school_week(
    request: Request, ctx: Ctx, actor: CoordinatorActor, school_id: RowId, day: WeekOf = None
) -> Response:
    shown = lessons.school_week(ctx, actor, SchoolId(school_id), day)
    frame = WeekFrame(
        here=f"/coordinator/schools/{school_id}?",
        calls="/coordinator",
        above=("/coordinator", text("Overview")),
        more=(
            (f"/coordinator/schools/{school_id}/profile", text("Requests, hours, contacts")),
            ("/coordinator/schools", text("All schools")),
        ),
    )
    return school.week_page(request, ctx, shown, frame)


@router.get("/coordinator/lessons/{lesson_id}/call-off")
def call_off_page(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId
) -> Response:
    lesson = lessons.visible_lesson(ctx, actor, LessonId(lesson_id))
    return school.call_off_form(request, ctx, lesson, "/coordinator", _week_path(lesson))


@router.post("/coordinator/lessons/{lesson_id}/call-off")
def call_off(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId, form: Form
) -> Response:
    lesson = lessons.visible_lesson(ctx, actor, LessonId(lesson_id))
    back = _week_path(lesson)
    return school.answer_call_off(request, ctx, actor, lesson, form, "/coordinator", back)


def _week_path(lesson: Lesson) -> str:
    day = local(lesson.starts_at, lesson.zone).date()
    return f"/coordinator/schools/{lesson.school_id}?week={day}"
