"""What a volunteer promises for a term, and when.  Pure: no clock, no database."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import ClassId, Level, SchoolId
from scheduler.domain.plans import Fingerprint
from scheduler.domain.requests import Request, Slot

# What a promise may hold, as the tables check it.
MOST_PER_DAY, MOST_PER_WEEK, MOST_TOTAL = 20, 60, 1000


class Wanted(StrEnum):
    """How many lessons a teacher would like, against now."""

    FEWER = "fewer"
    SAME = "same"
    MORE = "more"


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A weekly free window: weekday 0 = Monday, minutes since midnight, both days included."""

    weekday: int
    start: int
    end: int
    first_day: date | None = None
    last_day: date | None = None
    if_needed: bool = False

    def holds(self, weekday: int, start: int, end: int) -> bool:
        """Whether a lesson at that time of the week lies inside, whatever its day."""
        return self.weekday == weekday and self.start <= start and end <= self.end

    def opens(self, day: date) -> bool:
        """Whether it is in force on that day."""
        return (self.first_day is None or self.first_day <= day) and (
            self.last_day is None or day <= self.last_day
        )


@dataclass(frozen=True, slots=True)
class Pledge:
    """A teacher's promise for one term; `wishes` are school codes, empty for no wish."""

    levels: tuple[Level, ...]
    max_per_day: int
    max_per_week: int
    max_total: int
    windows: tuple[Window, ...] = ()
    absences: tuple[DaySpan, ...] = ()
    wishes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fit:
    """How many classes of how many schools could have this teacher at some of their times."""

    classes: int
    schools: int


def covers(windows: Iterable[Window], day: date, start: int, end: int) -> bool:
    """Whether a lesson on that day lies inside one of the windows."""
    return any(w.holds(day.weekday(), start, end) and w.opens(day) for w in windows)


def fitting(
    windows: Collection[Window], levels: Collection[Level], asked: Iterable[Request], days: DaySpan
) -> Fit:
    """What a teacher of these levels could give of what is asked for on these days."""
    classes: set[ClassId] = set()
    schools: set[SchoolId] = set()
    for request in asked:
        span = _common(days, DaySpan(request.first_day, request.last_day))
        if span and request.level in levels and _fits(windows, request, span):
            classes.add(request.class_id)
            schools.add(request.school_id)
    return Fit(len(classes), len(schools))


def _fits(windows: Collection[Window], request: Request, days: DaySpan) -> bool:
    return any(_covers(window, slot, days) for window in windows for slot in request.slots)


def free_at(windows: Iterable[tuple[int, Window]], slot: Slot, days: DaySpan) -> int:
    """How many of those whose windows these are could come to a slot in some week of the span."""
    return len({owner for owner, window in windows if _covers(window, slot, days)})


def _covers(window: Window, slot: Slot, days: DaySpan) -> bool:
    return (
        window.holds(slot.weekday, slot.start, slot.end)
        and (window.first_day is None or window.first_day <= days.last_day)
        and (window.last_day is None or days.first_day <= window.last_day)
    )


def _common(one: DaySpan, other: DaySpan) -> DaySpan | None:
    first, last = max(one.first_day, other.first_day), min(one.last_day, other.last_day)
    return DaySpan(first, last) if first <= last else None


def fingerprint(pledge: Pledge | None, wanted: Wanted) -> Fingerprint:
    """Changes with whatever a teacher chooses about the term; days away are told apart."""
    if pledge is None:
        return Fingerprint("new")
    told = (
        sorted(pledge.levels),
        (pledge.max_per_day, pledge.max_per_week, pledge.max_total),
        sorted(map(_spelled, pledge.windows)),
        sorted(pledge.wishes),
        wanted.value,
    )
    return Fingerprint(hashlib.sha256(repr(told).encode()).hexdigest()[:16])


def _spelled(window: Window) -> str:
    return " ".join(
        str(part)
        for part in (
            window.weekday, window.start, window.end, window.first_day, window.last_day,
            window.if_needed,
        )
    )  # fmt: skip


# -- in the record of changes


def told(pledge: Pledge | None, wanted: Wanted) -> dict[str, object]:
    """A promise as JSON values: how the record of changes keeps it."""
    if pledge is None:
        return {}
    return {
        "levels": list(pledge.levels),
        "limits": [pledge.max_per_day, pledge.max_per_week, pledge.max_total],
        "windows": [
            [
                w.weekday, w.start, w.end,
                w.first_day.isoformat() if w.first_day else None,
                w.last_day.isoformat() if w.last_day else None,
                w.if_needed,
            ]
            for w in pledge.windows
        ],
        "wishes": list(pledge.wishes),
        "wanted": wanted.value,
    }  # fmt: skip


def read(line: Mapping[str, object], now: Pledge) -> tuple[Wanted, Pledge]:
    """The promise that the record tells of; where there was none, one of no time."""
    match line:
        case {
            "levels": [*levels],
            "limits": [int(day), int(week), int(total)],
            "windows": [*windows],
            "wishes": [*wishes],
            "wanted": str(wanted),
        }:
            return Wanted(wanted), Pledge(
                levels=tuple(Level(str(level)) for level in levels),
                max_per_day=day,
                max_per_week=week,
                max_total=total,
                windows=tuple(window for each in windows for window in _window(each)),
                wishes=tuple(str(code) for code in wishes),
            )
    return Wanted.SAME, replace(now, windows=(), wishes=())


def _window(line: object) -> Iterator[Window]:
    match line:
        case [int(weekday), int(start), int(end), first, last, bool(if_needed)]:
            days = _day(first), _day(last)
            yield Window(weekday, start, end, *days, if_needed=if_needed)


def _day(line: object) -> date | None:
    return date.fromisoformat(line) if isinstance(line, str) else None
