"""What was published, undoing one of them, and the timetable on an earlier day."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from scheduler.domain.access import Actor
from scheduler.domain.lessons import LessonState
from scheduler.domain.plans import ChangeKind, PlanOrigin, PublicationId
from scheduler.domain.terms import TermId
from scheduler.services import publications
from scheduler.services.context import Context
from scheduler.services.publications import Left, Told, Undoing
from scheduler.store.publications import Then
from scheduler.web.api.bodies import Day
from scheduler.web.api.lessons import LessonOut, lesson_out
from scheduler.web.api.paging import Paged, by_time, newest_first
from scheduler.web.api.wording import said
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(tags=["publications"])

On = Annotated[Day, Query(description="The day, by the term's wall clock.")]


@dataclass(frozen=True, slots=True)
class PublicationOut:
    """`by` empty: the system; `counts`: lessons by what became of them."""

    id: int
    plan: int
    at: datetime
    by: str
    origin: PlanOrigin
    note: str
    undoes: int | None
    counts: dict[ChangeKind, int]


@dataclass(frozen=True, slots=True)
class ThenOut:
    """A lesson as it stood."""

    lesson: int
    class_name: str
    school: str
    teacher: str
    state: LessonState
    starts_at: datetime
    ends_at: datetime
    sequence: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A lesson that is left alone, and why."""

    lesson: LessonOut
    why: Left


@dataclass(frozen=True, slots=True)
class UndoingOut:
    """The draft that puts so many lessons back, and those it leaves alone; `broken`: rules that
    the timetable then breaks."""

    plan: int
    lessons: int
    left: list[LeftOut]
    broken: list[str]


def _publication(told: Told) -> PublicationOut:
    found = told.publication
    return PublicationOut(
        id=found.id,
        plan=found.plan_id,
        at=found.at,
        by=found.by,
        origin=found.origin,
        note=found.note,
        undoes=found.undoes,
        counts=dict(told.counts),
    )


def _then(found: Then) -> ThenOut:
    return ThenOut(
        lesson=found.lesson_id,
        class_name=found.class_name,
        school=found.school_name,
        teacher=found.teacher_name,
        state=found.state,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        sequence=found.sequence,
    )


def _undoing(ctx: Context, actor: Actor, done: Undoing) -> UndoingOut:
    left = [LeftOut(lesson_out(lesson, ctx.now()), why) for lesson, why in done.left]
    broken = [f"{said(x.where, actor)}: {said(x.what, actor)}" for x in done.broken]
    return UndoingOut(done.plan_id, done.lessons, left, broken)


@router.get("/terms/{term_id}/publications")
def of_term(ctx: Ctx, actor: ApiActor, term_id: RowId, paged: Paged) -> list[PublicationOut]:
    """All publications of a term, the newest first."""
    found = publications.of_term(ctx, actor, TermId(term_id))
    told = paged.cut(found, lambda each: newest_first(each.publication.id))
    return [_publication(each) for each in told]


@router.get("/terms/{term_id}/timetable")
def as_of(ctx: Ctx, actor: ApiActor, term_id: RowId, on: On, paged: Paged) -> list[ThenOut]:
    """The whole timetable as it stood at the end of that day."""
    found = publications.as_of(ctx, actor, TermId(term_id), on)
    told = paged.cut(found, lambda each: by_time(each.starts_at, each.lesson_id))
    return [_then(each) for each in told]


@router.post("/publications/{publication_id}/undo", status_code=201)
def undo(ctx: Ctx, actor: ApiActor, publication_id: RowId) -> UndoingOut:
    """Make a draft that puts back what a publication changed, as far as it still stands."""
    done = publications.undo(ctx, actor, PublicationId(publication_id))
    return _undoing(ctx, actor, done)
