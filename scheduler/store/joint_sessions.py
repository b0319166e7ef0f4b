"""Joint sessions of partnerships, and whom they invite."""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from scheduler.domain.access import Actor
from scheduler.domain.intervals import Interval
from scheduler.domain.joint_sessions import (
    Answer,
    Attendee,
    JointSession,
    JointSessionId,
    Wish,
)
from scheduler.domain.lessons import LessonState
from scheduler.domain.people import DonorSchool, PersonId
from scheduler.store.tables import (
    donor_schools,
    joint_session_attendees,
    joint_sessions,
    partnerships,
    persons,
    programmes,
    receiving_schools,
    teachers,
)
from scheduler.store.visibility import visible_to

_JOIN_BYTES = 16
_seats = joint_session_attendees.c
_SELECT = (
    select(
        joint_sessions,
        partnerships.c.programme_id,
        partnerships.c.donor_unit,
        partnerships.c.receiving_unit,
        programmes.c.zone,
        programmes.c.meeting_url.label("usual_place"),
    )
    .join(partnerships, joint_sessions.c.partnership_id == partnerships.c.id)
    .join(programmes, partnerships.c.programme_id == programmes.c.id)
)


# -- reading


def get(db: Session, session_id: int) -> JointSession | None:
    return _one(db, joint_sessions.c.id == session_id)


def visible(db: Session, actor: Actor, session_id: int) -> JointSession | None:
    """None for whoever is neither invited nor runs the programme."""
    return _one(db, and_(joint_sessions.c.id == session_id, visible_to(actor, joint_sessions)))


def locked(db: Session, session_id: int) -> JointSession | None:
    """Held until the end of the transaction, so that two who change it take turns."""
    mine = joint_sessions.c.id == session_id
    db.execute(select(joint_sessions.c.id).where(mine).with_for_update())
    return get(db, session_id)


def by_join_token(db: Session, token: str) -> JointSession | None:
    return _one(db, joint_sessions.c.join_token == token)


def by_ids(db: Session, ids: Collection[JointSessionId]) -> dict[JointSessionId, JointSession]:
    return {x.id: x for x in _all(db, joint_sessions.c.id.in_(list(ids)))}


def of_partnership(db: Session, partnership_id: int) -> tuple[JointSession, ...]:
    """In order of time."""
    return _all(db, joint_sessions.c.partnership_id == partnership_id)


def of_person(
    db: Session, person_id: int, since: datetime
) -> tuple[tuple[JointSession, Attendee], ...]:
    """What invites this person and has not ended by then, called off or not."""
    sessions, theirs = _of_people(db, [person_id], joint_sessions.c.ends_at > since)
    return tuple((sessions[seat.session_id], seat) for seat in theirs)


def invitations(
    db: Session, person_id: int, since: datetime, *, as_teacher: bool
) -> tuple[tuple[JointSession, Answer | None, int], ...]:
    """What invites this person as a volunteer, or as the contact of a school, and has not ended by
    then; what was answered, and how many say that they come.  One query."""
    others = joint_session_attendees.alias().c
    coming = select(func.count()).where(
        others.session_id == joint_sessions.c.id, others.invited, others.answer == Answer.COMING
    )
    rows = db.execute(
        _SELECT.add_columns(_seats.answer, coming.scalar_subquery().label("coming"))
        .join(joint_session_attendees, _seats.session_id == joint_sessions.c.id)
        .where(_seats.person_id == person_id, _seats.invited, joint_sessions.c.ends_at > since)
        .where(_seats.teacher_id.is_not(None) if as_teacher else _seats.teacher_id.is_(None))
        .order_by(joint_sessions.c.starts_at, joint_sessions.c.id)
    )
    return tuple(
        (_session(row), Answer(row.answer) if row.answer else None, row.coming) for row in rows
    )


def ahead_of(
    db: Session, people: Collection[PersonId], since: datetime, until: datetime
) -> dict[PersonId, tuple[JointSession, ...]]:
    """What begins then and takes place, for each who is invited and has not declined."""
    span = joint_sessions.c.starts_at > since, joint_sessions.c.starts_at < until
    on = joint_sessions.c.state == LessonState.SCHEDULED
    willing = or_(_seats.answer.is_(None), _seats.answer != Answer.CANNOT)
    sessions, seats = _of_people(db, people, and_(*span, on, willing))
    found: dict[PersonId, tuple[JointSession, ...]] = {}
    for seat in seats:
        found[seat.person_id] = (*found.get(seat.person_id, ()), sessions[seat.session_id])
    return found


def people_ahead(db: Session, since: datetime, until: datetime) -> frozenset[PersonId]:
    """Everybody whom a session that begins then invites."""
    query = (
        select(_seats.person_id)
        .join(joint_sessions, _seats.session_id == joint_sessions.c.id)
        .where(_seats.invited, joint_sessions.c.starts_at > since)
        .where(joint_sessions.c.starts_at < until)
    )
    return frozenset(map(PersonId, db.scalars(query)))


def meeting_then(
    db: Session, people: Collection[PersonId], span: Interval, but: int | None
) -> frozenset[PersonId]:
    """Who of them is in another session in that time."""
    then = and_(
        joint_sessions.c.starts_at < span.end,
        joint_sessions.c.ends_at > span.start,
        joint_sessions.c.state == LessonState.SCHEDULED,
        joint_sessions.c.id != (but or 0),
    )
    return frozenset(seat.person_id for seat in _of_people(db, people, then)[1])


def of_donor_school(
    db: Session, school_id: int, since: datetime
) -> tuple[tuple[JointSession, tuple[Attendee, ...]], ...]:
    """What invites its teachers and has not ended by then, called off or not, and whom of them."""
    own = select(teachers.c.id).where(teachers.c.donor_school_id == school_id)
    sessions, seats = _seated(db, _seats.teacher_id.in_(own), joint_sessions.c.ends_at > since)
    found: dict[JointSessionId, tuple[Attendee, ...]] = {}
    for seat in seats:
        found[seat.session_id] = (*found.get(seat.session_id, ()), seat)
    return tuple((sessions[key], those) for key, those in found.items())


def _of_people(
    db: Session, people: Collection[int], where: ColumnElement[bool]
) -> tuple[dict[JointSessionId, JointSession], tuple[Attendee, ...]]:
    return _seated(db, _seats.person_id.in_(list(people)), where)


def _seated(
    db: Session, whose: ColumnElement[bool], where: ColumnElement[bool]
) -> tuple[dict[JointSessionId, JointSession], tuple[Attendee, ...]]:
    """Sessions by number, and these seats in them, in order of time; two queries."""
    rows = db.execute(
        _select_seats()
        .join(joint_sessions, _seats.session_id == joint_sessions.c.id)
        .where(whose, _seats.invited, where)
        .order_by(joint_sessions.c.starts_at, joint_sessions.c.id, _seats.person_id)
    ).all()
    ids = {JointSessionId(row.session_id) for row in rows}
    return (by_ids(db, ids) if ids else {}), tuple(map(_attendee, rows))


def between(
    db: Session, programme_id: int, since: datetime, until: datetime
) -> tuple[JointSession, ...]:
    """Those of a programme that reach into a span of time, called off or not."""
    span = joint_sessions.c.ends_at > since, joint_sessions.c.starts_at < until
    return _all(db, and_(partnerships.c.programme_id == programme_id, *span))


def unnoted(
    db: Session, programme_id: int, since: datetime, until: datetime
) -> tuple[JointSession, ...]:
    """Those of a programme that ended in that span, of which nobody has said who came."""
    over = joint_sessions.c.ends_at > since, joint_sessions.c.ends_at <= until
    open_ = joint_sessions.c.state == LessonState.SCHEDULED
    return _all(db, and_(partnerships.c.programme_id == programme_id, *over, open_))


def attendees(
    db: Session, ids: Collection[JointSessionId]
) -> dict[JointSessionId, tuple[Attendee, ...]]:
    """Whom each session invites, or did, the giving side first, by place and name; one query."""
    query = _select_seats().where(_seats.session_id.in_(list(ids)))
    found = sorted(
        map(_attendee, db.execute(query)),
        key=lambda x: (x.teacher_id is None, x.place, x.name, x.person_id),
    )
    by_session: dict[JointSessionId, tuple[Attendee, ...]] = dict.fromkeys(ids, ())
    for each in found:
        by_session[each.session_id] = (*by_session[each.session_id], each)
    return by_session


def is_ahead(db: Session, partnership_id: int, now: datetime) -> bool:
    """Whether the partners still mean to meet."""
    mine = joint_sessions.c.partnership_id == partnership_id
    on = joint_sessions.c.state == LessonState.SCHEDULED
    return bool(db.scalar(select(exists().where(mine, on, joint_sessions.c.ends_at > now))))


def have_met(db: Session, partnership_id: int) -> bool:
    """Whether records count who came to one of their sessions."""
    mine = joint_sessions.c.partnership_id == partnership_id
    return bool(db.scalar(select(exists().where(mine, joint_sessions.c.state == LessonState.HELD))))


# -- writing


def add(db: Session, partnership_id: int, wish: Wish, now: datetime) -> JointSessionId:
    stamp = now.replace(microsecond=0)
    made = db.execute(
        insert(joint_sessions)
        .values(
            partnership_id=partnership_id,
            uid=str(uuid4()),
            join_token=secrets.token_urlsafe(_JOIN_BYTES),
            state=LessonState.SCHEDULED,
            sequence=0,
            created_at=stamp,
            changed_at=stamp,
            **_wished(wish),
        )
        .returning(joint_sessions.c.id)
    )
    return JointSessionId(made.scalar_one())


def change(db: Session, before: JointSession, wish: Wish, now: datetime) -> None:
    """Whoever reads `moved_from` learns the time before this move; another change keeps it."""
    stays = (before.starts_at, before.ends_at) == (wish.starts_at, wish.ends_at)
    moved_from = before.moved_from if stays else before.starts_at
    _revise(db, before, now, moved_from=moved_from, **_wished(wish))


def call_off(db: Session, before: JointSession, now: datetime, by: str, reason: str) -> None:
    off = {"state": LessonState.CANCELLED, "cancelled_by": by, "cancel_reason": reason}
    _revise(db, before, now, **off)


def restore(db: Session, before: JointSession, now: datetime) -> None:
    on = {"state": LessonState.SCHEDULED, "cancelled_by": "", "cancel_reason": ""}
    _revise(db, before, now, **on)


def settle(db: Session, session_id: JointSessionId, state: LessonState) -> None:
    """How it went; no calendar shows that."""
    db.execute(update(joint_sessions).where(joint_sessions.c.id == session_id).values(state=state))


def touch(db: Session, session: JointSession, now: datetime) -> None:
    """What calendars say of it changed: the names of its units, or who is invited."""
    _revise(db, session, now)


def remove_all(db: Session, partnership_id: int) -> None:
    """The sessions of a partnership that ends."""
    ids = select(joint_sessions.c.id).where(joint_sessions.c.partnership_id == partnership_id)
    db.execute(delete(joint_session_attendees).where(_seats.session_id.in_(ids)))
    db.execute(delete(joint_sessions).where(joint_sessions.c.partnership_id == partnership_id))


def _revise(db: Session, before: JointSession, now: datetime, **values: object) -> None:
    """The time of change is a whole second and strictly grows."""
    at = max(now.replace(microsecond=0), before.changed_at + timedelta(seconds=1))
    db.execute(
        update(joint_sessions)
        .where(joint_sessions.c.id == before.id)
        .values(sequence=joint_sessions.c.sequence + 1, changed_at=at, **values)
    )


# -- rows


def _wished(wish: Wish) -> dict[str, object]:
    return {
        "title": wish.title,
        "starts_at": wish.starts_at,
        "ends_at": wish.ends_at,
        "meeting_url": wish.meeting_url,
    }


def _select_seats() -> Select[Any]:
    return (
        select(
            joint_session_attendees,
            persons.c.name,
            donor_schools.c.id.label("donor_id"),
            donor_schools.c.name.label("donor_name"),
            donor_schools.c.district.label("donor_district"),
            receiving_schools.c.name.label("school_name"),
        )
        .join(persons, _seats.person_id == persons.c.id)
        .outerjoin(teachers, _seats.teacher_id == teachers.c.id)
        .outerjoin(donor_schools, teachers.c.donor_school_id == donor_schools.c.id)
        .outerjoin(receiving_schools, _seats.school_id == receiving_schools.c.id)
    )


def _attendee(row: Row[Any]) -> Attendee:
    place = row.school_name
    if row.teacher_id is not None:
        place = DonorSchool(row.donor_id, row.donor_name, row.donor_district).label
    return Attendee(
        session_id=row.session_id,
        person_id=row.person_id,
        name=row.name,
        place=place,
        teacher_id=row.teacher_id,
        school_id=row.school_id,
        invited=row.invited,
        answer=Answer(row.answer) if row.answer else None,
        attended=row.attended,
    )


def _one(db: Session, where: ColumnElement[bool]) -> JointSession | None:
    return next(iter(_all(db, where)), None)


def _all(db: Session, where: ColumnElement[bool]) -> tuple[JointSession, ...]:
    order = joint_sessions.c.starts_at, joint_sessions.c.id
    return tuple(map(_session, db.execute(_SELECT.where(where).order_by(*order))))


def _session(row: Row[Any]) -> JointSession:
    return JointSession(
        id=row.id,
        uid=row.uid,
        join_token=row.join_token,
        programme_id=row.programme_id,
        partnership_id=row.partnership_id,
        donor_unit=row.donor_unit,
        receiving_unit=row.receiving_unit,
        title=row.title,
        state=LessonState(row.state),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        zone=row.zone,
        sequence=row.sequence,
        created_at=row.created_at,
        changed_at=row.changed_at,
        moved_from=row.moved_from,
        meeting_url=row.meeting_url,
        usual_place=row.usual_place,
        cancel_reason=row.cancel_reason,
        cancelled_by=row.cancelled_by,
    )
