"""Who could give a lesson at some time, and what stands in the way.  Pure: no clock, no database.

The same rules, in the same order and by the same names, as the engine's: a test holds them equal.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from scheduler.domain.availability import Window
from scheduler.domain.busy import Availability
from scheduler.domain.intervals import DaySpan, Interval, dated, monday
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import ClassId, DonorSchoolId, Level, PersonId, TeacherId
from scheduler.domain.plans import Placement
from scheduler.domain.requests import Request
from scheduler.domain.terms import Term


class Obstacle(StrEnum):
    """What keeps a teacher from a lesson; the engine's names."""

    NOT_QUALIFIED = "not_qualified"
    NOT_AVAILABLE = "not_available"
    AWAY = "away"
    BUSY = "busy"
    TERM_LIMIT = "term_limit"
    WEEK_LIMIT = "week_limit"
    DAY_LIMIT = "day_limit"
    TEACHING = "teaching"  # another lesson at that time or too close to it


@dataclass(frozen=True, slots=True)
class Want:
    """A lesson that somebody should give: minutes on the wall of `zone`.

    `gap_minutes`: a teacher's least rest between two lessons of a day.  `without` are lessons that
    do not count as anybody's: the lesson itself, and what is given away for it.
    """

    day: date
    start: int
    end: int
    zone: str
    gap_minutes: int
    level: Level
    class_id: ClassId
    school_code: str
    without: frozenset[LessonId] = frozenset()

    @property
    def interval(self) -> Interval:
        return dated(self.day, self.start, self.end, self.zone)


def wanted(
    request: Request, term: Term, place: Placement, without: Iterable[LessonId] = ()
) -> Want:
    """What a lesson of the request at that place needs of whoever gives it."""
    return Want(
        day=place.day,
        start=place.start,
        end=place.end,
        zone=term.zone,
        gap_minutes=term.gap_minutes,
        level=request.level,
        class_id=request.class_id,
        school_code=request.school_code,
        without=frozenset(without),
    )


@dataclass(frozen=True, slots=True, order=True)
class Booked:
    """A lesson that a teacher gives anyway."""

    span: Interval
    day: date
    lesson_id: LessonId


@dataclass(frozen=True, slots=True)
class Candidate:
    """A teacher, as far as one lesson is concerned; of `levels` and `wishes` that is enough,
    `wishes_any` says whether there are others.

    `windows`, `absences` and `busy` are those that touch its day; `calendar` says whether the
    teacher is free at its time as far as we know, UNKNOWN: ask first.  `booked` are the lessons of
    its week, `total` those of the term, `class_lessons` those that this class had from the
    teacher; `asked_at`: when the teacher was last asked to stand in for anybody.
    """

    teacher_id: TeacherId
    person_id: PersonId
    name: str
    donor_school_id: DonorSchoolId
    donor_school: str
    levels: frozenset[Level]
    max_per_day: int
    max_per_week: int
    max_total: int
    windows: tuple[Window, ...]
    absences: tuple[DaySpan, ...]
    busy: tuple[Interval, ...]
    calendar: Availability
    booked: tuple[Booked, ...]
    total: int
    wishes: frozenset[str]
    wishes_any: bool
    class_lessons: int
    asked_at: datetime | None


def obstacles(who: Candidate, want: Want) -> tuple[Obstacle, ...]:
    """Everything that keeps the teacher from giving the lesson, in the engine's order."""
    span = want.interval
    booked = [each for each in who.booked if each.lesson_id not in want.without]
    found = (
        (Obstacle.NOT_QUALIFIED, want.level not in who.levels),
        (Obstacle.NOT_AVAILABLE, not _windows(who, want)),
        (Obstacle.AWAY, any(want.day in absence for absence in who.absences)),
        (Obstacle.BUSY, any(span.overlaps(other) for other in who.busy)),
        (Obstacle.TERM_LIMIT, who.total + 1 > who.max_total),
        *(_of_week(who, want, booked) if booked else _of_empty_week(who)),
    )
    return tuple(obstacle for obstacle, there in found if there)


def _of_week(
    who: Candidate, want: Want, booked: Sequence[Booked]
) -> tuple[tuple[Obstacle, bool], ...]:
    span, rest, begins = want.interval, timedelta(minutes=want.gap_minutes), monday(want.day)
    wide, after = Interval(span.start - rest, span.end + rest), begins + timedelta(days=7)
    week = [each for each in booked if begins <= each.day < after]
    day = [each for each in week if each.day == want.day]
    crowded = any(wide.overlaps(each.span) for each in day)
    return (
        (Obstacle.WEEK_LIMIT, len(week) + 1 > who.max_per_week),
        (Obstacle.DAY_LIMIT, len(day) + 1 > who.max_per_day),
        (Obstacle.TEACHING, crowded or any(span.overlaps(each.span) for each in booked)),
    )


def _of_empty_week(who: Candidate) -> tuple[tuple[Obstacle, bool], ...]:
    """Most teachers give no lesson in most weeks."""
    return (Obstacle.WEEK_LIMIT, who.max_per_week < 1), (Obstacle.DAY_LIMIT, who.max_per_day < 1)


def only_if_needed(who: Candidate, want: Want) -> bool:
    """True when the teacher gives that time, but only if nobody else does."""
    found = _windows(who, want)
    return bool(found) and all(window.if_needed for window in found)


def _windows(who: Candidate, want: Want) -> list[Window]:
    return [
        window
        for window in who.windows
        if window.holds(want.day.weekday(), want.start, want.end) and window.opens(want.day)
    ]
