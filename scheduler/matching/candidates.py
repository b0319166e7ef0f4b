"""Who could teach what, when: the rows of an instance, and the candidates of its slots.

A candidate's mask says in which weeks the teacher is qualified for the slot, free for all of it,
not away and not busy; what else he teaches is the search's business.  Candidates are kept once per
kind of slot (weekday, level, start, end).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import accumulate

import numpy as np

from scheduler.errors import Invalid, Problem, Text, text
from scheduler.matching.pools import Columns, Pools, ints, less
from scheduler.matching.problem import CurrentLesson, Instance, Request, Slot
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


def _firsts(counts: Iterable[int]) -> Ints:
    return ints(accumulate(counts, initial=0))


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
            "request_school": ints(self.schools[r.school] for r in asked),
            "request_class": ints(numbers),
            "request_per_week": ints(r.lessons_per_week for r in asked),
            "request_places": ints(map(min, (r.lessons_per_week for r in asked), weekdays)),
            "request_priority": ints(r.priority for r in asked),
            "request_need": ints(map(_need, self.days, asked)),
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
            "slot_request": ints(n for n, _ in pairs),
            "slot_weekday": ints(slot.weekday for _, slot in pairs),
            "slot_start": ints(slot.start for _, slot in pairs),
            "slot_end": ints(slot.end for _, slot in pairs),
            "slot_rank": ints(slot.rank for _, slot in pairs),
            "slot_kind": ints(self.kinds.setdefault(kind, len(self.kinds)) for kind in kinds),
            "slot_eligible": self.rows(eligible),
            "slot_weeks": self.rows(weeks),
            "slot_current": self._slot_current(pairs),
            "slot_exact": ints(
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
            "standing_week": ints(map(self._week, lessons)),
            "standing_teacher": ints(self.teachers[lesson.teacher] for lesson in lessons),
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
            "teacher_per_day": ints(t.max_per_day for t in teachers),
            "teacher_per_week": ints(t.max_per_week for t in teachers),
            "teacher_total": ints(t.max_total for t in teachers),
            "wish_first": _firsts(map(len, wishes)),
            "wish_school": ints(school for wish in wishes for school in wish),
        }

    def _schools(self) -> Columns:
        of_school: list[list[int]] = [[] for _ in self.schools]
        for n, request in enumerate(self.instance.requests):
            of_school[self.schools[request.school]].append(n)
        return {
            "school_rooms": ints(school.rooms for school in self.instance.schools),
            "school_requests_first": _firsts(map(len, of_school)),
            "school_requests": ints(n for requests in of_school for n in requests),
        }

    def _fixed(self) -> Columns:
        pairs = [(n, lesson) for n, lessons in self.fixed.items() for lesson in lessons]
        return {
            "fixed_request": ints(n for n, _ in pairs),
            "fixed_teacher": ints(self.teachers[lesson.teacher] for _, lesson in pairs),
            "fixed_week": ints(self._week(lesson) for _, lesson in pairs),
            "fixed_weekday": ints(lesson.day.weekday() for _, lesson in pairs),
            "fixed_start": ints(lesson.start for _, lesson in pairs),
            "fixed_end": ints(lesson.end for _, lesson in pairs),
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
