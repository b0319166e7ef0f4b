"""A term out of the database: as an instance for the engine, and as workbooks for offices."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from scheduler.domain import access
from scheduler.domain.access import RUNNING, Action, Actor
from scheduler.domain.availability import Pledge
from scheduler.domain.baskets import Part
from scheduler.domain.intervals import DaySpan
from scheduler.domain.lessons import Lesson
from scheduler.domain.people import TeacherId
from scheduler.domain.terms import ProgrammeId, Term
from scheduler.errors import NotFound
from scheduler.exchange import instances, templates, writing
from scheduler.exchange.instances import TermState
from scheduler.locale import Language
from scheduler.services import programmes
from scheduler.services.context import Context
from scheduler.store import audits, availability, lessons, people, pins, requests, roles, terms
from scheduler.store import imports as rosters
from scheduler.store.database import Session


def export_instance(
    ctx: Context, term_code: str | None = None, *, actor: Actor | None = None
) -> dict[str, Any]:
    """The term, by default the newest, as an instance of PROBLEM.md with the timetable in force."""
    with ctx.reading() as db:
        term = _term(db, term_code, actor)
        made = instance(db, term, term.today(ctx.now()))
    _record(ctx, term, actor, "instance")
    return made


def export_workbooks(
    ctx: Context, term_code: str | None = None, *, actor: Actor | None = None
) -> dict[str, bytes]:
    """The programme's three workbooks by file name; they import back to the same state."""
    with ctx.reading() as db:
        term = _term(db, term_code, actor)
        roster = rosters.roster(db, term.programme_id, term)
        programme = terms.programme(db, term.programme_id)
    _record(ctx, term, actor, "workbooks")
    return writing.workbooks(roster, programme.name, term.code)


def export_csvs(
    ctx: Context, term_code: str | None = None, *, actor: Actor | None = None
) -> dict[str, bytes]:
    """The same lists as five CSVs by file name; they import back to the same state, too."""
    with ctx.reading() as db:
        term = _term(db, term_code, actor)
        roster = rosters.roster(db, term.programme_id, term)
    _record(ctx, term, actor, "csv")
    return writing.csvs(roster)


def export_lessons(
    ctx: Context, term_code: str | None = None, *, actor: Actor | None = None
) -> bytes:
    """The published lessons of the term as a workbook, cancelled ones too."""
    return writing.lessons_workbook(*_lessons(ctx, term_code, actor))


def export_lessons_csv(
    ctx: Context, term_code: str | None = None, *, actor: Actor | None = None
) -> bytes:
    """The same table as CSV."""
    return writing.lessons_csv(*_lessons(ctx, term_code, actor))


def _lessons(
    ctx: Context, term_code: str | None, actor: Actor | None
) -> tuple[tuple[Lesson, ...], str]:
    """The published lessons and the zone of their times; taking them out is noted."""
    with ctx.reading() as db:
        term = _term(db, term_code, actor)
        published = lessons.find(db, term_id=term.id)
    _record(ctx, term, actor, "lessons")
    return published, term.zone


def list_templates(ctx: Context, actor: Actor) -> dict[str, bytes]:
    """Empty workbooks to fill in, by file name; the programme's schools are offered in them."""
    programme_id = programmes.own(actor)
    access.require(actor, Action.IMPORT, programme_id)
    with ctx.reading() as db:
        held = rosters.roster(db, programme_id, None)
    return templates.workbooks(held.schools, Language(actor.language))


def instance(db: Session, term: Term, today: date, part: Part | None = None) -> dict[str, Any]:
    """A term, or a part of its timetable, as the matching engine is told of it, with the pins that
    hold today."""
    pinned = pins.of_term(db, term.id, today)
    placements = lessons.placements(db, term.id, part=part)
    asked, pledges = requests.of_term(db, term.id), _pledges(db, term, today)
    schools = terms.schools(db, term.programme_id)
    if part is not None:
        there = {place.request_id for place in placements}
        asked = tuple(x for x in asked if x.id in there or x.school_id in part.schools)
        givers = {place.teacher_id for place in placements} | part.teachers
        pledges = {who: pledge for who, pledge in pledges.items() if who in givers}
        schools = tuple(x for x in schools if x.id in {each.school_id for each in asked})
    state = TermState(
        programme=terms.programme(db, term.programme_id),
        term=term,
        schools=schools,
        closed=terms.closed_spans(db, term.programme_id),
        teachers=people.teachers(db, term.programme_id),
        pledges=pledges,
        busy=availability.busy(db, term.programme_id),
        requests=asked,
        timetable={place: lesson in pinned for place, lesson in placements.items()},
    )
    return instances.write(state)


def _pledges(db: Session, term: Term, today: date) -> dict[TeacherId, Pledge]:
    """What everybody promised; who left, or is switched off, is away from tomorrow on.

    What they give until then stands: the engine must not be told that it never was.
    """
    found = availability.pledges(db, term.id)
    tomorrow = today + timedelta(days=1)
    if tomorrow > term.last_day:
        return found
    away = (DaySpan(max(tomorrow, term.first_day), term.last_day),)
    for teacher in roles.gone(db, term.programme_id) & found.keys():
        found[teacher] = replace(found[teacher], absences=(*found[teacher].absences, *away))
    return found


def _record(ctx: Context, term: Term, actor: Actor | None, what: str) -> None:
    """Note that people's data left the house; without an actor the command line took it."""
    person = actor.person_id if actor else None
    with ctx.transaction() as db:
        audits.record(db, ctx.now(), person, "export", "term", term.id, after={"what": what})


def _among(actor: Actor | None, code: str | None) -> list[ProgrammeId | None]:
    """Where a term is looked for: a named one in all programmes that the actor runs."""
    if actor is None:
        return [None]
    if code is None:
        return [programmes.own(actor)]
    return [grant.programme_id for grant in actor.with_role(*RUNNING)]


def _term(db: Session, code: str | None, actor: Actor | None) -> Term:
    term = next(filter(None, (terms.find(db, code, each) for each in _among(actor, code))), None)
    if term is None:
        raise NotFound("There is no such term here.")
    if actor is not None:
        access.require(actor, Action.SEE_PROGRAMME, term.programme_id)
    return term
