"""Lesson states and what readers see of a lesson.  Pure: no clock, no database."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from scheduler.domain.intervals import Interval
from scheduler.domain.people import ClassId, HalfDay, PersonId, SchoolId, TeacherId
from scheduler.domain.plans import ChangeKind
from scheduler.domain.requests import RequestId
from scheduler.domain.terms import ProgrammeId

LessonId = NewType("LessonId", int)


class LessonState(StrEnum):
    SCHEDULED = "scheduled"
    COVER = "cover"
    CANCELLED = "cancelled"
    HELD = "held"
    NOT_HELD = "not_held"


@dataclass(frozen=True, slots=True)
class Lesson:
    """A published, dated lesson as pages, mails and feeds need it; instants are aware and in UTC.

    `sequence` and `changed_at` rise with every visible change.  `moved_from` is the time before
    the last move.  `period` is the school's bell period that begins with it, where there is one.
    `meeting_url` is the lesson's or its class's own room; None means the programme's usual one.
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
    pinned: bool

    @property
    def interval(self) -> Interval:
        return Interval(self.starts_at, self.ends_at)


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
