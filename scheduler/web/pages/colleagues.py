"""Colleagues with the same role at the same school: who they are, and inviting one."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import Actor, Grant, Role
from scheduler.domain.departures import GrantId
from scheduler.domain.invitations import InvitationId, Place
from scheduler.errors import Conflict, Invalid, NotFound, Text, text
from scheduler.services import colleagues, invitations
from scheduler.services.context import Context
from scheduler.services.words import ROLES
from scheduler.web.forms import Fields
from scheduler.web.guard import Ctx, DonorHeadActor, Form, RowId, SchoolActor
from scheduler.web.pages import inviting
from scheduler.web.view import render, see_other

router = APIRouter()

SCHOOL = "/school/people"
DONOR = "/donor-school/people"
_ROOMS = {SCHOOL: Role.SCHOOL, DONOR: Role.DONOR_HEAD}


@router.get(SCHOOL)
def school_page(request: Request, ctx: Ctx, actor: SchoolActor) -> Response:
    return _page(request, ctx, actor, SCHOOL)


@router.post(SCHOOL)
def school_invite(request: Request, ctx: Ctx, actor: SchoolActor, form: Form) -> Response:
    return _invite(request, ctx, actor, SCHOOL, Fields(form))


@router.post(f"{SCHOOL}/invitations/{{invitation_id}}/take-back")
def school_take_back(ctx: Ctx, actor: SchoolActor, invitation_id: RowId, _form: Form) -> Response:
    return _take_back(ctx, actor, SCHOOL, invitation_id)


@router.get(DONOR)
def donor_page(request: Request, ctx: Ctx, actor: DonorHeadActor) -> Response:
    return _page(request, ctx, actor, DONOR)


@router.post(DONOR)
def donor_invite(request: Request, ctx: Ctx, actor: DonorHeadActor, form: Form) -> Response:
    return _invite(request, ctx, actor, DONOR, Fields(form))


@router.post(f"{DONOR}/invitations/{{invitation_id}}/take-back")
def donor_take_back(ctx: Ctx, actor: DonorHeadActor, invitation_id: RowId, _form: Form) -> Response:
    return _take_back(ctx, actor, DONOR, invitation_id)


def _invite(request: Request, ctx: Context, actor: Actor, room: str, fields: Fields) -> Response:
    try:
        place = _place(room, fields.typed("role_id"), colleagues.own(ctx, actor))
        invitations.invite(ctx, actor, inviting.read(fields, place))
    except Invalid as fault:
        return _page(request, ctx, actor, room, fields, fault.fields)
    except Conflict as fault:
        return _page(request, ctx, actor, room, fields, {"email": fault.message})
    said = text("The invitation is on its way to {email}.", email=fields.typed("email").strip())
    return see_other(room, said)


def _place(room: str, chosen: str, mine: Mapping[GrantId, Grant]) -> Place:
    """The actor's own place, by the number of the role; the only one where there is one."""
    own = {key: grant for key, grant in mine.items() if grant.role is _ROOMS[room]}
    grant = next(iter(own.values())) if len(own) == 1 else None
    if chosen.isascii() and chosen.isdecimal() and len(chosen) < 10:
        grant = own.get(GrantId(int(chosen)))
    if grant is None:
        raise NotFound("There is no such school here.")
    return Place(grant.role, grant.programme_id, grant.school_id, grant.donor_school_id)


def _take_back(ctx: Context, actor: Actor, room: str, invitation_id: int) -> Response:
    invitations.take_back(ctx, actor, InvitationId(invitation_id))
    return see_other(room, text("The invitation is taken back."))


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    room: str,
    fields: Fields | None = None,
    errors: Mapping[str, Text] | None = None,
) -> Response:
    role = _ROOMS[room]
    typed = {name: fields.typed(name) if fields else "" for name in ("email", "name", "language")}
    listed = [x for x in invitations.listed(ctx, actor) if x.invitation.place.role is role]
    return render(
        request,
        "account/colleagues.html",
        status=422 if errors else 200,
        groups=colleagues.of_actor(ctx, actor, role),
        role=ROLES[role],
        typed=typed | {"language": typed["language"] or ctx.settings.locale},
        errors=errors or {},
        languages=inviting.LANGUAGE_NAMES,
        listed=inviting.lines(ctx, listed),
        here=room,
        myself=actor.person_id,
    )
