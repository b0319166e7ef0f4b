"""The programme at a glance, for its coordinator."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from scheduler.domain import access
from scheduler.domain import terms as rules
from scheduler.domain.access import RUNNING, Action, Actor
from scheduler.domain.people import SchoolId
from scheduler.domain.plans import Plan
from scheduler.domain.runs import Run
from scheduler.domain.terms import Choice, Programme, ProgrammeId, Term, TermId
from scheduler.errors import Conflict, NoTerm, NotFound, text
from scheduler.services.context import Context
from scheduler.store import figures, plans, requests, runs, terms
from scheduler.store import present as by_day
from scheduler.store.database import Session
from scheduler.store.figures import SchoolFigures, TermFigures

Wanted = TermId | str | None  # a term by its number or its code; None: the newest
_NO_TERM = text("There is no term yet. Import the workbooks first.")


@dataclass(frozen=True, slots=True)
class Planning:
    """A term: its plan in force, its newest run, and its drafts, the newest first; `asked`: whether
    any school asks for lessons in it, looked for only while it lies ahead."""

    choice: Choice
    published: Plan | None
    drafts: tuple[Plan, ...]
    run: Run | None
    asked: bool

    @property
    def ahead(self) -> bool:
        return self.choice.today < self.term.first_day

    @property
    def term(self) -> Term:
        return self.choice.term


@dataclass(frozen=True, slots=True)
class Overview(Planning):
    """The same, with figures counted in the database now."""

    programme: Programme
    figures: TermFigures
    schools: tuple[SchoolFigures, ...]


def overview(ctx: Context, actor: Actor, wanted: Wanted = None) -> Overview:
    """The chosen term of the coordinator's programme; raises NotFound for anybody else."""
    programme_id = _seen(actor)
    with ctx.reading() as db:
        found = _planning(db, choose(db, programme_id, wanted, ctx.now()))
        return Overview(
            choice=found.choice,
            published=found.published,
            drafts=found.drafts,
            run=found.run,
            asked=found.asked,
            programme=terms.programme(db, programme_id),
            figures=figures.of_term(db, found.term),
            schools=figures.by_school(db, found.term, ctx.now()),
        )


def chosen(ctx: Context, actor: Actor, wanted: Wanted = None) -> Choice:
    """A term of the coordinator's programme to plan, with those to choose from; raises NotFound for
    anybody else, and for a term of another programme."""
    programme_id = _seen(actor)
    with ctx.reading() as db:
        return choose(db, programme_id, wanted, ctx.now())


def present(ctx: Context, actor: Actor) -> Term:
    """The term whose lessons are given now; raises as `chosen`, which may give one that lies ahead.

    What is planned is planned for the chosen term; what happens, happens in this one.
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


def choose(db: Session, programme_id: ProgrammeId, wanted: Wanted, now: datetime) -> Choice:
    """The term of a programme that was chosen, the newest where none was; raises NoTerm before its
    lists came in, NotFound for a term of another programme."""
    return _chosen(terms.of_programme(db, programme_id), wanted, now)


def choose_at(db: Session, school_id: SchoolId, wanted: Wanted, now: datetime) -> Choice:
    """The same for the programme that a receiving school belongs to."""
    return _chosen(terms.of_school(db, school_id), wanted, now)


def require_open(choice: Choice) -> None:
    """Raises Conflict for a term that is over, while there is another to plan."""
    if choice.closed:
        raise Conflict(text("{term} is over. It can be read, not changed.", term=choice.term.name))


def _chosen(found: tuple[Term, ...], wanted: Wanted, now: datetime) -> Choice:
    there = rules.choice(found, wanted, now)
    if there is not None:
        return there
    if found:
        raise NotFound("There is no such term here.")
    raise NoTerm(_NO_TERM)


def _there(found: Term | None) -> Term:
    if found is None:
        raise NoTerm(_NO_TERM)
    return found


def planning(ctx: Context, actor: Actor) -> tuple[Planning, ...]:
    """The plans of the term that runs and of those that lie ahead, the earliest first; raises as
    `chosen`."""
    programme_id = _seen(actor)
    now = ctx.now()
    with ctx.reading() as db:
        newest = choose(db, programme_id, None, now)
        there = [term for term in newest.among if not newest.is_over(term)] or [newest.term]
        return tuple(_planning(db, replace(newest, term=term)) for term in reversed(there))


def _seen(actor: Actor) -> ProgrammeId:
    programme_id = own(actor)
    access.require(actor, Action.SEE_PROGRAMME, programme_id)
    return programme_id


def _planning(db: Session, choice: Choice) -> Planning:
    term = choice.term
    all_plans = plans.of_term(db, term.id)
    return Planning(
        choice=choice,
        published=plans.published(db, term.id),
        drafts=tuple(p for p in all_plans if p.published_at is None),
        run=runs.latest(db, term.id),
        asked=term.first_day <= choice.today or requests.any_of(db, term.id),
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
