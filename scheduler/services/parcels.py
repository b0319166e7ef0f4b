"""Claimed messages become parcels: words of the present state, bytes for the channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduler.delivery import mail
from scheduler.delivery.channels import Parcel
from scheduler.domain.messages import Channel, Claimed
from scheduler.services import events_by_mail, letters, notices
from scheduler.services import facts as known
from scheduler.services.context import Context
from scheduler.services.facts import About, Facts, Outdated


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

    A constant number of queries, however many messages.  Whoever changes something that a parcel
    told takes the message's lease away in the same transaction, so that no stale one begins its
    way.
    """
    try:
        facts = known.gather(ctx, messages)
    except (KeyError, TypeError, ValueError) as error:  # one payload that nobody can read
        if len(messages) == 1:
            return (Poisoned(repr(error)),)
        return tuple(prepared for each in messages for prepared in prepare(ctx, [each]))
    return tuple(_prepared(ctx, facts, message) for message in messages)


def _prepared(ctx: Context, facts: Facts, message: Claimed) -> Prepared:
    try:
        what = known.about(facts, message)
        until = known.wait(facts, message, what, ctx.settings.timezone)
        if until is None:
            return Dropped("the reader wants quiet until it is of no use")
        if until > facts.now:
            return Postponed(until)
        return Ready(_parcel(ctx, facts, message, what))
    except Outdated as why:
        return Dropped(str(why))
    except Exception as error:  # noqa: BLE001 - whatever it is, its neighbours go out
        return Poisoned(repr(error))


def _parcel(ctx: Context, facts: Facts, message: Claimed, what: About) -> Parcel:
    if message.channel is not Channel.MAIL:
        return notices.parcel(ctx, message, what.person, letters.short(ctx, message, what))
    life = int((message.useless_after - ctx.now()).total_seconds())
    envelope, letter = letters.letter(ctx, message, what)
    address = mail.envelope_address(envelope.address)
    events = events_by_mail.of_message(ctx, message, what, facts.choices[what.person.id])
    return Parcel(message.message_id, (address,), mail.build(envelope, letter, events), life)
