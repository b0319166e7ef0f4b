"""Messages to people: what they are about, the way they take, how far they are.  Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NewType

from scheduler.domain.lessons import LessonId
from scheduler.domain.people import PersonId
from scheduler.domain.terms import ProgrammeId

OutboxId = NewType("OutboxId", int)


class MessageKind(StrEnum):
    """What a message is about; the first four are the ladder of reminders before a lesson."""

    DIGEST = "digest"  # on Sunday, the lessons of the week to come
    DAY_BEFORE = "day_before"
    HOUR_BEFORE = "hour_before"
    SOON = "soon"
    CHANGES = "changes"  # what changed for one person, gathered for a while
    CALLED_OFF = "called_off"  # so near the lesson that it cannot wait for the others
    COVER_WANTED = "cover_wanted"  # to coordinators: a teacher cannot come
    JOINT_DAY = "joint_day"  # one day before a joint session
    JOINT_HOUR = "joint_hour"
    JOINT_NEWS = "joint_news"  # somebody is invited to one, or it changed
    NOTE = "note"  # a coordinator's own words
    SIGN_IN = "sign_in"
    FACTOR_NOTICE = "factor_notice"  # to whose second factor something happened
    INVITATION = "invitation"  # to an address that may be nobody's yet
    NEW_ADDRESS = "new_address"  # to the address that somebody wants to have
    ADDRESS_NOTICE = "address_notice"  # to whoever has an address that is about to change hands


class MessageState(StrEnum):
    """planned -> leased -> sent | planned again | failed | expired | cancelled | unknown."""

    PLANNED = "planned"
    LEASED = "leased"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Channel(StrEnum):
    """The way a message takes."""

    MAIL = "mail"
    PUSH = "push"  # to the reader's browsers
    SMS = "sms"  # by a gateway
    ZALO = "zalo"  # by a gateway


# They hold keys, or tell of an account: by mail only, at once, for nobody else to look at.
PRIVATE = (
    MessageKind.SIGN_IN,
    MessageKind.FACTOR_NOTICE,
    MessageKind.INVITATION,
    MessageKind.NEW_ADDRESS,
    MessageKind.ADDRESS_NOTICE,
)
OF_SESSIONS = (MessageKind.JOINT_DAY, MessageKind.JOINT_HOUR, MessageKind.JOINT_NEWS)
OPEN_STATES = (MessageState.PLANNED, MessageState.LEASED)
BACK_OFF = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=5),
    timedelta(minutes=15),
)
AGAIN_BEFORE = timedelta(minutes=10)
# When a message that is held would be tried next: never, until somebody releases it.  It still
# expires when nobody needs it any more.
HELD = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be planned; `payload` holds JSON values that the present state cannot tell.

    `programme_id` is whose coordinators may see it; None: nobody's (it lets somebody in).
    """

    key: str
    kind: MessageKind
    person_id: PersonId
    due_at: datetime
    useless_after: datetime
    lesson_id: LessonId | None = None
    sequence: int | None = None
    programme_id: ProgrammeId | None = None
    payload: Mapping[str, object] = field(default_factory=dict)
    channel: Channel = Channel.MAIL


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message leased to one worker; whoever marks it must show `lease_token`.

    `attempts` counts the transmissions begun before this lease.
    """

    id: OutboxId
    key: str
    kind: MessageKind
    channel: Channel
    person_id: PersonId
    lesson_id: LessonId | None
    sequence: int | None
    payload: Mapping[str, object]
    due_at: datetime
    useless_after: datetime
    attempts: int
    message_id: str
    lease_token: str


def back_off(key: str, attempts: int) -> timedelta:
    """How long to wait after the given number of tries: longer each time, and not all at once."""
    step = BACK_OFF[min(max(attempts, 1), len(BACK_OFF)) - 1]
    return step * (0.8 + 0.4 * share(f"{key}:{attempts}"))


def share(key: str) -> float:
    """A number from 0 to 1 that belongs to this key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6]) / 2**48
