"""What a teacher says of one lesson: I will be there, or I can't.  Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.people import PersonId

LONGEST_WORDS = 150


class Standing(StrEnum):
    """How it stands with a lesson that its teacher was asked about."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    LOOKING = "looking"  # for cover: the teacher cannot come, and stays responsible
    CHANGED = "changed"  # it is at another time since, or was
    OTHER_TEACHER = "other_teacher"
    CALLED_OFF = "called_off"
    BEGUN = "begun"


OPEN = (Standing.ASKED, Standing.CONFIRMED, Standing.LOOKING)


class Reply(StrEnum):
    CONFIRM = "confirm"
    CANNOT = "cannot"
    UNDO = "undo"


class Reason(StrEnum):
    """Why a teacher cannot come."""

    SICK = "sick"
    SCHOOL = "school"
    TECHNICAL = "technical"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Excuse:
    """A reason, with a few words where they were written."""

    reason: Reason
    words: str = ""

    def stored(self) -> str:
        return f"{self.reason}: {self.words}" if self.words else self.reason.value


def excuse(stored: str) -> Excuse:
    """What `stored` wrote; words of unknown origin are another reason."""
    name, _, words = stored.partition(": ")
    if name in Reason.__members__.values():
        return Excuse(Reason(name), words)
    return Excuse(Reason.OTHER, stored)


def standing(
    lesson: Lesson, sequence: int, person: PersonId, *, confirmed: bool, called: bool, now: datetime
) -> Standing:
    """How a lesson stands now that its teacher was asked about as it was at `sequence`."""
    if lesson.state is LessonState.CANCELLED:
        return Standing.CALLED_OFF
    if lesson.teacher_person_id != person:
        return Standing.OTHER_TEACHER
    if lesson.starts_at <= now:
        return Standing.BEGUN
    if lesson.sequence != sequence:
        return Standing.CHANGED
    if lesson.state is LessonState.COVER and called:
        return Standing.LOOKING
    return Standing.CONFIRMED if confirmed else Standing.ASKED
