"""Which ways a message takes to its reader, one after the other or two at once.  Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.domain.choices import Choices
from scheduler.domain.messages import PRIVATE, Channel, MessageKind, OutboxId
from scheduler.domain.people import PersonId

URGENT = timedelta(hours=3)  # a lesson called off so near its start must be heard of at once
MAIL_ONLY = PRIVATE


@dataclass(frozen=True, slots=True)
class Leg:
    """One message on one way: what another way needs to know of it."""

    id: OutboxId
    key: str
    kind: MessageKind
    channel: Channel
    person_id: PersonId
    useless_after: datetime


def key_by(key: str, channel: Channel) -> str:
    """The name of the same message on another way: there is never a second one of it."""
    return f"{key.rpartition(':')[0]}:{channel}"


def order(choices: Choices, leads: Collection[Channel]) -> tuple[Channel, ...]:
    """The ways of a reader that lead anywhere, the first one first.

    Mail is the last resort of everybody, also where an address gave trouble: never no way at all.
    """
    chosen = [channel for channel in choices.channels if channel in leads]
    return tuple(dict.fromkeys((*chosen, Channel.MAIL)))


def after(ways: Iterable[Channel], tried: Collection[Channel]) -> Channel | None:
    """The next way of a message that failed on those tried; None when all were."""
    return next((channel for channel in ways if channel not in tried), None)


def at_once(ways: Collection[Channel]) -> tuple[Channel, ...]:
    """The ways of the one message that must arrive: mail, and the first other way beside it."""
    return (Channel.MAIL, *[channel for channel in ways if channel is not Channel.MAIL][:1])


def is_urgent(starts_at: datetime, now: datetime) -> bool:
    """Whether the news that a lesson is called off goes by two ways."""
    return starts_at - now <= URGENT
