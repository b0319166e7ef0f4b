"""A sensible greedy plan, as a careful person would make it: what any search must beat.

The hardest request first; for each weekly slot the teacher who covers most of its weeks, then
whoever covers most of those still open, until nobody can.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from scheduler.matching import candidates, replan
from scheduler.matching.plan import Plan, PlannedLesson
from scheduler.matching.problem import Instance
from scheduler.matching.table import NOBODY, Table, number, weeks_of

NONE, ALL = 0, -1  # masks of weeks
Times = tuple[int, int, int]  # weekday, start, end


def plan(instance: Instance) -> Plan:
    """A plan that keeps every hard rule; what must stay stays, the rest is planned anew."""
    greedy = _Greedy(instance)
    for request in _hardest_first(greedy.table):
        greedy.teach(request)
    return Plan(tuple(sorted(greedy.lessons)))


def _hardest_first(table: Table) -> list[int]:
    """Urgent requests first, of those the ones whose candidates have the fewest weeks to give."""
    kinds = np.repeat(np.arange(len(table.kinds)), np.diff(table.kind_first))
    weeks = np.bitwise_count(table.candidate_weeks).sum(axis=1)
    of_kind = np.bincount(kinds, weights=weeks, minlength=len(table.kinds))
    choice = np.bincount(
        table.slot_request, weights=of_kind[table.slot_kind], minlength=table.requests
    )
    return [int(n) for n in np.lexsort((choice, -table.request_priority))]


@dataclass(slots=True)
class _Diary:
    """The lessons of a teacher, a class, a school or a request: by weekday start, end and weeks."""

    days: dict[int, list[Times]] = field(default_factory=lambda: defaultdict(list))

    def add(self, times: Times, weeks: int) -> None:
        weekday, start, end = times
        self.days[weekday].append((start, end, weeks))

    def full_at(self, times: Times, most: int) -> int:
        """The weeks in which so many lessons are on at some moment of those times."""
        weekday, start, end = times
        beside = [x for x in self.days.get(weekday, ()) if x[0] < end and start < x[1]]
        full = NONE if most else ALL
        for moment in {start, *(x[0] for x in beside if x[0] > start)}:
            full |= _in_so_many((x[2] for x in beside if x[0] <= moment < x[1]), most)
        return full

    def full_on(self, weekday: int, most: int) -> int:
        """The weeks in which so many lessons are on that weekday."""
        return _in_so_many((x[2] for x in self.days.get(weekday, ())), most)

    def full_in(self, most: int) -> int:
        """The weeks that have so many lessons."""
        return _in_so_many((x[2] for day in self.days.values() for x in day), most)


def _in_so_many(masks: Iterable[int], most: int) -> int:
    """The weeks that are in at least so many of the masks."""
    reached = [ALL] + [NONE] * most
    for mask in masks:
        for n in range(most, 0, -1):
            reached[n] |= reached[n - 1] & mask
    return reached[most]


class _Greedy:
    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.table = candidates.table(instance)
        self.teachers = [_Diary() for _ in instance.teachers]
        self.schools = [_Diary() for _ in instance.schools]
        self.requests = [_Diary() for _ in instance.requests]
        self.classes: dict[int, _Diary] = defaultdict(_Diary)
        self.left: list[int] = self.table.teacher_total.tolist()  # lessons a teacher may yet give
        self.full: dict[int, dict[int, int]] = {}  # teacher -> weekday -> weeks at a limit
        self.kinds = list(self._kinds())
        self.lessons: list[PlannedLesson] = []
        self._keep_standing()

    def teach(self, request: int) -> None:
        """Give a request its weekly slots, one after the other."""
        left = set(self.table.slots_of(request))
        for _ in range(int(self.table.request_places[request])):
            if not left:
                return
            slot = max(sorted(left), key=self._promise)
            self._fill(slot)
            weekday = self.table.slot_weekday[slot]
            left = {other for other in left if self.table.slot_weekday[other] != weekday}

    def _promise(self, slot: int) -> tuple[int, int]:
        """How many weeks one teacher could cover; of equals the choice of the class."""
        _, weeks = self._best(slot, self._open(slot))
        return weeks.bit_count(), -int(self.table.slot_rank[slot])

    def _fill(self, slot: int) -> None:
        still_open = self._open(slot)
        while True:
            teacher, weeks = self._best(slot, still_open)
            if not weeks:
                return
            self._give(slot, teacher, weeks)
            still_open &= ~weeks

    def _best(self, slot: int, still_open: int) -> tuple[int, int]:
        """Who covers most of the open weeks of a slot, of equals who has most left; and which."""
        found, most = (NOBODY, NONE), (0, 0)
        times = self._times(slot)
        for teacher, free in self.kinds[self.table.slot_kind[slot]]:
            left = self.left[teacher]
            if left <= 0 or (min(left, (free & still_open).bit_count()), left) <= most:
                continue  # not better, even if nothing else is in the way
            weeks = free & still_open & ~self._taken(teacher, times)
            if (merit := (min(weeks.bit_count(), left), left)) > most and weeks:
                found, most = (teacher, _earliest(weeks, left)), merit
        return found

    def _taken(self, teacher: int, times: Times) -> int:
        """The weeks in which a teacher cannot give one more lesson at those times."""
        weekday, start, end = times
        diary, full = self.teachers[teacher], self.full.setdefault(teacher, {})
        if weekday not in full:
            full[weekday] = diary.full_in(int(self.table.teacher_per_week[teacher]))
            full[weekday] |= diary.full_on(weekday, int(self.table.teacher_per_day[teacher]))
        gap = self.table.gap_minutes
        return full[weekday] | diary.full_at((weekday, start - gap, end + gap), 1)

    def _open(self, slot: int) -> int:
        """The weeks in which class and school could have a lesson on a slot."""
        table, times = self.table, self._times(slot)
        request = int(table.slot_request[slot])
        school = int(table.request_school[request])
        taken = self.requests[request].full_in(int(table.request_per_week[request]))
        taken |= self.schools[school].full_at(times, int(table.school_rooms[school]))
        taken |= self.classes[int(table.request_class[request])].full_at(times, 1)
        return number(table.slot_weeks[slot]) & ~taken

    def _give(self, slot: int, teacher: int, weeks: int) -> None:
        request, times = int(self.table.slot_request[slot]), self._times(slot)
        self._book(request, teacher, times, weeks)
        names = self.instance.requests[request].id, self.instance.teachers[teacher].id
        for week in weeks_of(weeks):
            day = self.table.calendar.day(week, times[0])
            self.lessons.append(PlannedLesson(names[0], day, times[1], times[2], names[1]))

    def _book(self, request: int, teacher: int, times: Times, weeks: int) -> None:
        self.full.pop(teacher, None)
        self.left[teacher] -= weeks.bit_count()
        self.teachers[teacher].add(times, weeks)
        self.requests[request].add(times, weeks)
        self.schools[int(self.table.request_school[request])].add(times, weeks)
        self.classes[int(self.table.request_class[request])].add(times, weeks)

    def _keep_standing(self) -> None:
        requests = {request.id: n for n, request in enumerate(self.instance.requests)}
        teachers = {teacher.id: n for n, teacher in enumerate(self.instance.teachers)}
        for lesson in replan.standing_lessons(self.instance):
            self.lessons.append(lesson)
            teacher, week = teachers[lesson.teacher], self.table.calendar.week(lesson.day)
            if week < 0:  # before the term it only counts as given
                self.left[teacher] -= 1
                continue
            times = lesson.day.weekday(), lesson.start, lesson.end
            self._book(requests[lesson.request], teacher, times, 1 << week)

    def _kinds(self) -> Iterator[list[tuple[int, int]]]:
        """Per kind of slot its candidates, each with the weeks they are free."""
        table = self.table
        for first, end in zip(table.kind_first[:-1], table.kind_first[1:], strict=True):
            weeks = map(number, table.candidate_weeks[first:end])
            yield [*zip(table.candidate_teacher[first:end].tolist(), weeks, strict=True)]

    def _times(self, slot: int) -> Times:
        table = self.table
        return int(table.slot_weekday[slot]), int(table.slot_start[slot]), int(table.slot_end[slot])


def _earliest(weeks: int, most: int) -> int:
    """No more than so many weeks of a mask, the first ones."""
    while weeks.bit_count() > most:
        weeks &= ~(1 << weeks.bit_length() - 1)
    return weeks
