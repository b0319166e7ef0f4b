"""Ways to reach people: what every channel is given, and what it says became of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message ready for one channel.

    `addresses` are those of one person on that channel (mail: one address; push: one sealed-open
    subscription a browser; gateway: one telephone number), `content` the bytes that go out.
    `life_seconds`: after that nobody needs it any more.
    """

    message_id: str
    addresses: tuple[str, ...]
    content: bytes
    life_seconds: int


class Outcome(StrEnum):
    """What became of a message; UNKNOWN: it may or may not have been accepted."""

    SENT = "sent"
    REFUSED_FOR_NOW = "refused_for_now"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Receipt:
    """`relay_away`: nothing about this message; the far end itself does not answer.

    `gone`: addresses of the parcel at which nobody is any more.
    """

    outcome: Outcome
    reply: str = ""
    relay_away: bool = False
    gone: tuple[str, ...] = ()


class Transport(Protocol):
    """Takes parcels one at a time, and never raises for what the far end does; `close` when a
    batch is over."""

    def send(self, parcel: Parcel) -> Receipt: ...

    def close(self) -> None: ...
