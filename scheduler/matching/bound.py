"""A proved lower bound on the cost of any plan, from what can be said of its parts alone.

The parts are priced apart, so their least prices add up: lessons no teacher could ever give,
the load that the rest brings however evenly it is spread, per request the fewest teachers that
could share its lessons, and lessons in force that cannot stay.  A missing lesson costs more
than it saves in load and teachers, so it is enough to look at a plan that teaches all it can.
Past days count as teachable here: the bound holds for plans that would rewrite them, too.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from functools import partial
from heapq import nsmallest
from itertools import chain

from scheduler.matching import prices as price
from scheduler.matching.candidates import Row, Table, weeks_of
from scheduler.matching.prices import Prices


def lower_bound(table: Table, prices: Prices) -> float:
    """A number that no valid plan's cost is below; 0 where the prices allow no such proof."""
    saved = prices.load + prices.handover + prices.extra_teacher  # at most, by a missing lesson
    if prices.unmet < saved:
        return 0.0
    shares = [_shares(table, n) for n in range(len(table.requests))]
    fixed = _fixed_days(table)
    most = [
        min(most_lessons(row, fixed.get(n, set())), sum(shares[n].values()))
        for n, row in enumerate(table.requests)
    ]
    teachable = sum(most)
    room = teacher_room(table)
    taught = min(teachable, sum(room))
    return (
        _unmet(table, prices, most)
        + (prices.unmet - saved) * (teachable - taught)
        + least_load(table, prices, room, taught)
        + sum(map(partial(_staffing, prices), table.requests, shares, most))
        + _change(table, prices)
    )


def most_lessons(row: Row, fixed_days: set[tuple[int, int]]) -> int:
    """How many of the lessons a request asks for someone could give, all others left aside."""
    days = set(fixed_days)
    for slot in row.slots:
        for one in slot.candidates:
            days.update((week, slot.weekday) for week in weeks_of(one.weeks & slot.eligible))
    per_week = Counter(week for week, _ in days)
    return min(row.need, sum(min(row.per_week, count) for count in per_week.values()))


def teacher_room(table: Table) -> list[int]:
    """Per teacher the lessons he could give, all others left aside."""
    weeks = [0] * len(table.wishes)
    for slot in chain.from_iterable(row.slots for row in table.requests):
        for one in slot.candidates:
            weeks[one.teacher] |= one.weeks & slot.eligible
    for lesson in table.fixed:
        weeks[lesson.teacher] |= 1 << lesson.week
    return [
        min(teacher.max_total, teacher.max_per_week * mask.bit_count())
        for teacher, mask in zip(table.instance.teachers, weeks, strict=True)
    ]


def least_load(table: Table, prices: Prices, room: list[int], lessons: int) -> float:
    """The load of so many lessons, spread as evenly as it can be: the cheapest first."""
    steps = (
        price.load(prices, n + 1, teacher.max_total) - price.load(prices, n, teacher.max_total)
        for teacher, most in zip(table.instance.teachers, room, strict=True)
        for n in range(most)
    )
    return sum(nsmallest(lessons, steps))


def _fixed_days(table: Table) -> dict[int, set[tuple[int, int]]]:
    """Per request the week and weekday of each lesson that must stay."""
    days: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for lesson in table.fixed:
        days[lesson.request].add((lesson.week, lesson.weekday))
    return days


def _unmet(table: Table, prices: Prices, most: list[int]) -> float:
    short = [0] * len(table.wanted)
    for row, lessons in zip(table.requests, most, strict=True):
        short[row.school] += (row.need - lessons) * row.priority
    return sum(
        price.unmet(prices, missing, wanted)
        for missing, wanted in zip(short, table.wanted, strict=True)
    )


def _staffing(prices: Prices, row: Row, shares: Mapping[int, int], lessons: int) -> float:
    """The fewest teachers who could share the lessons, and the handovers between them."""
    teachers = 0
    for share in sorted(shares.values(), reverse=True):
        if lessons <= 0:
            break
        lessons -= share
        teachers += 1
    series = row.per_week + len(row.fixed_weeks)
    handovers = prices.handover * max(0, teachers - series)
    return price.extra_teacher(prices, teachers) + handovers


def _shares(table: Table, request: int) -> dict[int, int]:
    """Per teacher the lessons of the request he could give."""
    days: dict[tuple[int, int], int] = defaultdict(int)
    row = table.requests[request]
    for slot in row.slots:
        for one in slot.candidates:
            days[one.teacher, slot.weekday] |= one.weeks & slot.eligible
    shares = Counter(row.fixed_teachers)
    for (teacher, _), mask in days.items():
        shares[teacher] += mask.bit_count()
    limits = table.instance.teachers
    return {t: min(count, limits[t].max_total) for t, count in shares.items() if count}


def _change(table: Table, prices: Prices) -> float:
    """Lessons in force that must lose their time, or else their teacher."""
    may_stay = _may_stay(table)
    instance, cost = table.instance, 0.0
    for was in instance.current:
        if instance.is_fixed(was):
            continue
        teachers = may_stay.get((was.request, was.day, was.start))
        if not teachers:
            cost += prices.changed_time
        elif was.teacher not in teachers:
            cost += min(prices.changed_time, prices.changed_teacher)
    return cost


def _may_stay(table: Table) -> dict[tuple[str, date, int], set[str]]:
    """Who could give a lesson at the time of each lesson in force."""
    instance, calendar = table.instance, table.calendar
    teachers: dict[tuple[str, date, int], set[str]] = defaultdict(set)
    for slot in chain.from_iterable(row.slots for row in table.requests):
        for week in slot.current:
            day = calendar.day(week, slot.weekday)
            teachers[instance.requests[slot.request].id, day, slot.start].update(
                instance.teachers[one.teacher].id
                for one in slot.candidates
                if (one.weeks & slot.eligible) >> week & 1
            )
    return teachers
