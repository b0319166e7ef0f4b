"""Claimed messages become parcels: words of the present state, bytes for the channel."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduler.delivery import mail
from scheduler.delivery.channels import Parcel
from scheduler.domain.messages import Channel, Claimed
from scheduler.services import letters, notices
from scheduler.services.context import Context
from scheduler.services.letters import Outdated


@dataclass(frozen=True, slots=True)
class Ready:
    """It can go out."""

    parcel: Parcel


@dataclass(frozen=True, slots=True)
class Dropped:
    """There is nothing left to tell: things changed since the message was planned."""

    why: str


@dataclass(frozen=True, slots=True)
class Poisoned:
    """This message cannot be made, now or later."""

    why: str


@dataclass(frozen=True, slots=True)
class Postponed:
    """Not now: the reader wants quiet until then."""

    until: datetime


Prepared = Ready | Dropped | Poisoned | Postponed


def prepare(ctx: Context, messages: Sequence[Claimed]) -> tuple[Prepared, ...]:
    """What each message has become at this moment, in their order.

    Whoever changes something that a parcel told takes the message's lease away in the same
    transaction, so that no stale one begins its way.
    """
    return tuple(_prepared(ctx, messages))


def _prepared(ctx: Context, messages: Sequence[Claimed]) -> Iterator[Prepared]:
    for message in messages:
        try:
            yield Ready(_parcel(ctx, message))
        except Outdated as why:
            yield Dropped(str(why))
        except Exception as error:  # noqa: BLE001 - whatever it is, its neighbours go out
            yield Poisoned(repr(error))


def _parcel(ctx: Context, message: Claimed) -> Parcel:
    if message.channel is not Channel.MAIL:
        return notices.parcel(ctx, message)
    life = int((message.useless_after - ctx.now()).total_seconds())
    envelope, letter = letters.compose(ctx, message)
    address = mail.envelope_address(envelope.address)
    return Parcel(message.message_id, (address,), mail.build(envelope, letter), life)
