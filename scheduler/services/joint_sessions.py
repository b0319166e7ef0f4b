"""Joint sessions: planning them for both sides of a partnership, and changing them.

What follows from a change is done by `_follow` and nowhere else: reminders, news to exactly the
people concerned, calendars.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from scheduler.domain import access, remarks
from scheduler.domain import joint_sessions as rules
from scheduler.domain import news as pace
from scheduler.domain.access import Action, Actor
from scheduler.domain.intervals import Interval
from scheduler.domain.joint_sessions import (
    Attendee,
    Guest,
    JointSession,
    JointSessionId,
    Told,
    Warnings,
    Wish,
)
from scheduler.domain.partnerships import Partnership, PartnershipId
from scheduler.domain.people import PersonId
from scheduler.domain.reminders import comes
from scheduler.domain.terms import ProgrammeId, Term
from scheduler.errors import Conflict, Invalid, NotFound, Stale
from scheduler.services import outbox, partnerships, programmes, reminders, ways
from scheduler.services.context import Context
from scheduler.store import (
    audits,
    availability,
    feeds,
    gathered,
    joint_guests,
    lessons,
    queue,
    recipients,
    terms,
)
from scheduler.store import joint_sessions as rows
from scheduler.store import partnerships as partnership_rows
from scheduler.store.database import Session


@dataclass(frozen=True, slots=True)
class Planner:
    """Who can be invited to a session of a partnership."""

    partnership: Partnership
    zone: str
    guests: tuple[Guest, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """One session before a coordinator; `marker` says how she saw it."""

    session: JointSession
    attendees: tuple[Attendee, ...]
    marker: str

    @property
    def invited(self) -> tuple[Attendee, ...]:
        return tuple(each for each in self.attendees if each.invited)


# -- looking


def planner(ctx: Context, actor: Actor, partnership_id: PartnershipId) -> Planner:
    """Raises NotFound for anybody but the programme's coordinators."""
    partnership = partnerships.get(ctx, actor, partnership_id)
    with ctx.reading() as db:
        term = programmes.running(db, programmes.own(actor), ctx.now())
        return Planner(partnership, term.zone, _guests(db, term, partnership))


def _guests(db: Session, term: Term, partnership: Partnership) -> tuple[Guest, ...]:
    """The giving side first; who teaches there is invited as a rule, or all where nobody does."""
    donors, receivers = partnerships.schools(db, term.programme_id)
    giving = [school.id for school in donors if partnership.gives(school)]
    taking = [school.id for school in receivers if partnership.receives(school)]
    found = joint_guests.volunteers(db, term.id, giving, taking)
    if not any(guest.usual for guest in found):
        found = tuple(replace(guest, usual=True) for guest in found)
    there = {guest.person_id for guest in found}
    contacts = joint_guests.contacts(db, taking)
    return (*found, *(each for each in contacts if each.person_id not in there))


def look(ctx: Context, actor: Actor, session_id: JointSessionId) -> Opened:
    """For the programme's coordinators; raises NotFound for anybody else."""
    programme_id = own(actor)
    with ctx.reading() as db:
        return opened(db, programme_id, rows.get(db, session_id))


def opened(db: Session, programme_id: ProgrammeId, session: JointSession | None) -> Opened:
    """A session of this programme as it stands; raises NotFound."""
    if session is None or session.programme_id != programme_id:
        raise NotFound("There is no such joint session here.")
    seats = rows.attendees(db, [session.id])[session.id]
    return Opened(session, seats, rules.marker(session, seats))


def mover(ctx: Context, actor: Actor, session_id: JointSessionId) -> tuple[Opened, Planner]:
    """A session and who can be invited to it, `usual`: who is."""
    found = look(ctx, actor, session_id)
    known = planner(ctx, actor, found.session.partnership_id)
    guests = _with(known.guests, found)
    invited = {each.person_id for each in found.invited}
    shown = tuple(replace(each, usual=each.person_id in invited) for each in guests)
    return found, replace(known, guests=shown)


def _with(guests: Sequence[Guest], found: Opened | None) -> tuple[Guest, ...]:
    """As well as those who are invited already."""
    there = {guest.person_id for guest in guests}
    seated = found.invited if found else ()
    return (*guests, *(rules.as_guest(x) for x in seated if x.person_id not in there))


def foresee(ctx: Context, actor: Actor, known: Planner, wish: Wish, but: int | None) -> Warnings:
    """What speaks against a time; `but`: the session that is moved there."""
    programme_id = own(actor)
    span = Interval(wish.starts_at, wish.ends_at)
    guests = [each for each in known.guests if each.person_id in wish.people]
    named = {each.person_id: each.name for each in guests}
    with ctx.reading() as db:
        term = programmes.running(db, programme_id, wish.starts_at)
        day = term.today(wish.starts_at)
        pledges = availability.pledges(db, term.id)
        taught = lessons.find(db, programme_id=programme_id, since=span.start, until=span.end)
        meeting = rows.meeting_then(db, named, span, but)
        closed = _closed(db, programme_id, known.partnership, day)
    busy = {x.teacher_person_id for x in taught if comes(x)} | meeting
    away = [
        each.name
        for each in guests
        if each.teacher_id in pledges
        and any(day in absence for absence in pledges[each.teacher_id].absences)
    ]
    return Warnings(
        holiday=day in term.holidays,
        closed=closed,
        away=tuple(sorted(away)),
        busy=tuple(sorted(name for person, name in named.items() if person in busy)),
    )


def _closed(
    db: Session, programme_id: ProgrammeId, partnership: Partnership, day: date
) -> tuple[str, ...]:
    shut = terms.closed_spans(db, programme_id)
    return tuple(
        school.name
        for school in terms.schools(db, programme_id)
        if partnership.receives(school) and any(day in span for span in shut.get(school.id, ()))
    )


# -- changing


def check(ctx: Context, known: Planner, wish: Wish) -> JointSessionId | None:
    """Raises Invalid, by field, for what cannot be planned; the session that is it already."""
    _checked(wish, known.guests, ctx.now())
    with ctx.reading() as db:
        return _twin(db, known.partnership.id, wish)


def _twin(db: Session, partnership_id: PartnershipId, wish: Wish) -> JointSessionId | None:
    told = (wish.title, wish.starts_at, wish.ends_at)
    for each in rows.of_partnership(db, partnership_id):
        if (each.title, each.starts_at, each.ends_at) == told and not each.off:
            return each.id
    return None


def plan(ctx: Context, actor: Actor, partnership_id: PartnershipId, wish: Wish) -> JointSessionId:
    """A session that everybody of these people is invited to; raises Invalid by field.

    Sent twice it is one: whoever plans the same topic at the same time gets what is there.
    """
    known, now = planner(ctx, actor, partnership_id), ctx.now()
    wish = _checked(wish, known.guests, now)
    with ctx.transaction() as db:
        terms.lock_programme(db, own(actor))
        if partnership_rows.get(db, partnership_id, own(actor)) is None:
            raise NotFound("There is no such partnership here.")
        if (twin := _twin(db, partnership_id, wish)) is not None:
            return twin
        made = rows.add(db, partnership_id, wish, now)
        _seat(db, made, known.guests, wish.people, ())
        note(ctx, db, actor, "plan_joint_session", made, after=_said(wish))
        _follow(ctx, db, made, None, ())
    return made


def change(
    ctx: Context, actor: Actor, session_id: JointSessionId, wish: Wish, seen: str
) -> JointSession:
    """Another topic, time, room or other people; raises Invalid by field, Stale when it is not as
    it was `seen`, Conflict when it is over or called off.  Nothing is done for no change."""
    before, known = mover(ctx, actor, session_id)
    wish = _checked(wish, known.guests, ctx.now())
    with ctx.transaction() as db:
        found = _held(ctx, db, actor, session_id, seen)
        if found.session.off:
            raise Conflict("This joint session is called off.")
        invited = {each.person_id for each in found.invited}
        if wish == _wish_of(found.session, invited):
            return before.session
        rows.change(db, found.session, wish, ctx.now())
        if wish.starts_at != found.session.starts_at:
            joint_guests.forget_answers(db, session_id)
        _seat(db, session_id, known.guests, wish.people, invited)
        note(
            ctx, db, actor, "change_joint_session", session_id,
            before=_said(_wish_of(found.session, invited)), after=_said(wish),
        )  # fmt: skip
        return _follow(ctx, db, session_id, found.session, found.attendees)


def call_off(
    ctx: Context, actor: Actor, session_id: JointSessionId, reason: str, seen: str
) -> JointSession:
    """Everybody is told why; raises Invalid, Stale, and Conflict when it is over or off already."""
    why = remarks.tidied(reason)
    if fault := remarks.fault(why):
        raise Invalid("Say why, so that nobody has to ask.", fields={"reason": fault})
    with ctx.transaction() as db:
        found = _held(ctx, db, actor, session_id, seen)
        if found.session.off:
            raise Conflict("This joint session is called off.")
        rows.call_off(db, found.session, ctx.now(), actor.name, why)
        note(ctx, db, actor, "call_off_joint_session", session_id, reason=why)
        return _follow(ctx, db, session_id, found.session, found.attendees)


def restore(ctx: Context, actor: Actor, session_id: JointSessionId, seen: str) -> JointSession:
    """Let one that was called off take place after all; raises Stale, Conflict when it is late."""
    with ctx.transaction() as db:
        found = _held(ctx, db, actor, session_id, seen)
        if not found.session.off:
            raise Conflict("This joint session is not called off.")
        rows.restore(db, found.session, ctx.now())
        note(ctx, db, actor, "restore_joint_session", session_id)
        return _follow(ctx, db, session_id, found.session, found.attendees)


def _checked(wish: Wish, guests: Sequence[Guest], now: datetime) -> Wish:
    known = {guest.person_id for guest in guests}
    if found := rules.faults(wish, known, now):
        raise Invalid("Some fields need another look.", fields=found)
    return replace(wish, people=wish.people & known)


def _held(ctx: Context, db: Session, actor: Actor, session_id: JointSessionId, seen: str) -> Opened:
    """As it was seen, and still to come."""
    found = opened(db, own(actor), rows.locked(db, session_id))
    if found.marker != seen:
        raise Stale("This joint session was changed while you were looking. Look at it again.")
    if found.session.starts_at <= ctx.now():
        raise Conflict("This joint session has begun. Note who came instead.")
    return found


def _wish_of(session: JointSession, invited: Collection[PersonId]) -> Wish:
    return Wish(
        session.title, session.starts_at, session.ends_at, session.meeting_url, frozenset(invited)
    )


def _seat(
    db: Session,
    session_id: JointSessionId,
    guests: Sequence[Guest],
    wanted: Collection[PersonId],
    invited: Collection[PersonId],
) -> None:
    new = [x for x in guests if x.person_id in wanted and x.person_id not in invited]
    gone = [person for person in invited if person not in wanted]
    joint_guests.seat(db, session_id, new, gone)


def _follow(
    ctx: Context,
    db: Session,
    session_id: JointSessionId,
    before: JointSession | None,
    seats: Sequence[Attendee],
) -> JointSession:
    """What follows from a change; `before` and `seats`: how it was, None for a new one."""
    session = rows.get(db, session_id)
    assert session is not None  # noqa: S101 - this transaction holds it
    now_seated = rows.attendees(db, [session_id])[session_id]
    knew = {x.person_id: rules.known(before) for x in seats if before and x.invited}
    told: dict[PersonId, Told | None] = {
        x.person_id: knew.get(x.person_id)
        for x in now_seated
        if rules.news(knew.get(x.person_id), session, invited=x.invited)
    }
    concerned = sorted({x.person_id for x in now_seated if x.invited} | told.keys())
    queue.recall(db, person_ids=concerned)
    _tell(ctx, db, session, told, [before.starts_at] if before else [])
    reminders.plan_for(ctx, db, concerned)
    feeds.mark_dirty(
        db,
        programme_id=session.programme_id,
        teacher_ids={x.teacher_id for x in now_seated if x.teacher_id is not None},
        class_ids=(),
        school_ids={x.school_id for x in now_seated if x.school_id is not None},
    )
    return session


def _tell(
    ctx: Context,
    db: Session,
    session: JointSession,
    told: Mapping[PersonId, Told | None],
    was: list[datetime],
) -> None:
    """Gathered for a while: news that waits already tells whatever holds when it goes out."""
    waiting = gathered.untold(db, rules.stem(session.id))
    due = pace.due([session.starts_at, *was], ctx.now())
    known = recipients.reachable(db, told.keys() - waiting.keys())
    first = ways.first(ctx, db, sorted(known))
    outbox.plan(
        ctx,
        db,
        [rules.message(session, who, way, told[who], due) for who, way in first.items()],
    )


def own(actor: Actor) -> ProgrammeId:
    """The programme whose sessions the actor keeps; raises NotFound."""
    programme_id = programmes.own(actor)
    access.require(actor, Action.KEEP_RECORDS, programme_id)
    return programme_id


def _said(wish: Wish) -> dict[str, object]:
    return {
        "title": wish.title,
        "starts": wish.starts_at.isoformat(),
        "ends": wish.ends_at.isoformat(),
        "people": sorted(wish.people),
    }


def note(
    ctx: Context,
    db: Session,
    actor: Actor,
    action: str,
    session_id: JointSessionId,
    *,
    reason: str = "",
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """A line of the record, in the transaction of the deed."""
    audits.record(
        db, ctx.now(), actor.person_id, action, "joint_session", session_id, reason=reason,
        before=before, after=after,
    )  # fmt: skip
