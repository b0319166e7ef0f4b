"""A class joins another class's lesson: which ones, and what stands in the way.  Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from scheduler.domain.lessons import Lesson, LessonState, placed
from scheduler.domain.people import Level
from scheduler.domain.requests import RequestId
from scheduler.errors import Text, text


def hosts(
    lesson: Lesson, there: Iterable[Lesson], levels: Mapping[RequestId, Level]
) -> tuple[Lesson, ...]:
    """The lessons of other classes of its school and level, on its day, that take place as far as
    anybody knows; in order of time."""
    found = (
        other
        for other in there
        if other.class_id != lesson.class_id
        and other.school_id == lesson.school_id
        and placed(other).day == placed(lesson).day
        and levels[other.request_id] is levels[lesson.request_id]
        and other.state in (LessonState.SCHEDULED, LessonState.COVER)
    )
    return tuple(sorted(found, key=lambda other: (other.starts_at, other.id)))


def fault(lesson: Lesson, host: Lesson, there: Iterable[Lesson], now: datetime) -> Text | None:
    """What keeps the lesson's class from joining the host; None: nothing.

    `there`: every lesson of the school that day.
    """
    if host.starts_at <= now:
        return text("This lesson has begun.")
    if host.state is LessonState.COVER:
        return text("Its teacher cannot come either.")
    known = [other for other in there if other.id != lesson.id]
    if any(other.merged_into_id == lesson.id for other in known):
        return text("Another class joins this lesson: it is to stay.")
    own = (
        other
        for other in known
        if other.class_id == lesson.class_id and other.state is not LessonState.CANCELLED
    )
    if any(other.interval.overlaps(host.interval) for other in own):
        return text("The class is in another lesson then.")
    return None
