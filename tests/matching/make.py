"""Values with boring defaults, and small instances by chance that use every optional field."""

from dataclasses import fields, replace
from datetime import date, timedelta
from random import Random
from time import monotonic

import numpy as np

from scheduler.errors import Invalid
from scheduler.matching import annealing, candidates, replan, search
from scheduler.matching.kernel import Assignment, Kernel
from scheduler.matching.plan import Plan, PlannedLesson, Solution
from scheduler.matching.prices import Prices
from scheduler.matching.problem import (
    Appointment,
    CurrentLesson,
    Instance,
    Request,
    School,
    Slot,
    Span,
    Teacher,
    Term,
    Window,
)
from scheduler.matching.table import NOBODY
from scheduler.matching.verify import verify

MONDAY = date(2023, 9, 11)
LEVELS = ("primary", "lower_secondary")
BELLS = ((450, 485), (450, 495), (490, 535), (540, 575), (545, 590), (840, 885))
ODD_BELLS = ((451, 486), (453, 497), (0, 1), (1433, 1440), (487, 530))  # of clocks that go wrong
LONG = (63, 64, 65, 70, 127, 128, 129, 210)  # weeks: beside and beyond the words of a mask
HUGE = 10**6


def teacher(name: str = "lan", **changes: object) -> Teacher:
    window = Window(weekday=0, start=420, end=690)
    plain = Teacher(name, "HN", ("primary",), 2, 4, 10, available=(window,))
    return replace(plain, **changes)


def request(name: str = "A/1", **changes: object) -> Request:
    last = MONDAY + timedelta(days=27)
    plain = Request(name, "YB1", name, "primary", 1, MONDAY, last, 1, (Slot(0, 450, 485),))
    return replace(plain, **changes)


def instance(**changes: object) -> Instance:
    """Four weeks, one school with one room, one teacher, one class on Mondays at 07:30."""
    plain = Instance(
        name="small",
        timezone="Asia/Ho_Chi_Minh",
        term=Term(MONDAY, MONDAY + timedelta(days=27)),
        gap_minutes=10,
        schools=(School("YB1", 1),),
        teachers=(teacher(),),
        requests=(request(),),
    )
    return replace(plain, **changes)


def lesson(week: int = 0, who: str = "lan", what: str = "A/1", **changes: object) -> PlannedLesson:
    plain = PlannedLesson(what, MONDAY + timedelta(days=7 * week), 450, 485, who)
    return replace(plain, **changes)


def current(week: int = 0, who: str = "lan", what: str = "A/1", **changes: object) -> CurrentLesson:
    plain = CurrentLesson(what, MONDAY + timedelta(days=7 * week), 450, 485, who)
    return replace(plain, **changes)


def solve(problem: Instance, **changes: object) -> Solution:
    """With no more than the first plan, no bound and no fixes, unless told otherwise."""
    plain = {
        "seconds": None,
        "iterations": 0,
        "monotonic": monotonic,
        "bound_beside": False,
        "fix_seconds": 0,
    }
    return search.solve(problem, **plain | changes)


class Chance:
    """Builds one instance by a seed; the same seed gives the same one."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.first = MONDAY + timedelta(days=self.rng.randrange(7))
        weeks = self.rng.choice(LONG) if self.one_in(7) else self.rng.randint(1, 7)
        sunday = self.first + timedelta(days=7 * weeks - 1 - self.first.weekday())
        self.last = sunday - timedelta(days=self.rng.randint(0, 6 if weeks > 1 else 0))
        if self.one_in(20):
            self.last = self.first
        self.bells = BELLS + ODD_BELLS if self.one_in(4) else BELLS

    def one_in(self, n: int) -> bool:
        return self.rng.randrange(n) == 0

    def some(self, most: int) -> range:
        return range(self.rng.randint(0, most))

    def many(self, most: int) -> range:
        """Mostly two or more, now and then none."""
        return range(0 if self.one_in(20) else self.rng.randint(2, most))

    def day(self) -> date:
        """Mostly a day of the term, now and then one outside it."""
        return self.first + timedelta(days=self.rng.randint(-5, (self.last - self.first).days + 5))

    def span(self) -> Span:
        day = self.day()
        return Span(day, day + timedelta(days=self.rng.choice((0, 0, 4, 9))))

    def spans(self) -> tuple[Span, ...]:
        return tuple(self.span() for _ in self.some(2)) if self.one_in(2) else ()

    def times(self) -> tuple[int, int]:
        start = self.rng.choice((420, 445, 480, 780))
        return start, start + self.rng.choice((45, 100, 240))

    def window(self) -> Window:
        days = sorted((self.day(), self.day()))
        return Window(
            self.rng.randrange(5),
            *self.rng.choice(((420, 690), (420, 690), (780, 1020), self.times())),
            first_day=days[0] if self.one_in(4) else None,
            last_day=days[1] if self.one_in(4) else None,
            if_needed=self.one_in(3),
        )

    def cap(self, *usual: int) -> int:
        """Now and then none at all, or one that nobody reaches."""
        return 0 if self.one_in(20) else HUGE if self.one_in(10) else self.rng.choice(usual)

    def teacher(self, n: int, schools: tuple[School, ...]) -> Teacher:
        names = [school.id for school in schools] + ["elsewhere"]
        return Teacher(
            id=f"t{n}",
            school="HN",
            levels=tuple(self.rng.sample(LEVELS, self.rng.choice((1, 1, 2)))),
            max_per_day=self.cap(1, 1, 2, 3),
            max_per_week=self.cap(1, 2, 2, 3, 4),
            max_total=self.cap(1, 2, 3, 4, 6, 10),
            available=tuple(self.window() for _ in self.many(6)),
            unavailable=self.spans(),
            busy=tuple(Appointment(self.day(), *self.times()) for _ in self.some(2)),
            preferred_schools=tuple(self.rng.sample(names, 1)) if self.one_in(3) else (),
        )

    def request(self, n: int, schools: tuple[School, ...]) -> Request:
        days = sorted((self.day(), self.day())) if self.one_in(4) else [self.first, self.last]
        slots = tuple(
            Slot(self.rng.randrange(5), *self.rng.choice(self.bells), rank=self.rng.randrange(3))
            for _ in self.many(6)
        )
        return Request(
            id=f"r{n}",
            school=self.rng.choice(schools).id,
            class_name=f"c{self.rng.randrange(3)}",
            level=self.rng.choice(LEVELS),
            lessons_per_week=9 if self.one_in(15) else self.rng.choice((1, 1, 2, 3)),
            first_day=days[0],
            last_day=days[1],
            priority=self.rng.choice((1, 1, 2, 3)),
            slots=slots,
        )

    def first_run(self) -> Instance:
        """An instance without lessons in force."""
        schools = tuple(
            School(f"s{n}", self.rng.choice((0, 50) if self.one_in(8) else (1, 1, 2)), self.spans())
            for n in range(self.rng.randint(1, 3))
        )
        days = range((self.last - self.first).days + 1)
        holidays = {self.first + timedelta(days=n) for n in days if self.one_in(30)}
        if self.one_in(40):
            holidays = {self.first + timedelta(days=n) for n in days}
        return Instance(
            name="by chance",
            timezone="Asia/Ho_Chi_Minh",
            term=Term(
                self.first, self.last, frozenset(holidays | {self.day() for _ in self.some(2)})
            ),
            gap_minutes=self.rng.choice((60, 5000))
            if self.one_in(10)
            else self.rng.choice((0, 5, 10)),
            schools=schools,
            teachers=tuple(self.teacher(n, schools) for n in self.many(8)),
            requests=tuple(self.request(n, schools) for n in self.many(8)),
        )

    def in_force(self, plain: Instance) -> tuple[CurrentLesson, ...]:
        """Lessons of a plan for the instance, some pinned, some moved or of someone who left."""
        found = []
        for x in solve(plain).plan.lessons:
            who = "gone" if self.one_in(12) else x.teacher
            start = x.start + 5 if self.one_in(12) and x.start + 5 < x.end else x.start
            pinned = who != "gone" and self.one_in(4)
            found.append(CurrentLesson(x.request, x.day, start, x.end, who, pinned))
            if self.one_in(15):  # a second lesson that day
                found.append(self.misplaced(plain, x.request, x.day))
        if self.one_in(4):
            found.append(CurrentLesson("no request", self.day(), 450, 485, "gone"))
        able = [t for t in plain.teachers if t.max_total]  # the referee divides by max_total
        for request in plain.requests if able else ():
            if self.one_in(6):
                found.append(self.misplaced(plain, request.id, self.day()))
            if self.one_in(8):
                who = self.rng.choice(able).id
                found.append(CurrentLesson(request.id, self.day(), 600, 630, who, pinned=True))
            if self.one_in(6) and request.slots:
                found.extend(self.outside(request, self.rng.choice(able)))
        return tuple({(x.request, x.day, x.start): x for x in found}.values())

    def misplaced(self, plain: Instance, request: str, day: date) -> CurrentLesson:
        """Of anybody, whenever a bell rings."""
        who = self.rng.choice([*(t.id for t in plain.teachers), "gone"])
        return CurrentLesson(request, day, *self.rng.choice(BELLS), who)

    def outside(self, request: Request, who: Teacher) -> list[CurrentLesson]:
        """Pinned lessons of a weekly slot in the weeks before or after the term."""
        slot = self.rng.choice(request.slots)
        begin, step = self.rng.choice(((self.first, -7), (self.last, 7)))
        begin += timedelta(days=(slot.weekday - begin.weekday()) % 7)
        weeks = range(1, 1 + min(who.max_total, 100 if self.one_in(2) else 3))
        days = [begin + timedelta(days=step * n) for n in weeks]
        return [
            CurrentLesson(request.id, day, slot.start, slot.end, who.id, pinned=True)
            for day in days
        ]

    def changed(self, plain: Instance) -> Instance:
        """What may happen to people and classes after a plan is in force."""
        teachers = tuple(
            replace(t, unavailable=(*t.unavailable, self.span())) if self.one_in(3) else t
            for t in plain.teachers
        )
        requests = tuple(
            replace(r, slots=r.slots[1:]) if self.one_in(4) else r for r in plain.requests
        )
        return replace(plain, teachers=teachers, requests=requests)


def by_chance(seed: int) -> Instance:
    """A small instance, half the time with lessons in force, pins and a freeze on any day."""
    chance = Chance(seed)
    plain = chance.first_run()
    if chance.one_in(2):
        return plain
    freeze = chance.day() if chance.one_in(2) else None
    current = chance.in_force(plain)
    if freeze:  # what is past names only people who are there
        current = tuple(x for x in current if x.day >= freeze or x.teacher != "gone")
        current = tuple(x for x in current if x.day >= freeze or x.request != "no request")
    problem = chance.changed(replace(plain, current=current, freeze_before=freeze))
    return problem if chance.one_in(10) else agreeing(problem)


def agreeing(problem: Instance) -> Instance:
    """Without lessons that must stay and break rules together."""
    while broken := verify(problem, Plan(tuple(replan.standing_lessons(problem)))).violations:
        worst = {(x.request, x.day, x.start) for x in broken[0].lessons[-1:]}
        kept = (x for x in problem.current if (x.request, x.day, x.start) not in worst)
        problem = replace(problem, current=tuple(kept))
    return problem


def long(weeks: int, **changes: object) -> Instance:
    """As `instance`, but for so many weeks; two teachers who can take them all."""
    last = MONDAY + timedelta(days=7 * weeks - 1)
    plain = instance(
        term=Term(MONDAY, last),
        teachers=(teacher(max_total=300), teacher("mai", max_total=400)),
        requests=(request(last_day=last),),
    )
    return replace(plain, **changes)


def prices(seed: int) -> Prices:
    """Mostly other than ours: some 0, some turned upside down."""
    rng = Random(seed)
    usual = {field.name: getattr(Prices(), field.name) for field in fields(Prices)}
    return Prices(**{name: p * rng.choice((0, 0.02, 0.3, 1, 1, 5)) for name, p in usual.items()})


def half_done(problem: Instance, seed: int, prices: Prices | None = None) -> Kernel:
    """A search that has a plan by chance, with every second weekly slot empty again."""
    rng, kernel = Random(seed), Kernel(candidates.table(problem), prices or Prices())
    order = list(range(kernel.table.requests))
    rng.shuffle(order)
    kernel.seed(seed)
    kernel.construct(order)
    kernel.search(50, 150, 3, annealing.SCARCE.ruined)
    kernel.load(some_of(kernel.read(best=False), rng))
    return kernel


def some_of(plan: Assignment, rng: Random) -> Assignment:
    """The plan without every second weekly slot, and without a few lessons of the others."""
    slot, who = plan.slot.copy(), plan.who.copy()
    for place in np.ndindex(slot.shape):
        if rng.random() < 0.5:
            slot[place], who[place] = NOBODY, NOBODY
        elif rng.random() < 0.3:
            who[place][rng.randrange(who.shape[2])] = NOBODY
    slot[(who == NOBODY).all(axis=2)] = NOBODY
    return Assignment(slot, who)


def solved_by_chance(seed: int, iterations: int = 0) -> tuple[Instance, Solution | None]:
    """An instance and its plan; None where the lessons that must stay contradict each other."""
    problem = by_chance(seed)
    try:
        return problem, solve(problem, iterations=iterations, seed=seed)
    except Invalid:
        return problem, None


def spoiled(problem: Instance, plan: Plan, seed: int) -> Plan:
    """The plan with a few lessons dropped, doubled, moved, or given to someone else."""
    rng, lessons = Random(seed), list(plan.lessons)
    teachers = [t.id for t in problem.teachers if t.max_total]
    for _ in range(rng.randrange(5)):
        if not lessons:
            break
        n = rng.randrange(len(lessons))
        x = lessons[n]
        moved = rng.choice((-7, -1, 0, 1, 7))
        changes = (
            replace(x, teacher=rng.choice([*teachers, "stranger"])),
            replace(x, request=rng.choice([*(r.id for r in problem.requests), "nothing"])),
            replace(x, day=x.day + timedelta(days=moved)),
            replace(x, start=x.start + rng.choice((-5, 5, 30)), end=x.end + 30),
        )
        lessons[n : n + rng.randrange(2)] = [rng.choice(changes)] * rng.choice((0, 1, 1, 2))
    rng.shuffle(lessons)
    return Plan(tuple(lessons))


def scattered(problem: Instance, seed: int) -> Plan:
    """Lessons set on slots of requests with no care at all."""
    rng, lessons = Random(seed), []
    teachers = [t.id for t in problem.teachers if t.max_total]
    if not teachers:
        return Plan()
    days = (problem.term.last_day - problem.term.first_day).days + 1
    for r in problem.requests:
        for slot in r.slots:
            for n in range(min(days, 60)):
                day = problem.term.first_day + timedelta(days=n)
                if day.weekday() == slot.weekday and rng.random() < 0.4:
                    who = rng.choice(teachers)
                    lessons.append(PlannedLesson(r.id, day, slot.start, slot.end, who))
    return Plan(tuple(lessons))


def thinned(problem: Instance, plan: Plan, share: float) -> Plan:
    """The plan without so much of what may be dropped; it stays valid."""
    stays = {(x.request, x.day, x.start) for x in problem.current if problem.is_fixed(x)}
    fixed = [x for x in plan.lessons if (x.request, x.day, x.start) in stays]
    others = [x for x in plan.lessons if (x.request, x.day, x.start) not in stays]
    return Plan((*fixed, *others[round(share * len(others)) :]))
