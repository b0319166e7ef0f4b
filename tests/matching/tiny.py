"""Instances by chance that are small enough to look at every plan."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

from scheduler.matching import verify
from scheduler.matching.plan import Plan
from scheduler.matching.prices import Prices
from scheduler.matching.problem import (
    CurrentLesson,
    Instance,
    Request,
    School,
    Slot,
    Span,
    Teacher,
    Window,
)

from . import enumerate as plans
from . import make

PRICES = (
    Prices(),
    Prices(unmet=95),
    Prices(unmet=0),
    Prices(handover=0, extra_teacher=200),
    Prices(handover=300, extra_teacher=0, load=1000),
    Prices(rank=40, if_needed=90, not_preferred=70, unmet=150),
    Prices(changed_teacher=200, changed_time=30),
    Prices(unmet=0, handover=0, extra_teacher=0, rank=0, if_needed=0, not_preferred=0, load=0),
)


class Tiny(make.Chance):
    """Few of everything, and short terms: what by_chance has, where all plans can be listed."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.rng = Random(seed)
        self.first = make.MONDAY + timedelta(days=self.rng.choice((0, 0, 0, 3)))
        self.last = self.first + timedelta(days=7 * self.rng.choice((1, 2, 3, 3, 4, 4)) - 1)
        self.weekdays = self.rng.choice((1, 1, 2, 3))
        self.rich = not self.one_in(4)  # or else as poor in teachers as the others

    def many(self, most: int) -> range:
        return range(0 if self.one_in(40) else self.rng.randint(1, 3))

    def spans(self) -> tuple[Span, ...]:
        return () if self.rich and not self.one_in(5) else super().spans()

    def window(self) -> Window:
        plain = replace(super().window(), weekday=self.rng.randrange(self.weekdays))
        return replace(plain, start=420, end=900) if self.rich else plain

    def request(self, n: int, schools: tuple[School, ...]) -> Request:
        found = super().request(n, schools)
        slots = [replace(s, weekday=self.rng.randrange(self.weekdays)) for s in found.slots]
        if slots and self.one_in(6):  # the same time, but for its end
            slots.append(Slot(slots[0].weekday, slots[0].start, slots[0].end + 5, 1))
        per_week = self.rng.choice((1, 1, 1, 2, 3))
        return replace(found, slots=tuple(slots), level="primary", lessons_per_week=per_week)

    def teacher(self, n: int, schools: tuple[School, ...]) -> Teacher:
        plain = replace(super().teacher(n, schools), levels=("primary",))
        if not self.rich:
            return plain
        return replace(
            plain,
            max_per_day=self.rng.choice((1, 2)),
            max_total=self.rng.choice((1, 2, 2, 3, 4)),
            busy=plain.busy if self.one_in(3) else (),
        )


def tiny(seed: int) -> Instance:
    """Half the time with lessons in force, pins and a freeze; requests are at most `many`."""
    chance = Tiny(seed)
    plain = chance.first_run()
    if chance.one_in(2):
        return plain
    try:
        found = plans.cheapest(plain)
    except plans.TooLarge:
        return plain
    freeze = chance.day() if chance.one_in(2) else None
    current = in_force(chance, found[1], freeze) if found else ()
    return chance.changed(replace(plain, current=current, freeze_before=freeze))


def in_force(chance: Tiny, plan: Plan, freeze: date | None) -> tuple[CurrentLesson, ...]:
    """The lessons of a plan, some of them missing, pinned, of someone who left, or moved."""
    found = []
    for x in plan.lessons:
        if chance.one_in(5):
            continue
        fixed = freeze is not None and x.day < freeze
        who = "gone" if chance.one_in(8) and not fixed else x.teacher
        start = x.start + 5 if chance.one_in(8) else x.start
        pinned = who != "gone" and chance.one_in(3)
        found.append(CurrentLesson(x.request, x.day, start, x.end, who, pinned))
    return tuple(found)


def cheapest(instance: Instance, prices: Prices) -> tuple[float, Plan] | None:
    """As enumerate's; None also where there is too much to look at."""
    try:
        return plans.cheapest(instance, prices)
    except plans.TooLarge:
        return None


def standing(instance: Instance) -> Plan:
    """The plan of only the lessons that must stay."""
    search = plans._Search(instance, Prices(), past=True)
    return Plan(tuple(sorted(x for lessons in search.fixed.values() for x in lessons)))


def base(instance: Instance, prices: Prices) -> float | None:
    """What it costs; None where it breaks rules, so that there is no valid plan."""
    verdict = verify.verify(instance, standing(instance), prices)
    return None if verdict.violations else verdict.cost
