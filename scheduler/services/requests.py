"""A school asks for lessons, changes and withdraws what it asked, and sees what became of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from scheduler.domain import access, mending, rooms
from scheduler.domain import requests as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.intervals import DaySpan
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.people import ClassId, ReceivingSchool, SchoolClass, SchoolId
from scheduler.domain.plans import FixKind
from scheduler.domain.requests import NewRequest, Request, RequestId
from scheduler.domain.rooms import Cell
from scheduler.domain.terms import Choice, Term
from scheduler.errors import Conflict, Invalid, NotFound, Stale, text
from scheduler.services import gaps, programmes
from scheduler.services.context import Context
from scheduler.services.gaps import GapLine
from scheduler.services.lessons import visible_school
from scheduler.services.programmes import Wanted
from scheduler.store import audits, lessons, plans, runs, tables, terms
from scheduler.store import requests as rows
from scheduler.store.database import Session
from scheduler.store.visibility import sees


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request, the lessons it asks for, and what is planned in the published timetable.

    `gap` says why some stayed without a teacher when that was made, with nobody's name in it;
    `mended`: which of its fixes the school has taken up since.
    """

    request: Request
    wanted: int
    planned: int
    teachers: tuple[str, ...]
    next: Lesson | None
    gap: GapLine | None
    mended: frozenset[FixKind] = frozenset()

    @property
    def missing(self) -> int:
        return max(0, self.wanted - self.planned)


@dataclass(frozen=True, slots=True)
class SchoolDesk:
    """All that the request page of a school shows; `lines`: those that lack most in front.

    `withdrawn`: what was taken back since the last run began, which can be asked for again.
    """

    school: ReceivingSchool
    choice: Choice
    classes: tuple[SchoolClass, ...]
    lines: tuple[RequestLine, ...]
    withdrawn: tuple[Request, ...]
    ahead: tuple[Lesson, ...]
    days_ahead: frozenset[date]

    @property
    def term(self) -> Term:
        return self.choice.term

    def full(self, changing: Request | None = None) -> Mapping[Cell, tuple[str, ...]]:
        """The periods whose rooms other classes have, but for what the request itself takes."""
        others = (x for x in self.ahead if changing is None or x.request_id != changing.id)
        own = {(slot.weekday, slot.start) for slot in changing.slots} if changing else set()
        found = rooms.full(others, self.school, self.days_ahead)
        return {cell: names for cell, names in found.items() if cell not in own}


def own_schools(ctx: Context, actor: Actor) -> tuple[ReceivingSchool, ...]:
    """The schools that the actor is a contact of."""
    with ctx.reading() as db:
        return terms.seen_schools(db, actor, actor.schools)


def desk(ctx: Context, actor: Actor, school_id: SchoolId, wanted: Wanted = None) -> SchoolDesk:
    """A school's requests in a term, with their state; raises NotFound for a stranger."""
    now = ctx.now()
    with ctx.reading() as db:
        school = visible_school(db, actor, school_id)
        choice = programmes.choose_at(db, school_id, wanted, now)
        term = choice.term
        asked = rows.of_school(db, term.id, school_id)
        given = lessons.find(db, school_id=school_id, term_id=term.id)
        classes = terms.classes(db, school_id)
        shut = terms.closed_spans(db, term.programme_id).get(school_id, ())
        in_force = plans.published(db, term.id)
        missing = plans.gaps(db, in_force.id, school_id) if in_force else ()
        withdrawn = rows.withdrawn_since(db, term.id, school_id, _last_run(db, term))
    gap_lines = gaps.lines(missing, {r.id: r for r in asked}, {school.id: school}, {})
    why = {line.request.id: gaps.without_names(line) for line in gap_lines}
    live = [lesson for lesson in given if lesson.state is not LessonState.CANCELLED]
    planned = Counter(lesson.request_id for lesson in live)
    lines = []
    for request in asked:
        own = [lesson for lesson in live if lesson.request_id == request.id]
        gap = why.get(request.id)
        lines.append(
            RequestLine(
                request=request,
                wanted=rules.wanted(request, term, shut),
                planned=planned[request.id],
                teachers=tuple(dict.fromkeys(lesson.teacher_name for lesson in own)),
                next=next((lesson for lesson in own if lesson.ends_at > now), None),
                gap=gap,
                mended=_mended(gap, asked) if gap else frozenset(),
            )
        )
    return SchoolDesk(
        school=school,
        choice=choice,
        classes=classes,
        lines=tuple(sorted(lines, key=lambda line: -line.missing)),
        withdrawn=withdrawn,
        ahead=tuple(lesson for lesson in live if lesson.starts_at > now),
        days_ahead=_days_ahead(term, now, shut),
    )


def desk_of(ctx: Context, actor: Actor, request: Request) -> SchoolDesk:
    """The desk of its school, in the term that the request asks for."""
    return desk(ctx, actor, request.school_id, its_term(ctx, request).id)


def its_term(ctx: Context, request: Request) -> Term:
    """The term of a request that was read already."""
    with ctx.reading() as db:
        return term_of(db, request.id)


def _mended(gap: GapLine, asked: tuple[Request, ...]) -> frozenset[FixKind]:
    fixes = (line.fix for line in gap.fixes)
    return frozenset(fix.kind for fix in fixes if mending.is_done(gap.request, fix, asked))


def _days_ahead(term: Term, now: datetime, shut: Iterable[DaySpan]) -> frozenset[date]:
    today = max(term.today(now), term.first_day)
    closed = [*shut, *(DaySpan(day, day) for day in term.holidays)]
    days = DaySpan(today, max(today, term.last_day)).days()
    return frozenset(day for day in days if not any(day in span for span in closed))


def submit(
    ctx: Context, actor: Actor, school_id: SchoolId, new: NewRequest, wanted: Wanted = None
) -> RequestId:
    """Ask for lessons of a term for a class of the school; it enters the next matching run.

    Asking twice for just the same, as a double tap does, is asking once.  Raises Invalid with the
    faults by form field, NotFound for a stranger, NotAllowed for who may see and not ask,
    Conflict for a term that is over.
    """
    with ctx.transaction() as db:
        school = visible_school(db, actor, school_id)
        choice = programmes.choose_at(db, school_id, wanted, ctx.now())
        term = choice.term
        access.require(actor, Action.REQUEST_LESSONS, term.programme_id)
        programmes.require_open(choice)
        class_id = _checked(db, school, term, new)
        rows.lock_class(db, class_id)
        return ask(ctx, db, actor, term, school_id, class_id, new)


def ask(
    ctx: Context,
    db: Session,
    actor: Actor,
    term: Term,
    school_id: SchoolId,
    class_id: ClassId,
    new: NewRequest,
) -> RequestId:
    """Store what was checked, of a class that is locked; what is asked for already stays as it is.

    For use cases that ask as a part of what they do.
    """
    before = rows.of_school(db, term.id, school_id)
    if (same := next((r for r in before if rules.asks(r, new)), None)) is not None:
        return same.id
    request_id = rows.insert(db, term.id, class_id, new, ctx.now(), actor.person_id)
    audits.record(
        db, ctx.now(), actor.person_id, "request", "request", request_id, after=_told(new)
    )
    return request_id


def change(ctx: Context, actor: Actor, request_id: RequestId, new: NewRequest, seen: str) -> None:
    """Make a request ask for something else; the next run takes it so, lessons stay until then.

    `seen` names the request as it stood when the change was thought out (`rules.seen_as`): raises
    Stale when it was changed since, unless to just the same.  Raises Invalid with the faults by
    form field, Conflict when it was withdrawn, NotFound for a stranger.
    """
    with ctx.transaction() as db:
        found = locked(db, actor, request_id)
        if rules.asks(found, new):
            return
        if rules.seen_as(found) != seen:
            raise Stale("This request was changed while you were looking. See how it stands now.")
        rewrite(ctx, db, actor, found, new)


def rewrite(ctx: Context, db: Session, actor: Actor, found: Request, new: NewRequest) -> None:
    """Check and store a change of a request that is locked, and record it."""
    school = visible_school(db, actor, found.school_id)
    _checked(db, school, _open_term(ctx, db, found), new)
    if new.class_name != found.class_name:
        raise Invalid(
            "The request is not complete yet.",
            fields={"class_name": text("A request stays with its class. Ask anew for another.")},
        )
    if not rows.change(db, found.id, new):
        raise Conflict("This request was taken back already.")
    audits.record(
        db,
        ctx.now(),
        actor.person_id,
        "change_request",
        "request",
        found.id,
        before=_told(rules.as_asked(found)),
        after=_told(new),
    )


def withdraw(ctx: Context, actor: Actor, request_id: RequestId) -> None:
    """Take a request back: the next run leaves it out; published lessons stay until then."""
    with ctx.transaction() as db:
        _open_term(ctx, db, _own(db, actor, request_id))
        take_back(ctx, db, actor, request_id)


def take_back(ctx: Context, db: Session, actor: Actor, request_id: RequestId) -> None:
    """Withdraw a request that the actor may withdraw, and record it."""
    if not rows.withdraw(db, request_id, ctx.now()):
        raise Conflict("This request was taken back already.")
    audits.record(db, ctx.now(), actor.person_id, "withdraw", "request", request_id)


def restore(ctx: Context, actor: Actor, request_id: RequestId) -> None:
    """Undo a withdrawal that no run has heard of yet.

    Raises Conflict when one has, or when the class has asked for just the same since.
    """
    with ctx.transaction() as db:
        found = _own(db, actor, request_id)
        rows.lock_class(db, found.class_id)
        term = _open_term(ctx, db, found)
        asked = rows.of_school(db, term.id, found.school_id)
        if any(other.id == request_id for other in asked):
            return
        if any(rules.asks(other, rules.as_asked(found)) for other in asked):
            raise Conflict("The class has asked for just the same again.")
        if not rows.restore(db, request_id, _last_run(db, term)):
            raise Conflict("A search has begun since it was taken back. Ask for it anew.")
        audits.record(db, ctx.now(), actor.person_id, "restore", "request", request_id)


def get(ctx: Context, actor: Actor, request_id: RequestId) -> Request:
    """A request that the actor may change, withdrawn or not; raises NotFound for a stranger."""
    with ctx.reading() as db:
        return _own(db, actor, request_id)


def locked(db: Session, actor: Actor, request_id: RequestId) -> Request:
    """The request, it and its class held against other writers; raises as `change` does."""
    rows.lock_class(db, _own(db, actor, request_id).class_id)
    found = rows.lock(db, request_id)
    if found is None:
        raise Conflict("This request was taken back already.")
    return found


def term_of(db: Session, request_id: RequestId) -> Term:
    """The term that a request asks for."""
    term = terms.of_request(db, request_id)
    if term is None:
        raise NotFound("There is no such request here.")
    return term


def _open_term(ctx: Context, db: Session, found: Request) -> Term:
    """Its term; raises Conflict when that is over."""
    wanted = term_of(db, found.id).id
    choice = programmes.choose_at(db, found.school_id, wanted, ctx.now())
    programmes.require_open(choice)
    return choice.term


def _own(db: Session, actor: Actor, request_id: RequestId) -> Request:
    found = rows.get(db, request_id) if sees(db, actor, tables.requests, request_id) else None
    if found is None:
        raise NotFound("There is no such request here.")
    programme_id = terms.programme_of_school(db, found.school_id)
    access.require(actor, Action.REQUEST_LESSONS, programme_id)
    return found


def _checked(db: Session, school: ReceivingSchool, term: Term, new: NewRequest) -> ClassId:
    """The class that asks; raises Invalid with what is wrong with the request, by form field."""
    found = rules.faults(new, term, school.periods)
    known = {c.name: c for c in terms.classes(db, school.id)}
    if new.class_name not in known:
        found["class_name"] = text("Choose one of the school's classes.")
    if found:
        raise Invalid("The request is not complete yet.", fields=found)
    return known[new.class_name].id


def _last_run(db: Session, term: Term) -> datetime | None:
    run = runs.latest_search(db, term.id)
    return run.asked_at if run else None


def _told(new: NewRequest) -> dict[str, object]:
    """A request as the record keeps it."""
    return {
        "class": new.class_name,
        "lessons_per_week": new.lessons_per_week,
        "first_day": new.first_day.isoformat(),
        "last_day": new.last_day.isoformat(),
        "priority": new.priority,
        "slots": [[slot.weekday, slot.start, slot.end, slot.rank] for slot in new.slots],
    }
