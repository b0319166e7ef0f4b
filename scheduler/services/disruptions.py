"""A teacher is away, a school is closed, a storm comes: what it concerns, and one step for all.

`preview` proposes something for each lesson; `apply` keeps the absence or the closed days and does
what was seen, in one transaction.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from scheduler.domain import access
from scheduler.domain import disruptions as rules
from scheduler.domain.access import Action, Actor, Role
from scheduler.domain.cover import CallEnd
from scheduler.domain.disruptions import Absence, Choice, Closure, Disruption, Proposal, Way
from scheduler.domain.intervals import DaySpan, Interval
from scheduler.domain.lessons import Deed, Lesson, LessonId
from scheduler.domain.openings import Situation
from scheduler.domain.people import ReceivingSchool, Teacher, TeacherId
from scheduler.domain.plans import Change, ChangeKind, Fingerprint
from scheduler.domain.terms import ProgrammeId, Term
from scheduler.errors import NotAllowed, NotFound, Stale, text
from scheduler.services import programmes, reminders, situations, timetable, waves
from scheduler.services.context import Context
from scheduler.services.timetable import Cause
from scheduler.store import (
    audits,
    availability,
    covers,
    lessons,
    people,
    pins,
    present,
    roles,
    tables,
    terms,
)
from scheduler.store import timetable as rows
from scheduler.store.database import Session
from scheduler.store.visibility import seen_among, sees


@dataclass(frozen=True, slots=True)
class Line:
    """One lesson that cannot stay as it is, and what is to become of it.

    `teacher`: who gives it after a MOVE, by name.
    """

    lesson: Lesson
    proposal: Proposal
    teacher: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What applying would do: exactly that, as long as the fingerprint holds."""

    disruption: Disruption
    term: Term
    lines: tuple[Line, ...]
    fingerprint: Fingerprint

    @property
    def counts(self) -> dict[Way, int]:
        found = Counter(line.proposal.way for line in self.lines)
        return {way: found[way] for way in Way}


@dataclass(frozen=True, slots=True)
class _Seen:
    """A disruption with everything that decides about it, read at one moment; `ways`: what the
    actor may do with its lessons."""

    ways: frozenset[Way]
    disruption: Disruption
    term: Term
    situation: Situation
    lessons: tuple[Lesson, ...]
    proposals: tuple[Proposal, ...]

    @property
    def fingerprint(self) -> Fingerprint:
        return rules.fingerprint(self.disruption, self.lessons, self.proposals)


@dataclass(frozen=True, slots=True)
class Known:
    """Whom and what a coordinator may name: her volunteers and receiving schools, by name."""

    teachers: tuple[Teacher, ...]
    schools: tuple[ReceivingSchool, ...]


# -- naming one


def known(ctx: Context, actor: Actor) -> Known:
    """Raises NotFound for who runs no programme."""
    programme = programmes.own(actor)
    access.require(actor, Action.MEET_DISRUPTIONS, programme)
    with ctx.reading() as db:
        away = roles.gone(db, programme)
        volunteers = [each for each in people.teachers(db, programme) if each.id not in away]
        there = terms.schools(db, programme)
    return Known(
        tuple(sorted(volunteers, key=lambda each: (each.name, each.id))),
        tuple(sorted(there, key=lambda each: (each.district, each.name, each.id))),
    )


def absence_of(ctx: Context, actor: Actor, email: str, span: DaySpan, reason: str) -> Absence:
    """The absence of the volunteer with that address; raises NotFound for strangers."""
    with ctx.reading() as db:
        known = people.by_email(db, email)
        for programme in _programmes(actor) if known else ():
            for teacher in people.teachers(db, programme):
                if known and teacher.person_id == known.id:
                    _whose(db, actor, Absence(teacher.id, span, reason))
                    return Absence(teacher.id, span, reason)
    raise NotFound("There is no such teacher here.")


def closure_of(
    ctx: Context,
    actor: Actor,
    span: DaySpan,
    reason: str,
    *,
    codes: Collection[str] = (),
    districts: Collection[str] = (),
    everywhere: bool = False,
) -> Closure:
    """The closure of these schools, of all schools of these districts, or of all schools.

    Raises NotFound for a code or district that is not there, or not the actor's to see.
    """
    with ctx.reading() as db:
        schools = [s for p in _programmes(actor) for s in terms.schools(db, p)]
        own = seen_among(db, actor, tables.receiving_schools, [s.id for s in schools])
    seen = [school for school in schools if school.id in own]
    for code in codes:
        if all(school.code != code for school in seen):
            raise NotFound(text("There is no school with the code {code}.", code=code))
    for district in districts:
        if all(school.district != district for school in seen):
            raise NotFound(text("There is no school in the district {name}.", name=district))
    hit = [s for s in seen if everywhere or s.code in codes or s.district in districts]
    if not hit:
        raise NotFound("There is no such school here.")
    return Closure(tuple(sorted(school.id for school in hit)), span, reason)


def _programmes(actor: Actor) -> tuple[ProgrammeId, ...]:
    return tuple(dict.fromkeys(grant.programme_id for grant in actor.grants))


# -- looking and doing


def preview(ctx: Context, actor: Actor, disruption: Disruption) -> Preview:
    """Every lesson that it concerns, each with the smallest change that works, and why.

    Raises NotFound for strangers, Invalid for days or a reason that cannot be.
    """
    with ctx.reading() as db:
        seen = _look(ctx, db, actor, disruption)
        names = {v.who.teacher_id: v.who.name for v in seen.situation.volunteers.values()}
    return _preview(seen, seen.proposals, names)


def apply(
    ctx: Context,
    actor: Actor,
    disruption: Disruption,
    fingerprint: Fingerprint,
    choices: Mapping[LessonId, Choice] | None = None,
) -> Preview:
    """Keep the absence or the closed days, and do for each lesson what was seen or chosen.

    All of it or nothing.  Raises Stale when something else is proposed by now, Conflict for a
    choice that does not fit, NotAllowed for one that is a coordinator's; what was applied already
    is not done again.
    """
    chosen = choices or {}
    with ctx.transaction() as db:
        term = _term(db, _whose(db, actor, disruption), disruption)
        terms.lock(db, term.id)
        rows.lock(db, term.id, _instants(disruption.span, term))
        seen = _look(ctx, db, actor, disruption)
        new = _keep(db, seen)
        if not new and not seen.lessons:
            return _preview(seen, (), {})
        if seen.fingerprint != fingerprint:
            raise Stale("The timetable changed while you were looking. See what is proposed now.")
        _may_choose(actor, seen, chosen.values())
        done = rules.decided(seen.disruption, seen.proposals, chosen, seen.situation)
        _carry_out(ctx, db, actor, seen, done)
        _record(ctx, db, actor, seen, done)
        names = {v.who.teacher_id: v.who.name for v in seen.situation.volunteers.values()}
    return _preview(seen, done, names)


def withdraw(ctx: Context, actor: Actor, disruption: Disruption) -> None:
    """Take the absence or the closed days back; the lessons stay as they stand by now.

    Raises NotFound when there is none with exactly these days.
    """
    with ctx.transaction() as db:
        term = _term(db, _whose(db, actor, disruption), disruption)
        terms.lock(db, term.id)
        forget(ctx, db, actor, term, disruption)


def forget(
    ctx: Context,
    db: Session,
    actor: Actor,
    term: Term,
    disruption: Disruption,
    after: Mapping[str, object] | None = None,
) -> None:
    """`withdraw` for a term that the caller holds; `after`: what became of its lessons."""
    match disruption:
        case Absence(teacher_id=teacher, span=span):
            found = int(availability.come_back(db, term.id, teacher, span))
        case Closure(school_ids=schools, span=span):
            found = terms.reopen(db, schools, span)
    if not found:
        raise NotFound("Nothing is kept for exactly these days.")
    action, subject, subject_id = _subject(disruption)
    audits.record(
        db, ctx.now(), actor.person_id, f"withdraw_{action}", subject, subject_id,
        before=_days(disruption), after=after,
    )  # fmt: skip


def _preview(seen: _Seen, shown: Sequence[Proposal], names: Mapping[TeacherId, str]) -> Preview:
    lines = tuple(
        Line(lesson, each, names.get(each.after.teacher_id, "") if each.after else "")
        for lesson, each in zip(seen.lessons, shown, strict=True)
    )
    return Preview(seen.disruption, seen.term, lines, seen.fingerprint)


# -- who may


def _whose(db: Session, actor: Actor, disruption: Disruption) -> ProgrammeId:
    """The programme it belongs to; raises NotFound for strangers, NotAllowed for a school that
    speaks for others."""
    match disruption:
        case Absence(teacher_id=teacher):
            if not sees(db, actor, tables.teachers, teacher):
                raise NotFound("There is no such teacher here.")
            own = any(grant.teacher_id == teacher for grant in actor.with_role(Role.TEACHER))
            programme = people.programme_of_teacher(db, teacher)
        case Closure(school_ids=schools):
            seen = seen_among(db, actor, tables.receiving_schools, schools)
            if not schools or seen != set(schools):
                raise NotFound("There is no such school here.")
            own = len(schools) == 1 and schools[0] in actor.schools
            programme = terms.programme_of_school(db, schools[0])
    if not own:
        access.require(actor, Action.MEET_DISRUPTIONS, programme)
    return programme


def _ways(actor: Actor, disruption: Disruption, programme: ProgrammeId) -> frozenset[Way]:
    """A teacher who is away moves no class and calls nothing off: that is for its school and for
    coordinators, who hear of it when nobody is left to ask."""
    if actor.can(Action.MEET_DISRUPTIONS, programme):
        return frozenset(Way)
    if isinstance(disruption, Absence):
        return frozenset({Way.LEAVE, Way.COVER})
    return frozenset({Way.LEAVE, Way.MOVE, Way.CALL_OFF})


def _may_choose(actor: Actor, seen: _Seen, choices: Iterable[Choice]) -> None:
    """Who gives a lesson instead is a coordinator's choice alone."""
    if actor.can(Action.MEET_DISRUPTIONS, seen.term.programme_id):
        return
    if any(x.way not in seen.ways or x.teacher_id is not None for x in choices):
        raise NotAllowed("Your account may not do this.")


def _term(db: Session, programme: ProgrammeId, disruption: Disruption) -> Term:
    """The term of its days: a new one may be there before the old one is over."""
    term = present.of_day(db, programme, disruption.span.first_day)
    if term is None:
        raise NotFound("There is no term yet.")
    return term


# -- reading


def _look(ctx: Context, db: Session, actor: Actor, disruption: Disruption) -> _Seen:
    now = ctx.now()
    programme = _whose(db, actor, disruption)
    term, ways = _term(db, programme, disruption), _ways(actor, disruption, programme)
    asked = rules.checked(disruption, term, now)
    if isinstance(asked, Absence) and availability.pledge(db, term.id, asked.teacher_id) is None:
        raise NotFound("This teacher has no part in the term.")
    days = _instants(asked.span, term)
    found = lessons.find(
        db,
        term_id=term.id,
        teacher_id=asked.teacher_id if isinstance(asked, Absence) else None,
        since=days.start,
        until=days.end,
    )
    called = covers.of_lessons(db, [lesson.id for lesson in found])
    hit = rules.concerned(asked, found, called, now)
    situation = situations.take(db, term, now)
    made = rules.proposals(asked, [lesson.id for lesson in hit], situation, ways)
    return _Seen(ways, asked, term, situation, hit, made)


def _instants(span: DaySpan, term: Term) -> Interval:
    zone = ZoneInfo(term.zone)
    ends = datetime.combine(span.last_day, time(), zone) + timedelta(days=1)
    return Interval(datetime.combine(span.first_day, time(), zone), ends)


# -- writing


def _keep(db: Session, seen: _Seen) -> bool:
    """Whether the absence or the closed days are new."""
    match seen.disruption:
        case Absence(teacher_id=teacher, span=span, reason=reason):
            return availability.go_away(db, seen.term.id, teacher, span, reason)
        case Closure(school_ids=schools, span=span, reason=reason):
            return terms.close(db, schools, span, reason) > 0


def _carry_out(
    ctx: Context, db: Session, actor: Actor, seen: _Seen, done: Sequence[Proposal]
) -> None:
    known = {lesson.id: lesson for lesson in seen.lessons}
    of = {way: [known[x.lesson_id] for x in done if x.way is way] for way in Way}
    # Its news has a name of its own each time: the same days may be closed twice.
    name = f"{_subject(seen.disruption)[0]}:{seen.fingerprint}:{ctx.now().isoformat()}"
    cause = Cause(
        Deed.MOVED, name, actor.person_id, actor.name, seen.disruption.reason,
        said=seen.disruption.reason, call_end=CallEnd.MOVED,
    )  # fmt: skip
    _move(ctx, db, seen, done, cause)
    if of[Way.CALL_OFF]:
        off = replace(cause, deed=Deed.CALLED_OFF, name=f"{name}:off")
        timetable.call_off(ctx, db, seen.term, of[Way.CALL_OFF], off)
    for lesson in of[Way.COVER]:
        waves.begin(ctx, db, lesson, seen.disruption.reason, actor.person_id)
    reminders.replan(ctx, db, [lesson.id for lesson in of[Way.COVER]])


def _move(ctx: Context, db: Session, seen: _Seen, done: Sequence[Proposal], cause: Cause) -> None:
    """What leaves the weekly timetable of its class is pinned: no plan is to take it back."""
    moves = [Change(ChangeKind.MOVED, x.before, x.after) for x in done if x.after is not None]
    if not moves:
        return
    places = {place: lesson for lesson, place in seen.situation.standing.items()}
    timetable.carry_out(ctx, db, seen.term, moves, places, cause)
    for lesson, day in rules.detached(seen.disruption, done, seen.situation).items():
        pins.put(db, [lesson], cause.by, cause.reason, day, ctx.now())


def _record(ctx: Context, db: Session, actor: Actor, seen: _Seen, done: Sequence[Proposal]) -> None:
    action, subject, subject_id = _subject(seen.disruption)
    counts = Counter(each.way.value for each in done)
    private = isinstance(seen.disruption, Absence)  # why somebody is away is not kept for ever
    audits.record(
        db, ctx.now(), actor.person_id, action, subject, subject_id,
        reason="" if private else seen.disruption.reason,
        after={**_days(seen.disruption), **counts},
    )  # fmt: skip


def _subject(disruption: Disruption) -> tuple[str, str, int | None]:
    """What the record calls it: the deed, and the teacher or the one school that it is about."""
    if isinstance(disruption, Absence):
        return "absence", "teacher", disruption.teacher_id
    schools = disruption.school_ids
    return "closure", "school", schools[0] if len(schools) == 1 else None


def _days(disruption: Disruption) -> dict[str, object]:
    span = disruption.span
    told: dict[str, object] = {
        "first_day": span.first_day.isoformat(),
        "last_day": span.last_day.isoformat(),
    }
    if isinstance(disruption, Closure):
        told["schools"] = list(disruption.school_ids)
    return told
