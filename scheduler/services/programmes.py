"""The programme at a glance, for its coordinator."""

from dataclasses import dataclass
from datetime import date, datetime

from scheduler.domain import access
from scheduler.domain.access import RUNNING, Action, Actor
from scheduler.domain.plans import Plan
from scheduler.domain.runs import Run
from scheduler.domain.terms import Programme, ProgrammeId, Term
from scheduler.errors import NoTerm, NotFound
from scheduler.services.context import Context
from scheduler.store import figures, plans, runs, terms
from scheduler.store import present as by_day
from scheduler.store.database import Session
from scheduler.store.figures import SchoolFigures, TermFigures


@dataclass(frozen=True, slots=True)
class Planning:
    """The newest term: its plan in force, its newest run, and its drafts, the newest first."""

    term: Term
    published: Plan | None
    drafts: tuple[Plan, ...]
    run: Run | None


@dataclass(frozen=True, slots=True)
class Overview(Planning):
    """The same, with figures counted in the database now."""

    programme: Programme
    figures: TermFigures
    schools: tuple[SchoolFigures, ...]


def overview(ctx: Context, actor: Actor) -> Overview:
    """The newest term of the coordinator's programme; raises NotFound for anybody else."""
    programme_id = _seen(actor)
    with ctx.reading() as db:
        found = _planning(db, programme_id)
        return Overview(
            term=found.term,
            published=found.published,
            drafts=found.drafts,
            run=found.run,
            programme=terms.programme(db, programme_id),
            figures=figures.of_term(db, found.term),
            schools=figures.by_school(db, found.term, ctx.now()),
        )


def term(ctx: Context, actor: Actor) -> Term:
    """The newest term of the coordinator's programme; raises NotFound for anybody else."""
    programme_id = _seen(actor)
    with ctx.reading() as db:
        return newest(db, programme_id)


def present(ctx: Context, actor: Actor) -> Term:
    """The term whose lessons are given now; raises as `term`, which may give one that lies ahead.

    What is planned is planned for the newest term; what happens, happens in this one.
    """
    programme_id = _seen(actor)
    with ctx.reading() as db:
        return running(db, programme_id, ctx.now())


def running(db: Session, programme_id: ProgrammeId, now: datetime) -> Term:
    """That term of a programme; raises NoTerm before its lists came in."""
    return _there(by_day.running(db, programme_id, now))


def of_day(db: Session, programme_id: ProgrammeId, day: date) -> Term:
    """The term of that day, or the one nearest ahead; raises NoTerm as well."""
    return _there(by_day.of_day(db, programme_id, day))


def newest(db: Session, programme_id: ProgrammeId) -> Term:
    """The newest term of a programme; raises NoTerm before its lists came in."""
    return _there(terms.find(db, None, programme_id))


def _there(found: Term | None) -> Term:
    if found is None:
        raise NoTerm("There is no term yet. Import the workbooks first.")
    return found


def planning(ctx: Context, actor: Actor) -> Planning:
    """The plans of that term alone; raises NotFound as well."""
    programme_id = _seen(actor)
    with ctx.reading() as db:
        return _planning(db, programme_id)


def _seen(actor: Actor) -> ProgrammeId:
    programme_id = own(actor)
    access.require(actor, Action.SEE_PROGRAMME, programme_id)
    return programme_id


def _planning(db: Session, programme_id: ProgrammeId) -> Planning:
    term = newest(db, programme_id)
    all_plans = plans.of_term(db, term.id)
    return Planning(
        term=term,
        published=plans.published(db, term.id),
        drafts=tuple(p for p in all_plans if p.published_at is None),
        run=runs.latest(db, term.id),
    )


def own(actor: Actor) -> ProgrammeId:
    """The programme that the actor coordinates; raises NotFound for anybody else."""
    grants = actor.with_role(*RUNNING)
    if not grants:
        raise NotFound("This page is for coordinators.")
    return grants[0].programme_id


def label(ctx: Context, programme_id: ProgrammeId | None) -> str:
    """Hà Nội – Yên Bái · Học kỳ I: the programme and its present term, public names.

    A programme that is named after its term is named once.  For None the only programme's; empty
    while there is none, or more than one.
    """
    with ctx.reading() as db:
        term = terms.find(db, None, programme_id)
        if term is None or (programme_id is None and len(terms.all_programmes(db)) > 1):
            return ""
        now = by_day.running(db, term.programme_id, ctx.now()) or term
        names = (terms.programme(db, term.programme_id).name, now.name)
        return " · ".join(dict.fromkeys(names))
