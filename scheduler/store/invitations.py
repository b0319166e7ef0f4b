"""Invitations of people; their secrets come here as hashes only."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.orm import Session

from scheduler.domain.access import Actor, Role
from scheduler.domain.invitations import Invitation, InvitationId, Place
from scheduler.domain.people import DonorSchoolId, PersonId, SchoolId
from scheduler.domain.terms import ProgrammeId
from scheduler.store.tables import (
    donor_schools,
    invitations,
    persons,
    programmes,
    receiving_schools,
)
from scheduler.store.visibility import visible_to

_OPEN = (invitations.c.accepted_at.is_(None), invitations.c.revoked_at.is_(None))


def add(
    db: Session,
    *,
    token_hash: str,
    email: str,
    name: str,
    language: str,
    place: Place,
    invited_by: PersonId | None,
    now: datetime,
    expires_at: datetime,
) -> InvitationId:
    made = db.execute(
        invitations.insert()
        .values(
            token_hash=token_hash,
            email=email,
            name=name,
            language=language,
            role=place.role,
            programme_id=place.programme_id,
            school_id=place.school_id,
            donor_school_id=place.donor_school_id,
            invited_by=invited_by,
            created_at=now,
            expires_at=expires_at,
        )
        .returning(invitations.c.id)
    )
    return InvitationId(made.scalar_one())


def revoke_same(db: Session, email: str, place: Place, now: datetime) -> tuple[InvitationId, ...]:
    """Take back what is open for this address, role and place; which ones that was."""
    given = (
        (invitations.c.school_id, place.school_id),
        (invitations.c.donor_school_id, place.donor_school_id),
    )
    return _revoke(
        db,
        now,
        invitations.c.email == email,
        invitations.c.role == place.role,
        invitations.c.programme_id == place.programme_id,
        *(column.is_(None) if value is None else column == value for column, value in given),
    )


def revoke(db: Session, invitation_id: InvitationId, now: datetime) -> bool:
    """Take one back; False when it was accepted or taken back before."""
    return bool(_revoke(db, now, invitations.c.id == invitation_id))


def revoke_by(
    db: Session, person_id: PersonId, now: datetime, programmes: Collection[ProgrammeId]
) -> tuple[InvitationId, ...]:
    """Take back what this person invited to in these programmes: who goes speaks for nobody."""
    mine = invitations.c.programme_id.in_(list(programmes))
    return _revoke(db, now, invitations.c.invited_by == person_id, mine)


def _revoke(db: Session, now: datetime, *which: ColumnElement[bool]) -> tuple[InvitationId, ...]:
    done = update(invitations).where(*which, *_OPEN).values(revoked_at=now)
    return tuple(map(InvitationId, db.scalars(done.returning(invitations.c.id))))


def accept(db: Session, invitation_id: InvitationId, person_id: PersonId, now: datetime) -> bool:
    """Use it up; True for exactly one of any number of callers."""
    done = (
        update(invitations)
        .where(invitations.c.id == invitation_id, *_OPEN, invitations.c.expires_at > now)
        .values(accepted_at=now, accepted_by=person_id)
        .returning(invitations.c.id)
    )
    return db.scalar(done) is not None


def lock(db: Session, token_hash: str) -> None:
    """Let nobody else accept it until the transaction ends."""
    mine = select(invitations.c.id).where(invitations.c.token_hash == token_hash)
    db.execute(mine.with_for_update())


def by_token(db: Session, token_hash: str) -> Invitation | None:
    return next(iter(_read(db, invitations.c.token_hash == token_hash)), None)


def one(db: Session, actor: Actor, invitation_id: InvitationId) -> Invitation | None:
    """The invitation, if the actor may see it."""
    seen = visible_to(actor, invitations)
    return next(iter(_read(db, invitations.c.id == invitation_id, seen)), None)


def seen_by(db: Session, actor: Actor, since: datetime) -> tuple[Invitation, ...]:
    """What the actor may see of the invitations made since then, the newest first.

    Those that a newer one for the same address, role and place replaced are left out.
    """
    newest = select(func.max(invitations.c.id)).group_by(
        invitations.c.email,
        invitations.c.role,
        invitations.c.programme_id,
        invitations.c.school_id,
        invitations.c.donor_school_id,
    )
    recent = (invitations.c.created_at > since, invitations.c.id.in_(newest))
    return tuple(reversed(_read(db, visible_to(actor, invitations), *recent)))


def _read(db: Session, *which: ColumnElement[bool]) -> tuple[Invitation, ...]:
    query = (
        select(
            invitations,
            programmes.c.name.label("programme"),
            persons.c.name.label("inviter"),
            func.coalesce(receiving_schools.c.name, donor_schools.c.name, "").label("school"),
        )
        .join(programmes, invitations.c.programme_id == programmes.c.id)
        .outerjoin(persons, invitations.c.invited_by == persons.c.id)
        .outerjoin(receiving_schools, invitations.c.school_id == receiving_schools.c.id)
        .outerjoin(donor_schools, invitations.c.donor_school_id == donor_schools.c.id)
        .where(*which)
        .order_by(invitations.c.id)
    )
    return tuple(map(_invitation, db.execute(query)))


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(
        id=InvitationId(row.id),
        email=row.email,
        name=row.name,
        language=row.language,
        place=Place(
            Role(row.role),
            ProgrammeId(row.programme_id),
            None if row.school_id is None else SchoolId(row.school_id),
            None if row.donor_school_id is None else DonorSchoolId(row.donor_school_id),
        ),
        school=row.school,
        programme=row.programme,
        inviter_id=None if row.invited_by is None else PersonId(row.invited_by),
        invited_by=row.inviter or "",
        created_at=row.created_at,
        expires_at=row.expires_at,
        accepted_at=row.accepted_at,
        revoked_at=row.revoked_at,
    )
