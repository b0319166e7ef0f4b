"""Who can be invited to the joint sessions of a partnership, who is, and what they say."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from scheduler.domain.access import Role
from scheduler.domain.joint_sessions import Answer, Guest, JointSessionId
from scheduler.domain.people import DonorSchool, DonorSchoolId, PersonId, SchoolId
from scheduler.store.tables import (
    classes,
    donor_schools,
    grants,
    joint_session_attendees,
    lessons,
    persons,
    receiving_schools,
    teachers,
)

_seats = joint_session_attendees.c


def volunteers(
    db: Session,
    term_id: int,
    donors: Collection[DonorSchoolId],
    schools: Collection[SchoolId],
) -> tuple[Guest, ...]:
    """The teachers of donor schools who have not left; `usual`: who teaches at one of the receiving
    schools in this term."""
    given = (  # no exists(): of thousands of teachers it may be looked up in the wrong order
        select(lessons.c.teacher_id)
        .join(classes, lessons.c.class_id == classes.c.id)
        .where(lessons.c.term_id == term_id, classes.c.school_id.in_(list(schools)))
    )
    query = (
        select(
            teachers.c.id,
            teachers.c.person_id,
            persons.c.name,
            donor_schools.c.id.label("school_id"),
            donor_schools.c.name.label("school"),
            donor_schools.c.district,
            teachers.c.id.in_(given).label("there"),
        )
        .join(persons, teachers.c.person_id == persons.c.id)
        .join(donor_schools, teachers.c.donor_school_id == donor_schools.c.id)
        .where(donor_schools.c.id.in_(list(donors)))
        .where(teachers.c.left_at.is_(None), persons.c.active.is_(True))
        .order_by(donor_schools.c.district, donor_schools.c.name, persons.c.name, teachers.c.id)
    )
    return tuple(
        Guest(
            person_id=row.person_id,
            name=row.name,
            place=DonorSchool(row.school_id, row.school, row.district).label,
            teacher_id=row.id,
            school_id=None,
            usual=bool(row.there),
        )
        for row in db.execute(query)
    )


def contacts(db: Session, schools: Collection[SchoolId]) -> tuple[Guest, ...]:
    """Who speaks for the receiving schools, each once."""
    query = (
        select(
            grants.c.person_id,
            grants.c.school_id,
            persons.c.name,
            receiving_schools.c.name.label("school"),
        )
        .join(persons, grants.c.person_id == persons.c.id)
        .join(receiving_schools, grants.c.school_id == receiving_schools.c.id)
        .where(grants.c.role == Role.SCHOOL, grants.c.school_id.in_(list(schools)))
        .where(persons.c.active.is_(True))
        .order_by(receiving_schools.c.name, grants.c.id)
    )
    found: dict[int, Guest] = {}
    for row in db.execute(query):
        guest = Guest(
            row.person_id, row.name, row.school, None, SchoolId(row.school_id), usual=True
        )
        found.setdefault(row.person_id, guest)
    return tuple(found.values())


def seat(
    db: Session, session_id: JointSessionId, wanted: Iterable[Guest], now_out: Iterable[PersonId]
) -> None:
    """Invite these people, again or for the first time, and others no more."""
    there = set(db.scalars(select(_seats.person_id).where(_seats.session_id == session_id)))
    seats = tuple(wanted)
    new = [_row(session_id, each) for each in seats if each.person_id not in there]
    if new:
        db.execute(insert(joint_session_attendees), new)
    back = [each.person_id for each in seats if each.person_id in there]
    for people, invited in ((back, True), (list(now_out), False)):
        if people:
            fresh = {"invited": invited, "answer": None, "answered_at": None, "attended": None}
            mine = _seats.session_id == session_id, _seats.person_id.in_(people)
            db.execute(update(joint_session_attendees).where(*mine).values(**fresh))


def answer(
    db: Session, session_id: int, person_id: int, said: Answer | None, now: datetime
) -> None:
    mine = _seats.session_id == session_id, _seats.person_id == person_id
    values = {"answer": said, "answered_at": now if said else None}
    db.execute(update(joint_session_attendees).where(*mine).values(**values))


def forget_answers(db: Session, session_id: JointSessionId) -> None:
    """They were about another time."""
    mine = _seats.session_id == session_id
    nothing = {"answer": None, "answered_at": None}
    db.execute(update(joint_session_attendees).where(mine).values(**nothing))


def record(db: Session, session_id: JointSessionId, came: Collection[PersonId] | None) -> None:
    """Who of those invited came; None: nothing is known of it."""
    mine = _seats.session_id == session_id, _seats.invited
    value = None if came is None else _seats.person_id.in_(list(came))
    db.execute(update(joint_session_attendees).where(*mine).values(attended=value))


def _row(session_id: JointSessionId, each: Guest) -> dict[str, object]:
    return {
        "session_id": session_id,
        "person_id": each.person_id,
        "teacher_id": each.teacher_id,
        "school_id": each.school_id,
        "invited": True,
    }
