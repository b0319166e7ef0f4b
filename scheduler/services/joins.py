"""Opening the room of a lesson, or of a joint session, by its join link.

The link stays the same whatever becomes of the lesson.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduler import security
from scheduler.domain.joint_sessions import JointSession
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.meetings import ROOM
from scheduler.errors import NotFound
from scheduler.services.context import Context
from scheduler.store import joint_sessions, lessons
from scheduler.store.database import Session

DOORS_OPEN = timedelta(minutes=15)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,43}")


Event = Lesson | JointSession


@dataclass(frozen=True, slots=True)
class Go:
    """The room is open: send the visitor on, and let nobody keep the answer."""

    url: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """The lesson is later; the doors open at `opens_at`."""

    lesson: Event
    opens_at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """The visitor comes at the lesson's old time; it is later now."""

    lesson: Event
    moved_from: datetime
    opens_at: datetime


@dataclass(frozen=True, slots=True)
class CalledOff:
    lesson: Event
    by: str
    reason: str


Outcome = Go | NotYet | Moved | CalledOff


def open_room(ctx: Context, token: str) -> Outcome:
    """What a visitor with this link gets now.

    Raises NotFound for an unknown link and, alike, for a lesson whose day is over: an old link
    tells a stranger nothing.
    """
    lesson: Event | None = None
    if _TOKEN.fullmatch(token):  # PostgreSQL fails on some of what is no token
        with ctx.reading() as db:
            lesson = _host(db, lessons.by_join_token(db, token))
            lesson = lesson or joint_sessions.by_join_token(db, token)
    now = ctx.now()
    if lesson is None or _day(now, lesson) > _day(lesson.starts_at, lesson):
        raise NotFound("This link leads to no lesson, or its day is over.")
    if lesson.state is LessonState.CANCELLED:
        return CalledOff(lesson, lesson.cancelled_by, lesson.cancel_reason)
    opens_at = lesson.starts_at - DOORS_OPEN
    if now >= opens_at:
        return Go(room_of(ctx, lesson))
    if lesson.moved_from is not None and now >= lesson.moved_from - DOORS_OPEN:
        return Moved(lesson, lesson.moved_from, opens_at)
    return NotYet(lesson, opens_at)


def _host(db: Session, lesson: Lesson | None) -> Lesson | None:
    """The lesson, or the one that its class joins instead: nobody joins one that was merged."""
    if lesson is None or lesson.merged_into_id is None:
        return lesson
    return lessons.get(db, lesson.merged_into_id)


def _day(moment: datetime, lesson: Event) -> date:
    return moment.astimezone(ZoneInfo(lesson.zone)).date()


def room_of(ctx: Context, lesson: Event) -> str:
    """The lesson's own room, or one of the usual place whose name nobody guesses."""
    usual = lesson.usual_place if isinstance(lesson, JointSession) else None
    address = lesson.meeting_url or usual or ctx.settings.meeting_url
    return address.replace(ROOM, security.stamp(ctx.key, "room", lesson.uid))
