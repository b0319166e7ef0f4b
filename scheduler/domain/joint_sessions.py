"""Joint sessions: meetings of the teachers of both sides of a partnership.  Pure.

What one reader knew of a session before it changed travels with the news of it, so that several
changes are told as one, and what came and went is not told at all.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType

from scheduler.domain import meetings
from scheduler.domain.lessons import LessonState
from scheduler.domain.messages import Channel, MessageKind, NewMessage
from scheduler.domain.partnerships import PartnershipId
from scheduler.domain.people import PersonId, SchoolId, TeacherId
from scheduler.domain.terms import ProgrammeId
from scheduler.errors import Text, text

JointSessionId = NewType("JointSessionId", int)

LONGEST_TITLE = 200
LONGEST_URL = meetings.LONGEST
SHORTEST, LONGEST = timedelta(minutes=10), timedelta(hours=10)
AHEAD = timedelta(days=730)  # what is planned for later was mistyped
MOST_PEOPLE = 300


class Answer(StrEnum):
    """What somebody who is invited says beforehand."""

    COMING = "coming"
    CANNOT = "cannot"


class News(StrEnum):
    """What a change means to one reader."""

    INVITED = "invited"
    MOVED = "moved"
    RENAMED = "renamed"
    RESTORED = "restored"
    CALLED_OFF = "called_off"
    LET_GO = "let_go"  # it takes place, without this reader


@dataclass(frozen=True, slots=True)
class JointSession:
    """As pages, mails and feeds need it; instants are aware and in UTC.

    `sequence` and `changed_at` rise with every visible change.  `moved_from` is the time before
    the last move.  `meeting_url`: a room of its own; None: it meets at `usual_place`, the pattern
    of its programme, and where that is None at the installation's.
    """

    id: JointSessionId
    uid: str
    join_token: str
    programme_id: ProgrammeId
    partnership_id: PartnershipId
    donor_unit: str
    receiving_unit: str
    title: str
    state: LessonState
    starts_at: datetime
    ends_at: datetime
    zone: str
    sequence: int
    created_at: datetime
    changed_at: datetime
    moved_from: datetime | None
    meeting_url: str | None
    usual_place: str | None
    cancel_reason: str
    cancelled_by: str

    @property
    def off(self) -> bool:
        return self.state is LessonState.CANCELLED


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who can be invited: a volunteer, or the contact of a school; `usual`: who is
    invited unless the coordinator says otherwise."""

    person_id: PersonId
    name: str
    place: str
    teacher_id: TeacherId | None
    school_id: SchoolId | None
    usual: bool


@dataclass(frozen=True, slots=True)
class Attendee:
    """Who was invited; not `invited`: is so no more.  `attended` None: nobody has said."""

    session_id: JointSessionId
    person_id: PersonId
    name: str
    place: str
    teacher_id: TeacherId | None
    school_id: SchoolId | None
    invited: bool
    answer: Answer | None
    attended: bool | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a coordinator wants a session to be; `people`: whom to invite."""

    title: str
    starts_at: datetime
    ends_at: datetime
    meeting_url: str | None
    people: frozenset[PersonId]


@dataclass(frozen=True, slots=True)
class Warnings:
    """What speaks against a time, and forbids nothing: schools that are closed on that day; people
    who are away, and who teach or meet then, by name."""

    holiday: bool = False
    closed: tuple[str, ...] = ()
    away: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.holiday or bool(self.closed or self.away or self.busy)

    @property
    def mark(self) -> str:
        """The same for the same warnings: who sends it has read them."""
        told = repr((self.holiday, self.closed, self.away, self.busy))
        return hashlib.sha256(told.encode()).hexdigest()[:16] if self else ""


def as_guest(seat: Attendee) -> Guest:
    """Whoever is invited can be invited, whatever became of their roles."""
    usual = seat.invited
    return Guest(seat.person_id, seat.name, seat.place, seat.teacher_id, seat.school_id, usual)


def faults(wish: Wish, known: Collection[PersonId], now: datetime) -> dict[str, Text]:
    """What is wrong with a wish, by field; `known`: who can be invited."""
    found: dict[str, Text] = {}
    if wish.ends_at <= wish.starts_at:
        found["ends"] = text("It ends before it begins.")
    elif not SHORTEST <= wish.ends_at - wish.starts_at <= LONGEST:
        found["ends"] = text("A joint session takes from 10 minutes to 10 hours.")
    if wish.starts_at <= now:
        found["day"] = text("This time has passed. Choose a later one.")
    elif wish.starts_at > now + AHEAD:
        found["day"] = text("This day is years away. Choose an earlier one.")
    if wish.meeting_url and (fault := meetings.fault(wish.meeting_url, shared=False)):
        found["meeting_url"] = fault
    if not wish.people & frozenset(known):
        found["people"] = text("Invite at least one person.")
    elif len(wish.people) > MOST_PEOPLE:
        found["people"] = text("Invite at most {most} people.", most=MOST_PEOPLE)
    return found


def marker(session: JointSession, seats: Iterable[Attendee]) -> str:
    """How a session stands for whoever changes it; what people answer does not matter."""
    told = (
        session.sequence,
        session.state.value,
        sorted((x.person_id, x.invited, x.attended) for x in seats),
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def coming(seats: Iterable[Attendee]) -> int:
    """How many say that they come."""
    return sum(each.invited and each.answer is Answer.COMING for each in seats)


# -- news


@dataclass(frozen=True, slots=True)
class Told:
    """How a reader last knew a session to be."""

    starts_at: datetime
    ends_at: datetime
    title: str
    off: bool


def known(session: JointSession) -> Told:
    return Told(session.starts_at, session.ends_at, session.title, session.off)


def news(told: Told | None, session: JointSession, *, invited: bool) -> News | None:
    """What a reader hears who knew that; None: it came and went, or is as it was."""
    if told is None:
        return News.INVITED if invited and session.state is LessonState.SCHEDULED else None
    if not invited:
        return None if told.off else News.LET_GO
    if session.off:
        return None if told.off else News.CALLED_OFF
    if told.off:
        return News.RESTORED
    if (told.starts_at, told.ends_at) != (session.starts_at, session.ends_at):
        return News.MOVED
    return News.RENAMED if told.title != session.title else None


def message(
    session: JointSession, person: PersonId, channel: Channel, told: Told | None, due_at: datetime
) -> NewMessage:
    """The message that tells one reader of one revision."""
    return NewMessage(
        key=f"{stem(session.id)}{session.sequence}:{person}:{MessageKind.JOINT_NEWS}:{channel}",
        kind=MessageKind.JOINT_NEWS,
        person_id=person,
        due_at=due_at,
        useless_after=session.ends_at,
        programme_id=session.programme_id,
        payload={"session": session.id} | ({"told": _packed(told)} if told else {}),
        channel=channel,
    )


def stem(session: JointSessionId) -> str:
    """How the keys of all its messages begin."""
    return f"joint:{session}:"


def session_of(payload: Mapping[str, Any]) -> JointSessionId:
    return JointSessionId(int(payload["session"]))


def told_of(payload: Mapping[str, Any]) -> Told | None:
    packed = payload.get("told")
    if packed is None:
        return None
    return Told(
        datetime.fromisoformat(packed["starts"]),
        datetime.fromisoformat(packed["ends"]),
        packed["title"],
        bool(packed["off"]),
    )


def _packed(told: Told) -> dict[str, object]:
    return {
        "starts": told.starts_at.isoformat(),
        "ends": told.ends_at.isoformat(),
        "title": told.title,
        "off": told.off,
    }
