"""A plan in the making: who teaches which weekly slot in which weeks, and what is still free.

The cost is separable: requests (handover, extra teacher, rank, if needed, wish, change), schools
(unmet) and teachers (load).  The state keeps the last two; a placement carries its own part of
the first, so that every move is priced exactly by what it touches.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.matching import prices as price
from scheduler.matching.candidates import FixedLesson, Row, Table, WeeklySlot, weeks_of
from scheduler.matching.prices import Prices

Staffing = tuple[tuple[int, int], ...]  # (teacher, weeks) of each block
Times = dict[tuple[int, int], int]  # (start, end) -> weeks
Standing = dict[tuple[int, int, int], int]  # (group, start, end) -> weeks of what must stay


@dataclass(frozen=True, slots=True)
class Placement:
    """A weekly slot of a request with its teachers; `cost` without unmet, load, extra teacher."""

    slot: WeeklySlot
    staffing: Staffing
    weeks: int
    cost: float


class State:
    """Mutable; only `place` and `remove` change it."""

    def __init__(self, table: Table, prices: Prices) -> None:
        teachers = table.instance.teachers
        self.table = table
        self.prices = prices
        self.gap = table.instance.gap_minutes
        self.max_total = [teacher.max_total for teacher in teachers]
        self.max_week = [teacher.max_per_week for teacher in teachers]
        self.max_day = [teacher.max_per_day for teacher in teachers]
        self.total = [0] * len(teachers)
        self.per_week = [[0] * table.calendar.weeks for _ in teachers]
        self.per_day: list[Counter[tuple[int, int]]] = [Counter() for _ in teachers]
        self.week_full = [_mask_if(t.max_per_week <= 0, table) for t in teachers]
        self.day_full = [[_mask_if(t.max_per_day <= 0, table)] * 7 for t in teachers]
        self.times: list[tuple[Times, ...]] = [tuple({} for _ in range(7)) for _ in teachers]
        self.serves: list[Counter[int]] = [Counter() for _ in teachers]
        self.placed: list[list[Placement]] = [[] for _ in table.requests]
        self.given = [0] * len(table.requests)
        self.short = [float(wanted) for wanted in table.wanted]  # per school, weighted
        self.standing: list[tuple[Standing, ...]] = [
            tuple({} for _ in range(7)) for _ in table.wanted
        ]
        self.cost = 0.0  # of unmet, load and the requests' placements, since the state was empty
        for lesson in table.fixed:
            self._stand(lesson)

    def row(self, slot: WeeklySlot) -> Row:
        return self.table.requests[slot.request]

    def missing(self, request: int) -> int:
        """Lessons that the request asks for and does not have; less than 0 when it has more."""
        return self.table.requests[request].need - self.given[request]

    def teachers(self, request: int) -> set[int]:
        """Everyone who teaches the request."""
        names = set(self.table.requests[request].fixed_teachers)
        for placement in self.placed[request]:
            names.update(teacher for teacher, _ in placement.staffing)
        return names

    def place(self, placement: Placement) -> None:
        slot = placement.slot
        before = self._extra(slot.request)
        self.placed[slot.request].append(placement)
        for teacher, weeks in placement.staffing:
            self._hire(teacher, weeks, slot)
        self._give(slot.request, placement.weeks.bit_count())
        self.cost += placement.cost + self._extra(slot.request) - before

    def remove(self, request: int) -> list[Placement]:
        """Take away what was placed for a request; what must stay stays."""
        before = self._extra(request)
        gone, self.placed[request] = self.placed[request], []
        for placement in gone:
            for teacher, weeks in placement.staffing:
                self._release(teacher, weeks, placement.slot)
            self._give(request, -placement.weeks.bit_count())
            self.cost -= placement.cost
        self.cost += self._extra(request) - before
        return gone

    def free(self, teacher: int, weeks: int, slot: WeeklySlot) -> int:
        """Those of the weeks in which the teacher could take one more lesson at that time."""
        weeks &= ~(self.week_full[teacher] | self.day_full[teacher][slot.weekday])
        for (start, end), taken in self.times[teacher][slot.weekday].items():
            if start < slot.end + self.gap and slot.start < end + self.gap:
                weeks &= ~taken
        return weeks

    def open_weeks(self, slot: WeeklySlot) -> int:
        """The weeks in which the class and a room are free, and the week's lessons not all given.

        Source: rules 2 and 5 of PROBLEM.md.
        """
        row = self.row(slot)
        weeks = slot.weeks & ~self._full_weeks(slot.request)
        beside: list[tuple[int, int, int]] = []
        for (group, start, end), taken in self.standing[row.school][slot.weekday].items():
            if start < slot.end and slot.start < end:
                weeks &= ~taken if group == row.group else -1
                beside.append((start, end, taken))
        for number in self.table.of_school[row.school]:
            for placement in self.placed[number]:
                near = placement.slot
                if near.weekday != slot.weekday:
                    continue
                if near.start < slot.end and slot.start < near.end:
                    if self.table.requests[number].group == row.group:
                        weeks &= ~placement.weeks
                    beside.append((near.start, near.end, placement.weeks))
        return weeks & ~self._crowded(slot, beside, self.table.instance.schools[row.school].rooms)

    def _crowded(self, slot: WeeklySlot, beside: list[tuple[int, int, int]], rooms: int) -> int:
        """The weeks in which all rooms are taken at some moment of the slot."""
        if rooms <= 0:
            return slot.weeks
        if len(beside) < rooms:
            return 0
        crowded = 0
        moments = {slot.start, *(start for start, _, _ in beside if start > slot.start)}
        for moment in moments:
            taken = [0] * rooms  # taken[n]: weeks with more than n lessons at that moment
            for start, end, weeks in beside:
                if start <= moment < end:
                    for n in range(rooms - 1, 0, -1):
                        taken[n] |= taken[n - 1] & weeks
                    taken[0] |= weeks
            crowded |= taken[-1]
        return crowded

    def _full_weeks(self, request: int) -> int:
        row, placed = self.table.requests[request], self.placed[request]
        if not row.fixed_weeks and len(placed) < row.per_week:
            return 0  # each weekly slot gives one lesson a week
        per_week = Counter(row.fixed_weeks)
        for placement in placed:
            per_week.update(weeks_of(placement.weeks))
        return sum(1 << week for week, count in per_week.items() if count >= row.per_week)

    def _extra(self, request: int) -> float:
        return price.extra_teacher(self.prices, len(self.teachers(request)))

    def _stand(self, lesson: FixedLesson) -> None:
        row = self.table.requests[lesson.request]
        self._book(lesson.teacher, 1 << lesson.week, lesson.weekday, lesson.start, lesson.end)
        standing, at = self.standing[row.school][lesson.weekday], (lesson.start, lesson.end)
        standing[row.group, *at] = standing.get((row.group, *at), 0) | 1 << lesson.week
        self._give(lesson.request, 1)

    def _give(self, request: int, lessons: int) -> None:
        row = self.table.requests[request]
        before, wanted = max(0, self.missing(request)), self.table.wanted[row.school]
        self.given[request] += lessons
        fewer = (before - max(0, self.missing(request))) * row.priority
        short = self.short[row.school]
        self.short[row.school] = short - fewer
        self.cost += price.unmet(self.prices, short - fewer, wanted)
        self.cost -= price.unmet(self.prices, short, wanted)

    def _hire(self, teacher: int, weeks: int, slot: WeeklySlot) -> None:
        self._book(teacher, weeks, slot.weekday, slot.start, slot.end)
        self.serves[teacher][slot.request] += weeks.bit_count()

    def _book(self, teacher: int, weeks: int, weekday: int, start: int, end: int) -> None:
        self._load(teacher, weeks.bit_count())
        times, per_week = self.times[teacher][weekday], self.per_week[teacher]
        times[start, end] = times.get((start, end), 0) | weeks
        for week in weeks_of(weeks):
            per_week[week] += 1
            if per_week[week] >= self.max_week[teacher]:
                self.week_full[teacher] |= 1 << week
            self.per_day[teacher][week, weekday] += 1
            if self.per_day[teacher][week, weekday] >= self.max_day[teacher]:
                self.day_full[teacher][weekday] |= 1 << week

    def _release(self, teacher: int, weeks: int, slot: WeeklySlot) -> None:
        self._load(teacher, -weeks.bit_count())
        weekday, times = slot.weekday, self.times[teacher][slot.weekday]
        times[slot.start, slot.end] &= ~weeks
        if not times[slot.start, slot.end]:
            del times[slot.start, slot.end]
        self.week_full[teacher] &= ~weeks  # there was room for these lessons: now there is again
        self.day_full[teacher][weekday] &= ~weeks
        for week in weeks_of(weeks):
            self.per_week[teacher][week] -= 1
            self.per_day[teacher][week, weekday] -= 1
        serves = self.serves[teacher]
        serves[slot.request] -= weeks.bit_count()
        if not serves[slot.request]:
            del serves[slot.request]

    def _load(self, teacher: int, lessons: int) -> None:
        most, total = self.max_total[teacher], self.total[teacher]
        self.total[teacher] = total + lessons
        self.cost += price.load(self.prices, total + lessons, most)
        self.cost -= price.load(self.prices, total, most)


def placement_cost(
    state: State, slot: WeeklySlot, staffing: Staffing, if_needed: Mapping[int, int]
) -> float:
    """What the lessons of one weekly slot cost: handover, rank, if needed, wish and change.

    `if_needed` gives, per teacher, the weeks he gives only if needed.  Handovers between lessons
    that must stay, and lessons in force that lose their time, are in the price of the empty plan.
    """
    prices, school = state.prices, state.row(slot).school
    cost, who = 0.0, dict(slot.fixed)
    for teacher, weeks in staffing:
        wishes = state.table.wishes[teacher]
        each = price.rank(prices, slot.rank)
        each += prices.not_preferred if wishes is not None and school not in wishes else 0.0
        cost += each * weeks.bit_count()
        cost += prices.if_needed * (weeks & if_needed[teacher]).bit_count()
        for week in weeks_of(weeks):
            who[week] = teacher
            if week in slot.current:
                cost -= change_saved(prices, slot.current[week] == teacher)
    return cost + _handovers(prices, who) - _handovers(prices, slot.fixed)


def change_saved(prices: Prices, same_teacher: bool) -> float:
    """What a lesson in force saves by keeping its time, against losing it."""
    return price.change(prices, False, False) - price.change(prices, True, same_teacher)


def _handovers(prices: Prices, who: Mapping[int, int]) -> float:
    cost, before = 0.0, None
    for week in sorted(who):
        cost += price.handover(prices, before, who[week])
        before = who[week]
    return cost


def _mask_if(full: bool, table: Table) -> int:
    return (1 << table.calendar.weeks) - 1 if full else 0
