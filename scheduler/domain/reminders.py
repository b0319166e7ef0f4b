"""The reminders that lessons ask for: by week, by day, and by lesson.  Pure: no clock, no store."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from scheduler.domain.choices import Choices
from scheduler.domain.intervals import monday
from scheduler.domain.joint_sessions import JointSession, stem
from scheduler.domain.lessons import Lesson, LessonId, LessonState
from scheduler.domain.messages import (
    OPEN_STATES,
    Channel,
    MessageKind,
    MessageState,
    NewMessage,
    OutboxId,
    share,
)
from scheduler.domain.people import PersonId, SchoolId
from scheduler.domain.quiet import reminder_time


class Side(StrEnum):
    """Which end of a lesson a person is at."""

    TEACHER = "teacher"
    SCHOOL = "school"


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder: due between `earliest` and `latest` before the lesson starts,
    and no longer worth sending `useless` before it.  `use`: how long before that it should be
    there to be of use."""

    kind: MessageKind
    earliest: timedelta
    latest: timedelta
    useless: timedelta
    use: timedelta
    sides: frozenset[Side]


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody to be reminded: what they chose, the wall they look at, the lessons they have to
    do with, and which of them they have confirmed.  `zone` None: the lessons' own.  `sessions`:
    joint sessions that they are expected at."""

    person_id: PersonId
    choices: Choices
    channel: Channel
    zone: str | None
    lessons: tuple[tuple[Lesson, Side], ...]
    confirmed: frozenset[LessonId]
    sessions: tuple[JointSession, ...] = ()

    def wall(self, lesson: Lesson | JointSession) -> str:
        return self.zone or lesson.zone


_BOTH = frozenset(Side)
_TEACHER = frozenset({Side.TEACHER})
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
# Spread, so that a morning with thousands of lessons does not ask the relay for all at once.
DAY_BEFORE = Rung(
    MessageKind.DAY_BEFORE, 1485 * _MINUTE, 1395 * _MINUTE, 120 * _MINUTE, 60 * _MINUTE, _BOTH
)
BY_LESSON = (
    Rung(MessageKind.HOUR_BEFORE, 75 * _MINUTE, 50 * _MINUTE, 15 * _MINUTE, 15 * _MINUTE, _TEACHER),
    Rung(MessageKind.SOON, 10 * _MINUTE, 10 * _MINUTE, 0 * _MINUTE, 5 * _MINUTE, _TEACHER),
)
LADDER = (DAY_BEFORE, *BY_LESSON)
BY_SESSION = (
    replace(DAY_BEFORE, kind=MessageKind.JOINT_DAY),
    replace(BY_LESSON[0], kind=MessageKind.JOINT_HOUR, sides=_BOTH),
)
REMINDERS = (MessageKind.DIGEST, *(rung.kind for rung in (*LADDER, *BY_SESSION)))
BY_DAY = (MessageKind.DIGEST, MessageKind.DAY_BEFORE)
REMINDED = (LessonState.SCHEDULED, LessonState.COVER)
USE = {rung.kind: rung.use for rung in (*LADDER, *BY_SESSION)} | {
    MessageKind.DIGEST: timedelta(hours=1)
}

DIGEST_FROM, DIGEST_UNTIL = time(17), time(19)  # on Sunday
DIGEST_USELESS = time(12)  # on Monday
AHEAD = timedelta(days=8)  # so far ahead reminders are planned; the rest is planned in time


# -- what is asked for


def planned(reader: Reader, now: datetime) -> tuple[NewMessage, ...]:
    """The reminders before this reader's lessons, as far ahead as is planned."""
    ahead = [
        (x, side) for x, side in reader.lessons if comes(x) and now < x.starts_at < now + AHEAD
    ]
    open_ = [(x, side) for x, side in ahead if not (_own(side) and x.id in reader.confirmed)]
    found = [*_days(reader, open_), *_steps(reader, ahead), *_meetings(reader, now)]
    return tuple(each for each in found if each.useless_after > now)


def digests(reader: Reader, now: datetime) -> tuple[NewMessage, ...]:
    """The weeks to come, as far ahead as is planned."""
    weeks: dict[date, list[tuple[Lesson, Side]]] = {}
    for lesson, side in reader.lessons:
        if reader.choices.digest and comes(lesson):
            weeks.setdefault(monday(_day(lesson, reader)), []).append((lesson, side))
    found = (_digest(reader, first, those) for first, those in weeks.items())
    return tuple(each for each in found if each.useless_after > now and each.due_at < now + AHEAD)


def comes(lesson: Lesson) -> bool:
    """Whether the lesson is still to be given."""
    return lesson.state in REMINDED


def sides(
    person: PersonId, found: Iterable[Lesson], schools: Mapping[PersonId, Collection[SchoolId]]
) -> tuple[tuple[Lesson, Side], ...]:
    """The lessons that concern this person, and at which end; who gives one is its teacher."""
    own = schools.get(person, ())
    return tuple(
        (lesson, Side.TEACHER if lesson.teacher_person_id == person else Side.SCHOOL)
        for lesson in found
        if lesson.teacher_person_id == person or lesson.school_id in own
    )


def day_of(payload: Mapping[str, object]) -> tuple[datetime, datetime, str]:
    """The instants at which the day, or the week, of a message begins and ends, and its zone."""
    zone = str(payload["zone"])
    first = date.fromisoformat(str(payload["day"]))
    count = int(str(payload.get("days", 1)))
    return _at(first, time(), zone), _at(first + count * _DAY, time(), zone), zone


def day_message(reader: Reader, day: date, those: Collection[tuple[Lesson, Side]]) -> NewMessage:
    """One reminder for all lessons of a day: due by the first, of use until the last."""
    rung, first = DAY_BEFORE, min((lesson for lesson, _ in those), key=lambda x: x.starts_at)
    last = max(lesson.starts_at for lesson, _ in those)
    zone = reader.wall(first)
    key = f"day:{reader.person_id}:{day}:{rung.kind}:{reader.channel}"
    useless_after = last - rung.useless
    quiet = reader.choices.quiet(zone)
    return NewMessage(
        key=key,
        kind=rung.kind,
        person_id=reader.person_id,
        due_at=reminder_time(due(rung, first.starts_at, key), useless_after, rung.use, quiet),
        useless_after=useless_after,
        programme_id=first.programme_id,
        payload={"day": day.isoformat(), "side": _side(those).value, "zone": zone},
        channel=reader.channel,
    )


def _days(reader: Reader, ahead: Iterable[tuple[Lesson, Side]]) -> Iterator[NewMessage]:
    days: dict[date, list[tuple[Lesson, Side]]] = {}
    for lesson, side in ahead:
        if reader.choices.day_before:
            days.setdefault(_day(lesson, reader), []).append((lesson, side))
    return (day_message(reader, day, those) for day, those in days.items())


def _steps(reader: Reader, ahead: Iterable[tuple[Lesson, Side]]) -> Iterator[NewMessage]:
    for lesson, side in ahead:
        for rung in BY_LESSON:
            confirmed = lesson.id in reader.confirmed
            wanted = reader.choices.wants(rung.kind)
            if confirmed:
                wanted = wanted and reader.choices.wants_confirmed(rung.kind)
            if wanted and side in rung.sides:
                yield _step(reader, lesson, rung)


def _step(reader: Reader, lesson: Lesson, rung: Rung) -> NewMessage:
    key = f"{lesson.id}:{lesson.sequence}:{reader.person_id}:{rung.kind}:{reader.channel}"
    useless_after = lesson.starts_at - rung.useless
    quiet = reader.choices.quiet(reader.wall(lesson))
    return NewMessage(
        key=key,
        kind=rung.kind,
        person_id=reader.person_id,
        due_at=reminder_time(due(rung, lesson.starts_at, key), useless_after, rung.use, quiet),
        useless_after=useless_after,
        lesson_id=lesson.id,
        sequence=lesson.sequence,
        programme_id=lesson.programme_id,
        channel=reader.channel,
    )


def _meetings(reader: Reader, now: datetime) -> Iterator[NewMessage]:
    for session in reader.sessions:
        for rung in BY_SESSION:
            if now < session.starts_at < now + AHEAD and reader.choices.wants(rung.kind):
                yield _meeting(reader, session, rung)


def _meeting(reader: Reader, session: JointSession, rung: Rung) -> NewMessage:
    """Named by its time, not its revision: another title is no reason to remind anew."""
    starts = f"{stem(session.id)}{session.starts_at:%Y%m%d%H%M}"
    key = f"{starts}:{reader.person_id}:{rung.kind}:{reader.channel}"
    useless_after = session.starts_at - rung.useless
    quiet = reader.choices.quiet(reader.wall(session))
    return NewMessage(
        key=key,
        kind=rung.kind,
        person_id=reader.person_id,
        due_at=reminder_time(due(rung, session.starts_at, key), useless_after, rung.use, quiet),
        useless_after=useless_after,
        programme_id=session.programme_id,
        payload={"session": session.id, "starts": session.starts_at.isoformat()},
        channel=reader.channel,
    )


def _digest(reader: Reader, first: date, those: Collection[tuple[Lesson, Side]]) -> NewMessage:
    lesson = min((each for each, _ in those), key=lambda x: x.starts_at)
    zone, kind = reader.wall(lesson), MessageKind.DIGEST
    key = f"week:{reader.person_id}:{first}:{kind}:{reader.channel}"
    begins, ends = (_at(first - _DAY, at, zone) for at in (DIGEST_FROM, DIGEST_UNTIL))
    useless_after = _at(first, DIGEST_USELESS, zone)
    quiet = reader.choices.quiet(zone)
    spread = begins + timedelta(seconds=round(share(_stem(key)) * (ends - begins).total_seconds()))
    return NewMessage(
        key=key,
        kind=kind,
        person_id=reader.person_id,
        due_at=reminder_time(spread, useless_after, USE[kind], quiet),
        useless_after=useless_after,
        programme_id=lesson.programme_id,
        payload={"day": first.isoformat(), "days": 7, "side": _side(those).value, "zone": zone},
        channel=reader.channel,
    )


def due(rung: Rung, starts_at: datetime, key: str) -> datetime:
    """When a reminder goes out: the same second each time it is asked, spread over the window,
    whatever way it takes."""
    window = int((rung.earliest - rung.latest).total_seconds())
    return starts_at - rung.earliest + timedelta(seconds=round(share(_stem(key)) * window))


def _stem(key: str) -> str:
    """What a message is called on every channel."""
    return key.rpartition(":")[0]


def _own(side: Side) -> bool:
    return side is Side.TEACHER


def _side(those: Collection[tuple[Lesson, Side]]) -> Side:
    return Side.TEACHER if any(_own(side) for _, side in those) else Side.SCHOOL


def _day(lesson: Lesson, reader: Reader) -> date:
    return lesson.starts_at.astimezone(ZoneInfo(reader.wall(lesson))).date()


def _at(day: date, at: time, zone: str) -> datetime:
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


# -- what is planned already


@dataclass(frozen=True, slots=True)
class Standing:
    """A reminder that was planned before.  `waiting`: nothing of it has gone out."""

    id: OutboxId
    key: str
    kind: MessageKind
    state: MessageState
    waiting: bool
    due_at: datetime
    useless_after: datetime
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Revised:
    """How the queue follows: new messages, old ones with another time or content, and those that
    another way replaces."""

    new: tuple[NewMessage, ...]
    changed: tuple[tuple[OutboxId, NewMessage], ...]
    void: tuple[OutboxId, ...]


_ENDED = (
    MessageState.SENT,
    MessageState.FAILED,
    MessageState.EXPIRED,
    MessageState.UNKNOWN,
)


def revised(wanted: Iterable[NewMessage], standing: Iterable[Standing], now: datetime) -> Revised:
    """Make what is planned for some people agree with all that is wanted for them now.

    What went out, however, is not told anew.  A message still waiting keeps the earlier of its due
    times and the later of its ends; one that was cancelled and is wanted again takes its place in
    the queue again; one that nothing asks for any more is cancelled.
    """
    known: dict[str, list[Standing]] = {}
    for each in standing:
        known.setdefault(_stem(each.key), []).append(each)
    new, changed, void = [], [], []
    for message in {each.key: each for each in wanted}.values():
        rows = known.pop(_stem(message.key), [])
        if any(row.state in _ENDED or not row.waiting for row in rows):
            continue
        own = next((row for row in rows if row.key == message.key), None)
        void += [row.id for row in rows if row is not own and row.state in OPEN_STATES]
        if own is None:
            new.append(message)
        elif (merged := _merged(message, own)) is not None:
            changed.append((own.id, merged))
    void += [row.id for rows in known.values() for row in rows if _left_over(row, now)]
    return Revised(tuple(new), tuple(changed), tuple(void))


def _left_over(row: Standing, now: datetime) -> bool:
    """Nothing asks for it, though it is of a kind, and so near, that it would be wanted by now."""
    near = row.useless_after < now + AHEAD - DAY_BEFORE.useless
    return row.waiting and row.state in OPEN_STATES and row.kind is not MessageKind.DIGEST and near


def _merged(message: NewMessage, row: Standing) -> NewMessage | None:
    """The message as it should stand; None where it does already."""
    if row.state is MessageState.CANCELLED:
        return message
    merged = replace(
        message,
        due_at=min(message.due_at, row.due_at),
        useless_after=max(message.useless_after, row.useless_after),
    )
    stands = (row.due_at, row.useless_after, dict(row.payload))
    return None if stands == (merged.due_at, merged.useless_after, dict(merged.payload)) else merged
