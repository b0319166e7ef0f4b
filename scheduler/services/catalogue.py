"""A programme's nouns for programs: whoever asks sees what they may see, page by page."""

from collections.abc import Callable
from typing import TypeVar

from scheduler.domain.access import Actor
from scheduler.services.context import Context
from scheduler.store import catalogue
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
from scheduler.store.database import Session

_T = TypeVar("_T")


def programmes(ctx: Context, actor: Actor, page: Page) -> tuple[ProgrammeRow, ...]:
    return _read(ctx, lambda db: catalogue.programmes(db, actor, page))


def terms(
    ctx: Context, actor: Actor, page: Page, programme: int | None = None
) -> tuple[TermRow, ...]:
    return _read(ctx, lambda db: catalogue.terms(db, actor, page, programme))


def schools(
    ctx: Context, actor: Actor, page: Page, district: str | None = None
) -> tuple[SchoolRow, ...]:
    return _read(ctx, lambda db: catalogue.schools(db, actor, page, district))


def donor_schools(
    ctx: Context, actor: Actor, page: Page, district: str | None = None
) -> tuple[DonorSchoolRow, ...]:
    return _read(ctx, lambda db: catalogue.donor_schools(db, actor, page, district))


def classes(
    ctx: Context, actor: Actor, page: Page, school: int | None = None
) -> tuple[ClassRow, ...]:
    return _read(ctx, lambda db: catalogue.classes(db, actor, page, school))


def requests(
    ctx: Context,
    actor: Actor,
    page: Page,
    term: int | None = None,
    school: int | None = None,
) -> tuple[RequestRow, ...]:
    return _read(ctx, lambda db: catalogue.requests(db, actor, page, term, school))


def teachers(
    ctx: Context, actor: Actor, page: Page, donor_school: int | None = None
) -> tuple[TeacherRow, ...]:
    return _read(ctx, lambda db: catalogue.teachers(db, actor, page, donor_school))


def _read(ctx: Context, ask: Callable[[Session], tuple[_T, ...]]) -> tuple[_T, ...]:
    with ctx.reading() as db:
        return ask(db)
