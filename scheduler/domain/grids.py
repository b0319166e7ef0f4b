"""The week of a whole programme: its lessons, and those that nobody gives yet.  Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from scheduler.domain import names
from scheduler.domain.lessons import LessonId, LessonState
from scheduler.domain.people import HalfDay, Level, SchoolId
from scheduler.domain.plans import PlanId
from scheduler.domain.requests import RequestId, Slot
from scheduler.domain.terms import Term

# Of a lesson that has not begun, or of two sides that differ: a coordinator has something to do.
_OPEN = (LessonState.COVER, LessonState.DISPUTED)


@dataclass(frozen=True, slots=True)
class Placed:
    """A lesson of the week; `half_day` and `period` where the school's bells ring then."""

    lesson_id: LessonId
    request_id: RequestId
    school_id: SchoolId
    class_name: str
    level: Level
    teacher_name: str
    state: LessonState
    day: date
    starts_at: datetime
    ends_at: datetime
    start: int
    half_day: HalfDay | None
    period: int | None

    @property
    def words(self) -> str:
        return f"{self.class_name} {self.teacher_name}"

    def needs(self, now: datetime) -> bool:
        """Whether it waits for a coordinator."""
        return self.state in _OPEN and (self.state is LessonState.DISPUTED or self.starts_at > now)


@dataclass(frozen=True, slots=True)
class Short:
    """What a request lacks in the week, as the published plan says, and the times that it asks for
    on days on which its school is open."""

    plan_id: PlanId
    request_id: RequestId
    school_id: SchoolId
    class_name: str
    level: Level
    missing: int
    lessons_per_week: int
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Unfilled:
    """A lesson that nobody gives yet, at the first time its class asks for that is still open."""

    plan_id: PlanId
    school_id: SchoolId
    class_name: str
    level: Level
    day: date
    start: int
    half_day: HalfDay | None = None
    period: int | None = None

    @property
    def words(self) -> str:
        return self.class_name


Line = Placed | Unfilled


@dataclass(frozen=True, slots=True)
class Wish:
    """Which lines to show: of a school, of a level, those that wait for a coordinator, those whose
    class or teacher has all these words; Vietnamese marks and capitals make no difference."""

    school_id: SchoolId | None = None
    level: Level | None = None
    needing: bool = False
    words: str = ""

    @property
    def some(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.school_id or self.level or self.needing or self.words.strip())


def unfilled(
    short: Iterable[Short], placed: Iterable[Placed], monday: date, term: Term
) -> tuple[Unfilled, ...]:
    """One line for each lesson that is missing still; a plan's gap may have been filled by hand."""
    taken: dict[RequestId, set[date]] = {}
    for lesson in placed:
        taken.setdefault(lesson.request_id, set()).add(lesson.day)
    return tuple(
        Unfilled(each.plan_id, each.school_id, each.class_name, each.level, day, start)
        for each in short
        for day, start in _open_times(each, taken.get(each.request_id, set()), monday, term)
    )


def _open_times(
    short: Short, taken: Collection[date], monday: date, term: Term
) -> list[tuple[date, int]]:
    """The best liked time of each day that has no lesson, as many as are missing."""
    found: dict[date, int] = {}
    for slot in sorted(short.slots, key=lambda slot: (slot.rank, slot.weekday, slot.start)):
        day = monday + timedelta(days=slot.weekday)
        if day not in taken and term.first_day <= day <= term.last_day and day not in term.holidays:
            found.setdefault(day, slot.start)
    missing = min(short.missing, max(0, short.lessons_per_week - len(taken)))
    return list(found.items())[:missing]


def chosen(lines: Iterable[Line], wish: Wish, today: date, now: datetime) -> tuple[Line, ...]:
    """The lines that a wish leaves in."""
    wanted = names.fold(wish.words).split()
    return tuple(
        line
        for line in lines
        if wish.school_id in (None, line.school_id)
        and wish.level in (None, line.level)
        and (not wish.needing or needs(line, today, now))
        and (not wanted or _has(line, wanted))
    )


def needs(line: Line, today: date, now: datetime) -> bool:
    """Whether a line waits for a coordinator: what is past without a teacher does no more."""
    return line.needs(now) if isinstance(line, Placed) else line.day >= today


def _has(line: Line, wanted: Iterable[str]) -> bool:
    told = names.fold(line.words)
    return all(word in told for word in wanted)
