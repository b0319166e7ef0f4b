"""Lesson states and what readers see of a lesson.  Pure: no clock, no database."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from scheduler.domain import plans
from scheduler.domain.intervals import Interval
from scheduler.domain.people import ClassId, HalfDay, PersonId, SchoolId, TeacherId
from scheduler.domain.plans import ChangeKind, Placement
from scheduler.domain.requests import RequestId
from scheduler.domain.terms import ProgrammeId

LessonId = NewType("LessonId", int)


class LessonState(StrEnum):
    """How a lesson is kept; `life` tells what a reader calls it at some time."""

    SCHEDULED = "scheduled"
    COVER = "cover"  # its teacher cannot come, and stays responsible until somebody takes it
    CANCELLED = "cancelled"
    HELD = "held"
    NOT_HELD = "not_held"
    DISPUTED = "disputed"  # its two sides reported different things


class Move(StrEnum):
    """What can happen to a lesson."""

    ASK_COVER = "ask_cover"
    WITHDRAW_COVER = "withdraw_cover"
    TAKE_OVER = "take_over"
    RESCHEDULE = "reschedule"
    CALL_OFF = "call_off"
    RESTORE = "restore"  # an undone publication, or a plan that wants it again
    HOLD = "hold"  # both sides, or a coordinator, say that it took place
    MISS = "miss"  # they say that it did not
    DISPUTE = "dispute"
    REOPEN = "reopen"  # a report was taken back


# Every way from one state to the next; what is not here does not happen.
MOVES: dict[LessonState, dict[Move, LessonState]] = {
    LessonState.SCHEDULED: {
        Move.ASK_COVER: LessonState.COVER,
        Move.TAKE_OVER: LessonState.SCHEDULED,
        Move.RESCHEDULE: LessonState.SCHEDULED,
        Move.CALL_OFF: LessonState.CANCELLED,
        Move.HOLD: LessonState.HELD,
        Move.MISS: LessonState.NOT_HELD,
        Move.DISPUTE: LessonState.DISPUTED,
    },
    LessonState.COVER: {
        Move.WITHDRAW_COVER: LessonState.SCHEDULED,
        Move.TAKE_OVER: LessonState.SCHEDULED,
        Move.RESCHEDULE: LessonState.SCHEDULED,
        Move.CALL_OFF: LessonState.CANCELLED,
        Move.HOLD: LessonState.HELD,
        Move.MISS: LessonState.NOT_HELD,
        Move.DISPUTE: LessonState.DISPUTED,
    },
    LessonState.CANCELLED: {Move.RESTORE: LessonState.SCHEDULED},
    LessonState.DISPUTED: {
        Move.HOLD: LessonState.HELD,
        Move.MISS: LessonState.NOT_HELD,
        Move.REOPEN: LessonState.SCHEDULED,
    },
    LessonState.HELD: {
        Move.MISS: LessonState.NOT_HELD,
        Move.DISPUTE: LessonState.DISPUTED,
        Move.REOPEN: LessonState.SCHEDULED,
    },
    LessonState.NOT_HELD: {
        Move.HOLD: LessonState.HELD,
        Move.DISPUTE: LessonState.DISPUTED,
        Move.REOPEN: LessonState.SCHEDULED,
    },
}


class Life(StrEnum):
    """What a reader calls a lesson at some time."""

    SCHEDULED = "scheduled"
    MOVED = "moved"
    COVER = "cover"
    CALLED_OFF = "called_off"
    IN_PROGRESS = "in_progress"
    OVER = "over"  # and nobody, or one side alone, has said how it went
    HELD = "held"
    NOT_HELD = "not_held"
    DISPUTED = "disputed"


class Cause(StrEnum):
    """Why a lesson was not held."""

    TEACHER = "teacher"
    CLASS = "class"
    CONNECTION = "connection"
    POWER = "power"
    SCHOOL_EVENT = "school_event"
    PLATFORM = "platform"


class Deed(StrEnum):
    """What made a lesson as it is, in its history."""

    KEPT = "kept"  # how it stood when its history began
    PUBLISHED = "published"
    UNDONE = "undone"
    CALLED_OFF = "called_off"
    RESTORED = "restored"  # somebody took the calling off back
    COVER_ASKED = "cover_asked"
    COVER_WITHDRAWN = "cover_withdrawn"
    TAKEN_OVER = "taken_over"
    SWAPPED = "swapped"
    MOVED = "moved"
    MERGED = "merged"
    REPORTED = "reported"
    SETTLED = "settled"


# Why a teacher cannot come, and what teachers say to each other about it.
PRIVATE = (Deed.COVER_ASKED, Deed.COVER_WITHDRAWN, Deed.TAKEN_OVER, Deed.SWAPPED)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A published, dated lesson as pages, mails and feeds need it; instants are aware and in UTC.

    `sequence` and `changed_at` rise with every visible change.  `moved_from` is the time before
    the last move.  `period` is the school's bell period that begins with it, where there is one.
    `meeting_url` is the lesson's, its class's or its programme's room; None: the usual one here.
    """

    id: LessonId
    uid: str
    join_token: str
    programme_id: ProgrammeId
    request_id: RequestId
    class_id: ClassId
    class_name: str
    school_id: SchoolId
    school_name: str
    school_district: str
    teacher_id: TeacherId
    teacher_name: str
    teacher_person_id: PersonId
    donor_school: str
    state: LessonState
    starts_at: datetime
    ends_at: datetime
    zone: str
    half_day: HalfDay | None
    period: int | None
    sequence: int
    created_at: datetime
    changed_at: datetime
    moved_from: datetime | None
    cancel_reason: str
    cancelled_by: str
    meeting_url: str | None
    cause: Cause | None = None
    merged_into_id: LessonId | None = None

    @property
    def interval(self) -> Interval:
        return Interval(self.starts_at, self.ends_at)


def placed(lesson: Lesson) -> Placement:
    """The lesson as plans and the timetable name it."""
    return plans.placed(lesson.request_id, lesson.teacher_id, lesson.interval, lesson.zone)


def after(state: LessonState, move: Move) -> LessonState | None:
    """The state that a move leads to; None: it cannot happen in this state."""
    return MOVES[state].get(move)


def life(lesson: Lesson, now: datetime) -> Life:
    """What the lesson is called at this instant."""
    match lesson.state:
        case LessonState.CANCELLED:
            return Life.CALLED_OFF
        case LessonState.HELD | LessonState.NOT_HELD | LessonState.DISPUTED:
            return Life(lesson.state.value)
    if lesson.ends_at <= now:
        return Life.OVER
    if lesson.starts_at <= now:
        return Life.IN_PROGRESS
    if lesson.state is LessonState.COVER:
        return Life.COVER
    return Life.MOVED if lesson.moved_from else Life.SCHEDULED


@dataclass(frozen=True, slots=True)
class Handover:
    """What a former teacher's calendar keeps of a lesson that somebody else took over."""

    lesson: Lesson
    teacher_id: TeacherId
    starts_at: datetime
    ends_at: datetime
    sequence: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class LessonChange:
    """What a publication did to one lesson; `former_teacher_id`: who gave it until now, if any."""

    lesson_id: LessonId
    kind: ChangeKind
    class_id: ClassId
    teacher_id: TeacherId
    former_teacher_id: TeacherId | None
