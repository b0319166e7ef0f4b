"""What became of lessons, added up: what was given, and what was lost for which cause.  Pure.

Only a lesson that both sides, or a coordinator, called held is given.  Nothing is assumed.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeVar

from scheduler.domain.intervals import DaySpan
from scheduler.domain.lessons import Cause, LessonState
from scheduler.domain.people import ClassId, DonorSchoolId, SchoolId, TeacherId
from scheduler.domain.reports import costs_teacher
from scheduler.errors import Invalid, text

LONGEST_YEARS = 10
EARLIEST, LATEST = 2000, 2199


class Outcome(StrEnum):
    """What a record calls a lesson."""

    GIVEN = "given"
    WAS_THERE = "was_there"  # not held, for a cause outside the teacher's hands
    NOT_GIVEN = "not_given"  # not held, for the teacher's own cause, or for none that was told
    CALLED_OFF = "called_off"
    MERGED = "merged"  # its class joined another lesson, which was held
    DISPUTED = "disputed"  # its two sides reported different things
    AWAITING = "awaiting"  # one side reported: awaiting the other
    UNREPORTED = "unreported"  # over, and nobody has said how it went
    AHEAD = "ahead"


# What the timetable holds and nobody has settled yet.
OPEN = frozenset({Outcome.DISPUTED, Outcome.AWAITING, Outcome.UNREPORTED, Outcome.AHEAD})
LOST = frozenset({Outcome.WAS_THERE, Outcome.NOT_GIVEN})


@dataclass(frozen=True, slots=True)
class Amount:
    """Lessons, and the minutes that the timetable gives them."""

    lessons: int = 0
    minutes: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.lessons + other.lessons, self.minutes + other.minutes)


NOTHING = Amount()


def total(amounts: Collection[Amount]) -> Amount:
    """All of these in one."""
    if len(amounts) == 1:
        return next(iter(amounts))
    return Amount(sum(x.lessons for x in amounts), sum(x.minutes for x in amounts))


@dataclass(frozen=True, slots=True)
class Meetings:
    """Joint sessions that took place, never mixed with lessons: of one partnership, or all of them.
    `came`: how many were there, each counted every time; in a teacher's record the teacher alone.
    """

    units: str = ""
    sessions: int = 0
    minutes: int = 0
    came: int = 0

    def __add__(self, other: "Meetings") -> "Meetings":
        return Meetings(
            self.units,
            self.sessions + other.sessions,
            self.minutes + other.minutes,
            self.came + other.came,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """Lessons of one teacher and one class that began in one month and came to the same end.

    `month` is its first day.  `cause` only of lessons that were not held.
    """

    teacher_id: TeacherId
    teacher: str
    donor_school_id: DonorSchoolId
    donor_school: str
    school_id: SchoolId
    school: str
    class_id: ClassId
    class_name: str
    month: date
    outcome: Outcome
    cause: Cause | None
    amount: Amount


@dataclass(frozen=True, slots=True)
class Sums:
    """The same lessons by their ends; `causes` divides those that were not held."""

    outcomes: Mapping[Outcome, Amount] = field(default_factory=dict)
    causes: Mapping[Cause | None, Amount] = field(default_factory=dict)

    def of(self, *outcomes: Outcome) -> Amount:
        """What came to one of these ends."""
        return total([self.outcomes[each] for each in outcomes if each in self.outcomes])

    @property
    def given(self) -> Amount:
        return self.of(Outcome.GIVEN)

    @property
    def whole(self) -> Amount:
        return self.of(*Outcome)


Key = TypeVar("Key", bound=Hashable)


def outcome(
    state: LessonState, cause: Cause | None, *, merged: bool, reported: bool, over: bool
) -> Outcome:
    """What a record calls a lesson of this state; `reported`: by one side at least; `merged`: its
    class took part in another lesson, and that was held."""
    match state:
        case LessonState.HELD:
            return Outcome.GIVEN
        case LessonState.NOT_HELD:
            there = cause is not None and not costs_teacher(cause)
            return Outcome.WAS_THERE if there else Outcome.NOT_GIVEN
        case LessonState.CANCELLED:
            return Outcome.MERGED if merged else Outcome.CALLED_OFF
        case LessonState.DISPUTED:
            return Outcome.DISPUTED
    if reported:
        return Outcome.AWAITING
    return Outcome.UNREPORTED if over else Outcome.AHEAD


def add_up(lines: Iterable[Line]) -> Sums:
    """All of these lines in one."""
    outcomes: dict[Outcome, list[Amount]] = {}
    causes: dict[Cause | None, list[Amount]] = {}
    for line in lines:
        outcomes.setdefault(line.outcome, []).append(line.amount)
        if line.outcome in LOST:
            causes.setdefault(line.cause, []).append(line.amount)
    return Sums(
        {end: total(amounts) for end, amounts in outcomes.items()},
        {why: total(amounts) for why, amounts in causes.items()},
    )


def by(lines: Iterable[Line], key: Callable[[Line], Key]) -> dict[Key, Sums]:
    """The lines divided by a key and added up, in the order in which the keys come."""
    return {each: add_up(own) for each, own in apart(lines, key).items()}


def apart(lines: Iterable[Line], key: Callable[[Line], Key]) -> dict[Key, list[Line]]:
    """The lines divided by a key, in the order in which they come."""
    parts: dict[Key, list[Line]] = {}
    for line in lines:
        parts.setdefault(key(line), []).append(line)
    return parts


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def span(first_day: date, last_day: date) -> DaySpan:
    """The days of a record; raises Invalid for days in the wrong order, or too many."""
    if last_day < first_day:
        raise Invalid("The last day is before the first day.")
    if first_day.year < EARLIEST or last_day.year > LATEST:
        raise Invalid(
            text("Choose years from {first} to {last}.", first=str(EARLIEST), last=str(LATEST))
        )
    if last_day.year - first_day.year > LONGEST_YEARS:
        raise Invalid(text("A record covers at most {most} years.", most=LONGEST_YEARS))
    return DaySpan(first_day, last_day)
