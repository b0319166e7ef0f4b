"""How fairly work and lessons are spread over a window of weeks, and what schools pledge."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from zoneinfo import ZoneInfo

from scheduler.domain import access, fairness, records, requests
from scheduler.domain.access import Action, Actor
from scheduler.domain.fairness import MOST_WEEKS, Share, Spread
from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import (
    DonorSchool,
    DonorSchoolId,
    PersonId,
    SchoolId,
    Teacher,
    TeacherId,
)
from scheduler.domain.records import Line, Outcome, Sums
from scheduler.domain.terms import Term
from scheduler.errors import Conflict, Invalid, NotFound, Stale, text
from scheduler.services import programmes
from scheduler.services.context import Context
from scheduler.store import audits, availability, people, school_pledges, terms
from scheduler.store import records as rows
from scheduler.store import requests as asks
from scheduler.store.availability import Promise
from scheduler.store.database import Session

WEEKS = 8
MOST_PLEDGED = 100_000
Promises = Mapping[TeacherId, Promise]
_NONE = Sums()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A teacher who promised so many lessons and had none in the window, nor has one ahead in it;
    `since`: from which day on lessons were due."""

    person_id: PersonId
    name: str
    school: str
    promised: int
    since: date


@dataclass(frozen=True, slots=True)
class Fairness:
    """Teachers against their own limits, donor schools against what they pledged, receiving
    schools against what they asked for.  `waiting`: those without a lesson, the newest first."""

    term: Term
    days: DaySpan
    teachers: Spread
    donor_schools: Spread
    schools: Spread
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class _Window:
    """What one look at the database found about the days of the window."""

    term: Term
    days: DaySpan
    lines: tuple[Line, ...]
    since: Mapping[TeacherId, date]


def figures(ctx: Context, actor: Actor, weeks: int = WEEKS, until: date | None = None) -> Fairness:
    """The shares over so many weeks of the present term, up to the week of `until`, by default the
    present one.  Raises NotFound for who coordinates no programme."""
    if not 1 <= weeks <= MOST_WEEKS:
        raise Invalid(text("Write a number of weeks from 1 to {most}.", most=MOST_WEEKS))
    programme_id = programmes.own(actor)
    access.require(actor, Action.KEEP_RECORDS, programme_id)
    now = ctx.now()
    with ctx.reading() as db:
        term = programmes.running(db, programmes.own(actor), ctx.now())
        days = fairness.window(term, weeks, until or term.today(now))
        lines = rows.lines(db, programme_id, term.zone, days, now, term_id=term.id, counted=True)
        promised = availability.promises(db, term)
        seen = _Window(term, days, lines, _since(db, term, promised))
        teachers = _teachers(seen, people.teachers(db, programme_id), promised)
        pledged = school_pledges.of_term(db, term.id)
        schools = _schools(db, seen)
    return Fairness(
        term=term,
        days=days,
        teachers=fairness.spread(share for _, share in teachers),
        donor_schools=fairness.spread(_donors(seen, teachers, pledged)),
        schools=fairness.spread(schools),
        waiting=_waiting(seen, teachers, promised),
    )


def last_pledge(ctx: Context, actor: Actor) -> int:
    """Names what is noted of pledges now, for whoever fills in a form: see `pledge`."""
    access.require(actor, Action.KEEP_RECORDS, programmes.own(actor))
    with ctx.reading() as db:
        return audits.last_of(db, "pledge", "donor_school")


def pledge(
    ctx: Context, actor: Actor, school: str, count: int, seen: int | None = None
) -> DonorSchool:
    """Note how many lessons a donor school pledges for the present term.

    The school by its name, or as "name (district)".  Raises NotFound, Conflict for a name that
    several schools have, Invalid for a number that cannot be meant, Stale when something else was
    noted of the school since `last_pledge` gave what was `seen`; None: whatever was.
    """
    access.require(actor, Action.KEEP_RECORDS, programmes.own(actor))
    if not 0 <= count <= MOST_PLEDGED:
        raise Invalid(text("Write a number from 0 to {most}.", most=MOST_PLEDGED))
    with ctx.transaction() as db:
        term = programmes.running(db, programmes.own(actor), ctx.now())
        found = _named(school_pledges.schools(db, term.programme_id), school)
        school_pledges.lock(db, found.id)
        before = school_pledges.keep(db, found.id, term.id, count)
        if before != count:
            if seen is not None and audits.last_of(db, "pledge", "donor_school", found.id) > seen:
                raise Stale(
                    text(
                        "{school} was noted with {count} lessons meanwhile. Note yours again if it"
                        " still holds.",
                        school=found.label,
                        count=before or 0,
                    )
                )
            audits.record(
                db,
                ctx.now(),
                actor.person_id,
                "pledge",
                "donor_school",
                found.id,
                before={"lessons": before},
                after={"lessons": count},
            )
    return found


def _named(schools: tuple[DonorSchool, ...], name: str) -> DonorSchool:
    wanted = " ".join(name.split()).casefold()
    exact = [each for each in schools if each.label.casefold() == wanted]
    found = exact or [each for each in schools if each.name.casefold() == wanted]
    if not found:
        raise NotFound(text("There is no donor school named {name} here.", name=name))
    if len(found) > 1:
        labels = [each.label for each in found]
        raise Conflict(text("Several schools have this name. Write one of: {names}.", names=labels))
    return found[0]


def _since(db: Session, term: Term, promised: Promises) -> dict[TeacherId, date]:
    """From which day on each teacher could have given lessons."""
    zone = ZoneInfo(term.zone)
    here = school_pledges.here_since(db, term.id, term.programme_id)
    return {
        teacher: max(
            at.astimezone(zone).date(),
            promised[teacher].opens if teacher in promised else term.first_day,
        )
        for teacher, at in here.items()
    }


def _teachers(
    seen: _Window, teachers: tuple[Teacher, ...], promised: Promises
) -> list[tuple[Teacher, Share]]:
    """The shares of all who promised something for the term, or gave a lesson."""
    had = records.by(seen.lines, lambda line: line.teacher_id)
    due: dict[tuple[int, date], Fraction] = {}  # most promise alike: each way is computed once
    found = []
    for one in teachers:
        if one.id not in promised and one.id not in had:
            continue
        way = promised[one.id].most if one.id in promised else 0, seen.since[one.id]
        if way not in due:
            due[way] = fairness.due(way[0], seen.term, seen.days, way[1])
        sums = had.get(one.id, _NONE)
        found.append((one, fairness.share(one.id, one.name, sums, due[way], Outcome.GIVEN)))
    return found


def _waiting(
    seen: _Window, teachers: list[tuple[Teacher, Share]], promised: Promises
) -> tuple[Waiting, ...]:
    found = (
        Waiting(
            one.person_id, one.name, one.school.label, promised[one.id].most, seen.since[one.id]
        )
        for one, share in teachers
        if share.due > 0 and not share.counted
    )
    return tuple(sorted(found, key=lambda each: (-each.since.toordinal(), each.name)))


def _donors(
    seen: _Window, teachers: list[tuple[Teacher, Share]], pledged: Mapping[DonorSchoolId, int]
) -> list[Share]:
    """What each school pledged; for one that pledged nothing of its own, what its teachers did."""
    schools = {teacher.school.id: teacher.school for teacher, _ in teachers}
    theirs = dict.fromkeys(schools, Fraction(0))
    for teacher, share in teachers:
        theirs[teacher.school.id] += share.due
    due = {
        school: fairness.due(pledged[school], seen.term, seen.days, seen.term.first_day)
        if school in pledged
        else theirs[school]
        for school in schools
    }
    had = records.by(seen.lines, lambda line: line.donor_school_id)
    return [
        fairness.share(school.id, school.label, had.get(key, _NONE), due[key], Outcome.GIVEN)
        for key, school in schools.items()
    ]


def _schools(db: Session, seen: _Window) -> list[Share]:
    """What each receiving school asked for in the window; a class that joined another lesson had
    what it asked for."""
    asked = asked_by_school(db, seen.term, seen.days)
    had = records.by(seen.lines, lambda line: line.school_id)
    counted = (Outcome.GIVEN, Outcome.MERGED)
    return [
        fairness.share(
            school.id,
            school.name,
            had.get(school.id, _NONE),
            Fraction(asked.get(school.id, 0)),
            *counted,
        )
        for school in terms.schools(db, seen.term.programme_id)
    ]


def asked_by_school(db: Session, term: Term, days: DaySpan) -> dict[SchoolId, int]:
    """The lessons that each receiving school asks for, on these days of the term."""
    closed = terms.closed_spans(db, term.programme_id)
    asked: dict[SchoolId, int] = {}
    known: dict[tuple[object, ...], int] = {}  # most schools ask alike: each way is counted once
    for each in asks.alike(db, term.id):
        first = max(each.days.first_day, days.first_day)
        cut = DaySpan(first, min(each.days.last_day, days.last_day))
        shut = closed.get(each.school_id, ())
        way = each.lessons_per_week, each.weekdays, cut, shut
        if way not in known:
            known[way] = requests.wanted_weekly(
                each.lessons_per_week, each.weekdays, cut, term, shut
            )
        asked[each.school_id] = asked.get(each.school_id, 0) + each.requests * known[way]
    return asked
