"""The coordinator's people: a list to search, one page each, and inviting."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain import requests
from scheduler.domain.access import Actor, Role
from scheduler.domain.departures import GrantId, Held
from scheduler.domain.invitations import InvitationId
from scheduler.domain.people import PersonId
from scheduler.domain.plans import Fingerprint, PlanId
from scheduler.domain.requests import RequestId
from scheduler.errors import Conflict, Invalid, Stale, Text, text
from scheduler.services import asking, invitations, people, profiles, programmes
from scheduler.services.context import Context
from scheduler.services.departures import Departure
from scheduler.services.profiles import Teaching
from scheduler.services.words import LEVELS, ROLES
from scheduler.store.directory import Entry
from scheduler.web.forms import Fields
from scheduler.web.guard import LARGEST_ID, CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages import inviting, profile_words
from scheduler.web.pages.gaps import FixShown, fix_shown
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/people"
AT_ONCE = 50
_Typed = Annotated[str, Query(max_length=80)]
_Row = Annotated[int | None, Query(ge=1, le=LARGEST_ID)]
Number = Annotated[int, Query(alias="page", ge=1, le=10_000)]


@dataclass(frozen=True, slots=True)
class Row:
    """A person in the list; `seen`: the day of the last visit."""

    id: int
    name: str
    email: str
    roles: tuple[tuple[Text, str], ...]
    seen: date | None
    off: bool
    left: bool


@dataclass(frozen=True, slots=True)
class WantedShown:
    """Whom a plan lacks for a class, in values ready to print."""

    plan_id: PlanId
    request: requests.Request
    school_name: str
    level: Text
    fix: FixShown


# -- the list


@router.get(HERE)
def page(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    q: _Typed = "",
    role: _Typed = "",
    number: Number = 1,
) -> Response:
    chosen = Role(role) if role in set(Role) else None
    found = people.directory_of(ctx, actor, q, chosen)
    pending = inviting.lines(ctx, invitations.listed(ctx, actor))
    return render(
        request,
        "coordinator/people.html",
        count=len(found),
        rows=[_row(ctx, entry) for entry in found[(number - 1) * AT_ONCE : number * AT_ONCE]],
        pages=pages_of(HERE, len(found), number, {"q": q, "role": role}),
        q=q,
        role=chosen.value if chosen else "",
        roles=[(each.value, ROLES[each]) for each in Role],
        pending=[line for line in pending if line.open],
        ended=sum(not line.open for line in pending),
    )


def pages_of(
    here: str, count: int, shown: int, typed: Mapping[str, str], at_once: int = AT_ONCE
) -> list[tuple[int, str | None]]:
    """The numbers of the pages, with where each is; none where one page is enough."""
    asked = {name: value for name, value in typed.items() if value}
    numbers = range(1, (count - 1) // at_once + 2) if count > at_once else ()
    return [
        (n, None if n == shown else f"{here}?{urlencode({**asked, 'page': n})}#list")
        for n in numbers
    ]


def _row(ctx: Context, entry: Entry) -> Row:
    zone = ZoneInfo(ctx.settings.timezone)
    return Row(
        entry.id,
        entry.name,
        entry.email,
        tuple((ROLES[held.grant.role], held.school) for held in entry.roles),
        entry.seen_at.astimezone(zone).date() if entry.seen_at else None,
        not entry.active,
        bool(entry.left) and not entry.roles,
    )


# -- inviting


@router.get(f"{HERE}/invite")
def invite_page(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    plan: _Row = None,
    gap: _Row = None,
) -> Response:
    """`plan`, `gap`: the plan and the request in it that somebody new is wanted for."""
    return _invite_page(request, ctx, actor, None, {}, _wanted(ctx, actor, plan, gap))


@router.post(f"{HERE}/invite")
def invite(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    form: Form,
    plan: _Row = None,
    gap: _Row = None,
) -> Response:
    fields = Fields(form)
    programme_id = programmes.own(actor)
    open_to = invitations.places(ctx, actor, programme_id).roles
    try:
        place = inviting.read_place(fields, programme_id, open_to)
        invitations.invite(ctx, actor, inviting.read(fields, place))
    except Invalid as fault:
        wanted = _wanted(ctx, actor, plan, gap)
        return _invite_page(request, ctx, actor, fields, fault.fields, wanted)
    except Conflict as fault:
        wanted = _wanted(ctx, actor, plan, gap)
        return _invite_page(request, ctx, actor, fields, {"email": fault.message}, wanted)
    said = text("The invitation is on its way to {email}.", email=fields.typed("email").strip())
    return see_other(HERE, said)


def _wanted(ctx: Context, actor: Actor, plan: int | None, gap: int | None) -> WantedShown | None:
    if plan is None or gap is None:
        return None
    found = asking.newcomer(ctx, actor, PlanId(plan), RequestId(gap))
    if found is None:
        return None
    return WantedShown(
        plan_id=PlanId(plan),
        request=found.request,
        school_name=found.school_name,
        level=LEVELS[found.request.level],
        fix=fix_shown(found.request, found.line),
    )


def _invite_page(
    request: Request,
    ctx: Context,
    actor: Actor,
    fields: Fields | None,
    errors: Mapping[str, Text],
    wanted: WantedShown | None,
) -> Response:
    found = invitations.places(ctx, actor, programmes.own(actor))
    names = ("email", "name", "role", "place", "language")
    typed = {name: fields.typed(name) if fields else "" for name in names}
    if wanted and not fields:
        typed["role"] = Role.TEACHER.value
    return render(
        request,
        "coordinator/invite.html",
        status=422 if errors else 200,
        section=HERE,
        typed=typed | {"language": typed["language"] or ctx.settings.locale},
        errors=errors,
        wanted=wanted,
        roles=[(each.value, ROLES[each]) for each in found.roles],
        schools=[(f"school-{x.id}", f"{x.name} ({x.district})") for x in found.schools],
        donors=[(f"donor-{x.id}", x.label) for x in found.donor_schools],
        languages=inviting.LANGUAGE_NAMES,
        listed=inviting.lines(ctx, invitations.listed(ctx, actor)),
    )


@router.post(f"{HERE}/invitations/{{invitation_id}}/take-back")
def take_back(ctx: Ctx, actor: CoordinatorActor, invitation_id: RowId, _form: Form) -> Response:
    invitations.take_back(ctx, actor, InvitationId(invitation_id))
    return see_other(HERE, text("The invitation is taken back."))


# -- one person


@router.get(f"{HERE}/{{person_id}}")
def person(request: Request, ctx: Ctx, actor: CoordinatorActor, person_id: RowId) -> Response:
    profile = profiles.of_person(ctx, actor, PersonId(person_id))
    found, teaching = profile.card, profile.teaching
    pledge = teaching.pledge if teaching else None
    return render(
        request,
        "coordinator/person.html",
        section=HERE,
        card=found,
        row=_row(ctx, found.entry),
        roles=[_held(x, x.id in found.removable, teaching) for x in found.entry.roles],
        oneself=person_id == actor.person_id,
        reached=profile.reached,
        teaching=teaching,
        free=profile_words.free(pledge.windows, teaching.term) if teaching and pledge else [],
        levels=[LEVELS[level] for level in pledge.levels] if pledge else [],
        zone=ctx.settings.timezone,
        now=ctx.now(),
    )


def _held(
    held: Held, removable: bool, teaching: Teaching | None
) -> tuple[Held, Text, bool, str | None]:
    """A role, its word, whether it may be taken away, and the page of its school."""
    grant = held.grant
    href = f"/coordinator/schools/{grant.school_id}/profile" if grant.school_id else None
    own = teaching and teaching.held.id == held.id
    if donor := grant.donor_school_id or (teaching.donor_school_id if teaching and own else None):
        href = f"/coordinator/donor-schools/{donor}"
    return held, ROLES[grant.role], removable, href


@router.get(f"{HERE}/{{person_id}}/roles/{{grant_id}}/remove")
def look_at_removal(
    request: Request, ctx: Ctx, actor: CoordinatorActor, person_id: RowId, grant_id: RowId
) -> Response:
    found = people.look_at_removal(ctx, actor, PersonId(person_id), GrantId(grant_id))
    return _preview(request, ctx, actor, found, None)


@router.post(f"{HERE}/{{person_id}}/roles/{{grant_id}}/remove")
def remove(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    person_id: RowId,
    grant_id: RowId,
    form: Form,
) -> Response:
    seen = Fingerprint(Fields(form).typed("seen"))
    who, role = PersonId(person_id), GrantId(grant_id)
    try:
        people.remove(ctx, actor, who, role, seen)
    except Conflict as fault:
        found = people.look_at_removal(ctx, actor, who, role)
        return _preview(request, ctx, actor, found, fault)
    return see_other(HERE, text("The role is taken away."))  # the person may be gone from sight


@router.get(f"{HERE}/{{person_id}}/switch-off")
def look_at_switch(
    request: Request, ctx: Ctx, actor: CoordinatorActor, person_id: RowId
) -> Response:
    found = people.look_at_switch(ctx, actor, PersonId(person_id))
    return _preview(request, ctx, actor, found, None, whole=True)


@router.post(f"{HERE}/{{person_id}}/switch-off")
def switch_off(
    request: Request, ctx: Ctx, actor: CoordinatorActor, person_id: RowId, form: Form
) -> Response:
    who = PersonId(person_id)
    try:
        people.switch_off(ctx, actor, who, Fingerprint(Fields(form).typed("seen")))
    except Conflict as fault:
        found = people.look_at_switch(ctx, actor, who)
        return _preview(request, ctx, actor, found, fault, whole=True)
    return see_other(f"{HERE}/{person_id}", text("The account is switched off."))


@router.post(f"{HERE}/{{person_id}}/switch-on")
def switch_on(ctx: Ctx, actor: CoordinatorActor, person_id: RowId, _form: Form) -> Response:
    people.switch_on(ctx, actor, PersonId(person_id))
    return see_other(f"{HERE}/{person_id}", text("The account is switched on again."))


def _preview(
    request: Request,
    ctx: Context,
    actor: Actor,
    found: Departure,
    fault: Conflict | None,
    *,
    whole: bool = False,
) -> Response:
    """What would happen; the button sends back what was seen."""
    entry = people.card(ctx, actor, found.person_id).entry
    back = f"{HERE}/{found.person_id}"
    deed = "switch-off" if whole else f"roles/{found.roles[0].id}/remove"
    return render(
        request,
        "coordinator/departure.html",
        status=409 if fault else 200,
        section=HERE,
        name=entry.name,
        found=found,
        roles=[(ROLES[held.grant.role], held.school) for held in found.roles],
        whole=whole,
        fault=fault.message if fault else None,
        stale=isinstance(fault, Stale),
        action=f"{back}/{deed}",
        back=back,
    )
