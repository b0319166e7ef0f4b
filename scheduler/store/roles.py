"""Roles given and taken away, and what ends with them.

Whoever takes roles away holds the programme first (`lock`), then its lessons, then its people: so
two coordinators cannot each remove the other, and nobody waits in a ring.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain.access import RUNNING, Grant, Role
from scheduler.domain.departures import GrantId, Held
from scheduler.domain.invitations import Place
from scheduler.domain.people import PersonId, TeacherId
from scheduler.domain.terms import ProgrammeId
from scheduler.store import accounts
from scheduler.store.tables import (
    access_tokens,
    cover_calls,
    donor_schools,
    grants,
    lessons,
    offers,
    persons,
    programmes,
    receiving_schools,
    teachers,
    terms,
)


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody with the same role at the same school."""

    person_id: PersonId
    name: str
    email: str


def colleagues(db: Session, held: Held) -> tuple[Colleague, ...]:
    """Everybody with this role at this school whose account is on, the holder too."""
    grant = held.grant
    same = (
        (grants.c.school_id, grant.school_id),
        (grants.c.donor_school_id, grant.donor_school_id),
    )
    query = (
        select(persons.c.id, persons.c.name, persons.c.email)
        .join(grants, grants.c.person_id == persons.c.id)
        .where(
            grants.c.role == grant.role,
            grants.c.programme_id == grant.programme_id,
            *(column == value for column, value in same if value is not None),
            persons.c.active.is_(True),
        )
        .order_by(grants.c.id)
    )
    return tuple(Colleague(PersonId(r.id), r.name, r.email) for r in db.execute(query))


def lock(db: Session, programme_ids: Collection[ProgrammeId]) -> None:
    """Let nobody else give or take roles in these programmes, nor publish in their terms."""
    some = list(programme_ids)
    houses = select(programmes.c.id).where(programmes.c.id.in_(some)).order_by(programmes.c.id)
    db.execute(houses.with_for_update(key_share=True)).all()
    times = select(terms.c.id).where(terms.c.programme_id.in_(some)).order_by(terms.c.id)
    db.execute(times.with_for_update(key_share=True)).all()


def lock_teachers(db: Session, ids: Sequence[TeacherId], now: datetime) -> None:
    """Hold the lessons ahead of these teachers and those they are asked about, then the teachers:
    none of them takes over another one."""
    asked = (
        select(cover_calls.c.lesson_id)
        .join(offers, offers.c.call_id == cover_calls.c.id)
        .where(offers.c.teacher_id.in_(ids), offers.c.ended_at.is_(None))
    )
    own = and_(lessons.c.teacher_id.in_(ids), lessons.c.starts_at > now)
    mine = select(lessons.c.id).where(own | lessons.c.id.in_(asked))
    db.execute(mine.order_by(lessons.c.id).with_for_update()).all()
    rows = select(teachers.c.id).where(teachers.c.id.in_(ids)).order_by(teachers.c.id)
    db.execute(rows.with_for_update(key_share=True)).all()


def of_people(db: Session, ids: Collection[PersonId]) -> tuple[Held, ...]:
    """The roles of these people in all programmes, the oldest first; one query."""
    query = (
        select(
            grants,
            programmes.c.name.label("programme"),
            func.coalesce(receiving_schools.c.name, donor_schools.c.name, "").label("school"),
        )
        .join(programmes, grants.c.programme_id == programmes.c.id)
        .outerjoin(teachers, grants.c.teacher_id == teachers.c.id)
        .outerjoin(receiving_schools, grants.c.school_id == receiving_schools.c.id)
        .outerjoin(
            donor_schools,
            donor_schools.c.id
            == func.coalesce(grants.c.donor_school_id, teachers.c.donor_school_id),
        )
        .where(grants.c.person_id.in_(list(ids)))
        .order_by(grants.c.id)
    )
    return tuple(map(_held, db.execute(query)))


def running(
    db: Session, programme_id: ProgrammeId, without: Collection[GrantId]
) -> frozenset[Role]:
    """The roles that run the programme and that people whose account is on hold, beside these."""
    query = (
        select(grants.c.role)
        .join(persons, grants.c.person_id == persons.c.id)
        .where(
            grants.c.programme_id == programme_id,
            grants.c.role.in_(RUNNING),
            grants.c.id.not_in(list(without)),
            persons.c.active.is_(True),
        )
        .distinct()
    )
    return frozenset(map(Role, db.scalars(query)))


def others_of_school(db: Session, held: Held) -> int:
    """How many other people, whose account is on, speak for the school of this role."""
    query = (
        select(func.count(grants.c.person_id.distinct()))
        .join(persons, grants.c.person_id == persons.c.id)
        .where(
            grants.c.role == Role.SCHOOL,
            grants.c.school_id == held.grant.school_id,
            grants.c.person_id != held.person_id,
            persons.c.active.is_(True),
        )
    )
    return int(db.scalar(query) or 0)


def remove(db: Session, held: Held, now: datetime) -> None:
    """Take the role away; who taught in it gives no more lessons from now on."""
    db.execute(grants.delete().where(grants.c.id == held.id))
    if held.grant.role is Role.TEACHER:
        mine = update(teachers).where(teachers.c.id == held.grant.teacher_id)
        db.execute(mine.where(teachers.c.left_at.is_(None)).values(left_at=now))


def give(db: Session, person_id: PersonId, place: Place) -> bool:
    """Give the role; False when the person has it.  Who left as a teacher comes back by it."""
    teacher = _teacher(db, person_id, place) if place.role is Role.TEACHER else None
    grant = Grant(
        place.role,
        place.programme_id,
        teacher,
        place.school_id,
        None if teacher else place.donor_school_id,
    )
    if any(held.grant == grant for held in of_people(db, [person_id])):
        return False
    accounts.add_grant(db, person_id, grant)
    return True


def _teacher(db: Session, person_id: PersonId, place: Place) -> TeacherId:
    mine = {"programme_id": place.programme_id, "person_id": person_id}
    back = {"donor_school_id": place.donor_school_id, "left_at": None}
    insert = (sqlite if db.get_bind().dialect.name == "sqlite" else postgresql).insert
    made = insert(teachers).values(**mine, **back)
    kept = made.on_conflict_do_update(index_elements=["programme_id", "person_id"], set_=back)
    return TeacherId(db.scalar(kept.returning(teachers.c.id)) or 0)


def set_active(db: Session, person_id: PersonId, *, active: bool) -> bool:
    """Switch an account on or off; False when it is so already, or nobody's any more."""
    done = (
        update(persons)
        .where(
            persons.c.id == person_id,
            persons.c.active.is_not(active),
            persons.c.erased_at.is_(None),
        )
        .values(active=active)
        .returning(persons.c.id)
    )
    return db.scalar(done) is not None


def end_tokens(db: Session, person_id: PersonId, now: datetime) -> None:
    """No program speaks for this person any more."""
    mine = (access_tokens.c.person_id == person_id, access_tokens.c.revoked_at.is_(None))
    db.execute(update(access_tokens).where(*mine).values(revoked_at=now))


def gone(db: Session, programme_id: ProgrammeId) -> frozenset[TeacherId]:
    """The teachers of a programme who give no more lessons: they left, or their account is off."""
    query = (
        select(teachers.c.id)
        .join(persons, teachers.c.person_id == persons.c.id)
        .where(
            teachers.c.programme_id == programme_id,
            teachers.c.left_at.is_not(None) | persons.c.active.is_(False),
        )
    )
    return frozenset(map(TeacherId, db.scalars(query)))


def _held(row: Row[Any]) -> Held:
    grant = Grant(
        Role(row.role),
        ProgrammeId(row.programme_id),
        row.teacher_id,
        row.school_id,
        row.donor_school_id,
    )
    return Held(GrantId(row.id), PersonId(row.person_id), grant, row.school, row.programme)
