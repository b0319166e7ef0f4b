"""Who is in the room: from when a side may say so, and when it is missing.  Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.domain.lessons import Lesson, LessonState
from scheduler.errors import Text, text

OPENS = timedelta(minutes=15)  # before the start
MISSED_AFTER = timedelta(minutes=3)


class Presence(StrEnum):
    """How it stands with one side of a lesson."""

    IN = "in"
    AWAITED = "awaited"
    MISSING = "missing"


def refusal(lesson: Lesson, now: datetime) -> Text | None:
    """Why nobody can check in to the lesson now."""
    if lesson.state is LessonState.CANCELLED:
        return text("This lesson is called off. There is nothing to check in to.")
    if now < lesson.starts_at - OPENS:
        return text("Check in from 15 minutes before the lesson on.")
    if now >= lesson.ends_at:
        return text("This lesson is over. Report how it went instead.")
    return None


def presence(lesson: Lesson, arrived: datetime | None, now: datetime) -> Presence:
    if arrived is not None:
        return Presence.IN
    late = now >= lesson.starts_at + MISSED_AFTER
    return Presence.MISSING if late else Presence.AWAITED


def watched(lesson: Lesson, now: datetime) -> bool:
    """Whether the lesson runs or is about to; one that its sides have told of needs no watching."""
    near = lesson.starts_at - OPENS <= now < lesson.ends_at
    return near and lesson.state in (LessonState.SCHEDULED, LessonState.COVER)
