"""Sending messages: claim a few, render each from the present state, transmit, mark."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler import clock, security
from scheduler.delivery import mailfiles
from scheduler.delivery.channels import Outcome, Parcel, Receipt, Transport
from scheduler.delivery.mailfiles import StoredMail
from scheduler.domain import messages as rules
from scheduler.domain import reminders
from scheduler.domain.access import Action, Actor
from scheduler.domain.messages import Channel, Claimed, MessageKind, NewMessage
from scheduler.domain.people import Person
from scheduler.errors import NotAllowed, NotFound
from scheduler.services import parcels
from scheduler.services.context import Context
from scheduler.services.parcels import Dropped, Poisoned, Postponed
from scheduler.store import audits, outbox, switches
from scheduler.store.database import Session

LEASE = timedelta(seconds=120)
BEAT_EVERY = timedelta(seconds=10)
BEAT_DEAD = timedelta(seconds=60)
_log = logging.getLogger(__name__)


class Fate(StrEnum):
    """What one round of sending did with a claimed message."""

    SENT = "sent"
    RETRIED = "retried"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    GIVEN_BACK = "given_back"
    LEASE_LOST = "lease_lost"


@dataclass(frozen=True, slots=True)
class SendSummary:
    """How many messages were claimed, and how many of them met each fate."""

    claimed: int
    fates: dict[Fate, int]

    def count(self, fate: Fate) -> int:
        return self.fates.get(fate, 0)

    def __add__(self, other: "SendSummary") -> "SendSummary":
        fates = Counter(self.fates) + Counter(other.fates)
        return SendSummary(self.claimed + other.claimed, dict(fates))


@dataclass(frozen=True, slots=True)
class OutboxSummary:
    """`law` is true while every message planned is in exactly one state."""

    by_state: dict[str, int]
    by_kind: dict[str, int]
    law: bool
    maybe_twice: int
    paused: bool


# -- planning


def plan(ctx: Context, db: Session, messages: Iterable[NewMessage]) -> int:
    """Plan messages inside the transaction that causes them; returns how many are new."""
    return outbox.add(db, messages, ctx.now(), lambda key: message_id(ctx, key))


def message_id(ctx: Context, key: str) -> str:
    """The same for every copy of a message."""
    return f"<{security.message_stamp(ctx.key, key)}@{ctx.settings.uid_domain}>"


def sign_in_message(
    ctx: Context, db: Session, person: Person, url: str, code: str, expires_at: datetime
) -> int:
    """Plan the mail that lets a person in; link and code leave the database when it is sent."""
    name = security.stamp(ctx.key, "sign-in", url)
    message = NewMessage(
        key=f"sign_in:{name}:{person.id}:{Channel.MAIL}",
        kind=MessageKind.SIGN_IN,
        person_id=person.id,
        due_at=ctx.now(),
        useless_after=expires_at,
        payload={"url": url, "code": code},
    )
    return plan(ctx, db, [message])


# -- sending


def send_due(
    ctx: Context,
    transport: Transport,
    limit: int = 100,
    *,
    lease: timedelta = LEASE,
    go_on: Callable[[], bool] = lambda: True,
) -> SendSummary:
    """Send what is due, the most urgent first; what cannot be tried in time is given back.

    `go_on` is asked before each message: False ends the round after the one in flight.
    """
    began = clock.monotonic()
    left = list(_claim(ctx, limit, lease))
    claimed, fates = len(left), Counter[Fate]()
    try:
        while left and go_on() and clock.monotonic() - began < lease.total_seconds() / 2:
            fate, relay_away = _deliver(ctx, transport, left.pop(0))
            fates[fate] += 1
            if relay_away:
                break
    finally:
        if claimed:
            transport.close()
            fates[Fate.GIVEN_BACK] += _give_back(ctx, left)
    return SendSummary(claimed, dict(+fates))


def sweep(ctx: Context) -> outbox.Swept | None:
    """Expire what is too late, free what vanished workers held; None when there was nothing."""
    with ctx.reading() as db:
        if not outbox.any_to_sweep(db, ctx.now()):
            return None
    with ctx.transaction() as db:
        swept = outbox.sweep(db, ctx.now())
    if swept.expired or swept.unknown:
        counts = {"expired": swept.expired, "unknown": swept.unknown}
        _log.warning("messages expired or of unknown fate", extra=counts)
    return swept


def _claim(ctx: Context, limit: int, lease: timedelta) -> tuple[Claimed, ...]:
    now = ctx.now()
    with ctx.reading() as db:  # most ticks find nothing: do not take the writers' turn for that
        if not outbox.any_due(db, now):
            return ()
    with ctx.transaction() as db:
        return outbox.claim(db, security.new_token(), now, limit, lease)


def _give_back(ctx: Context, left: Sequence[Claimed]) -> int:
    if not left:
        return 0
    with ctx.transaction() as db:
        return outbox.give_back(db, left)


def _deliver(ctx: Context, transport: Transport, message: Claimed) -> tuple[Fate, bool]:
    """What became of one message, and whether the relay is away."""
    (prepared,) = parcels.prepare(ctx, [message])
    if isinstance(prepared, Dropped):
        return _end(ctx, message, Fate.CANCELLED, prepared.why), False
    if isinstance(prepared, Poisoned):
        _log.error("message cannot be made", extra={"outbox_id": message.id, "why": prepared.why})
        return _end(ctx, message, Fate.FAILED, prepared.why), False
    if isinstance(prepared, Postponed):
        return _end(ctx, message, Fate.RETRIED), False
    if message.useless_after <= ctx.now():
        return _end(ctx, message, Fate.EXPIRED), False
    with ctx.transaction() as db:
        if not outbox.begin_transmission(db, message):
            return Fate.LEASE_LOST, False
    receipt = _transmit(transport, prepared.parcel)
    return _end(ctx, message, _FATES[receipt.outcome], receipt.reply), receipt.relay_away


_FATES = {
    Outcome.SENT: Fate.SENT,
    Outcome.REFUSED_FOR_NOW: Fate.RETRIED,
    Outcome.REFUSED: Fate.FAILED,
    Outcome.UNKNOWN: Fate.UNKNOWN,
}


def _transmit(transport: Transport, parcel: Parcel) -> Receipt:
    try:
        return transport.send(parcel)
    except Exception as error:  # noqa: BLE001 - whatever it was, bytes may have left
        _log.exception("transport failed")
        return Receipt(Outcome.UNKNOWN, repr(error))


def _end(ctx: Context, message: Claimed, fate: Fate, why: str = "") -> Fate:
    """Write down what became of it; LEASE_LOST when somebody else has it now."""
    with ctx.transaction() as db:
        ours = _mark(ctx, db, message, fate, why)
    if not ours:
        _log.warning("lease lost", extra={"outbox_id": message.id, "fate": fate.value})
        return Fate.LEASE_LOST
    return fate


def _mark(ctx: Context, db: Session, message: Claimed, fate: Fate, why: str) -> bool:
    match fate:
        case Fate.SENT:
            return outbox.mark_sent(db, message, ctx.now())
        case Fate.RETRIED:
            pause = rules.back_off(message.key, message.attempts + 1)
            return outbox.retry(db, message, ctx.now() + pause, why)
        case Fate.UNKNOWN:
            return outbox.mark_unknown(db, message, why)
        case Fate.EXPIRED:
            return outbox.mark_expired(db, message)
        case Fate.CANCELLED:
            return outbox.mark_cancelled(db, message, why)
        case _:
            return outbox.mark_failed(db, message, why)


# -- looking at it


def show(ctx: Context) -> OutboxSummary:
    """Messages by state and kind."""
    with ctx.reading() as db:
        tally = outbox.tally(db)
        paused = switches.is_on(db, switches.SENDING_PAUSED)
    return OutboxSummary(
        by_state={state.value: count for state, count in tally.by_state.items()},
        by_kind={kind.value: count for kind, count in tally.by_kind.items()},
        law=sum(tally.by_state.values()) == tally.planned,
        maybe_twice=tally.maybe_twice,
        paused=paused,
    )


def reminders_planned(ctx: Context) -> int:
    """How many reminders were ever planned, whatever became of them."""
    with ctx.reading() as db:
        tally = outbox.tally(db)
    return sum(tally.by_kind[kind] for kind in reminders.REMINDERS)


def pause(ctx: Context, actor: Actor | None = None) -> None:
    """Send nothing until `resume`; what is in flight ends.  None is the command line."""
    _may_manage(actor)
    with ctx.transaction() as db:
        switches.turn_on(db, switches.SENDING_PAUSED)
        _record(ctx, db, actor, "pause_sending")


def resume(ctx: Context, actor: Actor | None = None) -> None:
    """Let what waits go out again.  None is the command line."""
    _may_manage(actor)
    with ctx.transaction() as db:
        switches.turn_off(db, switches.SENDING_PAUSED)
        _record(ctx, db, actor, "resume_sending")


def _may_manage(actor: Actor | None) -> None:
    """All programmes share one outbox: whoever manages the messages of one may stop it."""
    if actor is not None and not any(
        actor.can(Action.MANAGE_MESSAGES, grant.programme_id) for grant in actor.grants
    ):
        raise NotAllowed("Your account may not do this.")


def _record(ctx: Context, db: Session, actor: Actor | None, action: str) -> None:
    audits.record(db, ctx.now(), actor.person_id if actor else None, action, "outbox")


def mails(ctx: Context) -> tuple[StoredMail, ...]:
    """The mail kept as files, newest first."""
    return mailfiles.stored(ctx.settings.mail_dir)


def mail_kept(ctx: Context, name: str) -> StoredMail:
    """One mail kept as a file; raises NotFound."""
    found = mailfiles.one(ctx.settings.mail_dir, name)
    if found is None:
        raise NotFound("There is no such mail here.")
    return found


# -- the heartbeat of whoever sends


def note_beat(ctx: Context) -> None:
    """Write down that a worker lives, every ten seconds at most."""
    with ctx.reading() as db:
        age = switches.age(db, switches.LAST_TICK)
    if age is None or age >= BEAT_EVERY:
        with ctx.transaction() as db:
            switches.turn_on(db, switches.LAST_TICK)


def is_beating(ctx: Context) -> bool:
    """Whether some worker noted a beat within the last minute, on the database's clock."""
    with ctx.reading() as db:
        age = switches.age(db, switches.LAST_TICK)
    return age is not None and age < BEAT_DEAD
