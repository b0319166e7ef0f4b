"""Invitations: somebody is asked to take part, and comes in by the mailbox that was asked."""

from dataclasses import dataclass
from datetime import timedelta

from scheduler import security
from scheduler.domain import invitations as rules
from scheduler.domain import remarks
from scheduler.domain.access import Action, Actor, Grant, Role
from scheduler.domain.invitations import Invitation, InvitationId, InvitationState, Place
from scheduler.domain.limits import INVITATIONS_BY_PERSON, LETTERS_BY_MAILBOX
from scheduler.domain.messages import Channel, MessageKind, NewMessage
from scheduler.domain.people import DonorSchool, PersonId, ReceivingSchool
from scheduler.domain.terms import ProgrammeId
from scheduler.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany, text
from scheduler.locale import LANGUAGES
from scheduler.services import accounts, limits, outbox, programmes
from scheduler.services.context import Context
from scheduler.store import accounts as account_rows
from scheduler.store import audits, gathered, people, roles, tables, terms
from scheduler.store import invitations as rows
from scheduler.store.database import Session
from scheduler.store.visibility import sees

SHOWN_FOR = timedelta(days=60)
_DEAD = text("This invitation can no longer be used. Ask whoever invited you for a new one.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to invite, as a form or a command says it."""

    email: str
    name: str
    language: str
    place: Place


@dataclass(frozen=True, slots=True)
class Listed:
    """An invitation with its state; `open`: the actor may take it back."""

    invitation: Invitation
    state: InvitationState
    open: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """Whose mailbox must answer now: `browser` is the secret for this browser's cookie, empty when
    no link was sent because so many were asked for."""

    email: str
    language: str
    browser: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where the actor may invite people to, wherever it be in the programme."""

    roles: tuple[Role, ...]
    schools: tuple[ReceivingSchool, ...]
    donor_schools: tuple[DonorSchool, ...]


# -- by those who invite


def places(ctx: Context, actor: Actor, programme_id: ProgrammeId) -> Places:
    """What an invitation of this actor may name; raises NotAllowed for who manages nobody."""
    if not actor.can(Action.MANAGE_PEOPLE, programme_id):
        raise NotAllowed("Your account may not do this.")
    with ctx.reading() as db:
        return Places(
            rules.invitable(actor, programme_id),
            terms.schools(db, programme_id),
            people.donor_schools(db, programme_id),
        )


def place_named(
    ctx: Context, actor: Actor, role: Role, school_code: str, donor_school: str
) -> Place:
    """The place that a command names: a receiving school by its code, a donor school by its name.

    Raises NotFound for a school that is not there, Conflict for a name that several have, Invalid
    for a role without its school, or with one that it does not have.
    """
    programme_id = programmes.own(actor)
    found = places(ctx, actor, programme_id)
    _named_rightly(role, school_code, donor_school)
    if role in rules.AT_SCHOOLS:
        known = {school.code: school.id for school in found.schools}
        if school_code not in known:
            raise NotFound(text("There is no school with the code {code}.", code=school_code))
        return Place(role, programme_id, known[school_code])
    if role not in rules.AT_DONOR_SCHOOLS:
        return Place(role, programme_id)
    same = [x.id for x in found.donor_schools if donor_school in (x.name, x.label)]
    if not same:
        raise NotFound(text("There is no donor school called {name}.", name=donor_school))
    if len(same) > 1:
        raise Conflict("Several schools have this name: write it with its district in brackets.")
    return Place(role, programme_id, None, same[0])


def _named_rightly(role: Role, school_code: str, donor_school: str) -> None:
    if role in rules.AT_SCHOOLS and not school_code:
        raise Invalid("Say which school: --school CODE.")
    if role in rules.AT_DONOR_SCHOOLS and not donor_school:
        raise Invalid("Say which donor school: --donor-school NAME.")
    if school_code and role not in rules.AT_SCHOOLS:
        raise Invalid("This role has no school: leave --school out.")
    if donor_school and role not in rules.AT_DONOR_SCHOOLS:
        raise Invalid("This role has no donor school: leave --donor-school out.")


def invite(ctx: Context, actor: Actor, wanted: Wanted) -> InvitationId:
    """Ask somebody to take part: a mail with a link of 7 days.

    A newer invitation for the same address, role and place replaces the older.  Raises NotFound
    for a place that the actor does not see, NotAllowed, Invalid for an address or name that cannot
    be, Conflict for who has this role, TooMany.
    """
    email, name = accounts.clean_email(wanted.email), _name(wanted.name)
    if not wanted.place.is_whole or wanted.language not in LANGUAGES:
        raise Invalid("Say to which school, and in which language.")
    limits.take(ctx, INVITATIONS_BY_PERSON, str(actor.person_id))
    limits.take(ctx, LETTERS_BY_MAILBOX, email)
    now, token = ctx.now(), security.new_token()
    with ctx.transaction() as db:
        _may(db, actor, wanted.place)
        roles.lock(db, [wanted.place.programme_id])
        if _has(db, email, wanted.place):
            raise Conflict(text("{email} has this role already.", email=email))
        for older in rows.revoke_same(db, email, wanted.place, now):
            _unsend(db, older)
        made = rows.add(
            db,
            token_hash=security.digest(token),
            email=email,
            name=name,
            language=wanted.language,
            place=wanted.place,
            invited_by=actor.person_id,
            now=now,
            expires_at=now + rules.LIFE,
        )
        found = rows.by_token(db, security.digest(token))
        if found is not None:
            outbox.plan(ctx, db, [_mail(ctx, actor, found, token)])
        _record(ctx, db, actor.person_id, "invite", made, wanted.place)
    return made


def listed(ctx: Context, actor: Actor) -> tuple[Listed, ...]:
    """The invitations of the last two months that the actor may see, the newest first."""
    now = ctx.now()
    with ctx.reading() as db:
        found = rows.seen_by(db, actor, now - SHOWN_FOR)
    return tuple(
        Listed(
            each,
            state := rules.state_of(each, now),
            state is InvitationState.OPEN and rules.may_invite(actor, each.place),
        )
        for each in found
    )


def take_back(ctx: Context, actor: Actor, invitation_id: InvitationId) -> None:
    """End an open invitation; its link says so from now on.  Twice is as good as once.

    Raises NotFound for strangers, Conflict when it was accepted.
    """
    with ctx.transaction() as db:
        found = rows.one(db, actor, invitation_id)
        if found is None:
            raise NotFound("There is no such invitation here.")
        if not rules.may_invite(actor, found.place):
            raise NotAllowed("Your account may not do this.")
        if rows.revoke(db, invitation_id, ctx.now()):
            _unsend(db, invitation_id)
            _record(ctx, db, actor.person_id, "take_invitation_back", invitation_id, found.place)
        elif found.accepted_at is not None:
            raise Conflict("This invitation was accepted already.")


def _may(db: Session, actor: Actor, place: Place) -> None:
    """A school that the actor does not see is not there, for whoever asks."""
    seen = {
        tables.receiving_schools: place.school_id,
        tables.donor_schools: place.donor_school_id,
    }
    known = all(sees(db, actor, table, row) for table, row in seen.items() if row is not None)
    if not known or all(grant.programme_id != place.programme_id for grant in actor.grants):
        raise NotFound("There is no such school here.")
    if not _in_programme(db, place):
        raise NotFound("There is no such school here.")
    if not rules.may_invite(actor, place):
        raise NotAllowed("Your account may not do this.")


def _in_programme(db: Session, place: Place) -> bool:
    """Whether the school is one of that very programme: the actor may see those of several."""
    if place.school_id is not None:
        return terms.programme_of_school(db, place.school_id) == place.programme_id
    if place.donor_school_id is not None:
        known = people.donor_schools(db, place.programme_id)
        return any(school.id == place.donor_school_id for school in known)
    return True


def _name(typed: str) -> str:
    name = remarks.tidied(typed)
    if fault := remarks.fault(name, rules.LONGEST_NAME):
        raise Invalid("Write the name of whom you invite.", fields={"name": fault})
    return name


def _has(db: Session, email: str, place: Place) -> bool:
    person = people.by_email(db, email)
    held = roles.of_people(db, [person.id]) if person and person.active else ()
    return any(_fills(db, each.grant, place) for each in held)


def _fills(db: Session, grant: Grant, place: Place) -> bool:
    if grant.role is not place.role or grant.programme_id != place.programme_id:
        return False
    if grant.teacher_id is not None:
        return people.donor_school_of(db, grant.teacher_id) == place.donor_school_id
    return (grant.school_id, grant.donor_school_id) == (place.school_id, place.donor_school_id)


def _mail(ctx: Context, actor: Actor, found: Invitation, token: str) -> NewMessage:
    return NewMessage(
        key=f"invitation:{found.id}:{Channel.MAIL}",
        kind=MessageKind.INVITATION,
        person_id=actor.person_id,
        due_at=ctx.now(),
        useless_after=found.expires_at,
        payload={
            "url": f"{ctx.settings.base_url}/invitation/{token}",
            "email": found.email,
            "name": found.name,
            "language": found.language,
            "role": found.place.role.value,
            "school": found.school,
            "programme": found.programme,
            "by": actor.name,
            "until": found.expires_at.isoformat(),
        },
    )


def _unsend(db: Session, invitation_id: InvitationId) -> None:
    gathered.void_named(db, f"invitation:{invitation_id}:")


def end_of(ctx: Context, db: Session, person_id: PersonId, programmes: set[ProgrammeId]) -> None:
    """Who goes speaks for nobody: take back what is open of their invitations."""
    for each in rows.revoke_by(db, person_id, ctx.now(), programmes):
        _unsend(db, each)


# -- by the one who is invited


def look(ctx: Context, token: str) -> tuple[Invitation, InvitationState]:
    """What the link offers, and whether it still does; looking changes nothing.

    Raises NotFound for a link that never was.
    """
    with ctx.reading() as db:
        found = rows.by_token(db, security.digest(token))
        if found is None:
            raise NotFound(_DEAD)
        return found, _state(ctx, db, found)


def _state(ctx: Context, db: Session, found: Invitation) -> InvitationState:
    """How it stands; one whose inviter may invite nobody there any more counts as taken back."""
    state = rules.state_of(found, ctx.now())
    if state is not InvitationState.OPEN or found.inviter_id is None:
        return state
    inviter = account_rows.actor_of(db, found.inviter_id)
    vouched = inviter is not None and rules.may_invite(inviter, found.place)
    return state if vouched else InvitationState.REVOKED


def accept(ctx: Context, token: str) -> Accepted:
    """Take the role, once, and send a link by which the invited mailbox signs in.

    The person is made when unknown.  No session comes of it: who holds the link need not be who
    reads that mailbox.  Raises NotFound for a link that is not open, Conflict for an account that
    is switched off.
    """
    secret = security.digest(token)
    with ctx.transaction() as db:
        rows.lock(db, secret)
        found = rows.by_token(db, secret)
        if found is None or _state(ctx, db, found) is not InvitationState.OPEN:
            raise NotFound(_DEAD)
        _take_part(ctx, db, found)
    try:
        browser = accounts.request_sign_in(ctx, found.email)
    except TooMany:  # the role is taken all the same: a link can be asked for later
        browser = ""
    return Accepted(found.email, found.language, browser)


def _take_part(ctx: Context, db: Session, found: Invitation) -> None:
    now = ctx.now()
    person_id = account_rows.ensure_person(
        db, email=found.email, name=found.name, language=found.language, now=now
    )
    person = people.person(db, person_id)
    if person is None or not person.active:
        raise Conflict("This account is switched off. Ask your coordinator.")
    if not rows.accept(db, found.id, person.id, now):
        raise NotFound(_DEAD)
    if roles.give(db, person.id, found.place):
        account_rows.shut_out(db, person.id, now)  # other rights, another session
    _record(ctx, db, person.id, "accept_invitation", found.id, found.place)


def _record(
    ctx: Context,
    db: Session,
    by: PersonId,
    action: str,
    invitation_id: InvitationId,
    place: Place,
) -> None:
    to = {
        "role": place.role.value,
        "school": place.school_id,
        "donor_school": place.donor_school_id,
    }
    audits.record(db, ctx.now(), by, action, "invitation", invitation_id, after=to)
