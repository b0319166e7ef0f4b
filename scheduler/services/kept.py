"""What came between and stands: absences and closed days, who kept them, and taking them back.

Days that are taken back give lessons back: those that were called off for them and that nothing
else keeps off by now, and those whose teacher comes after all.  What moved, or has another teacher,
stays as its people know it.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from scheduler.domain import access, audits
from scheduler.domain.access import Action, Actor
from scheduler.domain.disruptions import Absence, Closure, Disruption, Way
from scheduler.domain.intervals import DaySpan, Interval, midnight, monday
from scheduler.domain.lessons import Deed, Lesson, LessonId, LessonState
from scheduler.domain.openings import Board as Openings
from scheduler.domain.openings import Situation
from scheduler.domain.people import ReceivingSchool, SchoolId
from scheduler.domain.plans import Fingerprint
from scheduler.domain.terms import ProgrammeId, Term
from scheduler.errors import NotFound, Stale, Text, text
from scheduler.services import disruptions, programmes, restores, situations, waves
from scheduler.services.context import Context
from scheduler.services.restores import Return
from scheduler.store import (
    audit_search,
    availability,
    covers,
    history,
    lessons,
    offers,
    people,
    present,
    terms,
)
from scheduler.store import timetable as rows
from scheduler.store.audit_search import Entry, Wanted
from scheduler.store.covers import CoverCall
from scheduler.store.database import Session
from scheduler.store.history import Version

_MOST_LINES = 500  # of the record that are looked through
_WEEK = timedelta(days=7)
_DEEDS = {Absence: (Deed.COVER_ASKED, Deed.CALLED_OFF, Deed.MOVED),
          Closure: (Deed.CALLED_OFF, Deed.MOVED)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """Days that stand.  `id` names them in addresses; `names`: the teacher and their school, or the
    schools, none where it is `everywhere`; `by`, `at` and `touched` lessons, as far as the record
    tells."""

    id: int
    disruption: Disruption
    names: tuple[str, ...]
    everywhere: bool = False
    by: str = ""
    at: datetime | None = None
    touched: int | None = None

    @property
    def away(self) -> bool:
        return isinstance(self.disruption, Absence)


@dataclass(frozen=True, slots=True)
class Board:
    """What is not over yet, the nearest first, and what is, the latest first."""

    ahead: tuple[Kept, ...]
    behind: tuple[Kept, ...]


class Fate(StrEnum):
    """What becomes of a lesson when the days are taken back."""

    RETURNS = "returns"  # it was called off, and takes place after all
    KEEPS = "keeps"  # its teacher comes after all, nobody else is looked for
    STAYS = "stays"


@dataclass(frozen=True, slots=True)
class Line:
    """One lesson that these days touched; `why`: it stays as it is, else None."""

    lesson: Lesson
    fate: Fate
    why: Text | None
    back: Return | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What taking the days back would do: exactly that, as long as `seen` holds."""

    kept: Kept
    lines: tuple[Line, ...]
    seen: Fingerprint


@dataclass(frozen=True, slots=True)
class Undone:
    """How many lessons take place after all, and for how many nobody is looked for any more."""

    returned: int
    kept: int


def board(ctx: Context, actor: Actor) -> Board:
    """All of the present term and of those ahead, and all closed days; raises NotFound for who runs
    no programme."""
    programme = _own(actor)
    with ctx.reading() as db:
        term, found = _term(db, programme, ctx.now()), _closures(db, programme)
        for each in _open(db, programme, term):
            found.extend(_absences(db, each))
        said = _said(db, actor)
    today = term.today(ctx.now())
    told = sorted((_with_record(each, said, term.zone) for each in found), key=_first_day)
    ahead = tuple(x for x in told if x.disruption.span.last_day >= today)
    return Board(ahead, tuple(x for x in reversed(told) if x.disruption.span.last_day < today))


def look(ctx: Context, actor: Actor, kept_id: int, *, away: bool) -> Look:
    """What becomes of each lesson when these days are taken back; raises NotFound."""
    programme = _own(actor)
    with ctx.reading() as db:
        return _look(ctx, db, programme, kept_id, away=away)[1]


def undo(
    ctx: Context,
    actor: Actor,
    kept_id: int,
    seen: Fingerprint,
    wanted: Collection[LessonId],
    *,
    away: bool,
) -> Undone:
    """Take the days back, and give back those `wanted` of their lessons that can be, all told.

    Raises NotFound, and Stale when something else would become of them by now.
    """
    programme = _own(actor)
    with ctx.transaction() as db:
        term, held = _found(db, programme, _term(db, programme, ctx.now()), kept_id, away=away)
        disruption = held.disruption
        terms.lock(db, term.id)
        rows.lock(db, term.id, _weeks(disruption.span, term))
        _, found, calls = _look(ctx, db, programme, kept_id, away=away)
        if found.seen != seen:
            raise Stale("Something changed while you were looking. See what it means now.")
        chosen = [line for line in found.lines if line.lesson.id in set(wanted)]
        back = [line.back for line in chosen if line.fate is Fate.RETURNS and line.back]
        stays = [line.lesson for line in chosen if line.fate is Fate.KEEPS]
        after = {"returned": len(back), "kept": len(stays)}
        disruptions.forget(ctx, db, actor, term, disruption, after)
        for teacher in sorted({each.lesson.teacher_id for each in back}):
            offers.lock_teacher(db, teacher)
        name = f"reopened:{found.seen}:{ctx.now().isoformat()}"
        restores.bring_back(ctx, db, actor, term, back, name)
        for lesson in stays:
            waves.end(ctx, db, calls[lesson.id], lesson, actor.person_id)
    return Undone(len(back), len(stays))


# -- what is kept


def _own(actor: Actor) -> ProgrammeId:
    programme = programmes.own(actor)
    access.require(actor, Action.MEET_DISRUPTIONS, programme)
    return programme


def _term(db: Session, programme: ProgrammeId, now: datetime) -> Term:
    term = present.running(db, programme, now)
    if term is None:
        raise NotFound("There is no term yet.")
    return term


def _open(db: Session, programme: ProgrammeId, running: Term) -> tuple[Term, ...]:
    """That term and those ahead of it."""
    found = terms.of_programme(db, programme)
    return tuple(term for term in found if term.first_day >= running.first_day)


def _absences(db: Session, term: Term) -> list[Kept]:
    known = {x.id: x for x in people.teachers(db, term.programme_id)}
    return [
        Kept(
            each.id,
            Absence(each.teacher_id, each.span, each.reason),
            (known[each.teacher_id].name, known[each.teacher_id].school.name),
        )
        for each in availability.away(db, term.id)
    ]


def _closures(db: Session, programme: ProgrammeId) -> list[Kept]:
    """The same days for the same reason are one closure, of however many schools."""
    schools = {school.id: school for school in terms.schools(db, programme)}
    groups: dict[tuple[DaySpan, str], list[terms.Closed]] = {}
    for each in terms.closures(db, programme):
        groups.setdefault((each.span, each.reason), []).append(each)
    return [_closure(found, schools) for found in groups.values()]


def _closure(found: Sequence[terms.Closed], schools: Mapping[SchoolId, ReceivingSchool]) -> Kept:
    ids = tuple(sorted({each.school_id for each in found}))
    everywhere = len(ids) == len(schools) > 1
    names = () if everywhere else _places([schools[each] for each in ids], schools.values())
    made = Closure(ids, found[0].span, found[0].reason)
    return Kept(min(each.id for each in found), made, names, everywhere)


def _places(
    closed: Sequence[ReceivingSchool], all_of: Iterable[ReceivingSchool]
) -> tuple[str, ...]:
    """A district's name where all of its schools are closed, else the schools' own."""
    size = Counter(each.district for each in all_of)
    here = Counter(each.district for each in closed)
    whole = {name for name, n in here.items() if n == size[name] > 1}
    alone = sorted(each.name for each in closed if each.district not in whole)
    return (*sorted(whole), *alone)


def _first_day(kept: Kept) -> tuple[date, date, bool, int]:
    span = kept.disruption.span
    return span.first_day, span.last_day, kept.away, kept.id


def _said(db: Session, actor: Actor) -> dict[tuple[object, ...], Entry]:
    """What the record says of keeping such days: the newest line of each."""
    own = audits.reader(actor)
    found: dict[tuple[object, ...], Entry] = {}
    for action in ("absence", "closure"):
        for each in audit_search.find(db, own, Wanted(action=action), _MOST_LINES):
            told = each.line.after or {}
            days = str(told.get("first_day")), str(told.get("last_day"))
            schools = told.get("schools")
            whose = schools if isinstance(schools, list) else [each.line.subject_id]
            for one in whose:
                found.setdefault((action, one, *days), each)
    return found


def _with_record(kept: Kept, said: Mapping[tuple[object, ...], Entry], zone: str) -> Kept:
    span = kept.disruption.span
    days = span.first_day.isoformat(), span.last_day.isoformat()
    match kept.disruption:
        case Absence(teacher_id=teacher):
            found = said.get(("absence", teacher, *days))
        case Closure(school_ids=schools):
            found = said.get(("closure", schools[0], *days))
    if found is None:
        return kept
    told = found.line.after or {}
    counts = [told.get(way.value, 0) for way in Way if way is not Way.LEAVE]
    touched = sum(n for n in counts if isinstance(n, int))
    at = found.line.at.astimezone(ZoneInfo(zone))
    return replace(kept, by=found.by, at=at, touched=touched)


# -- what taking back means


def _found(
    db: Session, programme: ProgrammeId, running: Term, kept_id: int, *, away: bool
) -> tuple[Term, Kept]:
    """What is kept, and the term of its days."""
    for term in _open(db, programme, running) if away else ():
        for each in _absences(db, term):
            if each.id == kept_id:
                return term, each
    for each in () if away else _closures(db, programme):
        if each.id == kept_id:
            first = each.disruption.span.first_day
            return present.of_day(db, programme, first) or running, each
    raise NotFound("Nothing is kept for these days any more.")


def _look(
    ctx: Context, db: Session, programme: ProgrammeId, kept_id: int, *, away: bool
) -> tuple[Term, Look, Mapping[LessonId, CoverCall]]:
    now = ctx.now()
    term, kept = _found(db, programme, _term(db, programme, now), kept_id, away=away)
    made = kept.disruption
    teacher = made.teacher_id if isinstance(made, Absence) else None
    weeks = _weeks(made.span, term)
    ids = history.done_for(db, made.reason, _DEEDS[type(made)], weeks, teacher)
    found = [x for x in lessons.find(db, ids=sorted(ids)) if _is_of(made, x, term)]
    then = history.as_of(db, [x.id for x in found], now)
    calls = covers.of_lessons(db, [x.id for x in found])
    off = [x for x in found if _called_off_for(made, x, then)]
    kept_off: Mapping[LessonId, Text | None] = {}
    back: Mapping[LessonId, Return] = {}
    if off or calls:
        there = _without(situations.take(db, term, now), made)
        back = {x.lesson.id: x for x in restores.returns(ctx, db, there, off)}
        board = Openings(there)
        kept_off = {x.id: restores.hindered(board, x) for x in found if x.id in calls}
    made_lines = (
        _line(made, x, back.get(x.id), calls.get(x.id), kept_off.get(x.id), now) for x in found
    )
    lines = tuple(line for line in made_lines if line is not None)
    return term, Look(kept, lines, _fingerprint(kept, lines)), calls


def _weeks(span: DaySpan, term: Term) -> Interval:
    """The weeks of these days: a lesson moves inside its week."""
    end = monday(span.last_day) + _WEEK
    return Interval(midnight(monday(span.first_day), term.zone), midnight(end, term.zone))


def _is_of(made: Disruption, lesson: Lesson, term: Term) -> bool:
    """Whether these days touched it: others of the week may be kept for the same reason."""
    there = (lesson.starts_at, lesson.moved_from)
    if not any(at and term.today(at) in made.span for at in there):
        return False
    return isinstance(made, Absence) or lesson.school_id in made.school_ids


def _called_off_for(made: Disruption, lesson: Lesson, then: Mapping[LessonId, Version]) -> bool:
    last = then[lesson.id]
    cancelled = lesson.state is LessonState.CANCELLED
    return cancelled and last.deed is Deed.CALLED_OFF and last.reason == made.reason


def _without(situation: Situation, made: Disruption) -> Situation:
    """The term as it would be if nobody had kept these days."""
    match made:
        case Closure(school_ids=schools, span=span):
            rest = {
                school: tuple(x for x in spans if x != span) if school in schools else spans
                for school, spans in situation.closed.items()
            }
            return replace(situation, closed=rest)
        case Absence(teacher_id=teacher, span=span):
            if (held := situation.volunteers.get(teacher)) is None:
                return situation
            who = replace(held.who, absences=tuple(x for x in held.who.absences if x != span))
            return replace(
                situation, volunteers={**situation.volunteers, teacher: replace(held, who=who)}
            )


def _line(
    made: Disruption,
    lesson: Lesson,
    back: Return | None,
    call: CoverCall | None,
    hindered: Text | None,
    now: datetime,
) -> Line | None:
    """None: nothing of it is left to tell."""
    if lesson.starts_at <= now:
        return Line(lesson, Fate.STAYS, text("It is over."))
    if back is not None:
        return Line(lesson, Fate.STAYS if back.why else Fate.RETURNS, back.why, back)
    if lesson.state is LessonState.CANCELLED:
        return Line(lesson, Fate.STAYS, text("It was called off for something else since."))
    if isinstance(made, Absence):
        if call is not None and call.reason == made.reason:
            return Line(lesson, Fate.STAYS if hindered else Fate.KEEPS, hindered)
        if lesson.teacher_id != made.teacher_id:
            name = lesson.teacher_name
            return Line(lesson, Fate.STAYS, text("{name} gives it now, and keeps it.", name=name))
    if lesson.moved_from is not None:
        return Line(lesson, Fate.STAYS, text("It has moved, and stays where its people know it."))
    return None


def _fingerprint(kept: Kept, lines: Iterable[Line]) -> Fingerprint:
    told = [
        (x.lesson.id, x.lesson.sequence, x.fate, str(x.why), x.back.cover if x.back else "")
        for x in lines
    ]
    digest = hashlib.sha256(repr((kept.disruption, told)).encode())
    return Fingerprint(digest.hexdigest()[:32])
