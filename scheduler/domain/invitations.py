"""Invitations of people: what one is worth, and who may ask whom to what.  Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from scheduler.domain.access import RUNNING, Action, Actor, Grant, Role
from scheduler.domain.people import DonorSchoolId, PersonId, SchoolId
from scheduler.domain.terms import ProgrammeId

InvitationId = NewType("InvitationId", int)

LIFE = timedelta(days=7)
LONGEST_NAME = 200
AT_SCHOOLS = (Role.SCHOOL,)
AT_DONOR_SCHOOLS = (Role.TEACHER, Role.DONOR_HEAD)


class InvitationState(StrEnum):
    """OPEN: may be accepted; the others are ends."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Place:
    """To what somebody is invited: a role, with the school where it has one."""

    role: Role
    programme_id: ProgrammeId
    school_id: SchoolId | None = None
    donor_school_id: DonorSchoolId | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it names the school that its role needs, and no other."""
        at_school = (self.school_id is not None) == (self.role in AT_SCHOOLS)
        at_donor = (self.donor_school_id is not None) == (self.role in AT_DONOR_SCHOOLS)
        return at_school and at_donor


@dataclass(frozen=True, slots=True)
class Invitation:
    """`school` and `programme`: names; `invited_by` is empty when an operator did it."""

    id: InvitationId
    email: str
    name: str
    language: str
    place: Place
    school: str
    programme: str
    inviter_id: PersonId | None
    invited_by: str
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    revoked_at: datetime | None


def state_of(found: Invitation, now: datetime) -> InvitationState:
    if found.accepted_at is not None:
        return InvitationState.ACCEPTED
    if found.revoked_at is not None:
        return InvitationState.REVOKED
    return InvitationState.OPEN if now < found.expires_at else InvitationState.EXPIRED


def needed_for(role: Role) -> Action:
    """What it takes to give this role, or to take it away."""
    return Action.MANAGE_COORDINATORS if role in RUNNING else Action.MANAGE_PEOPLE


def may_invite(actor: Actor, place: Place) -> bool:
    """Whoever manages such people, and a colleague with the same role at the same school."""
    if actor.can(needed_for(place.role), place.programme_id):
        return True
    if not actor.can(Action.INVITE_COLLEAGUES, place.programme_id):
        return False
    return any(_place_of(grant) == place for grant in actor.grants if grant.role not in RUNNING)


def _place_of(grant: Grant) -> Place:
    return Place(grant.role, grant.programme_id, grant.school_id, grant.donor_school_id)


def invitable(actor: Actor, programme_id: ProgrammeId) -> tuple[Role, ...]:
    """The roles that the actor may give in the programme, wherever it be."""
    return tuple(role for role in Role if actor.can(needed_for(role), programme_id))
