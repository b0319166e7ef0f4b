"""An independent reading of the hard rules and the cost, on dated lessons alone.

It shares no bookkeeping with the search: every plan passes here before it leaves the engine.
verify_plan.py beside PROBLEM.md is the reference; the tests hold the two equal.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TypeVar

from scheduler.matching import prices as price
from scheduler.matching.plan import Plan, PlannedLesson
from scheduler.matching.prices import Prices
from scheduler.matching.problem import CurrentLesson, Instance, Request, School, Slot, Window

Lessons = tuple[PlannedLesson, ...]
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Violation:
    """A hard rule, by its name, and the lessons that break it together."""

    rule: str
    lessons: Lessons


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with a plan (nothing, if it is valid), and what it costs, by term."""

    violations: tuple[Violation, ...]
    requested: int
    taught: int
    cost: float
    terms: Mapping[str, float]


class Books:
    """The lessons of a plan, looked up the ways the rules ask for them."""

    def __init__(self, instance: Instance, plan: Plan) -> None:
        self.instance = instance
        self.plan = plan
        self.teachers = {teacher.id: teacher for teacher in instance.teachers}
        self.requests = {request.id: request for request in instance.requests}
        self.schools = {school.id: school for school in instance.schools}
        self.current = {(c.request, c.day, c.start): c for c in instance.current}
        self.need = {
            request.id: asked(instance, request, self.schools[request.school])
            for request in instance.requests
        }
        self.known = [lesson for lesson in plan.lessons if self.knows(lesson)]
        self.new = [lesson for lesson in self.known if not self.stays(lesson)]
        in_order = sorted(self.known, key=lambda lesson: (lesson.day, lesson.start))
        self.by_request = group(in_order, lambda lesson: lesson.request)
        by_end = sorted(in_order, key=lambda lesson: (lesson.day, lesson.start, lesson.end))
        self.by_teacher = group(by_end, lambda lesson: lesson.teacher)
        self.by_school_day = group(
            by_end, lambda lesson: (self.requests[lesson.request].school, lesson.day)
        )

    def knows(self, lesson: PlannedLesson) -> bool:
        return lesson.request in self.requests and lesson.teacher in self.teachers

    def stays(self, lesson: PlannedLesson) -> bool:
        """Pinned or past, and unchanged: such a lesson is taken as it is."""
        was = self.current.get((lesson.request, lesson.day, lesson.start))
        return was is not None and was.teacher == lesson.teacher and self.must_stay(was)

    def must_stay(self, lesson: CurrentLesson) -> bool:
        freeze = self.instance.freeze_before
        return lesson.pinned or (freeze is not None and lesson.day < freeze)

    def school(self, lesson: PlannedLesson) -> School:
        return self.schools[self.requests[lesson.request].school]

    def slot(self, lesson: PlannedLesson) -> Slot | None:
        """The slot of the request that the lesson stands on."""
        for slot in self.requests[lesson.request].slots:
            if (slot.weekday, slot.start, slot.end) == (
                lesson.day.weekday(),
                lesson.start,
                lesson.end,
            ):
                return slot
        return None

    def windows(self, lesson: PlannedLesson) -> list[Window]:
        """The free windows of the teacher that hold the whole lesson."""
        term = self.instance.term
        return [
            window
            for window in self.teachers[lesson.teacher].available
            if window.weekday == lesson.day.weekday()
            and window.start <= lesson.start
            and lesson.end <= window.end
            and (window.first_day or term.first_day) <= lesson.day
            and lesson.day <= (window.last_day or term.last_day)
        ]


Rule = Callable[[Books], Iterator[Lessons]]
Term = Callable[[Books, Prices], float]
RULES: dict[str, Rule] = {}
TERMS: dict[str, Term] = {}


def hard(name: str) -> Callable[[Rule], Rule]:
    """Make a function a hard rule: it yields the lessons of each violation."""

    def register(rule: Rule) -> Rule:
        RULES[name] = rule
        return rule

    return register


def priced(name: str) -> Callable[[Term], Term]:
    """Make a function a term of the cost."""

    def register(term: Term) -> Term:
        TERMS[name] = term
        return term

    return register


def verify(instance: Instance, plan: Plan, prices: Prices | None = None) -> Verdict:
    """Every violation of a hard rule in the plan, and its cost; the terms add up to the cost."""
    books = Books(instance, plan)
    violations = tuple(
        Violation(name, lessons) for name, rule in RULES.items() for lessons in rule(books)
    )
    terms = {name: float(term(books, prices or Prices())) for name, term in TERMS.items()}
    requested = sum(books.need.values())
    return Verdict(violations, requested, len(books.known), sum(terms.values()), terms)


def group(
    lessons: Iterable[PlannedLesson], key: Callable[[PlannedLesson], Key]
) -> dict[Key, list[PlannedLesson]]:
    groups: dict[Key, list[PlannedLesson]] = defaultdict(list)
    for lesson in lessons:
        groups[key(lesson)].append(lesson)
    return dict(groups)


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def is_open(instance: Instance, school: School, day: date) -> bool:
    if not instance.term.holds(day) or day in instance.term.holidays:
        return False
    return not any(span.holds(day) for span in school.closed)


def asked(instance: Instance, request: Request, school: School) -> int:
    """The lessons a request asks for over the whole term."""
    weekdays = {slot.weekday for slot in request.slots}
    first = max(request.first_day, instance.term.first_day)
    last = min(request.last_day, instance.term.last_day)
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    eligible = [d for d in days if d.weekday() in weekdays and is_open(instance, school, d)]
    weeks = Counter(map(monday, eligible))
    return sum(min(request.lessons_per_week, count) for count in weeks.values())


def crowded(groups: Iterable[list[PlannedLesson]], most: int) -> Iterator[Lessons]:
    return (tuple(lessons) for lessons in groups if len(lessons) > most)


@hard("A lesson names a request and a teacher of this term")
def known_names(books: Books) -> Iterator[Lessons]:
    return ((lesson,) for lesson in books.plan.lessons if not books.knows(lesson))


@hard("A lesson stands on a slot of its request")
def on_a_slot(books: Books) -> Iterator[Lessons]:
    return ((lesson,) for lesson in books.new if books.slot(lesson) is None)


@hard("A lesson lies within the days of its request, and not on a holiday")
def on_a_school_day(books: Books) -> Iterator[Lessons]:
    term = books.instance.term
    for lesson in books.new:
        request = books.requests[lesson.request]
        asked_for = request.first_day <= lesson.day <= request.last_day
        if not asked_for or not term.holds(lesson.day) or lesson.day in term.holidays:
            yield (lesson,)


@hard("A school that is closed has no lessons")
def school_open(books: Books) -> Iterator[Lessons]:
    for lesson in books.new:
        if any(span.holds(lesson.day) for span in books.school(lesson).closed):
            yield (lesson,)


@hard("A teacher is qualified for the level")
def qualified(books: Books) -> Iterator[Lessons]:
    for lesson in books.new:
        if books.requests[lesson.request].level not in books.teachers[lesson.teacher].levels:
            yield (lesson,)


@hard("A teacher is available for the whole lesson")
def available(books: Books) -> Iterator[Lessons]:
    return ((lesson,) for lesson in books.new if not books.windows(lesson))


@hard("A teacher who is away gives no lessons")
def not_away(books: Books) -> Iterator[Lessons]:
    for lesson in books.new:
        if any(span.holds(lesson.day) for span in books.teachers[lesson.teacher].unavailable):
            yield (lesson,)


@hard("A teacher with another engagement gives no lesson then")
def not_busy(books: Books) -> Iterator[Lessons]:
    for lesson in books.new:
        for other in books.teachers[lesson.teacher].busy:
            if other.day == lesson.day and other.start < lesson.end and lesson.start < other.end:
                yield (lesson,)
                break


@hard("Pinned and past lessons stay exactly as they are")
def fixed_stay(books: Books) -> Iterator[Lessons]:
    there = {(x.request, x.day, x.start, x.teacher) for x in books.known}
    for was in books.current.values():
        if books.must_stay(was) and (was.request, was.day, was.start, was.teacher) not in there:
            yield (PlannedLesson(was.request, was.day, was.start, was.end, was.teacher),)


@hard("A class has one lesson of a request a day")
def one_a_day(books: Books) -> Iterator[Lessons]:
    for lessons in books.by_request.values():
        yield from crowded(group(lessons, lambda x: x.day).values(), 1)


@hard("A request has no more lessons in a week than it asked for")
def weekly_lessons(books: Books) -> Iterator[Lessons]:
    for name, lessons in books.by_request.items():
        weeks = group(lessons, lambda x: monday(x.day))
        yield from crowded(weeks.values(), books.requests[name].lessons_per_week)


@hard("A class keeps its timetable: few weekly slots")
def few_weekly_slots(books: Books) -> Iterator[Lessons]:
    for name, lessons in group(books.new, lambda x: x.request).items():
        slots = {(x.day.weekday(), x.start) for x in lessons}
        if len(slots) > books.requests[name].lessons_per_week:
            yield tuple(lessons)


@hard("A class keeps its timetable: weekly slots on different weekdays")
def different_weekdays(books: Books) -> Iterator[Lessons]:
    for lessons in group(books.new, lambda x: x.request).values():
        slots = {(x.day.weekday(), x.start) for x in lessons}
        if len({weekday for weekday, _ in slots}) < len(slots):
            yield tuple(lessons)


@hard("A teacher gives one lesson at a time, and rests in between")
def one_at_a_time(books: Books) -> Iterator[Lessons]:
    gap = books.instance.gap_minutes
    for lessons in books.by_teacher.values():
        for one, next_one in pairwise(lessons):
            if one.day == next_one.day and next_one.start < one.end + gap:
                yield (one, next_one)


@hard("A teacher stays within the lessons a day")
def daily_limit(books: Books) -> Iterator[Lessons]:
    for name, lessons in books.by_teacher.items():
        days = group(lessons, lambda x: x.day)
        yield from crowded(days.values(), books.teachers[name].max_per_day)


@hard("A teacher stays within the lessons a week")
def weekly_limit(books: Books) -> Iterator[Lessons]:
    for name, lessons in books.by_teacher.items():
        weeks = group(lessons, lambda x: monday(x.day))
        yield from crowded(weeks.values(), books.teachers[name].max_per_week)


@hard("A teacher stays within the lessons of the term")
def term_limit(books: Books) -> Iterator[Lessons]:
    for name, lessons in books.by_teacher.items():
        yield from crowded([lessons], books.teachers[name].max_total)


@hard("A school has a room for each lesson")
def rooms(books: Books) -> Iterator[Lessons]:
    for lessons in books.by_school_day.values():
        most = books.school(lessons[0]).rooms
        at_once = [[y for y in lessons if y.start <= x.start < y.end] for x in lessons]
        yield from crowded(at_once, most)


@hard("A class is in one lesson at a time")
def class_at_once(books: Books) -> Iterator[Lessons]:
    for lessons in books.by_school_day.values():
        for of_class in group(lessons, lambda x: books.requests[x.request].class_name).values():
            if any(y.start < x.end for x, y in pairwise(of_class)):
                yield tuple(of_class)


@priced("unmet")
def unmet(books: Books, prices: Prices) -> float:
    wanted: Counter[str] = Counter()
    short: Counter[str] = Counter()
    for name, need in books.need.items():
        request = books.requests[name]
        missing = max(0, need - len(books.by_request.get(name, ())))
        wanted[request.school] += need * request.priority
        short[request.school] += missing * request.priority
    return sum(price.unmet(prices, short[school], total) for school, total in wanted.items())


@priced("handover")
def handover(books: Books, prices: Prices) -> float:
    cost = 0.0
    for lessons in books.by_request.values():
        for series in group(lessons, lambda x: (x.day.weekday(), x.start)).values():
            for one, next_one in pairwise(series):
                cost += price.handover(prices, one.teacher, next_one.teacher)
    return cost


@priced("extra_teacher")
def extra_teacher(books: Books, prices: Prices) -> float:
    teachers = ({x.teacher for x in lessons} for lessons in books.by_request.values())
    return sum(price.extra_teacher(prices, len(names)) for names in teachers)


@priced("rank")
def rank(books: Books, prices: Prices) -> float:
    slots = (books.slot(lesson) for lesson in books.known)
    return sum(price.rank(prices, slot.rank) for slot in slots if slot)


@priced("if_needed")
def if_needed(books: Books, prices: Prices) -> float:
    free = (books.windows(lesson) for lesson in books.known)
    return sum(price.if_needed(prices, all(w.if_needed for w in found)) for found in free if found)


@priced("not_preferred")
def not_preferred(books: Books, prices: Prices) -> float:
    return sum(
        price.not_preferred(
            prices,
            books.requests[lesson.request].school,
            books.teachers[lesson.teacher].preferred_schools,
        )
        for lesson in books.known
    )


@priced("load")
def load(books: Books, prices: Prices) -> float:
    return sum(
        price.load(prices, len(lessons), books.teachers[name].max_total)
        for name, lessons in books.by_teacher.items()
    )


@priced("change")
def change(books: Books, prices: Prices) -> float:
    now = {(x.request, x.day, x.start): x.teacher for x in reversed(books.known)}
    cost = 0.0
    for key, was in books.current.items():
        if not books.instance.is_past(was.day):
            cost += price.change(prices, key in now, now.get(key) == was.teacher)
    return cost
