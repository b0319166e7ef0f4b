"""The kinds of instances that break engines, and which seeds of make.by_chance give them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from itertools import combinations

from scheduler.matching import candidates
from scheduler.matching.plan import Plan, PlannedLesson
from scheduler.matching.problem import CurrentLesson, Instance, Teacher
from scheduler.matching.verify import RULES, Books

from . import make

SEEDS = range(300)
PLACE = (
    "A lesson stands on a slot of its request",
    "A lesson lies within the days of its request, and not on a holiday",
    "A school that is closed has no lessons",
)
PEOPLE = (
    "A teacher is qualified for the level",
    "A teacher is available for the whole lesson",
    "A teacher who is away gives no lessons",
    "A teacher with another engagement gives no lesson then",
)


def caps(instance: Instance) -> set[int]:
    return {n for t in instance.teachers for n in (t.max_per_day, t.max_per_week, t.max_total)}


def windows_overlap(teacher: Teacher) -> bool:
    pairs = combinations(teacher.available, 2)
    return any(a.weekday == b.weekday and a.start < b.end and b.start < a.end for a, b in pairs)


def no_candidate(instance: Instance) -> bool:
    found = candidates.table(instance)
    return any(not len(found.candidates_of(slot)) for slot in range(found.slots))


def all_holidays(instance: Instance) -> bool:
    return len(instance.term.holidays) > (instance.term.last_day - instance.term.first_day).days > 1


def weeks(instance: Instance) -> int:
    return candidates.calendar(instance).weeks


def pins(instance: Instance) -> list[CurrentLesson]:
    return [x for x in instance.current if x.pinned]


def breaks(instance: Instance, lessons: Iterable[CurrentLesson], rules: Iterable[str]) -> bool:
    """Whether such lessons would break a rule if they were new."""
    plan = Plan(tuple(PlannedLesson(x.request, x.day, x.start, x.end, x.teacher) for x in lessons))
    books = Books(instance, plan)
    books.new = books.known
    return any(True for rule in rules for _ in RULES[rule](books))


def outside(instance: Instance) -> tuple[int, int]:
    """Pinned lessons before and after the term."""
    first, last = instance.term.first_day, instance.term.last_day
    days = [x.day for x in pins(instance)]
    return sum(day < first for day in days), sum(day > last for day in days)


def most_of_a_class(instance: Instance) -> int:
    return max(Counter((r.school, r.class_name) for r in instance.requests).values(), default=0)


def movable(instance: Instance) -> list[CurrentLesson]:
    return [x for x in instance.current if not instance.is_fixed(x)]


def shortest(instance: Instance) -> int:
    return min((s.end - s.start for r in instance.requests for s in r.slots), default=10**9)


CHECKS: dict[str, Callable[[Instance], bool]] = {
    "odd bells": lambda i: any(s.start % 5 for r in i.requests for s in r.slots),
    "lessons up to midnight": lambda i: any(s.end == 1440 for r in i.requests for s in r.slots),
    "overlapping windows": lambda i: any(map(windows_overlap, i.teachers)),
    "zero candidates": no_candidate,
    "caps of 0": lambda i: 0 in caps(i),
    "caps of 1": lambda i: 1 in caps(i),
    "caps nobody reaches": lambda i: make.HUGE in caps(i),
    "no teachers": lambda i: not i.teachers,
    "no requests": lambda i: not i.requests,
    "requests without slots": lambda i: any(not r.slots for r in i.requests),
    "two requests of one class": lambda i: most_of_a_class(i) == 2,
    "more requests of one class": lambda i: most_of_a_class(i) > 2,
    "more lessons a week than weekdays": lambda i: any(r.lessons_per_week > 7 for r in i.requests),
    "one-day terms": lambda i: i.term.first_day == i.term.last_day,
    "holidays on every day": all_holidays,
    "terms that do not begin on a Monday": lambda i: i.term.first_day.weekday() > 0,
    **{
        f"terms of {n} weeks": lambda i, n=n: weeks(i) == n
        for n in (1, 63, 64, 65, 70, 127, 128, 129)
    },
    "terms of more than 200 weeks": lambda i: weeks(i) > 200,
    "no gap": lambda i: i.gap_minutes == 0,
    "a gap longer than lessons": lambda i: i.gap_minutes > shortest(i),
    "a gap longer than a day": lambda i: i.gap_minutes > 1440,
    "schools without rooms": lambda i: any(s.rooms == 0 for s in i.schools),
    "schools with many rooms": lambda i: any(s.rooms == 50 for s in i.schools),
    "pins that break rule 1": lambda i: breaks(i, pins(i), PLACE),
    "pins that break rule 3": lambda i: breaks(i, pins(i), PEOPLE),
    "a pin before the term": lambda i: outside(i)[0] == 1,
    "pins before the term": lambda i: outside(i)[0] > 2,
    "pins after the term": lambda i: outside(i)[1] > 2,
    "more pins beside the term than the term has weeks": lambda i: max(outside(i)) > 64,
    "lessons in force that break rule 1": lambda i: breaks(i, movable(i), PLACE),
    "lessons in force that break rule 3": lambda i: breaks(i, movable(i), PEOPLE),
    "lessons in force of people who left": lambda i: any(
        x.teacher not in {t.id for t in i.teachers} for x in i.current
    ),
    "lessons in force of requests that are gone": lambda i: any(
        x.request not in {r.id for r in i.requests} for x in i.current
    ),
    "two lessons in force on one day": lambda i: (
        max(Counter((x.request, x.day) for x in movable(i)).values(), default=0) > 1
    ),
    **{
        f"a freeze on weekday {n}": lambda i, n=n: (
            i.freeze_before is not None and i.freeze_before.weekday() == n and bool(i.current)
        )
        for n in range(7)
    },
    "a freeze after the term": lambda i: (
        i.freeze_before is not None and i.freeze_before > i.term.last_day
    ),
    "pins that contradict each other": lambda i: make.agreeing(i) != i,
}


@cache
def by_seed() -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for seed in SEEDS:
        instance = make.by_chance(seed)
        for kind, check in CHECKS.items():
            if check(instance):
                found[kind].add(seed)
    return found
