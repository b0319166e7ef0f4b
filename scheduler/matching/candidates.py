"""Who could teach what, when: the instance as numbered rows and bit masks over weeks.

Bit w of a mask is week w, counted from the Monday of week 0; a mask may be of any length.
A candidate's mask says in which weeks the teacher is qualified for the slot, free for all of
it, not away and not busy; what else he teaches is the state's business.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from scheduler.matching.problem import CurrentLesson, Instance, Request, Slot, Span, Teacher

NOBODY = -1  # a teacher who is not of this instance
WeekMasks = tuple[int, ...]  # one mask for each weekday


@dataclass(frozen=True, slots=True)
class Calendar:
    """The weeks that the masks count."""

    monday: date
    weeks: int

    def week(self, day: date) -> int:
        return (day - self.monday).days // 7

    def day(self, week: int, weekday: int) -> date:
        return self.monday + timedelta(days=7 * week + weekday)

    def masks(self, first: date, last: date) -> WeekMasks:
        """The days from first to last, both inclusive."""
        since, until = (first - self.monday).days, (last - self.monday).days
        return tuple(self._weeks(since - weekday, until - weekday) for weekday in range(7))

    def _weeks(self, since: int, until: int) -> int:
        first, last = max(0, -(-since // 7)), min(self.weeks - 1, until // 7)
        return (1 << (last + 1)) - (1 << first) if first <= last else 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A teacher who could teach a slot in `weeks`, of them only if needed in `if_needed`."""

    teacher: int
    weeks: int
    if_needed: int


@dataclass(frozen=True, slots=True)
class WeeklySlot:
    """A slot of a request, as masks, with the lessons in force at its time."""

    number: int
    request: int
    weekday: int
    start: int
    end: int
    rank: int
    eligible: int  # weeks in which the class could be taught then at all
    weeks: int  # of them, those open for new lessons: not past, no fixed lesson that day
    candidates: tuple[Candidate, ...]
    fixed: Mapping[int, int]  # week -> teacher of a lesson at this time that must stay
    current: Mapping[int, int]  # week -> teacher of a lesson in force that may change


@dataclass(frozen=True, slots=True)
class Row:
    """A request by numbers; `need` is what it asks for over the whole term."""

    school: int
    group: int  # requests of one class have one group
    per_week: int
    priority: int
    need: int
    slots: tuple[WeeklySlot, ...]
    fixed_weeks: tuple[int, ...]  # week of each lesson that must stay
    fixed_teachers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FixedLesson:
    request: int
    teacher: int
    week: int
    weekday: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Table:
    """The instance, numbered in its own order."""

    instance: Instance
    calendar: Calendar
    requests: tuple[Row, ...]
    fixed: tuple[FixedLesson, ...]
    wanted: tuple[int, ...]  # per school: lessons asked for, weighted by priority
    of_school: tuple[tuple[int, ...], ...]  # requests of each school
    wishes: tuple[frozenset[int] | None, ...]  # per teacher: schools preferred, None: no wish


@lru_cache(maxsize=1 << 16)
def weeks_of(mask: int) -> tuple[int, ...]:
    """The weeks of a mask, in order."""
    return tuple(week for week in range(mask.bit_length()) if mask >> week & 1)


def table(instance: Instance) -> Table:
    """Number the rows of an instance and work out all candidates."""
    return _Builder(instance).table()


def calendar(instance: Instance) -> Calendar:
    """The weeks of the term, and those of fixed lessons outside it."""
    days = [lesson.day for lesson in instance.current if instance.is_fixed(lesson)]
    days += [instance.term.first_day, instance.term.last_day]
    monday = min(days) - timedelta(days=min(days).weekday())
    return Calendar(monday, (max(days) - monday).days // 7 + 1)


class _Builder:
    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.calendar = calendar(instance)
        self.schools = {school.id: n for n, school in enumerate(instance.schools)}
        self.teachers = {teacher.id: n for n, teacher in enumerate(instance.teachers)}
        self.requests = {request.id: n for n, request in enumerate(instance.requests)}
        self.pools = Pools(instance, self.calendar)
        self.open = self._open_days()
        self.past = self._past()
        self.fixed: dict[int, list[CurrentLesson]] = defaultdict(list)
        self.current: dict[int, list[CurrentLesson]] = defaultdict(list)
        for lesson in instance.current:
            if lesson.request in self.requests:
                kind = self.fixed if instance.is_fixed(lesson) else self.current
                kind[self.requests[lesson.request]].append(lesson)

    def table(self) -> Table:
        groups: dict[tuple[str, str], int] = {}
        rows, count = [], 0
        for n, request in enumerate(self.instance.requests):
            group = groups.setdefault((request.school, request.class_name), len(groups))
            rows.append(self._row(n, request, group, count))
            count += len(rows[-1].slots)
        wanted = [0] * len(self.schools)
        of_school: list[list[int]] = [[] for _ in self.schools]
        for n, row in enumerate(rows):
            wanted[row.school] += row.need * row.priority
            of_school[row.school].append(n)
        return Table(
            self.instance,
            self.calendar,
            tuple(rows),
            tuple(self._fixed_lessons()),
            tuple(wanted),
            tuple(map(tuple, of_school)),
            tuple(map(self._wishes, self.instance.teachers)),
        )

    def _row(self, number: int, request: Request, group: int, count: int) -> Row:
        school = self.schools[request.school]
        days = self.calendar.masks(request.first_day, request.last_day)
        eligible = tuple(a & b for a, b in zip(days, self.open[school], strict=True))
        fixed = self.fixed[number]
        slots = {(slot.weekday, slot.start, slot.end): slot for slot in reversed(request.slots)}
        return Row(
            school=school,
            group=group,
            per_week=request.lessons_per_week,
            priority=request.priority,
            need=_need(eligible, {slot.weekday for slot in request.slots}, request),
            slots=tuple(
                self._slot(count + n, number, request.level, slot, eligible[slot.weekday])
                for n, slot in enumerate(reversed(slots.values()))
            ),
            fixed_weeks=tuple(self.calendar.week(lesson.day) for lesson in fixed),
            fixed_teachers=tuple(self.teachers[lesson.teacher] for lesson in fixed),
        )

    def _slot(self, number: int, request: int, level: str, slot: Slot, eligible: int) -> WeeklySlot:
        taken = sum(
            1 << self.calendar.week(lesson.day)
            for lesson in {x.day: x for x in self.fixed[request]}.values()
            if lesson.day.weekday() == slot.weekday
        )
        return WeeklySlot(
            number=number,
            request=request,
            weekday=slot.weekday,
            start=slot.start,
            end=slot.end,
            rank=slot.rank,
            eligible=eligible,
            weeks=eligible & ~self.past[slot.weekday] & ~taken,
            candidates=self.pools.candidates(slot.weekday, level, slot.start, slot.end),
            fixed=self._at(self.fixed[request], slot),
            current=self._at(self.current[request], slot),
        )

    def _at(self, lessons: Iterable[CurrentLesson], slot: Slot) -> Mapping[int, int]:
        return {
            self.calendar.week(lesson.day): self.teachers.get(lesson.teacher, NOBODY)
            for lesson in lessons
            if (lesson.day.weekday(), lesson.start) == (slot.weekday, slot.start)
        }

    def _open_days(self) -> list[WeekMasks]:
        term = self.instance.term
        days = _less(
            self.calendar,
            self.calendar.masks(term.first_day, term.last_day),
            (Span(day, day) for day in term.holidays),
        )
        return [_less(self.calendar, days, school.closed) for school in self.instance.schools]

    def _past(self) -> WeekMasks:
        freeze = self.instance.freeze_before
        if freeze is None or freeze <= self.calendar.monday:
            return (0,) * 7
        return self.calendar.masks(self.calendar.monday, freeze - timedelta(days=1))

    def _fixed_lessons(self) -> Iterator[FixedLesson]:
        for number, lessons in self.fixed.items():
            for lesson in lessons:
                week, teacher = self.calendar.week(lesson.day), self.teachers[lesson.teacher]
                weekday = lesson.day.weekday()
                yield FixedLesson(number, teacher, week, weekday, lesson.start, lesson.end)

    def _wishes(self, teacher: Teacher) -> frozenset[int] | None:
        if not teacher.preferred_schools:
            return None
        return frozenset(self.schools.get(name, NOBODY) for name in teacher.preferred_schools)


def _need(eligible: WeekMasks, weekdays: set[int], request: Request) -> int:
    """Each week at most `lessons_per_week` lessons, and no more than its eligible days."""
    days = [0] * max((mask.bit_length() for mask in eligible), default=0)
    for weekday in weekdays:
        for week in weeks_of(eligible[weekday]):
            days[week] += 1
    return sum(min(request.lessons_per_week, count) for count in days)


def _less(calendar: Calendar, days: WeekMasks, spans: Iterable[Span]) -> WeekMasks:
    for span in spans:
        off = calendar.masks(span.first_day, span.last_day)
        days = tuple(a & ~b for a, b in zip(days, off, strict=True))
    return days


@dataclass(frozen=True, slots=True)
class _Free:
    """A window of a teacher, with the weeks in which it really is one."""

    teacher: int
    start: int
    end: int
    weeks: int
    if_needed: bool


class Pools:
    """Candidates by kind of slot: many slots of many classes share one pool."""

    def __init__(self, instance: Instance, calendar: Calendar) -> None:
        self.instance = instance
        self.calendar = calendar
        self.known: dict[tuple[int, str, int, int], tuple[Candidate, ...]] = {}
        self.free: dict[tuple[int, str], list[_Free]] = defaultdict(list)
        term = calendar.masks(instance.term.first_day, instance.term.last_day)
        for number, teacher in enumerate(instance.teachers):
            here = _less(calendar, term, teacher.unavailable)
            for weekday, free in self._windows(number, teacher, here):
                for level in set(teacher.levels):
                    self.free[weekday, level].append(free)

    def candidates(self, weekday: int, level: str, start: int, end: int) -> tuple[Candidate, ...]:
        """In the order of the teachers; only those with a week to give."""
        kind = weekday, level, start, end
        if kind not in self.known:
            self.known[kind] = tuple(self._candidates(*kind))
        return self.known[kind]

    def _windows(
        self, number: int, teacher: Teacher, here: WeekMasks
    ) -> Iterator[tuple[int, _Free]]:
        term = self.instance.term
        for window in teacher.available:
            first, last = window.first_day or term.first_day, window.last_day or term.last_day
            weeks = here[window.weekday]
            if (window.first_day or window.last_day) and weeks:
                weeks &= self.calendar.masks(first, last)[window.weekday]
            if weeks:
                yield (
                    window.weekday,
                    _Free(number, window.start, window.end, weeks, window.if_needed),
                )

    def _candidates(self, weekday: int, level: str, start: int, end: int) -> Iterator[Candidate]:
        weeks: dict[int, int] = defaultdict(int)
        gladly: dict[int, int] = defaultdict(int)
        for free in self.free[weekday, level]:
            if free.start <= start and end <= free.end:
                weeks[free.teacher] |= free.weeks
                gladly[free.teacher] |= 0 if free.if_needed else free.weeks
        for teacher, mask in weeks.items():
            left = mask & ~self._busy(teacher, weekday, start, end)
            if left:
                yield Candidate(teacher, left, left & ~gladly[teacher])

    def _busy(self, teacher: int, weekday: int, start: int, end: int) -> int:
        mask = 0
        for other in self.instance.teachers[teacher].busy:
            week = self.calendar.week(other.day)
            if other.day.weekday() == weekday and 0 <= week < self.calendar.weeks:
                mask |= 1 << week if other.start < end and start < other.end else 0
        return mask
