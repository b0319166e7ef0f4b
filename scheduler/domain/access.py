"""Who may do what: the whole permission table on one screen.  Pure."""

from dataclasses import dataclass
from enum import StrEnum

from scheduler.domain.people import DonorSchoolId, PersonId, SchoolId, TeacherId
from scheduler.domain.terms import ProgrammeId
from scheduler.errors import NotAllowed


class Role(StrEnum):
    TEACHER = "teacher"
    SCHOOL = "school"
    DONOR_HEAD = "donor_head"
    COORDINATOR = "coordinator"
    ADMIN = "admin"


RUNNING = (Role.COORDINATOR, Role.ADMIN)  # whoever has one of these runs the programme


class Action(StrEnum):
    SEE_OWN_LESSONS = "see_own_lessons"
    SEE_SCHOOL = "see_school"
    REQUEST_LESSONS = "request_lessons"
    KEEP_HOURS = "keep_hours"
    SEE_PROGRAMME = "see_programme"
    RUN_MATCHING = "run_matching"
    PUBLISH = "publish"
    IMPORT = "import"
    CANCEL_LESSON = "cancel_lesson"
    SETTLE_LESSON = "settle_lesson"
    FIND_COVER = "find_cover"
    PIN_LESSON = "pin_lesson"
    MEET_DISRUPTIONS = "meet_disruptions"
    SUBSCRIBE = "subscribe"
    INVITE_COLLEAGUES = "invite_colleagues"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_COORDINATORS = "manage_coordinators"
    SEE_RECORD = "see_record"
    SEE_DONOR_SCHOOL = "see_donor_school"
    MANAGE_MESSAGES = "manage_messages"
    KEEP_RECORDS = "keep_records"


TABLE: dict[Role, frozenset[Action]] = {
    Role.TEACHER: frozenset({Action.SEE_OWN_LESSONS, Action.SUBSCRIBE}),
    Role.SCHOOL: frozenset(
        {
            Action.SEE_SCHOOL,
            Action.REQUEST_LESSONS,
            Action.KEEP_HOURS,
            Action.INVITE_COLLEAGUES,
            Action.SUBSCRIBE,
        }
    ),
    Role.DONOR_HEAD: frozenset(
        {Action.SEE_DONOR_SCHOOL, Action.INVITE_COLLEAGUES, Action.SUBSCRIBE}
    ),
    Role.COORDINATOR: frozenset(
        {
            Action.SEE_SCHOOL,
            Action.REQUEST_LESSONS,
            Action.KEEP_HOURS,
            Action.SEE_PROGRAMME,
            Action.RUN_MATCHING,
            Action.PUBLISH,
            Action.IMPORT,
            Action.CANCEL_LESSON,
            Action.SETTLE_LESSON,
            Action.FIND_COVER,
            Action.PIN_LESSON,
            Action.MEET_DISRUPTIONS,
            Action.SUBSCRIBE,
            Action.SEE_DONOR_SCHOOL,
            Action.INVITE_COLLEAGUES,
            Action.MANAGE_PEOPLE,
            Action.SEE_RECORD,
            Action.MANAGE_MESSAGES,
            Action.KEEP_RECORDS,
        }
    ),
    Role.ADMIN: frozenset(Action),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """One role of a person in one programme, with the teacher or school it concerns."""

    role: Role
    programme_id: ProgrammeId
    teacher_id: TeacherId | None = None
    school_id: SchoolId | None = None
    donor_school_id: DonorSchoolId | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks: a signed-in person with grants."""

    person_id: PersonId
    name: str
    email: str
    language: str
    grants: tuple[Grant, ...]

    def with_role(self, *roles: Role) -> tuple[Grant, ...]:
        return tuple(grant for grant in self.grants if grant.role in roles)

    @property
    def schools(self) -> tuple[SchoolId, ...]:
        """The receiving schools that they are a contact of."""
        return tuple(
            grant.school_id for grant in self.with_role(Role.SCHOOL) if grant.school_id is not None
        )

    @property
    def runs_programme(self) -> bool:
        return bool(self.with_role(*RUNNING))

    def can(self, action: Action, programme_id: ProgrammeId) -> bool:
        return any(
            action in TABLE[grant.role] and grant.programme_id == programme_id
            for grant in self.grants
        )


def require(actor: Actor, action: Action, programme_id: ProgrammeId) -> None:
    """Raise NotAllowed unless a role of the actor in this programme permits the action."""
    if not actor.can(action, programme_id):
        raise NotAllowed("Your account may not do this.")
