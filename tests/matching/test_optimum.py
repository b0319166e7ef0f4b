"""On tiny instances the search finds the best plan there is: enumerate.py looks at all of them."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

from scheduler.matching.plan import Plan
from scheduler.matching.problem import (
    Appointment,
    Instance,
    Request,
    School,
    Slot,
    Span,
    Teacher,
    Term,
    Window,
)
from scheduler.matching.verify import verify
from tests.effort import examples

from . import enumerate as every
from . import make

WEEK = timedelta(days=7)
TRIES = ((0, 1), (300, 1), (2000, 1), *((10_000, seed) for seed in range(1, 13)))  # moves, seed
TIMES = ((450, 485), (460, 495), (490, 525), (540, 575))


class Tiny(make.Chance):
    """Up to six requests that want the same few teachers in up to three weeks."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.first = make.MONDAY + timedelta(days=self.rng.choice((0, 0, 0, 2)))
        self.last = make.MONDAY + self.rng.randint(1, 3) * WEEK - timedelta(days=1)
        self.days = self.rng.sample(range(5), 2)
        self.schools = tuple(
            School(f"s{n}", self.rng.choice((1, 1, 2)), self.closed())
            for n in range(self.rng.randint(1, 2))
        )

    def closed(self) -> tuple[Span, ...]:
        return self.spans() if self.one_in(4) else ()

    def hours(self) -> Window:
        first, last = sorted((self.day(), self.day()))
        return Window(
            self.rng.choice(self.days),
            *self.rng.choice(((420, 690), (420, 690), (420, 540), (480, 690))),
            first_day=first if self.one_in(5) else None,
            last_day=last if self.one_in(5) else None,
            if_needed=self.one_in(4),
        )

    def person(self, n: int) -> Teacher:
        return make.teacher(
            f"t{n}",
            max_per_day=self.rng.choice((1, 1, 2)),
            max_per_week=self.rng.choice((1, 2, 2, 3)),
            max_total=self.rng.choice((2, 3, 4, 6)),
            available=tuple(self.hours() for _ in range(self.rng.randint(1, 3))),
            unavailable=self.closed(),
            busy=tuple(Appointment(self.day(), *self.times()) for _ in self.some(1)),
            preferred_schools=(self.rng.choice(self.schools).id,) if self.one_in(3) else (),
        )

    def wish(self, n: int) -> Request:
        slots = [
            Slot(day, *self.rng.choice(TIMES), rank=self.rng.randrange(3)) for day in self.days
        ]
        slots = slots[: self.rng.randint(1, 2)]
        later = [Slot(s.weekday, s.start + 45, s.end + 45) for s in slots if self.one_in(3)]
        return make.request(
            f"r{n}",
            school=self.rng.choice(self.schools).id,
            class_name=f"c{self.rng.randrange(4)}",
            lessons_per_week=self.rng.choice((1, 1, 1, 2)),
            first_day=self.first,
            last_day=self.last,
            priority=self.rng.choice((1, 1, 2, 3)),
            slots=(*slots, *later),
        )

    def instance(self) -> Instance:
        plain = make.instance(
            schools=self.schools,
            term=Term(self.first, self.last, frozenset(self.day() for _ in self.some(1))),
            teachers=tuple(self.person(n) for n in range(self.rng.randint(2, 4))),
            requests=tuple(self.wish(n) for n in range(self.rng.randint(2, 6))),
        )
        if self.one_in(2):
            return plain
        people, freeze = {t.id for t in plain.teachers}, self.day() if self.one_in(2) else None
        found = replace(plain, current=self.in_force(plain), freeze_before=freeze)
        known = (x for x in found.current if x.teacher in people or not found.is_fixed(x))
        return make.agreeing(self.changed(replace(found, current=tuple(known))))


def least(instance: Instance) -> float:
    """Of all plans with new lessons from `freeze_before` on.  Raises TooLarge."""
    found = every.cheapest(instance, past=False)
    assert found is not None
    return verify(instance, found[1]).cost


def reached(instance: Instance, cost: float) -> bool:
    """Whether the search finds a plan at that cost; it must never find a cheaper one."""
    for iterations, seed in TRIES:
        ours = make.solve(instance, iterations=iterations, seed=seed).cost
        assert ours > cost - 0.01
        if ours < cost + 0.01:
            return True
    return False


def test_the_search_finds_the_best_of_all_plans_of_small_instances(monkeypatch):
    monkeypatch.setattr(every, "MOST_TIMETABLES", 300)
    monkeypatch.setattr(every, "MOST_STEPS", 1500)
    missed, looked_at = [], 0
    for seed in count():
        instance = Tiny(seed).instance()
        try:
            cost = least(instance)
        except every.TooLarge:
            continue
        looked_at += 1
        if not reached(instance, cost):
            missed.append(seed)
        if looked_at == examples(200):
            break
    assert not missed


def assert_reached(instance: Instance) -> None:
    assert reached(instance, least(instance))


def test_a_teacher_who_is_scarce_is_shared_between_schools():
    instance = make.instance(
        term=Term(make.MONDAY, make.MONDAY + 2 * WEEK - timedelta(days=1)),
        schools=(School("YB1", 1), School("YB2", 1)),
        teachers=(make.teacher(max_total=2),),
        requests=(make.request(), make.request("B/1", school="YB2", slots=(Slot(0, 540, 575),))),
    )
    assert verify(instance, Plan()).requested == 4
    assert_reached(instance)
    found = make.solve(instance, iterations=2000).plan
    assert {x.request for x in found.lessons} == {"A/1", "B/1"}


def test_a_teacher_may_begin_later_than_he_could_so_that_another_begins():
    """He could come all three weeks but for his limit; the other one in the first week alone."""
    first = Window(0, 420, 690, last_day=make.MONDAY)
    instance = make.instance(
        term=Term(make.MONDAY, make.MONDAY + 3 * WEEK - timedelta(days=1)),
        teachers=(
            make.teacher("lan", max_total=2),
            make.teacher("mai", max_total=2, available=(replace(first, if_needed=True),)),
        ),
    )
    assert_reached(instance)
    assert make.solve(instance, iterations=2000).taught == 3


def test_a_lesson_in_force_keeps_its_time_though_the_class_has_lessons_enough():
    """Pinned lessons after the term count as taught."""
    people = (make.teacher(available=()), make.teacher("mai", max_total=99))
    current = (
        *(make.current(n) for n in range(4)),
        *(make.current(n, "mai", pinned=True) for n in range(5, 9)),
    )
    instance = make.instance(teachers=people, current=current)
    assert_reached(instance)
    assert make.solve(instance, iterations=100).taught == 8
