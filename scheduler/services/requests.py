"""A school asks for lessons, and sees what became of what it asked."""

from collections import Counter
from dataclasses import dataclass

from scheduler.domain import access
from scheduler.domain import requests as rules
from scheduler.domain.access import Action, Actor, Role
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.people import ReceivingSchool, SchoolClass, SchoolId
from scheduler.domain.requests import NewRequest, Request, RequestId
from scheduler.domain.terms import Term
from scheduler.errors import Conflict, Invalid, NotFound, text
from scheduler.services import gaps
from scheduler.services.context import Context
from scheduler.services.gaps import GapLine
from scheduler.services.lessons import visible_school
from scheduler.store import audits, lessons, plans, tables, terms
from scheduler.store import requests as rows
from scheduler.store.database import Session
from scheduler.store.visibility import sees


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request, the lessons it asks for, and what is planned in the published timetable.

    `gap` says why some stayed without a teacher when that was made, with nobody's name in it.
    """

    request: Request
    wanted: int
    planned: int
    teachers: tuple[str, ...]
    next: Lesson | None
    gap: GapLine | None

    @property
    def missing(self) -> int:
        return max(0, self.wanted - self.planned)


@dataclass(frozen=True, slots=True)
class SchoolDesk:
    """All that the request page of a school shows."""

    school: ReceivingSchool
    term: Term
    classes: tuple[SchoolClass, ...]
    lines: tuple[RequestLine, ...]


def own_schools(ctx: Context, actor: Actor) -> tuple[ReceivingSchool, ...]:
    """The schools that the actor is a contact of."""
    ids = [grant.school_id for grant in actor.with_role(Role.SCHOOL)]
    with ctx.reading() as db:
        found = (terms.school(db, school_id) for school_id in ids if school_id is not None)
        return tuple(school for school in found if school is not None)


def desk(ctx: Context, actor: Actor, school_id: SchoolId) -> SchoolDesk:
    """A school's requests with their state; raises NotFound for a stranger."""
    now = ctx.now()
    with ctx.reading() as db:
        school = visible_school(db, actor, school_id)
        term = _term(db, school_id)
        asked = rows.of_school(db, term.id, school_id)
        given = lessons.find(db, school_id=school_id, term_id=term.id)
        classes = terms.classes(db, school_id)
        closed = terms.closed_spans(db, term.programme_id)
        in_force = plans.published(db, term.id)
        missing = plans.gaps(db, in_force.id, school_id) if in_force else ()
    gap_lines = gaps.lines(missing, {r.id: r for r in asked}, {school.id: school}, {})
    why = {line.request.id: gaps.without_names(line) for line in gap_lines}
    live = [lesson for lesson in given if lesson.state is not LessonState.CANCELLED]
    planned = Counter(lesson.request_id for lesson in live)
    lines = []
    for request in asked:
        own = [lesson for lesson in live if lesson.request_id == request.id]
        lines.append(
            RequestLine(
                request=request,
                wanted=rules.wanted(request, term, closed.get(school_id, ())),
                planned=planned[request.id],
                teachers=tuple(dict.fromkeys(lesson.teacher_name for lesson in own)),
                next=next((lesson for lesson in own if lesson.ends_at > now), None),
                gap=why.get(request.id),
            )
        )
    return SchoolDesk(school, term, classes, tuple(lines))


def submit(ctx: Context, actor: Actor, school_id: SchoolId, new: NewRequest) -> RequestId:
    """Ask for lessons for a class of the school; it enters the next matching run.

    Asking twice for just the same, as a double tap does, is asking once.  Raises Invalid with the
    faults by form field, NotFound for a stranger, NotAllowed for who may see and not ask.
    """
    with ctx.transaction() as db:
        school = visible_school(db, actor, school_id)
        term = _term(db, school_id)
        access.require(actor, Action.REQUEST_LESSONS, term.programme_id)
        found = rules.faults(new, term, school.periods)
        known = {c.name: c for c in terms.classes(db, school_id)}
        if new.class_name not in known:
            found["class_name"] = text("Choose one of the school's classes.")
        if found:
            raise Invalid("The request is not complete yet.", fields=found)
        class_id = known[new.class_name].id
        rows.lock_class(db, class_id)
        before = rows.of_school(db, term.id, school_id)
        if (same := next((r for r in before if rules.asks(r, new)), None)) is not None:
            return same.id
        request_id = rows.insert(db, term.id, class_id, new, ctx.now(), actor.person_id)
        audits.record(
            db,
            ctx.now(),
            actor.person_id,
            "request",
            "request",
            request_id,
            after={"class": new.class_name, "lessons_per_week": new.lessons_per_week},
        )
    return request_id


def withdraw(ctx: Context, actor: Actor, request_id: RequestId) -> None:
    """Take a request back: the next run leaves it out; published lessons stay until then."""
    with ctx.transaction() as db:
        found = rows.get(db, request_id) if sees(db, actor, tables.requests, request_id) else None
        if found is None:
            raise NotFound("There is no such request here.")
        term = _term(db, found.school_id)
        access.require(actor, Action.REQUEST_LESSONS, term.programme_id)
        if not rows.withdraw(db, request_id, ctx.now()):
            raise Conflict("This request was taken back already.")
        audits.record(db, ctx.now(), actor.person_id, "withdraw", "request", request_id)


def _term(db: Session, school_id: SchoolId) -> Term:
    term = terms.of_school(db, school_id)
    if term is None:
        raise NotFound("There is no term yet.")
    return term
