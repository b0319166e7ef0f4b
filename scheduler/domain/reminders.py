"""Messages to people and the reminders that lessons ask for.  Pure: no clock, no database."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from scheduler.domain.lessons import Lesson, LessonId, LessonState
from scheduler.domain.people import PersonId

OutboxId = NewType("OutboxId", int)


class MessageKind(StrEnum):
    """What a message is about; the first three are the ladder of reminders before a lesson."""

    DAY_BEFORE = "day_before"
    HOUR_BEFORE = "hour_before"
    SOON = "soon"
    ASSIGNED = "assigned"
    MOVED = "moved"
    HANDED_OVER = "handed_over"
    CALLED_OFF = "called_off"
    TIMETABLE = "timetable"
    SIGN_IN = "sign_in"


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


class Side(StrEnum):
    """Which end of a lesson a person is at."""

    TEACHER = "teacher"
    SCHOOL = "school"


OPEN_STATES = (MessageState.PLANNED, MessageState.LEASED)


@dataclass(frozen=True, slots=True)
class Recipient:
    person_id: PersonId
    side: Side


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be planned; `payload` holds JSON values that the present state cannot tell."""

    key: str
    kind: MessageKind
    person_id: PersonId
    due_at: datetime
    useless_after: datetime
    lesson_id: LessonId | None = None
    sequence: int | None = None
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
    person_id: PersonId
    lesson_id: LessonId | None
    sequence: int | None
    payload: Mapping[str, object]
    due_at: datetime
    useless_after: datetime
    attempts: int
    message_id: str
    lease_token: str


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder: due between `earliest` and `latest` before the lesson starts,
    and no longer worth sending `useless` before it."""

    kind: MessageKind
    earliest: timedelta
    latest: timedelta
    useless: timedelta
    sides: frozenset[Side]


_BOTH = frozenset(Side)
_TEACHER = frozenset({Side.TEACHER})
_MINUTE = timedelta(minutes=1)
# Spread, so that a morning with thousands of lessons does not ask the relay for all at once.
LADDER = (
    Rung(MessageKind.DAY_BEFORE, 1485 * _MINUTE, 1395 * _MINUTE, 120 * _MINUTE, _BOTH),
    Rung(MessageKind.HOUR_BEFORE, 75 * _MINUTE, 50 * _MINUTE, 15 * _MINUTE, _TEACHER),
    Rung(MessageKind.SOON, 10 * _MINUTE, 10 * _MINUTE, 0 * _MINUTE, _TEACHER),
)
REMINDERS = tuple(rung.kind for rung in LADDER)
REMINDED = (LessonState.SCHEDULED, LessonState.COVER)

NEWS_LIFE = timedelta(days=7)
BACK_OFF = (timedelta(seconds=30), 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE)
AGAIN_BEFORE = 10 * _MINUTE


def key_of(lesson: Lesson, person: PersonId, kind: MessageKind) -> str:
    """What a message is called: there is never a second one of the same name."""
    return f"{lesson.id}:{lesson.sequence}:{person}:{kind}:{Channel.MAIL}"


def planned(
    lessons: Iterable[Lesson], recipients: Mapping[LessonId, Iterable[Recipient]], now: datetime
) -> tuple[NewMessage, ...]:
    """The reminders these lessons still ask for; none for what is called off or over."""
    found: dict[str, NewMessage] = {}
    for lesson in lessons:
        if lesson.state in REMINDED:
            for message in _ladder(lesson, recipients.get(lesson.id, ()), now):
                found.setdefault(message.key, message)
    return tuple(found.values())


def _ladder(lesson: Lesson, people: Iterable[Recipient], now: datetime) -> Iterator[NewMessage]:
    for person in people:
        for rung in LADDER:
            useless_after = lesson.starts_at - rung.useless
            if person.side in rung.sides and useless_after > now:
                key = key_of(lesson, person.person_id, rung.kind)
                yield NewMessage(
                    key=key,
                    kind=rung.kind,
                    person_id=person.person_id,
                    due_at=due(rung, lesson.starts_at, key),
                    useless_after=useless_after,
                    lesson_id=lesson.id,
                    sequence=lesson.sequence,
                )


def due(rung: Rung, starts_at: datetime, key: str) -> datetime:
    """When a reminder goes out: the same second each time it is asked, spread over the window."""
    window = int((rung.earliest - rung.latest).total_seconds())
    return starts_at - rung.earliest + timedelta(seconds=round(_share(key) * window))


def still_true(message: Claimed, lesson: Lesson) -> bool:
    """Whether a planned message about a lesson is still news of the lesson as it is now."""
    if message.kind is MessageKind.CALLED_OFF:
        return lesson.state is LessonState.CANCELLED
    return lesson.state in REMINDED and lesson.sequence == message.sequence


def called_off(
    lesson: Lesson, people: Iterable[Recipient], now: datetime
) -> tuple[NewMessage, ...]:
    """The news, for everyone concerned and at once, that a lesson does not take place."""
    if lesson.ends_at <= now:
        return ()
    return tuple(
        NewMessage(
            key=key_of(lesson, person, MessageKind.CALLED_OFF),
            kind=MessageKind.CALLED_OFF,
            person_id=person,
            due_at=now,
            useless_after=lesson.ends_at,
            lesson_id=lesson.id,
            sequence=lesson.sequence,
        )
        for person in dict.fromkeys(each.person_id for each in people)
    )


def timetable(
    publication_id: int, person: PersonId, payload: Mapping[str, object], now: datetime
) -> NewMessage:
    """One message for all that a publication changes for one person."""
    kind = MessageKind.TIMETABLE
    key = f"publication:{publication_id}:{person}:{kind}:{Channel.MAIL}"
    return NewMessage(key, kind, person, now, now + NEWS_LIFE, payload=payload)


def back_off(key: str, attempts: int) -> timedelta:
    """How long to wait after the given number of tries: longer each time, and not all at once."""
    step = BACK_OFF[min(max(attempts, 1), len(BACK_OFF)) - 1]
    return step * (0.8 + 0.4 * _share(f"{key}:{attempts}"))


def _share(key: str) -> float:
    """A number from 0 to 1 that belongs to this key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6]) / 2**48
