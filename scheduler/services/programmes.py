"""The programme at a glance, for its coordinator."""

from dataclasses import dataclass
from datetime import datetime

from scheduler.domain import access
from scheduler.domain.access import RUNNING, Action, Actor
from scheduler.domain.lessons import Lesson
from scheduler.domain.plans import Plan
from scheduler.domain.runs import Run
from scheduler.domain.terms import Programme, ProgrammeId, Term
from scheduler.errors import NotFound
from scheduler.services.context import Context
from scheduler.store import covers, figures, lessons, plans, runs, terms
from scheduler.store.database import Session
from scheduler.store.figures import SchoolFigures, TermFigures


@dataclass(frozen=True, slots=True)
class WantsCover:
    """A lesson whose teacher cannot come, and why, as it is stored."""

    lesson: Lesson
    reason: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Figures counted in the database now, the plan in force, the newest run and drafts, and the
    lessons that look for cover, the most urgent first."""

    programme: Programme
    term: Term
    figures: TermFigures
    schools: tuple[SchoolFigures, ...]
    published: Plan | None
    drafts: tuple[Plan, ...]
    run: Run | None
    covers: tuple[WantsCover, ...]


def overview(ctx: Context, actor: Actor) -> Overview:
    """The newest term of the coordinator's programme; raises NotFound for anybody else."""
    programme_id = own(actor)
    with ctx.reading() as db:
        term = _newest(db, actor, programme_id)
        all_plans = plans.of_term(db, term.id)
        in_force = plans.published(db, term.id)
        return Overview(
            programme=terms.programme(db, programme_id),
            term=term,
            figures=figures.of_term(db, term),
            schools=figures.by_school(db, term, ctx.now()),
            published=in_force,
            drafts=tuple(p for p in all_plans if p.published_at is None),
            run=runs.latest(db, term.id),
            covers=_covers(db, programme_id, ctx.now()),
        )


def term(ctx: Context, actor: Actor) -> Term:
    """The newest term of the coordinator's programme; raises NotFound for anybody else."""
    with ctx.reading() as db:
        return _newest(db, actor, own(actor))


def _newest(db: Session, actor: Actor, programme_id: ProgrammeId) -> Term:
    access.require(actor, Action.SEE_PROGRAMME, programme_id)
    found = terms.find(db, None, programme_id)
    if found is None:
        raise NotFound("There is no term yet. Import the workbooks first.")
    return found


def _covers(db: Session, programme_id: ProgrammeId, now: datetime) -> tuple[WantsCover, ...]:
    calls = covers.of_programme(db, programme_id, now)
    known = {x.id: x for x in lessons.find(db, ids=[call.lesson_id for call in calls])}
    return tuple(WantsCover(known[call.lesson_id], call.reason) for call in calls)


def own(actor: Actor) -> ProgrammeId:
    """The programme that the actor coordinates; raises NotFound for anybody else."""
    grants = actor.with_role(*RUNNING)
    if not grants:
        raise NotFound("This page is for coordinators.")
    return grants[0].programme_id


def label(ctx: Context, programme_id: ProgrammeId | None) -> str:
    """Hà Nội – Yên Bái · Học kỳ I: the programme and its newest term, public names.

    A programme that is named after its term is named once.  For None the only programme's; empty
    while there is none, or more than one.
    """
    with ctx.reading() as db:
        term = terms.find(db, None, programme_id)
        if term is None or (programme_id is None and len(terms.all_programmes(db)) > 1):
            return ""
        names = (terms.programme(db, term.programme_id).name, term.name)
        return " · ".join(dict.fromkeys(names))
