"""How fairly work and lessons are spread, and what schools pledge."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Annotated

from fastapi import APIRouter, Query

from scheduler.domain.fairness import Share, Spread
from scheduler.services import fairness
from scheduler.web.api.bodies import Body, Count, Day, Name, example
from scheduler.web.guard import LARGEST_ID, ApiActor, Ctx

router = APIRouter(tags=["fairness"])

Weeks = Annotated[int, Query(ge=1, le=LARGEST_ID)]
Until = Annotated[Day | None, Query(description="A day of the last week; else the present one.")]


@dataclass(frozen=True, slots=True)
class ShareOut:
    """`share` of what was `due`, `coverage` what was given for certain; null where nothing was.
    `off`: far above (1) or below (-1) the median."""

    id: int
    name: str
    given: int
    planned: int
    outside: int
    due: float
    share: float | None
    coverage: float | None
    off: int


@dataclass(frozen=True, slots=True)
class SpreadOut:
    """The shares of one side, and the one in the middle."""

    median: float | None
    shares: list[ShareOut]


@dataclass(frozen=True, slots=True)
class FairnessOut:
    """How work and lessons are spread over these days."""

    term: int
    first_day: date
    last_day: date
    teachers: SpreadOut
    donor_schools: SpreadOut
    schools: SpreadOut


@dataclass(frozen=True, slots=True)
class PledgeOut:
    """How many lessons a donor school pledges."""

    school: str
    lessons: int


class PledgeIn(Body):
    """The donor school by its name, or as "name (district)"."""

    school: Name
    lessons: Count

    model_config = example(school="THCS Ái Mộ (Long Biên)", lessons=120)


def _ratio(ratio: Fraction | None) -> float | None:
    return None if ratio is None else round(float(ratio), 4)


def _share(share: Share) -> ShareOut:
    return ShareOut(
        id=share.id,
        name=share.name,
        given=share.given,
        planned=share.planned,
        outside=share.outside,
        due=round(float(share.due), 2),
        share=_ratio(share.ratio),
        coverage=_ratio(share.coverage),
        off=share.off,
    )


def _spread(spread: Spread) -> SpreadOut:
    return SpreadOut(_ratio(spread.middle), [_share(each) for each in spread.shares])


@router.get("/fairness")
def figures(
    ctx: Ctx, actor: ApiActor, weeks: Weeks = fairness.WEEKS, until: Until = None
) -> FairnessOut:
    """Who had how much of what was due: teachers, donor schools, receiving schools."""
    found = fairness.figures(ctx, actor, weeks, until)
    groups = map(_spread, (found.teachers, found.donor_schools, found.schools))
    return FairnessOut(found.term.id, found.days.first_day, found.days.last_day, *groups)


@router.put("/pledges")
def pledge(ctx: Ctx, actor: ApiActor, body: PledgeIn) -> PledgeOut:
    """Note how many lessons a donor school pledges for the term that runs."""
    return PledgeOut(fairness.pledge(ctx, actor, body.school, body.lessons).label, body.lessons)
