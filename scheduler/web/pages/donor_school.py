"""The head of a donor school: what her teachers give, week by week."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.access import Actor, Role
from scheduler.domain.lessons import LessonState
from scheduler.domain.people import DonorSchoolId
from scheduler.errors import NotFound
from scheduler.services import colleagues, joint_lists, lessons
from scheduler.services.context import Context
from scheduler.web.guard import LARGEST_ID, Ctx, DonorHeadActor
from scheduler.web.view import render, shown_state

router = APIRouter()

HERE = "/donor-school"
_Chosen = Annotated[int | None, Query(alias="school", ge=1, le=LARGEST_ID)]
_WeekOf = Annotated[date | None, Query(alias="week")]


@router.get(HERE)
def week(
    request: Request,
    ctx: Ctx,
    actor: DonorHeadActor,
    chosen: _Chosen = None,
    day: _WeekOf = None,
) -> Response:
    school_id = chosen or actor.with_role(Role.DONOR_HEAD)[0].donor_school_id
    if school_id is None:
        raise NotFound("There is nothing here.")
    found = lessons.donor_week(ctx, actor, DonorSchoolId(school_id), day)
    shown = [lesson for each in found.days for lesson in each.lessons]
    return render(
        request,
        "school/donor_week.html",
        week=found,
        days=[
            (each.date, [(x, shown_state(x, ctx.now())) for x in each.lessons])
            for each in found.days
        ],
        count=found.count,
        looking=sum(lesson.state is LessonState.COVER for lesson in shown),
        here=f"{HERE}?school={school_id}&",
        schools=_others(ctx, actor, school_id),
        meetings=[
            (session, shown_state(session, ctx.now()), people)
            for session, people in joint_lists.of_donor_school(ctx, actor, DonorSchoolId(school_id))
        ],
    )


def _others(ctx: Context, actor: Actor, school_id: int) -> list[tuple[str, str]]:
    """The actor's other schools by name, where there are several."""
    groups = colleagues.of_actor(ctx, actor, Role.DONOR_HEAD)
    return [
        (group.held.school, f"{HERE}?school={group.held.grant.donor_school_id}")
        for group in groups
        if group.held.grant.donor_school_id != school_id
    ]
