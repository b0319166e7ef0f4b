"""The reminders that lessons ask for, and the news of their changes.  Pure: no clock, no store."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.domain.lessons import Lesson, LessonId, LessonState
from scheduler.domain.messages import Channel, Claimed, MessageKind, NewMessage, share
from scheduler.domain.people import PersonId


class Side(StrEnum):
    """Which end of a lesson a person is at."""

    TEACHER = "teacher"
    SCHOOL = "school"


@dataclass(frozen=True, slots=True)
class Recipient:
    person_id: PersonId
    side: Side


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
                    programme_id=lesson.programme_id,
                )


def due(rung: Rung, starts_at: datetime, key: str) -> datetime:
    """When a reminder goes out: the same second each time it is asked, spread over the window."""
    window = int((rung.earliest - rung.latest).total_seconds())
    return starts_at - rung.earliest + timedelta(seconds=round(share(key) * window))


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
            programme_id=lesson.programme_id,
        )
        for person in dict.fromkeys(each.person_id for each in people)
    )


def timetable(
    publication_id: int, person: PersonId, payload: Mapping[str, object], now: datetime
) -> NewMessage:
    """One message for all that a publication changes for one person."""
    kind = MessageKind.CHANGES
    key = f"publication:{publication_id}:{person}:{kind}:{Channel.MAIL}"
    return NewMessage(key, kind, person, now, now + NEWS_LIFE, payload=payload)
