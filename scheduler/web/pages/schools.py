"""The coordinator's schools: those that receive lessons, those that give them, and one of each."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.people import BellPeriod, DonorSchoolId, HalfDay, SchoolId
from scheduler.errors import Invalid, Stale, Text, text
from scheduler.services import fairness, schools
from scheduler.services.context import Context
from scheduler.services.requests import RequestLine
from scheduler.services.schools import Receiving
from scheduler.store.directory import Entry
from scheduler.web.forms import Fields
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages.balance import seen_of
from scheduler.web.pages.gaps import GapShown, shown
from scheduler.web.pages.people import HERE as PEOPLE
from scheduler.web.pages.people import Number, pages_of
from scheduler.web.terms import TermOf
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/schools"
DONORS = "/coordinator/donor-schools"
AT_ONCE = 50
_Typed = Annotated[str, Query(max_length=80)]


@dataclass(frozen=True, slots=True)
class Row:
    """`seen`: the day on which a contact was last here; `share`: planned of asked, in percent."""

    found: Receiving
    seen: date | None
    share: int


@router.get(HERE)
def receiving(request: Request, ctx: Ctx, actor: CoordinatorActor, q: _Typed = "") -> Response:
    found = schools.receiving(ctx, actor, q)
    return render(
        request,
        "coordinator/schools.html",
        section=PEOPLE,
        q=q,
        rows=[_row(ctx, each) for each in found],
    )


def _row(ctx: Context, found: Receiving) -> Row:
    share = min(100, 100 * found.planned // found.asked) if found.asked else 0
    return Row(found, _day(ctx, found), share)


def _day(ctx: Context, found: Receiving | Entry) -> date | None:
    zone = ZoneInfo(ctx.settings.timezone)
    return found.seen_at.astimezone(zone).date() if found.seen_at else None


@router.get(DONORS)
def donors(
    request: Request, ctx: Ctx, actor: CoordinatorActor, q: _Typed = "", number: Number = 1
) -> Response:
    found = schools.donors(ctx, actor, q)
    return render(
        request,
        "coordinator/donor_schools.html",
        section=PEOPLE,
        q=q,
        count=len(found),
        rows=found[(number - 1) * AT_ONCE : number * AT_ONCE],
        pages=pages_of(DONORS, len(found), number, {"q": q}),
    )


# -- one of each


@dataclass(frozen=True, slots=True)
class Line:
    """A request, with the reason why lessons of it are missing or None."""

    line: RequestLine
    gap: GapShown | None
    share: int


@router.get(f"{HERE}/{{school_id}}/profile")
def profile(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    school_id: RowId,
    wanted: TermOf = None,
) -> Response:
    found = schools.file_of(ctx, actor, SchoolId(school_id), wanted)
    return render(
        request,
        "coordinator/school.html",
        section=PEOPLE,
        file=found,
        school=found.desk.school,
        lines=[_line(each) for each in found.desk.lines],
        halves=_halves(found.desk.school.periods),
        contacts=[(each, found.phones.get(each.id), _day(ctx, each)) for each in found.contacts],
    )


def _line(line: RequestLine) -> Line:
    share = min(100, 100 * line.planned // line.wanted) if line.wanted else 100
    return Line(line, shown(line.gap) if line.gap else None, share)


def _halves(periods: tuple[BellPeriod, ...]) -> list[tuple[str, list[BellPeriod]]]:
    by_half = [(half.value, [x for x in periods if x.half_day is half]) for half in HalfDay]
    return [(half, found) for half, found in by_half if found]


@router.get(f"{DONORS}/{{donor_school_id}}")
def donor(request: Request, ctx: Ctx, actor: CoordinatorActor, donor_school_id: RowId) -> Response:
    return _donor(request, ctx, actor, DonorSchoolId(donor_school_id))


@router.post(f"{DONORS}/{{donor_school_id}}/pledge")
def pledge(
    request: Request, ctx: Ctx, actor: CoordinatorActor, donor_school_id: RowId, form: Form
) -> Response:
    fields, school = Fields(form), DonorSchoolId(donor_school_id)
    count = fields.number("lessons", 0, fairness.MOST_PLEDGED)
    try:
        fields.check()
        schools.pledge(ctx, actor, school, count, seen_of(fields))
    except Invalid:
        return _donor(request, ctx, actor, school, fields, status=422)
    except Stale as error:
        return _donor(request, ctx, actor, school, fields, error.message, status=409)
    return see_other(f"{DONORS}/{donor_school_id}", text("The pledge of the school is stored."))


def _donor(
    request: Request,
    ctx: Context,
    actor: Actor,
    school_id: DonorSchoolId,
    fields: Fields | None = None,
    refused: Text | None = None,
    status: int = 200,
) -> Response:
    seen = fairness.last_pledge(ctx, actor)  # before what is shown: later news stays news
    found = schools.donor(ctx, actor, school_id)
    kept = "" if found.pledged is None else str(found.pledged)
    return render(
        request,
        "coordinator/donor_school.html",
        status=status,
        section=PEOPLE,
        found=found,
        typed=fields.typed("lessons") if fields else kept,
        error=fields.errors.get("lessons") if fields else None,
        refused=refused,
        seen=seen,
    )
