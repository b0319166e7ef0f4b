"""Programmes, terms, schools, classes, requests and teachers, page by page.

A page is a list; where more follows, its `Link` header names the next one.
"""

from typing import Annotated

from fastapi import APIRouter, Query

from scheduler.services import catalogue
from scheduler.store.catalogue import (
    ClassRow,
    DonorSchoolRow,
    ProgrammeRow,
    RequestRow,
    SchoolRow,
    TeacherRow,
    TermRow,
)
from scheduler.web.api.paging import Paged
from scheduler.web.guard import LARGEST_ID, ApiActor, Ctx

router = APIRouter(tags=["catalogue"])


Of = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only those of this one.")]
District = Annotated[
    str | None,
    Query(
        min_length=1, max_length=200, pattern="^[^\\x00]+$", description="Only of this district."
    ),
]


@router.get("/programmes")
def programmes(ctx: Ctx, actor: ApiActor, paged: Paged) -> list[ProgrammeRow]:
    """The programmes that one runs."""
    return paged.rows(lambda page: catalogue.programmes(ctx, actor, page))


@router.get("/terms")
def terms(ctx: Ctx, actor: ApiActor, paged: Paged, programme: Of = None) -> list[TermRow]:
    """The terms of one's programmes."""
    return paged.rows(lambda page: catalogue.terms(ctx, actor, page, programme))


@router.get("/schools")
def schools(ctx: Ctx, actor: ApiActor, paged: Paged, district: District = None) -> list[SchoolRow]:
    """The receiving schools that one may see."""
    return paged.rows(lambda page: catalogue.schools(ctx, actor, page, district))


@router.get("/donor-schools")
def donor_schools(
    ctx: Ctx, actor: ApiActor, paged: Paged, district: District = None
) -> list[DonorSchoolRow]:
    """The home schools of teachers that one may see."""
    return paged.rows(lambda page: catalogue.donor_schools(ctx, actor, page, district))


@router.get("/classes")
def classes(ctx: Ctx, actor: ApiActor, paged: Paged, school: Of = None) -> list[ClassRow]:
    """The classes that one may see."""
    return paged.rows(lambda page: catalogue.classes(ctx, actor, page, school))


@router.get("/requests")
def requests(
    ctx: Ctx, actor: ApiActor, paged: Paged, term: Of = None, school: Of = None
) -> list[RequestRow]:
    """What classes ask for, taken back or not."""
    return paged.rows(lambda page: catalogue.requests(ctx, actor, page, term, school))


@router.get("/teachers")
def teachers(ctx: Ctx, actor: ApiActor, paged: Paged, donor_school: Of = None) -> list[TeacherRow]:
    """The teachers that one may see."""
    return paged.rows(lambda page: catalogue.teachers(ctx, actor, page, donor_school))
