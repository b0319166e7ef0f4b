"""The people of a programme: found, invited, switched off and on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from scheduler.domain.access import Role
from scheduler.domain.invitations import InvitationId, InvitationState
from scheduler.domain.people import PersonId
from scheduler.services import invitations, people
from scheduler.services.departures import Departure
from scheduler.services.invitations import Listed, Wanted
from scheduler.store.directory import Entry
from scheduler.web.api.beliefs import Believed, tag
from scheduler.web.api.bodies import Body, Name, Seen, Words, example
from scheduler.web.api.lessons import LessonOut, lesson_out
from scheduler.web.api.paging import Paged, newest_first
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(tags=["people"])

OfRole = Annotated[Role | None, Query(description="Only who has this role.")]


@dataclass(frozen=True, slots=True)
class RoleOut:
    """A role, and its school by name where it has one."""

    role: Role
    school: str


@dataclass(frozen=True, slots=True)
class PersonOut:
    """Somebody of the programme, with the roles there; `active`: may sign in."""

    id: int
    name: str
    email: str
    active: bool
    roles: list[RoleOut]


@dataclass(frozen=True, slots=True)
class DepartureOut:
    """What ends when the account is switched off: these lessons need somebody else, these schools
    have nobody to speak for them; `fingerprint` is what switching off wants to be told."""

    person: int
    lessons: list[LessonOut]
    looking: int
    alone: list[str]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class InvitationOut:
    """An invitation; `open`: one may take it back."""

    id: int
    email: str
    name: str
    role: Role
    school: str
    state: InvitationState
    open: bool
    created_at: datetime
    expires_at: datetime


class SwitchIn(Body):
    """The fingerprint of what would end, where it is not sent as If-Match."""

    fingerprint: Seen | None = None

    model_config = example(fingerprint="0123456789abcdef0123456789abcdef")


class InvitationIn(Body):
    """Whom to invite to which role: `school` by its code, for its contacts; `donor_school` by its
    name, or as "name (district)", for teachers and heads."""

    email: Name
    name: Name
    role: Role
    school: Words = ""
    donor_school: Words = ""
    language: Literal["vi", "en"] = "vi"

    model_config = example(
        email="lan@truong.example", name="Nguyễn Thị Lan", role="teacher",
        donor_school="THCS Ái Mộ (Long Biên)", language="vi",
    )  # fmt: skip


def _person(entry: Entry) -> PersonOut:
    roles = [RoleOut(held.grant.role, held.school) for held in entry.roles]
    return PersonOut(entry.id, entry.name, entry.email, entry.active, roles)


def _departure(ctx: Ctx, response: Response, found: Departure) -> DepartureOut:
    tag(response, found.fingerprint)
    return DepartureOut(
        person=found.person_id,
        lessons=[lesson_out(each, ctx.now()) for each in found.lessons],
        looking=found.looking,
        alone=list(found.alone),
        fingerprint=found.fingerprint,
    )


def _invitation(found: Listed) -> InvitationOut:
    told = found.invitation
    return InvitationOut(
        id=told.id,
        email=told.email,
        name=told.name,
        role=told.place.role,
        school=told.school,
        state=found.state,
        open=found.open,
        created_at=told.created_at,
        expires_at=told.expires_at,
    )


@router.get("/people")
def listed(ctx: Ctx, actor: ApiActor, paged: Paged, role: OfRole = None) -> list[PersonOut]:
    """The people of a coordinator's programme."""
    found = people.directory_of(ctx, actor, role=role)
    return [_person(each) for each in paged.cut(found, lambda each: (each.id,))]


@router.get("/people/{person_id}")
def one(ctx: Ctx, actor: ApiActor, person_id: RowId) -> PersonOut:
    """One person with the roles in a coordinator's programme."""
    return _person(people.card(ctx, actor, PersonId(person_id)).entry)


@router.get("/people/{person_id}/departure")
def departure(ctx: Ctx, actor: ApiActor, person_id: RowId, response: Response) -> DepartureOut:
    """What would end if the account were switched off now; nothing is changed."""
    return _departure(ctx, response, people.look_at_switch(ctx, actor, PersonId(person_id)))


@router.post("/people/{person_id}/switch-off")
def switch_off(
    ctx: Ctx, actor: ApiActor, person_id: RowId, response: Response, belief: Believed,
    body: SwitchIn,
) -> DepartureOut:  # fmt: skip
    """Switch an account off, exactly as seen: cover is looked for, the roles stay."""
    seen = belief.seen(body.fingerprint)
    return _departure(ctx, response, people.switch_off(ctx, actor, PersonId(person_id), seen))


@router.post("/people/{person_id}/switch-on")
def switch_on(ctx: Ctx, actor: ApiActor, person_id: RowId) -> PersonOut:
    """Let somebody sign in again, with the roles that are left."""
    people.switch_on(ctx, actor, PersonId(person_id))
    return _person(people.card(ctx, actor, PersonId(person_id)).entry)


@router.get("/invitations")
def invited(ctx: Ctx, actor: ApiActor, paged: Paged) -> list[InvitationOut]:
    """The invitations of the last two months that one may see, the newest first."""
    found = invitations.listed(ctx, actor)
    told = paged.cut(found, lambda each: newest_first(each.invitation.id))
    return [_invitation(each) for each in told]


@router.post("/invitations", status_code=201)
def invite(ctx: Ctx, actor: ApiActor, body: InvitationIn) -> InvitationOut:
    """Ask somebody by mail to take part; a newer invitation replaces the older."""
    place = invitations.place_named(ctx, actor, body.role, body.school, body.donor_school)
    made = invitations.invite(ctx, actor, Wanted(body.email, body.name, body.language, place))
    return _invitation(next(x for x in invitations.listed(ctx, actor) if x.invitation.id == made))


@router.delete("/invitations/{invitation_id}", status_code=204)
def take_back(ctx: Ctx, actor: ApiActor, invitation_id: RowId) -> None:
    """End an open invitation; its link says so from now on."""
    invitations.take_back(ctx, actor, InvitationId(invitation_id))
