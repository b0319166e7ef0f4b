"""Who could teach what, when: the rows of an instance, and the candidates of its slots.

A candidate's mask says in which weeks the teacher is qualified for the slot, free for all of it,
not away and not busy; what else he teaches is the search's business.  Candidates are kept once per
kind of slot (weekday, level, start, end).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scheduler.errors import Invalid, Problem, Text, text
from scheduler.matching.problem import CurrentLesson, Instance, Request, Slot, Teacher
from scheduler.matching.table import (
    DAY,
    GONE,
    NOBODY,
    WORD,
    Calendar,
    Ints,
    Kind,
    Masks,
    Table,
    WeekMasks,
    as_rows,
)

Columns = dict[str, Any]  # arrays of a table, by its names
MasksOf = Callable[[date, date], WeekMasks]


def table(instance: Instance) -> Table:
    """Number the rows of an instance and work out all candidates.

    Raises Invalid for a term of more than 1,024 weeks, and for a lesson that must stay of somebody
    who is not there.
    """
    return _Builder(instance).table()


def calendar(instance: Instance) -> Calendar:
    """The weeks of the term."""
    first = instance.term.first_day
    return Calendar(first - timedelta(days=first.weekday()), instance.term.weeks())


def _ints(values: Iterable[int]) -> Ints:
    return np.array([min(value, 2**31 - 1) for value in values], dtype=np.int32)


def _firsts(counts: Iterable[int]) -> Ints:
    return _ints(accumulate(counts, initial=0))


class _Builder:
    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.calendar = calendar(instance)
        if fault := instance.term.fault():
            where = "term"
            raise Invalid(text("This is not a matching instance."), (Problem(Text(where), fault),))
        self.words = next(n for n in (1, 2, 16) if self.calendar.weeks <= n * WORD)
        self.schools = {school.id: n for n, school in enumerate(instance.schools)}
        self.teachers = {teacher.id: n for n, teacher in enumerate(instance.teachers)}
        self.requests = {request.id: n for n, request in enumerate(instance.requests)}
        self.spans: dict[tuple[date, date], WeekMasks] = {}
        self.open = self._open_days()
        self.past = self._past()
        self.fixed: dict[int, list[CurrentLesson]] = defaultdict(list)
        self.current: dict[int, list[CurrentLesson]] = defaultdict(list)
        for lesson in sorted(instance.current, key=lambda x: (x.day, x.start)):
            if instance.is_fixed(lesson):
                self._check_known(lesson)
            if lesson.request in self.requests:
                lessons = self.fixed if instance.is_fixed(lesson) else self.current
                lessons[self.requests[lesson.request]].append(lesson)
        self.kinds: dict[Kind, int] = {}

    def _check_known(self, lesson: CurrentLesson) -> None:
        if lesson.request not in self.requests:
            raise Invalid(text("There is no request {id}.", id=lesson.request))
        if lesson.teacher not in self.teachers:
            raise Invalid(text("There is no teacher {id}.", id=lesson.teacher))

    def table(self) -> Table:
        schools, requests, teachers = self._schools(), self._requests(), self._teachers()
        slots = self._slots()
        fixed = self._fixed()
        wanted = np.zeros(len(self.schools))
        weight = requests["request_need"] * requests["request_priority"].astype(np.float64)
        np.add.at(wanted, requests["request_school"], weight)
        pools = Pools(self.instance, self.calendar, self.words, set(self.kinds), self.masks)
        return Table(
            calendar=self.calendar,
            words=self.words,
            gap_minutes=min(self.instance.gap_minutes, DAY),
            kinds=tuple(self.kinds),
            school_wanted=wanted,
            **schools,
            **requests,
            **slots,
            **teachers,
            **fixed,
            **pools.candidates(self.kinds),
        )

    def masks(self, first: date, last: date) -> WeekMasks:
        """As the calendar's, each span worked out once."""
        if (found := self.spans.get((first, last))) is None:
            found = self.spans[first, last] = self.calendar.masks(first, last)
        return found

    def rows(self, masks: Sequence[int]) -> Masks:
        return as_rows(masks, self.words)

    def _requests(self) -> Columns:
        asked = self.instance.requests
        classes: dict[tuple[str, str], int] = {}
        numbers = [classes.setdefault((r.school, r.class_name), len(classes)) for r in asked]
        weekdays = [len({slot.weekday for slot in r.slots}) for r in asked]
        self.unique = [_unique(r.slots) for r in asked]
        self.days = [self._days(r) for r in asked]
        return {
            "request_school": _ints(self.schools[r.school] for r in asked),
            "request_class": _ints(numbers),
            "request_per_week": _ints(r.lessons_per_week for r in asked),
            "request_places": _ints(map(min, (r.lessons_per_week for r in asked), weekdays)),
            "request_priority": _ints(r.priority for r in asked),
            "request_need": _ints(map(_need, self.days, asked)),
            "request_slots_first": _firsts(map(len, self.unique)),
        }

    def _days(self, request: Request) -> WeekMasks:
        """The days on which the request could be taught at all."""
        open_days = self.open[self.schools[request.school]]
        days = self.masks(request.first_day, request.last_day)
        return tuple(a & b for a, b in zip(days, open_days, strict=True))

    def _slots(self) -> Columns:
        pairs = [(n, slot) for n, slots in enumerate(self.unique) for slot in slots]
        eligible = [self.days[n][slot.weekday] for n, slot in pairs]
        taken = [self._taken(n, slot.weekday) for n, slot in pairs]
        kinds = (
            Kind(slot.weekday, self.instance.requests[n].level, slot.start, slot.end)
            for n, slot in pairs
        )
        weeks = [
            days & ~self.past[slot.weekday] & ~off
            for (_, slot), days, off in zip(pairs, eligible, taken, strict=True)
        ]
        return {
            "slot_request": _ints(n for n, _ in pairs),
            "slot_weekday": _ints(slot.weekday for _, slot in pairs),
            "slot_start": _ints(slot.start for _, slot in pairs),
            "slot_end": _ints(slot.end for _, slot in pairs),
            "slot_rank": _ints(slot.rank for _, slot in pairs),
            "slot_kind": _ints(self.kinds.setdefault(kind, len(self.kinds)) for kind in kinds),
            "slot_eligible": self.rows(eligible),
            "slot_weeks": self.rows(weeks),
            "slot_current": self._slot_current(pairs),
            "slot_exact": _ints(
                sum(x.end == slot.end for x in _at(self.current.get(n, ()), slot))
                for n, slot in pairs
            ),
            **self._standing(pairs),
        }

    def _taken(self, request: int, weekday: int) -> int:
        """The weeks in which a lesson that must stay takes the day."""
        mask = 0
        for lesson in self.fixed.get(request, ()):
            if lesson.day.weekday() == weekday and 0 <= self._week(lesson) < self.calendar.weeks:
                mask |= 1 << self._week(lesson)
        return mask

    def _week(self, lesson: CurrentLesson) -> int:
        """Of a lesson; -1 before the calendar and `weeks` after it."""
        return min(max(self.calendar.week(lesson.day), -1), self.calendar.weeks)

    def _standing(self, pairs: list[tuple[int, Slot]]) -> Columns:
        found = [self._nearest(_at(self.fixed.get(n, ()), slot)) for n, slot in pairs]
        lessons = [lesson for at in found for lesson in at]
        return {
            "slot_standing_first": _firsts(map(len, found)),
            "standing_week": _ints(map(self._week, lessons)),
            "standing_teacher": _ints(self.teachers[lesson.teacher] for lesson in lessons),
        }

    def _nearest(self, lessons: list[CurrentLesson]) -> list[CurrentLesson]:
        """Of those outside the calendar the last one before it and the first one after it."""
        before = [x for x in lessons if self._week(x) < 0]
        after = [x for x in lessons if self._week(x) == self.calendar.weeks]
        within = lessons[len(before) : len(lessons) - len(after)]
        return [*before[-1:], *within, *after[:1]]

    def _slot_current(self, pairs: list[tuple[int, Slot]]) -> Ints | None:
        if not self.current:
            return None
        found = np.full((len(pairs), self.calendar.weeks), NOBODY, dtype=np.int32)
        for number, (request, slot) in enumerate(pairs):
            for lesson in _at(self.current.get(request, ()), slot):
                if 0 <= (week := self._week(lesson)) < self.calendar.weeks:
                    found[number, week] = self.teachers.get(lesson.teacher, GONE)
        return found

    def _teachers(self) -> Columns:
        teachers = self.instance.teachers
        wishes = [
            sorted({self.schools.get(name, NOBODY) for name in teacher.preferred_schools})
            for teacher in teachers
        ]
        return {
            "teacher_per_day": _ints(t.max_per_day for t in teachers),
            "teacher_per_week": _ints(t.max_per_week for t in teachers),
            "teacher_total": _ints(t.max_total for t in teachers),
            "wish_first": _firsts(map(len, wishes)),
            "wish_school": _ints(school for wish in wishes for school in wish),
        }

    def _schools(self) -> Columns:
        of_school: list[list[int]] = [[] for _ in self.schools]
        for n, request in enumerate(self.instance.requests):
            of_school[self.schools[request.school]].append(n)
        return {
            "school_rooms": _ints(school.rooms for school in self.instance.schools),
            "school_requests_first": _firsts(map(len, of_school)),
            "school_requests": _ints(n for requests in of_school for n in requests),
        }

    def _fixed(self) -> Columns:
        pairs = [(n, lesson) for n, lessons in self.fixed.items() for lesson in lessons]
        return {
            "fixed_request": _ints(n for n, _ in pairs),
            "fixed_teacher": _ints(self.teachers[lesson.teacher] for _, lesson in pairs),
            "fixed_week": _ints(self._week(lesson) for _, lesson in pairs),
            "fixed_weekday": _ints(lesson.day.weekday() for _, lesson in pairs),
            "fixed_start": _ints(lesson.start for _, lesson in pairs),
            "fixed_end": _ints(lesson.end for _, lesson in pairs),
        }

    def _open_days(self) -> list[WeekMasks]:
        """Per school the days of the term that are neither holidays nor closed."""
        term = self.instance.term
        days = self.masks(term.first_day, term.last_day)
        days = less(days, (self.masks(day, day) for day in term.holidays))
        return [
            less(days, (self.masks(span.first_day, span.last_day) for span in school.closed))
            for school in self.instance.schools
        ]

    def _past(self) -> WeekMasks:
        freeze = self.instance.freeze_before
        if freeze is None or freeze <= self.calendar.monday:
            return (0,) * 7
        return self.masks(self.calendar.monday, freeze - timedelta(days=1))


def less(days: WeekMasks, off: Iterable[WeekMasks]) -> WeekMasks:
    """The days without those that are off."""
    for mask in off:
        days = tuple(a & ~b for a, b in zip(days, mask, strict=True))
    return days


def _unique(slots: Iterable[Slot]) -> tuple[Slot, ...]:
    """The slots of a request, each time once, as it stands first."""
    return tuple({(s.weekday, s.start, s.end): s for s in reversed(tuple(slots))}.values())[::-1]


def _at(lessons: Iterable[CurrentLesson], slot: Slot) -> list[CurrentLesson]:
    return [x for x in lessons if (x.day.weekday(), x.start) == (slot.weekday, slot.start)]


def _need(days: WeekMasks, request: Request) -> int:
    """Each week at most `lessons_per_week` lessons, and no more than its eligible days."""
    left, reached = [days[weekday] for weekday in {slot.weekday for slot in request.slots}], 0
    for _ in range(min(request.lessons_per_week, len(left))):
        taken = 0  # the weeks that have one more eligible day
        for n, mask in enumerate(left):
            left[n], taken = mask & taken, taken | mask
        reached += taken.bit_count()
    return reached


class _Windows(NamedTuple):
    """The windows of one weekday and level, in the order of the teachers."""

    teacher: Ints
    start: Ints
    end: Ints
    weeks: Masks
    if_needed: NDArray[np.bool_]


class Pools:
    """Candidates by kind of slot: many slots of many classes share one pool."""

    def __init__(
        self,
        instance: Instance,
        calendar: Calendar,
        words: int,
        kinds: Iterable[Kind],
        masks: MasksOf,
    ) -> None:
        self.instance = instance
        self.calendar = calendar
        self.words = words
        self.masks = masks
        self.wanted = {(kind.weekday, kind.level) for kind in kinds}
        self.windows = self._windows()
        self.busy = self._busy()

    def candidates(self, kinds: Iterable[Kind]) -> Columns:
        """The `kind_first` and `candidate_…` arrays of a table."""
        pools = [self._pool(kind) for kind in kinds]
        counts = accumulate((len(teacher) for teacher, _, _ in pools), initial=0)
        none, no_masks = np.zeros(0, np.int32), np.zeros((0, self.words), np.uint64)
        needed = np.concatenate([no_masks, *(only for _, _, only in pools)])
        return {
            "kind_first": np.array(list(counts), dtype=np.int64),
            "candidate_teacher": np.concatenate([none, *(teacher for teacher, _, _ in pools)]),
            "candidate_weeks": np.concatenate([no_masks, *(weeks for _, weeks, _ in pools)]),
            "candidate_if_needed": needed if needed.any() else None,
        }

    def _pool(self, kind: Kind) -> tuple[Ints, Masks, Masks]:
        """Teachers, weeks, weeks only if needed; those without a week to give are left out."""
        nothing = np.zeros((0, self.words), np.uint64)
        free = self.windows.get((kind.weekday, kind.level))
        if free is None:
            return np.zeros(0, np.int32), nothing, nothing
        holds = np.flatnonzero((free.start <= kind.start) & (free.end >= kind.end))
        if not len(holds):
            return np.zeros(0, np.int32), nothing, nothing
        teacher, weeks = free.teacher[holds], free.weeks[holds]
        gladly = np.where(free.if_needed[holds, None], np.uint64(0), weeks)
        first = np.flatnonzero(np.diff(teacher, prepend=-1))
        teacher = teacher[first]
        weeks = np.bitwise_or.reduceat(weeks, first)
        self._take_off_busy(kind, teacher, weeks)
        needed = weeks & ~np.bitwise_or.reduceat(gladly, first)
        some = weeks.any(axis=1)
        return teacher[some], weeks[some], needed[some]

    def _take_off_busy(self, kind: Kind, teacher: Ints, weeks: Masks) -> None:
        for who, week, start, end in self.busy.get(kind.weekday, ()):
            if start < kind.end and kind.start < end:
                row = int(np.searchsorted(teacher, who))
                if row < len(teacher) and teacher[row] == who:
                    weeks[row, week // WORD] &= ~np.uint64(1 << week % WORD)

    def _busy(self) -> dict[int, list[tuple[int, int, int, int]]]:
        """Per weekday: teacher, week, start and end of each other engagement."""
        found: dict[int, list[tuple[int, int, int, int]]] = defaultdict(list)
        for number, teacher in enumerate(self.instance.teachers):
            for other in teacher.busy:
                week = self.calendar.week(other.day)
                if 0 <= week < self.calendar.weeks:
                    found[other.day.weekday()].append((number, week, other.start, other.end))
        return found

    def _windows(self) -> dict[tuple[int, str], _Windows]:
        found: dict[tuple[int, str], list[tuple[int, int, int, int, bool]]] = defaultdict(list)
        term = self.masks(self.instance.term.first_day, self.instance.term.last_day)
        for number, teacher in enumerate(self.instance.teachers):
            off = (self.masks(span.first_day, span.last_day) for span in teacher.unavailable)
            here = less(term, off)
            levels = set(teacher.levels)
            for weekday, window in self._of_teacher(number, teacher, here):
                for level in levels:
                    if (weekday, level) in self.wanted:
                        found[weekday, level].append(window)
        return {key: self._columns(rows) for key, rows in found.items()}

    def _columns(self, rows: list[tuple[int, int, int, int, bool]]) -> _Windows:
        teacher, start, end, weeks, if_needed = zip(*rows, strict=True)
        return _Windows(
            _ints(teacher),
            _ints(start),
            _ints(end),
            as_rows(weeks, self.words),
            np.array(if_needed, dtype=np.bool_),
        )

    def _of_teacher(
        self, number: int, teacher: Teacher, here: WeekMasks
    ) -> Iterator[tuple[int, tuple[int, int, int, int, bool]]]:
        term = self.instance.term
        for window in teacher.available:
            weeks = here[window.weekday]
            if (window.first_day or window.last_day) and weeks:
                first, last = window.first_day or term.first_day, window.last_day or term.last_day
                weeks &= self.masks(first, last)[window.weekday]
            if weeks:
                yield window.weekday, (number, window.start, window.end, weeks, window.if_needed)
