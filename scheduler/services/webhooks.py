"""Programs that are told of changes: a coordinator adds them, looks after them, and sends again.

The address and the secret are sealed; the secret is shown once, where it is made.
"""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

from scheduler import security
from scheduler.delivery import targets
from scheduler.delivery.network import Network
from scheduler.delivery.targets import BadTarget
from scheduler.domain import access, remarks
from scheduler.domain import webhooks as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.terms import ProgrammeId
from scheduler.domain.webhooks import Delivery, DeliveryId, Endpoint, EndpointId, Event
from scheduler.errors import Conflict, Invalid, NotFound, Text, text
from scheduler.security import BadSeal
from scheduler.services import programmes
from scheduler.services.context import Context
from scheduler.store import audits, terms
from scheduler.store import webhooks as rows
from scheduler.store.database import Session

SHOWN = 50  # deliveries on one page


@dataclass(frozen=True, slots=True)
class Shown:
    """A receiver as pages show it; `address` is empty where no key of ours opens it."""

    endpoint: Endpoint
    address: str

    @property
    def host(self) -> str:
        return urlsplit(self.address).hostname or ""


@dataclass(frozen=True, slots=True)
class Desk:
    """A receiver with its newest deliveries; `older`: where those before them begin, if any."""

    shown: Shown
    deliveries: tuple[Delivery, ...]
    older: DeliveryId | None
    zone: str


@dataclass(frozen=True, slots=True)
class NewSecret:
    """What signs from now on: this is the only time that it is known."""

    endpoint_id: EndpointId
    secret: str


def listed(ctx: Context, actor: Actor) -> tuple[Shown, ...]:
    """The receivers of the coordinator's programme, in the order in which they were added."""
    programme_id = _own(actor)
    with ctx.reading() as db:
        found = rows.of_programme(db, programme_id, ctx.now())
        sealed = rows.sealed_addresses(db, [each.id for each in found])
    return tuple(Shown(each, _opened(ctx, sealed[each.id])) for each in found)


def desk(
    ctx: Context, actor: Actor, endpoint_id: int, before: int | None = None, most: int = SHOWN
) -> Desk:
    """One of them, with what went to it; `before`: only what is older.  NotFound for strangers."""
    programme_id = _own(actor)
    with ctx.reading() as db:
        found = _one(ctx, db, programme_id, endpoint_id)
        sealed = rows.sealed_addresses(db, [found.id])[found.id]
        ways = rows.deliveries(db, found.id, most + 1, before)
        zone = terms.programme(db, programme_id).zone
    more = ways[most - 1].id if len(ways) > most else None
    return Desk(Shown(found, _opened(ctx, sealed)), ways[:most], more, zone)


def told(ctx: Context, actor: Actor, endpoint_id: int, delivery_id: int) -> tuple[Delivery, str]:
    """One delivery, and what is sent, to the letter; raises NotFound for strangers."""
    programme_id = _own(actor)
    with ctx.reading() as db:
        found = _one(ctx, db, programme_id, endpoint_id)
        way = _way(db, found.id, delivery_id)
        return way, rows.body(db, way.id)


def add(
    ctx: Context,
    actor: Actor,
    name: str,
    address: str,
    events: Collection[Event],
    network: Network | None = None,
) -> NewSecret:
    """Have a program told of these events from now on.

    Raises Invalid by field, Conflict when the programme has as many as it may have.
    """
    programme_id, typed = _own(actor), address.strip()
    faults = _faults(name, events) | _address_faults(typed, network or public(ctx))
    if faults:
        raise Invalid("Some fields need another look.", fields=faults)
    secret, now = security.new_token(), ctx.now()
    with ctx.transaction() as db:
        terms.lock_programme(db, programme_id)
        if len(rows.of_programme(db, programme_id, now)) >= rules.MOST_ENDPOINTS:
            most = rules.MOST_ENDPOINTS
            raise Conflict(
                text("{most} programs are told already. Take one away first.", most=most)
            )
        sealed = security.seal(ctx.key, typed)
        made = rows.add(db, programme_id, name, sealed, events, now)
        rows.new_secret(db, made, security.seal(ctx.key, secret), now)
        after = {"name": name, "events": sorted(events)}
        audits.record(
            db, now, actor.person_id, "add_webhook", "programme", programme_id, after=after
        )
    return NewSecret(made, secret)


def change(
    ctx: Context, actor: Actor, endpoint_id: int, name: str, events: Collection[Event]
) -> None:
    """Give a receiver another name, or tell it of other events; raises Invalid by field."""
    faults = _faults(name, events)
    if faults:
        raise Invalid("Some fields need another look.", fields=faults)
    with ctx.transaction() as db:
        found = _locked(ctx, db, actor, endpoint_id)
        if (found.name, found.events) == (name, frozenset(events)):
            return
        rows.change(db, found.id, name, events)
        audits.record(
            db, ctx.now(), actor.person_id, "change_webhook", "programme", _own(actor),
            before={"name": found.name, "events": sorted(found.events)},
            after={"name": name, "events": sorted(events)},
        )  # fmt: skip


def rotate(ctx: Context, actor: Actor, endpoint_id: int) -> NewSecret:
    """A new secret; for a day the one before signs as well, so that no event is lost meanwhile."""
    secret = security.new_token()
    with ctx.transaction() as db:
        found = _locked(ctx, db, actor, endpoint_id)
        if found.both_until is not None:
            raise Conflict(
                "The secret was changed less than a day ago, and two are good. Wait until the "
                "former one has ended."
            )
        rows.new_secret(db, found.id, security.seal(ctx.key, secret), ctx.now())
        _note(ctx, db, actor, "rotate_webhook", found.name)
    return NewSecret(found.id, secret)


def pause(ctx: Context, actor: Actor, endpoint_id: int) -> None:
    """Send nothing until it is resumed; what happens is kept.  Twice is once."""
    _set_active(ctx, actor, endpoint_id, active=False)


def resume(ctx: Context, actor: Actor, endpoint_id: int) -> None:
    """Send again, what was kept first; twice is once."""
    _set_active(ctx, actor, endpoint_id, active=True)


def _set_active(ctx: Context, actor: Actor, endpoint_id: int, *, active: bool) -> None:
    with ctx.transaction() as db:
        found = _locked(ctx, db, actor, endpoint_id)
        if rows.set_active(db, found.id, ctx.now(), active=active):
            _note(ctx, db, actor, "resume_webhook" if active else "pause_webhook", found.name)


def remove(ctx: Context, actor: Actor, endpoint_id: int) -> str:
    """Tell a program nothing any more, not even what is on its way; returns its name."""
    with ctx.transaction() as db:
        found = _locked(ctx, db, actor, endpoint_id)
        rows.remove(db, found.id)
        _note(ctx, db, actor, "remove_webhook", found.name)
    return found.name


def again(ctx: Context, actor: Actor, endpoint_id: int, delivery_id: int) -> None:
    """Send one delivery once more, to the letter; what is on its way already stays as it is."""
    with ctx.transaction() as db:
        found = _locked(ctx, db, actor, endpoint_id)
        way = _way(db, found.id, delivery_id)
        if rows.again(db, found.id, ctx.now(), way.id):
            _note(ctx, db, actor, "replay_webhook", found.name, deliveries=1)


def again_all(ctx: Context, actor: Actor, endpoint_id: int) -> int:
    """Send once more all that was given up on, in the order in which it happened; how many."""
    with ctx.transaction() as db:
        found = _locked(ctx, db, actor, endpoint_id)
        count = rows.again(db, found.id, ctx.now())
        if count:
            _note(ctx, db, actor, "replay_webhook", found.name, deliveries=count)
    return count


def test(ctx: Context, actor: Actor, endpoint_id: int) -> None:
    """Send something that means nothing, to see whether it arrives."""
    programme_id, now, event_id = _own(actor), ctx.now(), str(uuid4())
    with ctx.transaction() as db:
        found = _locked(ctx, db, actor, endpoint_id)
        programme = terms.programme(db, programme_id)
        body = rules.body(event_id, rules.TEST, now, programme.code, programme.zone, {})
        rows.tell(db, found.id, event_id, rules.TEST, body, now)
        _note(ctx, db, actor, "test_webhook", found.name)


def public(ctx: Context) -> Network:
    """Where events may go: public addresses over https, and hosts that the operator named."""
    return Network(ports={"https": 443}, inside=ctx.settings.inside)


def _own(actor: Actor) -> ProgrammeId:
    programme_id = programmes.own(actor)
    access.require(actor, Action.MANAGE_MESSAGES, programme_id)
    return programme_id


def _one(ctx: Context, db: Session, programme_id: ProgrammeId, endpoint_id: int) -> Endpoint:
    found = rows.get(db, programme_id, endpoint_id, ctx.now())
    if found is None:
        raise NotFound("There is nothing here.")
    return found


def _locked(ctx: Context, db: Session, actor: Actor, endpoint_id: int) -> Endpoint:
    programme_id = _own(actor)
    rows.lock(db, _one(ctx, db, programme_id, endpoint_id).id)
    return _one(ctx, db, programme_id, endpoint_id)


def _way(db: Session, endpoint_id: EndpointId, delivery_id: int) -> Delivery:
    found = rows.one_delivery(db, endpoint_id, delivery_id)
    if found is None:
        raise NotFound("There is nothing here.")
    return found


def _faults(name: str, events: Collection[Event]) -> dict[str, Text]:
    found = {}
    if fault := remarks.fault(name, rules.LONGEST_NAME):
        found["name"] = fault
    if not events:
        found["events"] = text("Choose at least one.")
    return found


def _address_faults(typed: str, network: Network) -> dict[str, Text]:
    """By the rule by which every try is made; where the name leads is seen at each of them."""
    said = text(
        "Write a public https address, without a name, a password or a port in it, like {example}.",
        example="https://example.vn/chungtay",
    )
    try:
        targets.read(typed, network)
    except BadTarget:
        return {"address": said}
    plain = typed.isascii() and typed.isprintable() and " " not in typed
    return {} if plain and len(typed) <= rules.LONGEST_ADDRESS else {"address": said}


def _opened(ctx: Context, sealed: str) -> str:
    try:
        return security.unseal(ctx.keys, sealed)
    except BadSeal:
        return ""


def _note(ctx: Context, db: Session, actor: Actor, action: str, name: str, **after: object) -> None:
    """Of the programme: a receiver that is taken away leaves no number to look for."""
    told = {"name": name, **after}
    audits.record(db, ctx.now(), actor.person_id, action, "programme", _own(actor), after=told)
