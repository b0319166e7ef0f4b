"""A school's week as a table: days across and periods, or classes, down.  Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from scheduler.domain.intervals import minute_of, monday
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.people import BellPeriod, HalfDay

LESSON_DAYS = 6  # Monday to Saturday


@dataclass(frozen=True, slots=True, order=True)
class Time:
    """A row of the table; `half_day` and `number` are missing where no bell rings then."""

    start: int
    end: int
    half_day: HalfDay | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One lesson in the table: its row by time, and its day, 0 is Monday."""

    weekday: int
    time: Time
    lesson: Lesson


def cells(found: Iterable[Lesson], periods: Iterable[BellPeriod]) -> tuple[Cell, ...]:
    """Each lesson in its place, those of one place by class."""
    bells = {each.start: each for each in periods}
    placed = [_cell(lesson, bells) for lesson in found]
    return tuple(sorted(placed, key=lambda x: (x.time, x.weekday, x.lesson.class_name)))


def _cell(lesson: Lesson, bells: Mapping[int, BellPeriod]) -> Cell:
    there = ZoneInfo(lesson.zone)
    start, end = lesson.starts_at.astimezone(there), lesson.ends_at.astimezone(there)
    minute, last = minute_of(start), minute_of(end)
    bell = bells.get(minute)
    if bell is not None and bell.end == last:
        return Cell(start.weekday(), _time(bell), lesson)
    return Cell(start.weekday(), Time(minute, last, lesson.half_day, lesson.period), lesson)


def times(placed: Iterable[Cell], periods: Iterable[BellPeriod]) -> tuple[Time, ...]:
    """The rows in order of time: the school's periods, and whatever else lessons stand on."""
    return tuple(sorted({_time(each) for each in periods} | {x.time for x in placed}, key=_first))


def _time(bell: BellPeriod) -> Time:
    return Time(bell.start, bell.end, bell.half_day, bell.number)


def _first(time: Time) -> tuple[int, int]:
    return time.start, time.end


def days(placed: Iterable[Cell]) -> int:
    """How many days the table has: Sunday only where a lesson stands on it."""
    return max([LESSON_DAYS, *(cell.weekday + 1 for cell in placed)])


def typical(found: Iterable[Lesson], from_day: date) -> tuple[Lesson, ...]:
    """One lesson for each weekly time of a class, of the term's lessons from a day on.

    What stands at a time only once, while its class has lessons in other weeks, is no habit.  Of
    several teachers the one who comes next gives the name.
    """
    live = [x for x in found if x.state is not LessonState.CANCELLED and _day(x) >= from_day]
    series: dict[tuple[int, int, int], list[Lesson]] = defaultdict(list)
    weeks: dict[int, set[date]] = defaultdict(set)
    for lesson in sorted(live, key=lambda x: x.starts_at):
        start = lesson.starts_at.astimezone(ZoneInfo(lesson.zone))
        series[lesson.class_id, start.weekday(), minute_of(start)].append(lesson)
        weeks[lesson.class_id].add(monday(start.date()))
    return tuple(
        given[0]
        for (klass, _, _), given in series.items()
        if len(given) > 1 or len(weeks[klass]) == 1
    )


def _day(lesson: Lesson) -> date:
    return lesson.starts_at.astimezone(ZoneInfo(lesson.zone)).date()
