"""The coordinator's desk: the programme at a glance, and each school's week."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.lessons import Lesson, LessonId
from scheduler.domain.people import SchoolId
from scheduler.domain.plans import Plan
from scheduler.errors import text
from scheduler.services import lessons, programmes
from scheduler.services.programmes import Overview
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages import (
    announcements,
    balance,
    basket,
    comparison,
    cover_hands,
    cover_moves,
    covers,
    demand,
    design,
    disruptions,
    faults,
    grid,
    imports,
    joint_sessions,
    kept,
    lesson_desk,
    marked,
    matching,
    meetings,
    messages,
    notes,
    partnerships,
    people,
    planning_steps,
    plans,
    presses,
    publications,
    readiness,
    school,
    schools,
    settings,
    subscriptions,
    summaries,
    today,
    trials,
    webhooks,
    weights,
)
from scheduler.web.pages.school import WeekFrame, WeekOf
from scheduler.web.terms import TermOf
from scheduler.web.view import local, render

router = APIRouter()
router.include_router(announcements.router)
router.include_router(comparison.router)
router.include_router(balance.router)
router.include_router(demand.router)
router.include_router(basket.router)
router.include_router(cover_hands.router)
router.include_router(cover_moves.router)
router.include_router(covers.router)
router.include_router(design.router)
router.include_router(disruptions.router)
router.include_router(faults.router)
router.include_router(grid.router)
router.include_router(lesson_desk.router)
router.include_router(imports.router)
router.include_router(joint_sessions.router)
router.include_router(kept.router)
router.include_router(marked.router)
router.include_router(matching.router)
router.include_router(meetings.router)
router.include_router(messages.router)
router.include_router(notes.router)
router.include_router(partnerships.router)
router.include_router(people.router)
router.include_router(plans.router)
router.include_router(presses.router)
router.include_router(publications.router)
router.include_router(readiness.router)
router.include_router(schools.router)
router.include_router(settings.router)
router.include_router(subscriptions.router)
router.include_router(summaries.router)
router.include_router(today.router)
router.include_router(trials.router)
router.include_router(webhooks.router)
router.include_router(weights.router)

DRAFTS_SHOWN = 3


# -- the programme at a glance


@router.get("/coordinator/term")
def overview(
    request: Request, ctx: Ctx, actor: CoordinatorActor, wanted: TermOf = None
) -> Response:
    seen = programmes.overview(ctx, actor, wanted)
    return render(
        request,
        "coordinator/term.html",
        section="/coordinator",
        seen=seen,
        shown=_plans(seen),
        step=planning_steps.next_step(seen),
    )


def _plans(seen: Overview) -> tuple[Plan, ...]:
    """The timetable in force, and the newest drafts."""
    in_force = (seen.published,) if seen.published else ()
    return in_force + seen.drafts[:DRAFTS_SHOWN]


# -- a school's week


@router.get("/coordinator/schools/{school_id}")
def school_week(
    request: Request, ctx: Ctx, actor: CoordinatorActor, school_id: RowId, day: WeekOf = None
) -> Response:
    shown = lessons.school_week(ctx, actor, SchoolId(school_id), day)
    frame = WeekFrame(
        here=f"/coordinator/schools/{school_id}?",
        calls="/coordinator",
        above=("/coordinator/term", text("The term at a glance")),
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
    return school.call_off_form(request, ctx, actor, lesson, "/coordinator", _week_path(lesson))


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
