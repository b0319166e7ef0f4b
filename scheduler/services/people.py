"""The people of a programme before those who manage them, and each before herself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from scheduler.domain import access, names
from scheduler.domain.access import Action, Actor, Role
from scheduler.domain.availability import Wanted
from scheduler.domain.departures import GrantId, Held
from scheduler.domain.invitations import needed_for
from scheduler.domain.people import Person, PersonId
from scheduler.domain.plans import Fingerprint
from scheduler.domain.terms import ProgrammeId, Term
from scheduler.errors import Conflict, NotAllowed, NotFound
from scheduler.services import departures, programmes
from scheduler.services.context import Context
from scheduler.services.departures import Departure
from scheduler.store import (
    accounts,
    audits,
    availability,
    directory,
    people,
    present,
    recipients,
    roles,
)
from scheduler.store.database import Session
from scheduler.store.directory import Entry

_ELSEWHERE = "This person also works elsewhere: ask the administrator."
_ONESELF = "This is you. To go yourself, leave on the page of your account."


@dataclass(frozen=True, slots=True)
class Said:
    """What a teacher says about the newest term; `confirmed_on` None: not yet that it holds."""

    wanted: Wanted
    confirmed_on: date | None


@dataclass(frozen=True, slots=True)
class Card:
    """One person; `removable`: the roles the actor may take away; `switchable`: the whole account,
    `elsewhere` says that it is not, because the person has roles of other programmes.  `said`: None
    of who does not teach."""

    entry: Entry
    removable: frozenset[GrantId]
    switchable: bool
    elsewhere: bool
    said: Said | None


# -- looking


def directory_of(
    ctx: Context, actor: Actor, words: str = "", role: Role | None = None
) -> tuple[Entry, ...]:
    """The people of the actor's programme, whose name, address or school has all these words.

    Vietnamese marks and capitals make no difference.
    """
    programme_id = _own(actor)
    with ctx.reading() as db:
        found = directory.of_actor(db, actor)
    shown = (_here(entry, programme_id) for entry in found)
    wanted = names.fold(words).split()
    return tuple(
        entry
        for entry in shown
        if all(word in _text_of(entry) for word in wanted)
        and (role is None or any(held.grant.role is role for held in entry.roles))
    )


def _text_of(entry: Entry) -> str:
    places = (held.school for held in entry.roles)
    return names.fold(" ".join((entry.name, entry.email, *places, *entry.left)))


def _here(entry: Entry, programme_id: ProgrammeId) -> Entry:
    """What a coordinator may know: the roles in her programme."""
    return replace(
        entry, roles=tuple(x for x in entry.roles if x.grant.programme_id == programme_id)
    )


def card(ctx: Context, actor: Actor, person_id: PersonId) -> Card:
    """One person; raises NotFound for strangers."""
    programme_id = _own(actor)
    with ctx.reading() as db:
        entry = _one(db, actor, person_id)
        here = _here(entry, programme_id)
        term = present.running(db, programme_id, ctx.now())
        said = _said(db, here, term) if term else None
    oneself = person_id == actor.person_id
    able = frozenset(x.id for x in here.roles if _may(actor, x) and not oneself)
    return Card(
        entry=here,
        removable=able,
        switchable=not oneself and all(_may(actor, held) for held in entry.roles),
        elsewhere=any(held.grant.programme_id != programme_id for held in entry.roles),
        said=said,
    )


def _said(db: Session, entry: Entry, term: Term) -> Said | None:
    teaching = (held.grant.teacher_id for held in entry.roles if held.grant.teacher_id is not None)
    teacher = next(teaching, None)
    if teacher is None:
        return None
    own = availability.own(db, term.id, teacher)
    return Said(own.wanted, term.today(own.confirmed_at) if own.confirmed_at else None)


# -- taking roles and accounts away


def look_at_removal(
    ctx: Context, actor: Actor, person_id: PersonId, grant_id: GrantId
) -> Departure:
    """What would end with this role; raises NotFound for strangers."""
    with ctx.reading() as db:
        held = _removable(db, actor, person_id, grant_id)
        return departures.look(ctx, db, person_id, [held])


def remove(
    ctx: Context, actor: Actor, person_id: PersonId, grant_id: GrantId, seen: Fingerprint
) -> Departure:
    """Take one role away, as it was seen.

    Raises NotFound for strangers and for a role that is gone, Stale, NotAllowed, and Conflict for
    whom the programme cannot spare, and for oneself.
    """
    with ctx.transaction() as db:
        departures.hold(ctx, db, [_removable(db, actor, person_id, grant_id)])
        held = _removable(db, actor, person_id, grant_id)
        found = _end(ctx, db, actor, held, seen, "remove_role")
        accounts.shut_out(db, person_id, ctx.now())
        return found


def look_at_switch(ctx: Context, actor: Actor, person_id: PersonId) -> Departure:
    """What would end with the account; raises NotFound for strangers."""
    with ctx.reading() as db:
        return departures.look(ctx, db, person_id, _switchable(db, actor, person_id).roles)


def switch_off(ctx: Context, actor: Actor, person_id: PersonId, seen: Fingerprint) -> Departure:
    """Switch an account off, as it was seen; the roles stay, for the day it is switched on.

    Nothing happens to one that is off.  Raises NotFound for strangers, Stale, NotAllowed, and
    Conflict for whom a programme cannot spare, and for oneself.
    """
    with ctx.transaction() as db:
        departures.hold(ctx, db, _switchable(db, actor, person_id).roles)
        entry = _switchable(db, actor, person_id)
        found = departures.look(ctx, db, person_id, entry.roles)
        if not entry.active:
            return found
        departures.check(db, found, seen)
        if roles.set_active(db, person_id, active=False):
            roles.end_tokens(db, person_id, ctx.now())
            accounts.shut_out(db, person_id, ctx.now())
            departures.carry_out(ctx, db, found, actor.person_id)
            _record(ctx, db, actor, "switch_off", person_id, {"lessons": len(found.lessons)})
        return found


def switch_on(ctx: Context, actor: Actor, person_id: PersonId) -> None:
    """Let the person sign in again, with the roles that are left; nothing else comes back."""
    with ctx.transaction() as db:
        _switchable(db, actor, person_id)
        if roles.set_active(db, person_id, active=True):
            _record(ctx, db, actor, "switch_on", person_id, {})


def _own(actor: Actor) -> ProgrammeId:
    programme_id = programmes.own(actor)
    access.require(actor, Action.MANAGE_PEOPLE, programme_id)
    return programme_id


def _may(actor: Actor, held: Held) -> bool:
    return actor.can(needed_for(held.grant.role), held.grant.programme_id)


def _one(db: Session, actor: Actor, person_id: PersonId) -> Entry:
    found = directory.of_actor(db, actor, person_id)
    if not found:
        raise NotFound("There is no such person here.")
    return found[0]


def _removable(db: Session, actor: Actor, person_id: PersonId, grant_id: GrantId) -> Held:
    programme_id = _own(actor)
    entry = _here(_one(db, actor, person_id), programme_id)
    held = next((each for each in entry.roles if each.id == grant_id), None)
    if held is None:
        raise NotFound("This person does not have this role here.")
    if person_id == actor.person_id:
        raise Conflict(_ONESELF)
    if not _may(actor, held):
        raise NotAllowed("Your account may not do this.")
    return held


def _switchable(db: Session, actor: Actor, person_id: PersonId) -> Entry:
    programme_id = _own(actor)
    entry = _one(db, actor, person_id)
    if person_id == actor.person_id:
        raise Conflict(_ONESELF)
    if all(_may(actor, held) for held in entry.roles):
        return entry
    elsewhere = any(held.grant.programme_id != programme_id for held in entry.roles)
    raise NotAllowed(_ELSEWHERE if elsewhere else "Your account may not do this.")


# -- going oneself


@dataclass(frozen=True, slots=True)
class Leaving:
    """One role of the actor, what would end with it, and why it cannot end or None.

    `ask`: whom to ask instead, coordinators by name and address.
    """

    departure: Departure
    bound: bool
    ask: tuple[Person, ...]

    @property
    def held(self) -> Held:
        return self.departure.roles[0]


def leavings(ctx: Context, actor: Actor) -> tuple[Leaving, ...]:
    """What would happen if the actor laid each of their roles down."""
    with ctx.reading() as db:
        mine = roles.of_people(db, [actor.person_id])
        found = (departures.look(ctx, db, actor.person_id, [held]) for held in mine)
        return tuple(_leaving(db, each) for each in found)


def _leaving(db: Session, found: Departure) -> Leaving:
    ask: tuple[Person, ...] = ()
    if found.alone:
        ids = recipients.coordinators(db, found.roles[0].grant.programme_id)
        ask = tuple(recipients.people(db, ids).values())
    return Leaving(found, bool(found.alone), ask)


def leave(ctx: Context, actor: Actor, grant_id: GrantId, seen: Fingerprint) -> bool:
    """Lay a role down, as it was seen; whether the actor has any role left.

    Raises NotFound for a role that is not the actor's (any more), Stale, and Conflict for the last
    contact of a school, or for whom the programme cannot spare.
    """
    with ctx.transaction() as db:
        departures.hold(ctx, db, [_mine(db, actor, grant_id)])
        held = _mine(db, actor, grant_id)
        if held.grant.role is Role.SCHOOL and not roles.others_of_school(db, held):
            raise Conflict(
                "Nobody else speaks for your school. Invite a colleague first, or ask your "
                "coordinator."
            )
        _end(ctx, db, actor, held, seen, "leave")
        stays = bool(roles.of_people(db, [actor.person_id]))
        if not stays:
            accounts.shut_out(db, actor.person_id, ctx.now())
        return stays


def _mine(db: Session, actor: Actor, grant_id: GrantId) -> Held:
    mine = roles.of_people(db, [actor.person_id])
    held = next((each for each in mine if each.id == grant_id), None)
    if held is None:
        raise NotFound("You do not have this role any more.")
    return held


def _end(
    ctx: Context, db: Session, actor: Actor, held: Held, seen: Fingerprint, action: str
) -> Departure:
    found = departures.look(ctx, db, held.person_id, [held])
    departures.check(db, found, seen)
    roles.remove(db, held, ctx.now())
    departures.carry_out(ctx, db, found, actor.person_id)
    gone = {"role": held.grant.role.value, "lessons": len(found.lessons)}
    _record(ctx, db, actor, action, held.person_id, gone)
    return found


def _record(
    ctx: Context,
    db: Session,
    actor: Actor,
    action: str,
    person_id: PersonId,
    what: Mapping[str, object],
) -> None:
    audits.record(db, ctx.now(), actor.person_id, action, "person", person_id, before=what)


def known(ctx: Context, actor: Actor, address: str) -> Entry:
    """The person of that address in the actor's programme; raises NotFound for strangers."""
    with ctx.reading() as db:
        person = people.by_email(db, address)
        if person is None:
            raise NotFound("There is no such person here.")
        return _here(_one(db, actor, person.id), _own(actor))
