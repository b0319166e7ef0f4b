"""The table as the Lagrangian relaxation of lagrange.c sees it: series, rows, cells, what is left.

A series is what a request has at one weekly time; a row is a set of lessons of one teacher of
which he can give only so many, a cell one moment of a school or a class that holds only so many.
What the lessons that must stay take is taken off first.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from scheduler.matching.prices import Prices
from scheduler.matching.table import Ints, Longs, Masks, Reals, Table

LONGEST_RUN = 32  # a teacher's run of more lessons on one weekly slot is priced as several
Rows = list[tuple[NDArray[np.intp], Ints]]  # members and, per week, how many of them there may be


@dataclass(frozen=True, slots=True)
class Relaxation:
    """Arrays of lagrange.c's Problem, with the names there, and the sizes of its multipliers."""

    series_first: Ints
    request_places: Ints
    request_school: Ints
    holder_first: Ints
    holder: Ints
    weekday: Ints
    kind: Ints
    rank_price: Reals
    open: Masks
    standing_first: Ints
    standing_week: Ints
    standing_teacher: Ints
    current: Ints | None
    kind_first: Longs
    teacher: Ints
    can: Masks
    if_needed: Masks | None
    row_first: Ints
    row: Ints
    cell_first: Ints
    cell: Ints
    wish_first: Ints
    wish_school: Ints
    left: Ints  # per teacher: free lessons he may give at most
    limit: Ints  # per teacher: in one run
    row_room: Reals  # (rows, weeks)
    cell_room: Reals  # (cells, weeks)
    load: Reals  # (teachers, most + 1): what so many free lessons add to his load
    short: Reals  # per school: the lessons, weighted, that it misses if none is added
    wanted: Reals  # per school
    priority: Reals  # per request
    weeks: int

    @property
    def longest(self) -> int:
        return int(self.limit.max(initial=0))


def relax(table: Table, prices: Prices) -> Relaxation:
    """All that a bound needs of a table, about 20 ms and 1 MB for 200 teachers."""
    return _Relaxer(table, prices).relaxation()


class _Relaxer:
    def __init__(self, table: Table, prices: Prices) -> None:
        self.table = table
        self.prices = prices
        self.weeks = table.calendar.weeks
        self.first, self.same_time = _series(table)
        self.kind_first, self.teacher, self.can, self.if_needed, self.kind = _pools(
            table, self.same_time
        )
        self.end = np.array([_least(table.slot_end[group]) for group in self.same_time], np.int32)
        self.kind_of = np.repeat(np.arange(len(self.kind_first) - 1), np.diff(self.kind_first))
        self.kind_times = self._kind_times()
        self.inside = (table.fixed_week >= 0) & (table.fixed_week < self.weeks)

    def relaxation(self) -> Relaxation:
        table, first = self.table, self.first
        cells = list(self._cells())
        opened = self._open(cells)
        rows = list(self._rows())
        fixed_lessons = np.bincount(table.fixed_teacher, minlength=table.teachers)
        left = self._left(fixed_lessons)
        holder_first, holder = self._holders()
        standing_first, standing_week, standing_teacher = self._standing()
        row_first, row = _members(rows, len(self.teacher))
        cell_first, cell = _members(cells, len(first))
        return Relaxation(
            series_first=np.searchsorted(
                table.slot_request[first], np.arange(table.requests + 1)
            ).astype(np.int32),
            request_places=table.request_places,
            request_school=table.request_school,
            holder_first=holder_first,
            holder=holder,
            weekday=table.slot_weekday[first],
            kind=self.kind,
            rank_price=self.prices.rank
            * np.array([_least(table.slot_rank[group]) for group in self.same_time], np.float64),
            open=opened,
            standing_first=standing_first,
            standing_week=standing_week,
            standing_teacher=standing_teacher,
            current=None if table.slot_current is None else table.slot_current[first],
            kind_first=self.kind_first,
            teacher=self.teacher,
            can=self.can,
            if_needed=self.if_needed,
            row_first=row_first,
            row=row,
            cell_first=cell_first,
            cell=cell,
            wish_first=table.wish_first,
            wish_school=table.wish_school,
            left=left,
            limit=np.minimum(left, min(self.weeks, LONGEST_RUN)).astype(np.int32),
            row_room=_room(rows, self.weeks),
            cell_room=_room(cells, self.weeks),
            load=self._load(fixed_lessons, left),
            short=self._short(),
            wanted=table.school_wanted,
            priority=table.request_priority.astype(np.float64),
            weeks=self.weeks,
        )

    def _kind_times(self) -> Ints:
        """(kinds, 3): weekday, start and end; the earliest end, where slots were merged."""
        table, first = self.table, self.first
        times = np.zeros((len(self.kind_first) - 1, 3), np.int32)
        times[: len(table.kinds)] = [(k.weekday, k.start, k.end) for k in table.kinds] or 0
        of_series = (table.slot_weekday[first], table.slot_start[first], self.end)
        times[self.kind] = np.stack(of_series, axis=1)
        return times

    def _open(self, cells: Rows) -> Masks:
        """The weeks of each series with room left for a lesson of it.

        Past weeks are among them: the referee lets a plan have new lessons there.
        """
        table = self.table
        request, weekday = table.slot_request[self.first], table.slot_weekday[self.first]
        fixed = np.zeros((table.requests, 7, self.weeks), np.int32)
        who, when = table.fixed_request[self.inside], table.fixed_week[self.inside]
        np.add.at(fixed, (who, table.fixed_weekday[self.inside], when), 1)
        full = fixed.sum(axis=1) >= table.request_per_week[:, None]
        opened = self._bits(table.slot_eligible[self.first])
        opened &= (fixed[request, weekday] == 0) & ~full[request]
        for members, room in cells:
            opened[members] &= room > 0
        return _packed(opened, table.words)

    def _bits(self, masks: Masks) -> NDArray[np.bool_]:
        bits = np.unpackbits(masks.astype("<u8").view(np.uint8), axis=1, bitorder="little")
        return bits[:, : self.weeks].astype(np.bool_)

    def _left(self, fixed_lessons: NDArray[np.intp]) -> Ints:
        """Per teacher at most his total, and what the weeks and days he could serve allow."""
        table, days = self.table, self.kind_times[self.kind_of, 0]
        could = np.zeros((table.teachers, 7, self.weeks), np.bool_)
        np.logical_or.at(could, (self.teacher, days), self._bits(self.can))
        week, day = self._caps()
        per_week = np.minimum((could * day).sum(axis=1), week).sum(axis=1)
        total = np.maximum(table.teacher_total.astype(np.int64) - fixed_lessons, 0)
        return _whole(np.minimum(total, per_week))

    def _caps(self) -> tuple[Longs, Longs]:
        """What fixed lessons leave: (teachers, weeks) and (teachers, weekdays, weeks)."""
        table, inside = self.table, self.inside
        day = np.zeros((table.teachers, 7, self.weeks), np.int64)
        who, when = table.fixed_teacher[inside], table.fixed_week[inside]
        np.add.at(day, (who, table.fixed_weekday[inside], when), 1)
        week = day.sum(axis=1)
        return (
            np.maximum(table.teacher_per_week[:, None] - week, 0),
            np.maximum(table.teacher_per_day[:, None, None] - day, 0),
        )

    def _rows(self) -> Iterator[tuple[NDArray[np.intp], Ints]]:
        """Per teacher his weeks, days and clashes, left out where another of them says as much."""
        week, day = self._caps()
        week_caps, day_caps = week.min(axis=1, initial=99), day.min(axis=2, initial=99)
        users = np.bincount(self.kind, minlength=len(self.kind_times))
        weekday, start, end = self.kind_times[self.kind_of].T
        end = end + self.table.gap_minutes
        order = np.lexsort((start, weekday, self.teacher))
        teachers, weekdays = self.teacher.tolist(), weekday.tolist()
        starts, ends = start.tolist(), end.tolist()
        shared = (users > 1)[self.kind_of].tolist()
        for t, mine in groupby(order.tolist(), key=teachers.__getitem__):
            most, clashes = 0, []
            for d, group in groupby(mine, key=weekdays.__getitem__):
                today = list(group)
                apart = _apart([(starts[n], ends[n]) for n in today])
                most += min(apart, int(day_caps[t, d]))
                clashes.append((d, today, apart))
            at_most_one = week[t].max() <= 1
            if at_most_one or most > week_caps[t]:
                yield np.array([n for _, today, _ in clashes for n in today]), week[t]
            if at_most_one:
                continue
            for d, today, apart in clashes:
                if apart > day_caps[t, d]:
                    yield np.array(today), day[t, d]
                if day[t, d].max() > 1 or apart <= day_caps[t, d]:
                    yield from self._clashes(today, starts, ends, shared)

    def _clashes(
        self, today: list[int], starts: list[int], ends: list[int], shared: list[bool]
    ) -> Iterator[tuple[NDArray[np.intp], Ints]]:
        """Lessons of one teacher and weekday that all want one moment, with the rest between."""
        at = {starts[n] for n in today}
        groups = {frozenset(n for n in today if starts[n] <= time < ends[n]) for time in at}
        one = np.ones(self.weeks, np.int32)
        for group in sorted(map(sorted, groups)):
            whole = not any(other > frozenset(group) for other in groups)
            if whole and (len(group) > 1 or shared[group[0]]):
                yield np.array(group), one

    def _cells(self) -> Iterator[tuple[NDArray[np.intp], Ints]]:
        """Moments of schools where more could meet than there are rooms, and of classes."""
        table, request = self.table, self.table.slot_request[self.first]
        school, group = table.request_school, table.request_class
        rooms = table.school_rooms[school[request]]
        yield from self._moments(school, rooms)
        yield from self._moments(group, np.ones(len(request), np.int32))

    def _moments(self, place: Ints, rooms: Ints) -> Iterator[tuple[NDArray[np.intp], Ints]]:
        table = self.table
        request = table.slot_request[self.first]
        start, weekday = table.slot_start[self.first], table.slot_weekday[self.first]
        days: dict[tuple[int, int], list[int]] = defaultdict(list)
        for n, key in enumerate(zip(place[request].tolist(), weekday.tolist(), strict=True)):
            days[key].append(n)
        fixed: dict[tuple[int, int], list[int]] = defaultdict(list)
        for n in np.flatnonzero(self.inside).tolist():
            key = int(place[table.fixed_request[n]]), int(table.fixed_weekday[n])
            fixed[key].append(n)
        starts, ends, asks = start.tolist(), self.end.tolist(), request.tolist()
        for key, members in days.items():
            groups: dict[tuple[int, ...], int] = {}
            for time in sorted({starts[n] for n in members}):
                groups.setdefault(tuple(n for n in members if starts[n] <= time < ends[n]), time)
            for group, time in groups.items():
                room = self._room_at(int(rooms[group[0]]), fixed.get(key, ()), time)
                if len({asks[n] for n in group}) > room.min(initial=99):
                    yield np.array(group), room

    def _room_at(self, rooms: int, fixed: Iterable[int], time: int) -> Ints:
        """Per week, how many lessons more there may be at a moment."""
        table = self.table
        room = np.full(self.weeks, rooms, np.int32)
        for n in fixed:
            if table.fixed_start[n] <= time < table.fixed_end[n]:
                room[table.fixed_week[n]] -= 1
        return np.maximum(room, 0)

    def _holders(self) -> tuple[Ints, Ints]:
        pairs = np.stack([self.table.fixed_request, self.table.fixed_teacher], axis=1)
        found = np.unique(pairs, axis=0)
        first = np.searchsorted(found[:, 0], np.arange(self.table.requests + 1))
        return first.astype(np.int32), _whole(found[:, 1])

    def _standing(self) -> tuple[Ints, Ints, Ints]:
        since, until = (self.table.slot_standing_first[self.first + n] for n in (0, 1))
        first = np.concatenate([[0], np.cumsum(until - since)]).astype(np.int32)
        at = np.concatenate(
            [np.zeros(0, np.intp), *map(np.arange, since.tolist(), until.tolist())]
        ).astype(np.intp)
        return first, self.table.standing_week[at], self.table.standing_teacher[at]

    def _load(self, fixed_lessons: NDArray[np.intp], left: Ints) -> Reals:
        total = np.maximum(self.table.teacher_total, 1)[:, None].astype(np.float64)
        before = fixed_lessons[:, None].astype(np.float64)
        after = before + np.arange(int(left.max(initial=0)) + 1)[None, :]
        return self.prices.load * ((after / total) ** 2 - (before / total) ** 2)

    def _short(self) -> Reals:
        table = self.table
        fixed = np.bincount(table.fixed_request, minlength=table.requests)
        missing = np.maximum(table.request_need - fixed, 0) * table.request_priority
        short = np.zeros(len(table.school_wanted))
        np.add.at(short, table.request_school, missing.astype(np.float64))
        return short


def unmet(relaxation: Relaxation, prices: Prices, short: Reals) -> Reals:
    """Per school, what it costs to miss so many lessons, weighted by priority."""
    wanted = np.maximum(relaxation.wanted, 1)
    return np.where(relaxation.wanted > 0, prices.unmet * (short + short * short / wanted), 0.0)


def _series(table: Table) -> tuple[NDArray[np.intp], list[NDArray[np.intp]]]:
    """The first slot of each series, and all of them: the same request, weekday and start.

    Slots that differ in their end alone are one weekly slot to the referee.
    """
    groups: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    keys = zip(
        table.slot_request.tolist(),
        table.slot_weekday.tolist(),
        table.slot_start.tolist(),
        strict=True,
    )
    for n, key in enumerate(keys):
        groups[key].append(n)
    first = np.array([group[0] for group in groups.values()], np.intp)
    return first, [np.array(group) for group in groups.values()]


def _pools(
    table: Table, same_time: Sequence[NDArray[np.intp]]
) -> tuple[Longs, Ints, Masks, Masks | None, Ints]:
    """The candidates by kind, with one more kind for each series of several kinds of slots."""
    first, teacher = [table.kind_first], [table.candidate_teacher]
    can, needed = [table.candidate_weeks], [table.candidate_if_needed]
    kind, count, end = [], len(table.kinds), int(table.kind_first[-1])
    for group in same_time:
        kinds = sorted(set(table.slot_kind[group].tolist()))
        if len(kinds) == 1:
            kind.append(kinds[0])
            continue
        kind.append(count)
        who, weeks, only = _merged(table, kinds)
        count, end = count + 1, end + len(who)
        first.append(np.array([end], np.int64))
        teacher.append(who)
        can.append(weeks)
        needed.append(only)
    only_needed = None
    if table.candidate_if_needed is not None:
        only_needed = np.concatenate([part for part in needed if part is not None])
    return (
        np.concatenate(first),
        np.concatenate(teacher),
        np.concatenate(can),
        only_needed,
        np.array(kind, np.int32),
    )


def _merged(table: Table, kinds: Iterable[int]) -> tuple[Ints, Masks, Masks]:
    """Who could give a lesson of any of the kinds, when, and when only if needed for each."""
    rows = np.concatenate([np.arange(*table.kind_first[k : k + 2]) for k in kinds])
    who, at = np.unique(table.candidate_teacher[rows], return_inverse=True)
    weeks = np.zeros((len(who), table.words), np.uint64)
    gladly = np.zeros_like(weeks)
    needed = table.candidate_if_needed
    given = table.candidate_weeks[rows]
    np.bitwise_or.at(weeks, at, given)
    np.bitwise_or.at(gladly, at, given if needed is None else given & ~needed[rows])
    return who.astype(np.int32), weeks, weeks & ~gladly


def _apart(spans: Iterable[tuple[int, int]]) -> int:
    """How many of the spans fit one after the other."""
    count, free = 0, -1
    for start, end in sorted(spans, key=lambda span: span[1]):
        if start >= free:
            count, free = count + 1, end
    return count


def _members(rows: Rows, count: int) -> tuple[Ints, Ints]:
    """Per member the rows it lies in."""
    number = np.repeat(np.arange(len(rows)), [len(members) for members, _ in rows])
    member = np.concatenate([np.zeros(0, np.intp), *(members for members, _ in rows)])
    order = np.argsort(member, kind="stable")
    first = np.searchsorted(member[order], np.arange(count + 1))
    return first.astype(np.int32), _whole(number[order])


def _room(rows: Rows, weeks: int) -> Reals:
    return np.array([room for _, room in rows], np.float64).reshape(len(rows), weeks)


def _packed(bits: NDArray[np.bool_], words: int) -> Masks:
    wide = np.zeros((len(bits), 64 * words), np.bool_)
    wide[:, : bits.shape[1]] = bits
    packed = np.packbits(wide, axis=1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u8").astype(np.uint64).reshape(len(bits), words)


def _least(values: Ints) -> int:
    return int(values.min())


def _whole(values: NDArray[np.generic]) -> Ints:
    return np.ascontiguousarray(values, dtype=np.int32)
