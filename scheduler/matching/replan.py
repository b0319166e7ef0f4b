"""Change after publishing: start from the plan in force, keep what can stay, mend the rest.

Also the small questions of a coordinator: who could give this lesson instead, and what would one
more weekly slot bring.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from scheduler.errors import NotFound, text
from scheduler.matching import candidates
from scheduler.matching.annealing import REPAIR
from scheduler.matching.kernel import Assignment, Kernel, Limits
from scheduler.matching.plan import Plan, PlannedLesson
from scheduler.matching.prices import Prices
from scheduler.matching.problem import CurrentLesson, Instance, Slot
from scheduler.matching.table import GONE, NOBODY, Ints, Table

REPAIRS, MOST_REPAIRS = 100, 2000  # moves for each request with missing lessons, and in all


@dataclass(frozen=True, slots=True)
class Budget:
    """At most so many lessons in force may change, of at most so many teachers; None: any number.

    A lesson that cannot stay as it is, because its teacher is away for instance, does not count.
    """

    lessons: int | None = None
    teachers: int | None = None


def in_force(table: Table) -> Assignment:
    """The lessons in force on the slots of their requests; it may break rules by now.

    Of more slots than a request may have, or two on one weekday, those with most lessons stay.
    """
    slot = np.full((table.requests, table.places), NOBODY, dtype=np.int32)
    who = np.full((table.requests, table.places, table.calendar.weeks), NOBODY, dtype=np.int32)
    if table.slot_current is None:
        return Assignment(slot, who)
    lessons = (table.slot_current >= 0).sum(axis=1)
    found: dict[int, list[int]] = defaultdict(list)
    for number in np.flatnonzero(lessons).tolist():
        found[int(table.slot_request[number])].append(number)
    for request, numbers in found.items():
        weekdays: set[int] = set()
        for number in sorted(numbers, key=lambda n: (-lessons[n], -table.slot_exact[n], n)):
            weekday = int(table.slot_weekday[number])
            if weekday in weekdays or len(weekdays) == table.request_places[request]:
                continue
            slot[request, len(weekdays)] = number
            who[request, len(weekdays)] = table.slot_current[number]
            weekdays.add(weekday)
    who[who == GONE] = NOBODY
    return Assignment(slot, who)


def keepable(table: Table, adopted: Assignment) -> Ints:
    """Per slot and week the teacher of a lesson in force that stays as it is in `adopted`."""
    found = np.full((table.slots, table.calendar.weeks), NOBODY, dtype=np.int32)
    placed = adopted.slot >= 0
    found[adopted.slot[placed]] = adopted.who[placed]
    return found


def take_up(kernel: Kernel, budget: Budget | None = None) -> None:
    """Load the plan in force, without what cannot stay, and mend what that leaves open."""
    table = kernel.table
    kernel.adopt(in_force(table))
    adopted = kernel.read(best=False)
    if budget is not None:
        kernel.limit(Limits(budget.lessons, budget.teachers, keepable(table, adopted)))
        kernel.load(adopted)
    fixed = np.bincount(table.fixed_request, minlength=table.requests)
    given = (adopted.who >= 0).sum(axis=(1, 2)) + fixed
    short = np.flatnonzero(given < table.request_need).astype(np.int32)
    kernel.effort(REPAIR.effort)
    kernel.renew(short)
    moves = min(MOST_REPAIRS, REPAIRS * len(short))
    kernel.search(moves, REPAIR.high, REPAIR.low, REPAIR.ruined, short)


def resolve(instance: Instance, plan: Plan, prices: Prices | None = None) -> Plan:
    """The plan taken up for an instance that may have changed, and mended: a first answer."""
    changed = with_plan(instance, plan)
    table = candidates.table(changed)
    kernel = Kernel(table, prices or Prices())
    take_up(kernel)
    return plan_of(changed, table, kernel.read())


def with_plan(instance: Instance, plan: Plan) -> Instance:
    """The instance with a plan in force; what was pinned or past stays so, in the plan or not."""
    current = {
        (x.request, x.day, x.start): CurrentLesson(x.request, x.day, x.start, x.end, x.teacher)
        for x in plan.lessons
    }
    current |= {(x.request, x.day, x.start): x for x in instance.current if instance.is_fixed(x)}
    return replace(instance, current=tuple(current.values()))


@dataclass(frozen=True, slots=True)
class Substitute:
    """Who could give a lesson instead, and what the plan would cost more."""

    teacher: str
    price: float


@dataclass(frozen=True, slots=True)
class Insertion:
    """What one more slot would bring a request: lessons more, cost more, its lessons then."""

    taught: int
    price: float
    lessons: tuple[PlannedLesson, ...]


class Desk:
    """The plan in force of an instance, ready for questions."""

    def __init__(self, instance: Instance, prices: Prices | None = None) -> None:
        self.instance = instance
        self.prices = prices or Prices()
        self.table = candidates.table(instance)
        self.kernel = Kernel(self.table, self.prices)
        self.kernel.adopt(in_force(self.table))
        self.plan = self.kernel.read(best=False)
        self.requests = {request.id: n for n, request in enumerate(instance.requests)}

    def substitutes(self, lesson: PlannedLesson) -> tuple[Substitute, ...]:
        """Everyone who could give a lesson in force instead, the cheapest first.

        Raises NotFound when the lesson is not in force, or is pinned, past, or cannot stay anyway.
        """
        place, week = self._place(lesson)
        names = self.instance.teachers
        found = self.kernel.substitutes(place, week)
        return tuple(Substitute(names[teacher].id, price) for teacher, price in found)

    def _place(self, lesson: PlannedLesson) -> tuple[int, int]:
        request = self.requests.get(lesson.request, NOBODY)
        week = self.table.calendar.week(lesson.day)
        if request != NOBODY and 0 <= week < self.table.calendar.weeks:
            for place, slot in enumerate(self.plan.slot[request].tolist()):
                here = int(self.table.slot_weekday[slot]), int(self.table.slot_start[slot])
                taught = slot >= 0 and self.plan.who[request, place, week] >= 0
                if taught and here == (lesson.day.weekday(), lesson.start):
                    return request * self.table.places + place, week
        raise NotFound("There is no such lesson that somebody else could give.")

    def insertion(self, request_id: str, slot: Slot) -> Insertion:
        """What it brings if a request accepts one more slot.  Raises NotFound."""
        if request_id not in self.requests:
            raise NotFound(text("There is no request {id}.", id=request_id))
        number = self.requests[request_id]
        asked = self.instance.requests[number]
        requests = list(self.instance.requests)
        requests[number] = replace(asked, slots=(*asked.slots, slot))
        instance = replace(self.instance, requests=tuple(requests))
        table = candidates.table(instance)
        kernel = Kernel(table, self.prices)
        kernel.adopt(in_force(table))
        cost, taught = kernel.cost(), kernel.taught()
        kernel.renew([number])
        lessons = plan_of(instance, table, kernel.read()).lessons
        return Insertion(
            taught=kernel.taught() - taught,
            price=kernel.cost() - cost,
            lessons=tuple(lesson for lesson in lessons if lesson.request == request_id),
        )


def plan_of(instance: Instance, table: Table, found: Assignment) -> Plan:
    """The dated lessons of an assignment and those that must stay, by request and day."""
    return Plan(tuple(sorted((*standing_lessons(instance), *_placed(instance, table, found)))))


def _placed(instance: Instance, table: Table, found: Assignment) -> Iterable[PlannedLesson]:
    where = np.nonzero(found.who >= 0)
    who = found.who[where].tolist()
    for request, place, week, teacher in zip(*(n.tolist() for n in where), who, strict=True):
        slot = found.slot[request, place]
        yield PlannedLesson(
            instance.requests[request].id,
            table.calendar.day(week, int(table.slot_weekday[slot])),
            int(table.slot_start[slot]),
            int(table.slot_end[slot]),
            instance.teachers[teacher].id,
        )


def standing_lessons(instance: Instance) -> Iterable[PlannedLesson]:
    """The lessons in force that must stay exactly as they are."""
    for was in instance.current:
        if instance.is_fixed(was):
            yield PlannedLesson(was.request, was.day, was.start, was.end, was.teacher)
