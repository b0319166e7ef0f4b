"""Terms: their days and holidays, and the one that a coordinator plans."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, Field
from starlette.responses import Response

from scheduler.domain.term_wishes import MOST_GAP, TermWish
from scheduler.domain.terms import TermId
from scheduler.services import programmes, terms
from scheduler.services.terms import TermDesk
from scheduler.web.api.beliefs import Believed, tag
from scheduler.web.api.bodies import MOST_ITEMS, Body, Day, Name, Seen, example
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(prefix="/terms", tags=["terms"])

MOST_CODE = 40
Holidays = Annotated[
    tuple[Day, ...], Field(max_length=MOST_ITEMS), AfterValidator(lambda x: tuple(sorted({*x})))
]


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


@dataclass(frozen=True, slots=True)
class TermDeskOut:
    """A term as a coordinator keeps it; `gap_minutes`: a teacher's least rest between lessons;
    `stranded`: lessons ahead on its holidays, which stay until somebody calls them off."""

    id: int
    code: str
    name: str
    first_day: date
    last_day: date
    zone: str
    gap_minutes: int
    holidays: tuple[date, ...]
    lessons: int
    stranded: int
    fingerprint: str


class TermIn(Body):
    """The days of a term; lessons are given on none of its holidays."""

    name: Name
    first_day: Day
    last_day: Day
    gap_minutes: Annotated[int, Field(strict=True, ge=0, le=MOST_GAP)]
    holidays: Holidays = ()

    model_config = example(
        name="Kỳ xuân 2024", first_day="2024-01-15", last_day="2024-05-31", gap_minutes=10,
        holidays=["2024-04-30", "2024-05-01"],
    )  # fmt: skip

    @property
    def wish(self) -> TermWish:
        return TermWish(self.name, self.first_day, self.last_day, self.gap_minutes, self.holidays)


class NewTermIn(TermIn):
    """A new term, under a code that no other one has."""

    code: Annotated[Name, Field(max_length=MOST_CODE)]

    model_config = example(
        code="HK2", name="Kỳ xuân 2024", first_day="2024-01-15", last_day="2024-05-31",
        gap_minutes=10, holidays=["2024-04-30", "2024-05-01"],
    )  # fmt: skip


class ChangedTermIn(TermIn):
    """All of it as it is to be; `fingerprint`: of how it was read, where it is not sent as
    If-Match; `agreed`: what `beyond` gave for the same days, where they cut anything off."""

    fingerprint: Seen | None = None
    agreed: Annotated[str, Field(max_length=16, pattern="^[0-9a-f]*$")] = ""

    model_config = example(
        name="Kỳ xuân 2024", first_day="2024-01-15", last_day="2024-05-24", gap_minutes=10,
        holidays=["2024-04-30", "2024-05-01"], fingerprint="5f0c2f9a1b3d4e6f", agreed="",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BeyondOut:
    """What reaches beyond a term's new days: requests that would be cut to them, requests without
    a day left, and how many times away of teachers; `agreed` names it all, empty for nothing."""

    cut: tuple[int, ...]
    taken_back: tuple[int, ...]
    away: int
    agreed: str


def _out(found: TermDesk) -> TermDeskOut:
    term = found.term
    return TermDeskOut(
        id=term.id,
        code=term.code,
        name=term.name,
        first_day=term.first_day,
        last_day=term.last_day,
        zone=term.zone,
        gap_minutes=term.gap_minutes,
        holidays=term.holidays,
        lessons=found.lessons,
        stranded=found.stranded,
        fingerprint=found.seen,
    )


@router.get("/newest")
def newest(ctx: Ctx, actor: ApiActor) -> TermOut:
    """The newest term of one's own programme."""
    found = programmes.overview(ctx, actor)
    term, plan = found.term, found.published.id if found.published else None
    days = (term.first_day, term.last_day)
    return TermOut(term.id, term.code, term.name, *days, term.zone, plan)


@router.post("", status_code=201)
def add(ctx: Ctx, actor: ApiActor, response: Response, body: NewTermIn) -> TermDeskOut:
    """Add a term to one's own programme; schools, teachers and weights stay as they are."""
    made = terms.add(ctx, actor, body.code, body.wish)
    return one(ctx, actor, response, made)


@router.get("/{term_id}")
def one(ctx: Ctx, actor: ApiActor, response: Response, term_id: RowId) -> TermDeskOut:
    """One term with its holidays, for who may change it."""
    found = terms.one(ctx, actor, TermId(term_id))
    tag(response, found.seen)
    return _out(found)


@router.post("/{term_id}/beyond")
def beyond(ctx: Ctx, actor: ApiActor, term_id: RowId, body: TermIn) -> BeyondOut:
    """What these days would cut off; nothing is changed."""
    found = terms.beyond(ctx, actor, TermId(term_id), body.wish)
    return BeyondOut(tuple(sorted(found.cut)), found.taken_back, len(found.away), found.seen)


@router.put("/{term_id}")
def change(
    ctx: Ctx,
    actor: ApiActor,
    response: Response,
    term_id: RowId,
    belief: Believed,
    body: ChangedTermIn,
) -> TermDeskOut:
    """Give a term other days; lessons on its new holidays stay until somebody calls them off."""
    seen = belief.seen(body.fingerprint)
    terms.change(ctx, actor, TermId(term_id), body.wish, seen, body.agreed)
    return one(ctx, actor, response, term_id)
