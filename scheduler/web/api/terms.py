"""The term that a coordinator works on."""

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter

from scheduler.services import programmes
from scheduler.web.guard import ApiActor, Ctx

router = APIRouter(prefix="/terms", tags=["terms"])


@dataclass(frozen=True, slots=True)
class TermOut:
    """`published`: the plan in force; `zone`: on whose wall days and times are."""

    id: int
    code: str
    name: str
    first_day: date
    last_day: date
    zone: str
    published: int | None


@router.get("/newest")
def newest(ctx: Ctx, actor: ApiActor) -> TermOut:
    """The newest term of one's own programme."""
    found = programmes.overview(ctx, actor)
    term, plan = found.term, found.published.id if found.published else None
    days = (term.first_day, term.last_day)
    return TermOut(term.id, term.code, term.name, *days, term.zone, plan)
