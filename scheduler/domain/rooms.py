"""Where a school's online rooms are taken, week by week.  Pure: no clock, no database."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from zoneinfo import ZoneInfo

from scheduler.domain.intervals import minute_of
from scheduler.domain.lessons import Lesson
from scheduler.domain.people import ReceivingSchool

Cell = tuple[int, int]
"""A weekday and the minute at which a period of the school begins."""


def full(
    lessons: Iterable[Lesson], school: ReceivingSchool, days: Collection[date]
) -> Mapping[Cell, tuple[str, ...]]:
    """The periods in which all rooms are taken on most of these days, with the classes in them."""
    taken: dict[Cell, dict[date, set[str]]] = defaultdict(lambda: defaultdict(set))
    for lesson in lessons:
        day, cells = _cells(lesson, school)
        for cell in cells:
            taken[cell][day].add(lesson.class_name)
    weeks = Counter(day.weekday() for day in days)
    found = {}
    for cell, by_day in taken.items():
        crowded = [x for day, x in by_day.items() if day in days and len(x) >= school.rooms]
        if 2 * len(crowded) > weeks[cell[0]]:
            often = Counter(name for names in crowded for name in sorted(names))
            found[cell] = tuple(name for name, _ in often.most_common(school.rooms))
    return found


def _cells(lesson: Lesson, school: ReceivingSchool) -> tuple[date, list[Cell]]:
    """The periods that a lesson reaches into, on the wall of its school."""
    there = ZoneInfo(lesson.zone)
    starts, ends = lesson.starts_at.astimezone(there), lesson.ends_at.astimezone(there)
    start, end = minute_of(starts), minute_of(ends)
    bells = (bell for bell in school.periods if start < bell.end and bell.start < end)
    return starts.date(), [(starts.weekday(), bell.start) for bell in bells]
