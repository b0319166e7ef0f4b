"""Candidates by kind of slot: in which weeks who is qualified, free, here and not busy."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scheduler.matching.problem import Instance, Teacher
from scheduler.matching.table import WORD, Calendar, Ints, Kind, Masks, WeekMasks, as_rows

Columns = dict[str, Any]  # arrays of a table, by its names
MasksOf = Callable[[date, date], WeekMasks]


def ints(values: Iterable[int]) -> Ints:
    return np.array([min(value, 2**31 - 1) for value in values], dtype=np.int32)


def less(days: WeekMasks, off: Iterable[WeekMasks]) -> WeekMasks:
    """The days without those that are off."""
    for mask in off:
        days = tuple(a & ~b for a, b in zip(days, mask, strict=True))
    return days


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
            ints(teacher),
            ints(start),
            ints(end),
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
