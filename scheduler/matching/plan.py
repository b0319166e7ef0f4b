"""A plan, what it is worth and what it leaves open, as values and as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from scheduler.errors import Invalid, Problem, text
from scheduler.matching.reading import Reader, clock


@dataclass(frozen=True, slots=True, order=True)
class PlannedLesson:
    """One dated lesson; times are minutes since midnight, request and teacher are ids."""

    request: str
    day: date
    start: int
    end: int
    teacher: str


@dataclass(frozen=True, slots=True)
class Plan:
    lessons: tuple[PlannedLesson, ...] = ()


class ReasonCode(StrEnum):
    """Why a teacher does not give a missing lesson: the first thing in the way, in this order."""

    NOT_QUALIFIED = "not_qualified"
    NO_DAY = "no_day"  # the class's weekday has no lessons in that week: holiday or closed
    PAST = "past"  # the class's day lies before `freeze_before`
    NOT_AVAILABLE = "not_available"
    AWAY = "away"
    BUSY = "busy"
    TERM_LIMIT = "term_limit"
    WEEK_LIMIT = "week_limit"
    DAY_LIMIT = "day_limit"
    TEACHING = "teaching"  # another lesson at that time or too close to it
    CLASS_TAUGHT = "class_taught"  # the class itself has another lesson then
    ROOM_FULL = "room_full"
    FREE = "free"  # nothing in the way: the search preferred another use of the teacher


@dataclass(frozen=True, slots=True)
class Reason:
    """How many teachers one obstacle keeps from a lesson."""

    code: ReasonCode
    count: int


class FixCode(StrEnum):
    """A change of the instance that covers a missing lesson, from the smallest to the largest."""

    SLOT = "slot"  # the class accepts one more time
    WINDOW = "window"  # a teacher is free at one more time
    DAY_LIMIT = "day_limit"  # a teacher takes more lessons a day
    WEEK_LIMIT = "week_limit"
    TERM_LIMIT = "term_limit"
    MAKE_UP = "make_up"  # one lesson beside the class's weekly timetable, pinned
    ROOM = "room"  # the school takes one more lesson at a time
    NEW_TEACHER = "new_teacher"  # someone more, free at that time


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that was tried: solved again from the plan, it taught `covers` lessons more.

    Times are minutes since midnight.  A SLOT, WINDOW and NEW_TEACHER stand on a weekly time
    (`weekday`), a MAKE_UP on one day; so does a NEW_TEACHER where only a make-up lesson helps.
    The time of a NEW_TEACHER may be new to the class, which then accepts it as well.
    """

    code: FixCode
    covers: int
    teacher: str | None = None
    weekday: int | None = None
    start: int | None = None
    end: int | None = None
    day: date | None = None
    limit: int | None = None  # a teacher's new limit; the new number of rooms: ROOM, NEW_TEACHER
    free: int | None = None  # teachers free at the time of a SLOT in that week
    changes: int = 0  # lessons of the plan that moved or changed hands in the trial


@dataclass(frozen=True, slots=True)
class Unfilled:
    """Lessons a request misses in a week (its Monday); the counts add up to all teachers.

    `rivals` are the requests that have, at that time, the teachers who could have come; `fixes`
    have been tried, the smallest first.
    """

    request: str
    week: date
    missing: int
    reasons: tuple[Reason, ...]
    rivals: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True)
class Shortage:
    """What a request misses over all its weeks: one line of a school's page.

    `worst` is the week that tells the reasons, `fix` the smallest change that covers at least
    half of what any of its fixes covers.
    """

    request: str
    missing: int
    weeks: tuple[date, ...]
    worst: Unfilled
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Solution:
    """A verified plan with its price, a proved bound on any plan's price, and its gaps."""

    plan: Plan
    cost: float
    lower_bound: float
    gap: float  # (cost - lower_bound) / cost
    seconds: float
    taught: int
    requested: int
    terms: Mapping[str, float]
    unfilled: tuple[Unfilled, ...]
    iterations: int
    seed: int


def dump(solution: Solution) -> dict[str, object]:
    """The plan file of DESIGN.md as JSON values."""
    return {
        "lessons": dump_lessons(solution.plan.lessons),
        "cost": solution.cost,
        "lower_bound": solution.lower_bound,
        "gap": solution.gap,
        "seconds": solution.seconds,
        "taught": solution.taught,
        "requested": solution.requested,
        "terms": dict(solution.terms),
        "iterations": solution.iterations,
        "seed": solution.seed,
        "unfilled": [_dump_unfilled(gap) for gap in solution.unfilled],
    }


def dump_lessons(lessons: Iterable[PlannedLesson]) -> list[dict[str, str]]:
    """The `lessons` of a plan file."""
    return [
        {
            "request": lesson.request,
            "date": lesson.day.isoformat(),
            "start": clock(lesson.start),
            "end": clock(lesson.end),
            "teacher": lesson.teacher,
        }
        for lesson in lessons
    ]


def _dump_unfilled(unfilled: Unfilled) -> dict[str, object]:
    return {
        "request": unfilled.request,
        "week": unfilled.week.isoformat(),
        "missing": unfilled.missing,
        "reasons": [{"code": r.code.value, "count": r.count} for r in unfilled.reasons],
        "rivals": list(unfilled.rivals),
        "fixes": [_dump_fix(fix) for fix in unfilled.fixes],
    }


def _dump_fix(fix: Fix) -> dict[str, object]:
    found: dict[str, object] = {
        "code": fix.code.value,
        "covers": fix.covers,
        "teacher": fix.teacher,
        "weekday": fix.weekday,
        "start": None if fix.start is None else clock(fix.start),
        "end": None if fix.end is None else clock(fix.end),
        "date": fix.day and fix.day.isoformat(),
        "limit": fix.limit,
        "free": fix.free,
        "changes": fix.changes or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def parse(data: object) -> Plan:
    """The lessons of a decoded plan file; its other keys are free.

    Raises Invalid with one Problem per fault, all of them at once.
    """
    faults: list[Problem] = []
    reader = Reader(data, faults)
    if not isinstance(data, dict):
        reader.fault(text("must be an object"))
    lessons = tuple(map(_lesson, reader.each("lessons", required=isinstance(data, dict))))
    if faults:
        raise Invalid(text("This is not a plan."), tuple(faults))
    return Plan(lessons)


def _lesson(reader: Reader) -> PlannedLesson:
    return PlannedLesson(
        reader.string("request"),
        reader.day("date"),
        *reader.start_and_end(),
        teacher=reader.string("teacher"),
    )
