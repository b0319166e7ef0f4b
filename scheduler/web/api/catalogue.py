"""Programmes, terms, schools, classes, requests and teachers, page by page.

A page is a list; where more follows, its `Link` header names the next one.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Protocol, TypeVar

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.services import catalogue
from scheduler.store.catalogue import (
    ClassRow,
    DonorSchoolRow,
    Page,
    ProgrammeRow,
    RequestRow,
    SchoolRow,
    TeacherRow,
    TermRow,
)
from scheduler.web.api.paging import MOST, Limit, link_on
from scheduler.web.guard import LARGEST_ID, ApiActor, Ctx

router = APIRouter(tags=["catalogue"])


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


_Row = TypeVar("_Row", bound=_Numbered)

Cursor = Annotated[
    str | None,
    Query(pattern="^[0-9a-f]{1,7}$", description="From the link to the next page."),
]
Of = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only those of this one.")]
District = Annotated[
    str | None,
    Query(
        min_length=1, max_length=200, pattern="^[^\\x00]+$", description="Only of this district."
    ),
]


def _page(
    request: Request,
    response: Response,
    limit: int,
    cursor: str | None,
    ask: Callable[[Page], Sequence[_Row]],
) -> list[_Row]:
    """One row more is asked for than is told: it says whether anything follows."""
    found = ask(Page(int(cursor or "0", 16), limit + 1))
    told = list(found[:limit])
    if len(found) > limit:
        link_on(request, response, f"{told[-1].id:x}")
    return told


@router.get("/programmes")
def programmes(
    request: Request, response: Response, ctx: Ctx, actor: ApiActor,
    limit: Limit = MOST, cursor: Cursor = None,
) -> list[ProgrammeRow]:  # fmt: skip
    """The programmes that one runs."""
    return _page(
        request, response, limit, cursor, lambda page: catalogue.programmes(ctx, actor, page)
    )


@router.get("/terms")
def terms(
    request: Request, response: Response, ctx: Ctx, actor: ApiActor,
    programme: Of = None, limit: Limit = MOST, cursor: Cursor = None,
) -> list[TermRow]:  # fmt: skip
    """The terms of one's programmes."""
    return _page(
        request, response, limit, cursor, lambda page: catalogue.terms(ctx, actor, page, programme)
    )


@router.get("/schools")
def schools(
    request: Request, response: Response, ctx: Ctx, actor: ApiActor,
    district: District = None, limit: Limit = MOST, cursor: Cursor = None,
) -> list[SchoolRow]:  # fmt: skip
    """The receiving schools that one may see."""
    return _page(
        request, response, limit, cursor, lambda page: catalogue.schools(ctx, actor, page, district)
    )


@router.get("/donor-schools")
def donor_schools(
    request: Request, response: Response, ctx: Ctx, actor: ApiActor,
    district: District = None, limit: Limit = MOST, cursor: Cursor = None,
) -> list[DonorSchoolRow]:  # fmt: skip
    """The home schools of teachers that one may see."""
    return _page(
        request, response, limit, cursor,
        lambda page: catalogue.donor_schools(ctx, actor, page, district),
    )  # fmt: skip


@router.get("/classes")
def classes(
    request: Request, response: Response, ctx: Ctx, actor: ApiActor,
    school: Of = None, limit: Limit = MOST, cursor: Cursor = None,
) -> list[ClassRow]:  # fmt: skip
    """The classes that one may see."""
    return _page(
        request, response, limit, cursor, lambda page: catalogue.classes(ctx, actor, page, school)
    )


@router.get("/requests")
def requests(
    request: Request, response: Response, ctx: Ctx, actor: ApiActor,
    term: Of = None, school: Of = None, limit: Limit = MOST, cursor: Cursor = None,
) -> list[RequestRow]:  # fmt: skip
    """What classes ask for, taken back or not."""
    return _page(
        request, response, limit, cursor,
        lambda page: catalogue.requests(ctx, actor, page, term, school),
    )  # fmt: skip


@router.get("/teachers")
def teachers(
    request: Request, response: Response, ctx: Ctx, actor: ApiActor,
    donor_school: Of = None, limit: Limit = MOST, cursor: Cursor = None,
) -> list[TeacherRow]:  # fmt: skip
    """The teachers that one may see."""
    return _page(
        request, response, limit, cursor,
        lambda page: catalogue.teachers(ctx, actor, page, donor_school),
    )  # fmt: skip
