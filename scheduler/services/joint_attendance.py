"""Who comes to a joint session, as they say before, and who came, as a coordinator notes."""

from collections.abc import Collection
from dataclasses import dataclass

from scheduler.domain.access import Actor, Grant, Role
from scheduler.domain.joint_sessions import Answer, Attendee, JointSession, JointSessionId
from scheduler.domain.lessons import LessonState
from scheduler.domain.people import PersonId
from scheduler.errors import Conflict, Invalid, NotFound, Stale, text
from scheduler.services import joint_sessions, reminders
from scheduler.services.context import Context
from scheduler.store import feeds, joint_guests, queue
from scheduler.store import joint_sessions as rows
from scheduler.store.database import Session


@dataclass(frozen=True, slots=True)
class Mine:
    """A session that invites the reader, and how many say that they come."""

    session: JointSession
    answer: Answer | None
    coming: int


# -- who came


def record(
    ctx: Context,
    actor: Actor,
    session_id: JointSessionId,
    came: Collection[PersonId] | None,
    seen: str,
) -> int:
    """Note who came, None: that it did not take place; may be mended later.

    Returns how many came.  Raises Stale, Invalid when nobody is named, Conflict before it begins
    or when it is called off.
    """
    with ctx.transaction() as db:
        found = joint_sessions.opened(db, joint_sessions.own(actor), rows.locked(db, session_id))
        if found.marker != seen:
            raise Stale("This joint session was changed while you were looking. Look at it again.")
        if found.session.off or ctx.now() < found.session.starts_at:
            raise Conflict("Nobody can have come yet.")
        there = {each.person_id for each in found.invited} & set(came or ())
        if came is not None and not there:
            fault = text("Tick who came, or say that it did not take place.")
            raise Invalid("Some fields need another look.", fields={"came": fault})
        state = LessonState.NOT_HELD if came is None else LessonState.HELD
        rows.settle(db, session_id, state)
        joint_guests.record(db, session_id, None if came is None else there)
        after = {"state": state.value, "came": sorted(there)}
        joint_sessions.note(ctx, db, actor, "record_joint_session", session_id, after=after)
    return len(there)


# -- those who are invited


def mine(ctx: Context, actor: Actor, role: Role) -> tuple[Mine, ...]:
    """What invites the reader as a volunteer, or as the contact of a school, and is not over, in
    order of time; one query."""
    teaching = role is Role.TEACHER
    with ctx.reading() as db:
        found = rows.invitations(db, actor.person_id, ctx.now(), as_teacher=teaching)
    return tuple(Mine(*each) for each in found)


def answer(ctx: Context, actor: Actor, session_id: JointSessionId, said: Answer | None) -> None:
    """Say whether one comes, None: take it back; raises NotFound for who is not invited, Conflict
    when the session is called off or has begun."""
    with ctx.transaction() as db:
        rows.locked(db, session_id)
        session, own = _seat(db, actor, session_id)
        if session.off or session.starts_at <= ctx.now():
            raise Conflict("This joint session waits for no answer any more.")
        if own.answer is said:
            return
        joint_guests.answer(db, session_id, actor.person_id, said, ctx.now())
        after = {"answer": said.value if said else None}
        joint_sessions.note(ctx, db, actor, "answer_joint_session", session_id, after=after)
        queue.recall(db, person_ids=[actor.person_id])
        reminders.plan_for(ctx, db, [actor.person_id])


def check_invited(ctx: Context, actor: Actor, session_id: JointSessionId) -> None:
    """Raises NotFound for who is not."""
    with ctx.reading() as db:
        _seat(db, actor, session_id)


def _seat(db: Session, actor: Actor, session_id: JointSessionId) -> tuple[JointSession, Attendee]:
    session = rows.visible(db, actor, session_id)
    seats = rows.attendees(db, [session_id])[session_id]
    own = next((x for x in seats if x.person_id == actor.person_id and x.invited), None)
    if session is None or own is None:
        raise NotFound("There is no such joint session here.")
    return session, own


def leave(ctx: Context, db: Session, person: PersonId, going: Collection[Grant]) -> None:
    """Invite somebody no more as what they are no longer, inside the transaction of that."""
    teachers = {x.teacher_id for x in going if x.teacher_id is not None}
    schools = {x.school_id for x in going if x.school_id is not None}
    for session, seat in rows.of_person(db, person, ctx.now()):
        if seat.teacher_id in teachers or seat.school_id in schools:
            joint_guests.seat(db, session.id, (), [person])
            rows.touch(db, session, ctx.now())
            feeds.mark_dirty(
                db,
                programme_id=session.programme_id,
                teacher_ids=teachers,
                class_ids=(),
                school_ids=schools,
            )
