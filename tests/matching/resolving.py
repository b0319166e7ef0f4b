"""A resolver for trials, plain and slow: inserts lessons, and moves the timetable of one class.

It stands for the search, which does more; it knows nothing of the fix that is being tried.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import combinations

from scheduler.matching.obstacles import Timetable
from scheduler.matching.plan import Plan, PlannedLesson
from scheduler.matching.problem import Instance, Request, Slot
from scheduler.matching.verify import monday


def resolve(instance: Instance, plan: Plan) -> Plan:
    """The plan with what is pinned and not yet there, and with what can be added to it."""
    table = Timetable(instance, Plan(tuple({*plan.lessons, *_pinned(instance)})))
    for request in instance.requests:
        if _short(table, request):
            _insert(table, request)
        if _short(table, request):
            _move(table, request)
    return Plan(tuple(sorted(x for r in instance.requests for x in table.by_request[r.id])))


def _pinned(instance: Instance) -> Iterable[PlannedLesson]:
    for was in instance.current:
        if instance.is_fixed(was):
            yield PlannedLesson(was.request, was.day, was.start, was.end, was.teacher)


def _short(table: Timetable, request: Request) -> bool:
    return len(table.by_request[request.id]) < table.need[request.id]


def _insert(table: Timetable, request: Request, slots: tuple[Slot, ...] | None = None) -> None:
    """Lessons wherever one fits, on those slots or on any; the least busy teacher first."""
    allowed = {(x.weekday, x.start, x.end) for x in (request.slots if slots is None else slots)}
    for week, days in sorted(table.weeks(request).items()):
        for _ in range(min(request.lessons_per_week, days)):
            taught = Counter(monday(x.day) for x in table.by_request[request.id])
            if taught[week] >= request.lessons_per_week:
                break
            for option in table.options(request, week)[0]:
                at = (option.day.weekday(), option.start, option.end)
                free = () if option.closed else table.free(request.level, option)
                if at in allowed and free:
                    name = max(free, key=table.spare)
                    table.add(PlannedLesson(request.id, option.day, *at[1:], name))
                    break


def _move(table: Timetable, request: Request) -> None:
    """The timetable of the class that holds the most lessons, if it holds more than the old one."""
    before = table.moved(request.id)
    best = before
    for size in range(1, request.lessons_per_week + 1):
        for slots in combinations(request.slots, size):
            if len({slot.weekday for slot in slots}) < size:
                continue
            _replace(table, request, [])
            _insert(table, request, slots)
            if len(table.moved(request.id)) > len(best):
                best = table.moved(request.id)
    _replace(table, request, best)


def _replace(table: Timetable, request: Request, lessons: Iterable[PlannedLesson]) -> None:
    for lesson in table.moved(request.id):
        table.remove(lesson)
    for lesson in lessons:
        table.add(lesson)
