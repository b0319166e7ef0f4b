"""The cheapest plan of a tiny instance, by looking at all of them.

It reads the rules from PROBLEM.md alone, and shares nothing with the engine but the prices.  Each
request's timetables are listed with what they cost by themselves; then one of each is chosen,
with a bound: loads and missing lessons are convex, so what they cost together is no less than
the sum of what they cost apart.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

from scheduler.matching import prices as price
from scheduler.matching import verify
from scheduler.matching.plan import Plan, PlannedLesson
from scheduler.matching.prices import Prices
from scheduler.matching.problem import Instance, Request, Teacher

MOST_TIMETABLES = 6000  # of one request
MOST_STEPS = 400_000  # into a request
MOST_LOOKS = 100_000  # at a timetable beside those chosen
Lessons = tuple[PlannedLesson, ...]


class TooLarge(Exception):
    """There are more timetables than anyone would want to look at."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """All lessons of a request; `cost` is of it alone, `least` with its load and gaps alone."""

    request: int
    lessons: Lessons
    cost: float
    least: float
    short: int
    given: Counter[str]


def cheapest(
    instance: Instance, prices: Prices | None = None, *, past: bool = True
) -> tuple[float, Plan] | None:
    """The least cost of any valid plan, and such a plan; None where there is none.

    `past` lets new lessons lie before `freeze_before`, as the referee does.  Raises TooLarge.
    """
    return _Search(instance, prices or Prices(), past).run()


class _Search:
    def __init__(self, instance: Instance, prices: Prices, past: bool) -> None:
        self.instance = instance
        self.prices = prices
        self.past = past
        self.teachers = {teacher.id: teacher for teacher in instance.teachers}
        self.schools = {school.id: school for school in instance.schools}
        self.fixed: dict[str, list[PlannedLesson]] = defaultdict(list)
        for was in instance.current:
            if instance.is_fixed(was):
                lesson = PlannedLesson(was.request, was.day, was.start, was.end, was.teacher)
                self.fixed[was.request].append(lesson)
        need = [verify.asked(instance, r, self.schools[r.school]) for r in instance.requests]
        self.need = need
        self.wanted: Counter[str] = Counter()
        for request, count in zip(instance.requests, need, strict=True):
            self.wanted[request.school] += count * request.priority
        self.best = float("inf")
        self.plan: Lessons | None = None

    def run(self) -> tuple[float, Plan] | None:
        lists = []
        for n, request in enumerate(self.instance.requests):
            found = []
            for lessons in self._timetables(request):
                found.append(self._timetable(n, request, lessons))
                if len(found) > MOST_TIMETABLES:
                    raise TooLarge
            lists.append(sorted(found, key=lambda timetable: timetable.least))
        if not all(lists):
            return None
        lists.sort(key=len)
        rest = [0.0]
        for timetables in reversed(lists):
            rest.append(rest[-1] + timetables[0].least)
        self.steps = self.looks = 0
        self._choose(lists, rest[::-1], 0, 0.0, (), Counter(), Counter())
        if self.plan is None:
            return None
        return self.best, Plan(tuple(sorted(self.plan)))

    def _choose(
        self,
        lists: list[list[Timetable]],
        rest: list[float],
        n: int,
        cost: float,
        lessons: Lessons,
        given: Counter[str],
        short: Counter[str],
    ) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooLarge
        together = cost + self._loads(given) + self._unmet(short)
        if n == len(lists):
            if together < self.best:
                self.best, self.plan = together, lessons
            return
        for timetable in lists[n]:
            if together + timetable.least + rest[n + 1] >= self.best:
                return
            self.looks += 1
            if self.looks > MOST_LOOKS:
                raise TooLarge
            request = self.instance.requests[timetable.request]
            joined = (*lessons, *timetable.lessons)
            if self._fits(joined, timetable.lessons):
                self._choose(
                    lists,
                    rest,
                    n + 1,
                    cost + timetable.cost,
                    joined,
                    given + timetable.given,
                    short + Counter({request.school: timetable.short}),
                )

    def _loads(self, given: Counter[str]) -> float:
        return sum(
            price.load(self.prices, count, self.teachers[t].max_total) for t, count in given.items()
        )

    def _unmet(self, short: Counter[str]) -> float:
        return sum(price.unmet(self.prices, short[s], self.wanted[s]) for s in short)

    # One request

    def _timetables(self, request: Request) -> Iterator[Lessons]:
        days = self._days(request)
        yield from self._extend(request, days, 0, tuple(self.fixed[request.id]), frozenset())

    def _extend(
        self,
        request: Request,
        days: list[tuple[date, Lessons]],
        n: int,
        lessons: Lessons,
        used: frozenset[tuple[int, int]],
    ) -> Iterator[Lessons]:
        if n == len(days):
            if self._fits(lessons, lessons):
                yield lessons
            return
        yield from self._extend(request, days, n + 1, lessons, used)
        day, choices = days[n]
        this_week = sum(verify.monday(x.day) == verify.monday(day) for x in lessons)
        if this_week >= request.lessons_per_week or any(x.day == day for x in lessons):
            return
        for lesson in choices:
            slots = used | {(day.weekday(), lesson.start)}
            if len(slots) <= request.lessons_per_week and len({d for d, _ in slots}) == len(slots):
                yield from self._extend(request, days, n + 1, (*lessons, lesson), slots)

    def _days(self, request: Request) -> list[tuple[date, Lessons]]:
        """The dates on which there may be a new lesson, and each lesson that might be there."""
        term = self.instance.term
        found = []
        for n in range((term.last_day - term.first_day).days + 1):
            day = term.first_day + timedelta(days=n)
            if (
                request.first_day <= day <= request.last_day
                and day not in term.holidays
                and not any(s.holds(day) for s in self.schools[request.school].closed)
                and (self.past or not self.instance.is_past(day))
            ):
                lessons = {
                    PlannedLesson(request.id, day, slot.start, slot.end, teacher.id)
                    for slot in request.slots
                    if slot.weekday == day.weekday()
                    for teacher in self.instance.teachers
                    if self._could(teacher, request, day, slot.start, slot.end)
                }
                if lessons:
                    found.append((day, tuple(sorted(lessons))))
        return found

    def _could(self, t: Teacher, request: Request, day: date, start: int, end: int) -> bool:
        return (
            t.max_total > 0
            and request.level in t.levels
            and bool(self._windows(t, day, start, end))
            and not any(span.holds(day) for span in t.unavailable)
            and not any(b.day == day and b.start < end and start < b.end for b in t.busy)
        )

    def _windows(self, t: Teacher, day: date, start: int, end: int) -> list[bool]:
        """Of each window that holds the lesson, whether it is given only if needed."""
        term = self.instance.term
        return [
            w.if_needed
            for w in t.available
            if w.weekday == day.weekday()
            and w.start <= start
            and end <= w.end
            and (w.first_day or term.first_day) <= day <= (w.last_day or term.last_day)
        ]

    def _timetable(self, n: int, request: Request, lessons: Lessons) -> Timetable:
        short = max(0, self.need[n] - len(lessons)) * request.priority
        given = Counter(x.teacher for x in lessons)
        cost = self._alone(request, lessons)
        least = cost + self._loads(given) + self._unmet(Counter({request.school: short}))
        return Timetable(n, lessons, cost, least, short, given)

    def _alone(self, request: Request, lessons: Lessons) -> float:
        last: dict[tuple[int, int], str] = {}
        ranks = {(s.weekday, s.start, s.end): s.rank for s in reversed(request.slots)}
        cost = price.extra_teacher(self.prices, len({x.teacher for x in lessons}))
        for x in sorted(lessons, key=lambda lesson: (lesson.day, lesson.start)):
            series = x.day.weekday(), x.start
            cost += price.handover(self.prices, last.get(series), x.teacher)
            last[series] = x.teacher
            cost += price.rank(self.prices, ranks.get((*series, x.end), 0))
            teacher = self.teachers[x.teacher]
            windows = self._windows(teacher, x.day, x.start, x.end)
            cost += price.if_needed(self.prices, bool(windows) and all(windows))
            cost += price.not_preferred(self.prices, request.school, teacher.preferred_schools)
        return cost + self._change(request, lessons)

    def _change(self, request: Request, lessons: Lessons) -> float:
        now = {(x.day, x.start): x.teacher for x in lessons}
        cost = 0.0
        for was in self.instance.current:
            if was.request == request.id and not self.instance.is_past(was.day):
                who = now.get((was.day, was.start))
                cost += price.change(self.prices, who is not None, who == was.teacher)
        return cost

    # Between lessons

    def _fits(self, lessons: Lessons, new: Lessons) -> bool:
        """Whether the new lessons, which are among them, fit in with all."""
        return self._teachers_fit(lessons, new) and self._schools_fit(lessons, new)

    def _teachers_fit(self, lessons: Lessons, new: Lessons) -> bool:
        for name in {x.teacher for x in new}:
            teacher = self.teachers[name]
            mine = [x for x in lessons if x.teacher == name]
            per_day = Counter(x.day for x in mine)
            per_week = Counter(verify.monday(x.day) for x in mine)
            if (
                len(mine) > teacher.max_total
                or max(per_day.values()) > teacher.max_per_day
                or max(per_week.values()) > teacher.max_per_week
                or any(self._clash(a, b) for a, b in combinations(mine, 2))
            ):
                return False
        return True

    def _clash(self, a: PlannedLesson, b: PlannedLesson) -> bool:
        gap = self.instance.gap_minutes
        return a.day == b.day and a.start < b.end + gap and b.start < a.end + gap

    def _schools_fit(self, lessons: Lessons, new: Lessons) -> bool:
        requests = {request.id: request for request in self.instance.requests}
        for x in new:
            school = requests[x.request].school
            there = [y for y in lessons if y.day == x.day and requests[y.request].school == school]
            for y in there:
                at_once = sum(z.start <= y.start < z.end for z in there)
                if at_once > self.schools[school].rooms:
                    return False
            classmates = [
                y for y in there if requests[y.request].class_name == requests[x.request].class_name
            ]
            if any(a.start < b.end and b.start < a.end for a, b in combinations(classmates, 2)):
                return False
        return True
