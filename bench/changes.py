"""What follows a published plan, measured: changes, substitutes, reasons and fixes.

The changes are the same for every plan: in the ninth week, from its Wednesday on.
`python -m bench.changes` prints those of the programme's own instance, in half a minute.
"""

import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from random import Random
from typing import TypeVar

import numpy as np

from bench.instances import PROGRAMME
from bench.rows import Row, alone, peer
from scheduler.matching import candidates, explain, problem, replan, search, verify
from scheduler.matching.plan import Plan, PlannedLesson, Unfilled
from scheduler.matching.problem import CurrentLesson, Instance, Span, Teacher
from scheduler.matching.replan import Budget, Desk

REPEATS = 7
ASKED = 1000  # lessons that a substitute is looked for
PINS = 20
BUDGET = Budget(lessons=5)
SMALL = Budget(lessons=6, teachers=4)
LEAVING = (5, 10)  # teachers at once, so many that lessons are left open
FIXING, MOST_FIXING = 2.0, 30.0  # seconds
Key = tuple[str, date, int]
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Answer:
    """The first answer to a change."""

    what: str
    milliseconds: float  # the median, with all preparation
    processor: float  # milliseconds of it that this process computed
    hit: int  # lessons whose teacher is away
    before: int  # lessons of the plan in force
    taught: int
    other_teacher: int
    other_time: int  # lessons in force that lose their time
    cost: float


@dataclass(frozen=True, slots=True)
class Kept:
    """What a search from the plan in force left as it was told to."""

    pins: int
    past: int
    all_stay: bool
    changes: int
    most_changes: int


@dataclass(frozen=True, slots=True)
class Substitutes:
    """Medians for one lesson."""

    kernel_microseconds: float
    desk_microseconds: float
    found: float


@dataclass(frozen=True, slots=True)
class Reasons:
    missing: int
    requests: int
    milliseconds: float
    fix_seconds: float | None  # None: nothing here tries fixes
    fixes: int
    gaps: int  # requests and weeks with lessons missing
    with_fix: int  # of them, those that got one in the end
    in_time: int  # and those that got one in FIXING seconds


@dataclass(frozen=True, slots=True)
class Absence:
    what: str
    teachers: frozenset[str]
    span: Span

    def hits(self, lesson: PlannedLesson) -> bool:
        return lesson.teacher in self.teachers and self.span.holds(lesson.day)


def answers(instance: Instance, plan: Plan) -> list[Answer]:
    frozen = replace(instance, freeze_before=_wednesday(instance))
    return [_answer(frozen, plan, absence) for absence in _absences(instance, plan)]


def _wednesday(instance: Instance) -> date:
    """Of the ninth week, or of the middle of a shorter term."""
    calendar = candidates.calendar(instance)
    return calendar.day(min(8, calendar.weeks // 2), 2)


def _absences(instance: Instance, plan: Plan) -> tuple[Absence, Absence]:
    """The three busiest teachers of the next week in it, and a busy one from now to the end."""
    now = _wednesday(instance)
    monday = now + timedelta(days=5)
    week, rest = Span(monday, monday + timedelta(days=6)), Span(now, instance.term.last_day)
    return (
        Absence("3 teachers away for a week", frozenset(_busiest(plan, week)[:3]), week),
        Absence("a teacher leaves in mid-term", frozenset(_busiest(plan, rest)[3:4]), rest),
    )


def _busiest(plan: Plan, span: Span) -> list[str]:
    lessons = Counter(x.teacher for x in plan.lessons if span.holds(x.day))
    return sorted(lessons, key=lambda name: (-lessons[name], name))


def _without(instance: Instance, absence: Absence) -> Instance:
    def away(teacher: Teacher) -> Teacher:
        if teacher.id not in absence.teachers:
            return teacher
        return replace(teacher, unavailable=(*teacher.unavailable, absence.span))

    return replace(instance, teachers=tuple(map(away, instance.teachers)))


def _answer(instance: Instance, plan: Plan, absence: Absence) -> Answer:
    changed = replan.with_plan(_without(instance, absence), plan)
    before = time.process_time()
    seconds, found = _timed(lambda: replan.resolve(changed, plan), REPEATS)
    computed = (time.process_time() - before) / REPEATS
    verdict = verify.verify(changed, found)
    _check(changed, found)
    now = _teachers(found)
    return Answer(
        what=absence.what,
        milliseconds=1000 * seconds,
        processor=1000 * computed,
        hit=sum(map(absence.hits, plan.lessons)),
        before=len(plan.lessons),
        taught=len(found.lessons),
        other_teacher=sum(now.get(_key(x), x.teacher) != x.teacher for x in plan.lessons),
        other_time=sum(_key(x) not in now for x in plan.lessons),
        cost=verdict.cost,
    )


@dataclass(frozen=True, slots=True)
class Spent:
    """A search after teachers left, with a budget of changes."""

    teachers: int  # who left
    hit: int  # their lessons
    budget: Budget
    missing: int
    changed: int  # lessons of others, of so many teachers
    changed_teachers: int
    cost: float


def budgets(instance: Instance, plan: Plan, leaving: int, seconds: float) -> list[Spent]:
    """No change of others, a small budget of changes, and as many as pay."""
    now = _wednesday(instance)
    rest = Span(now, instance.term.last_day)
    gone = Absence("", frozenset(_busiest(plan, rest)[:leaving]), rest)
    changed = _without(replace(instance, freeze_before=now), gone)
    in_force = replan.with_plan(changed, plan)
    movable = [x for x in plan.lessons if x.day >= now and not gone.hits(x)]
    return [
        _spent(in_force, movable, budget, leaving, sum(map(gone.hits, plan.lessons)), seconds)
        for budget in (Budget(lessons=0), SMALL, Budget())
    ]


def _spent(
    instance: Instance,
    movable: Sequence[PlannedLesson],
    budget: Budget,
    leaving: int,
    hit: int,
    seconds: float,
) -> Spent:
    found = search.solve(
        instance,
        seconds=seconds,
        iterations=None,
        monotonic=time.monotonic,
        budget=budget,
        bound_beside=False,
        fix_seconds=0,
    )
    there = set(found.plan.lessons)
    moved = [x for x in movable if x not in there]
    return Spent(
        teachers=leaving,
        hit=hit,
        budget=budget,
        missing=found.requested - found.taught,
        changed=len(moved),
        changed_teachers=len({x.teacher for x in moved}),
        cost=found.cost,
    )


def kept(instance: Instance, plan: Plan, seconds: float) -> Kept:
    """A search after a change, with pins, a freeze in mid-week and a budget of changes."""
    absence = _absences(instance, plan)[0]
    now = _wednesday(instance)
    movable = [x for x in plan.lessons if x.day >= now and not absence.hits(x)]
    pins = Random(1).sample(movable, min(PINS, len(movable)))
    pinned = tuple(CurrentLesson(x.request, x.day, x.start, x.end, x.teacher, True) for x in pins)
    changed = replace(_without(instance, absence), freeze_before=now, current=pinned)
    in_force = replan.with_plan(changed, plan)
    solution = search.solve(
        in_force,
        seconds=seconds,
        iterations=None,
        monotonic=time.monotonic,
        budget=BUDGET,
        bound_beside=False,
    )
    there = set(solution.plan.lessons)
    past = [x for x in plan.lessons if x.day < now]
    return Kept(
        pins=len(pins),
        past=len(past),
        all_stay=there.issuperset(pins) and there.issuperset(past),
        changes=sum(x not in there for x in movable),
        most_changes=BUDGET.lessons or 0,
    )


def substitutes(instance: Instance, plan: Plan) -> Substitutes:
    """For lessons by lot, asked one by one."""
    desk = Desk(replan.with_plan(instance, plan))
    lessons = Random(1).sample(plan.lessons, min(ASKED, len(plan.lessons)))
    asked = [_timed(partial(desk.substitutes, lesson)) for lesson in lessons]
    taught = np.argwhere(desk.plan.who >= 0).tolist()
    places = [
        (request * desk.table.places + place, week)
        for request, place, week in Random(1).sample(taught, len(lessons))
    ]
    inside = [_timed(partial(desk.kernel.substitutes, *place))[0] for place in places]
    through = [seconds for seconds, _ in asked]
    kernel, whole = (1e6 * statistics.median(spent) for spent in (inside, through))
    return Substitutes(kernel, whole, statistics.median(len(x) for _, x in asked))


def reasons(instance: Instance, plan: Plan) -> Reasons:
    """Why each missing lesson is missing, and what would cover it, tried by solving again."""
    seconds, gaps = _timed(lambda: explain.explain(instance, plan), REPEATS)
    fixing, fixed = _fixed(instance, plan, gaps, MOST_FIXING)
    _, in_time = _fixed(instance, plan, gaps, FIXING)
    return Reasons(
        missing=sum(gap.missing for gap in gaps),
        requests=len({gap.request for gap in gaps}),
        milliseconds=1000 * seconds,
        fix_seconds=fixing,
        fixes=sum(len(gap.fixes) for gap in fixed),
        gaps=len(gaps),
        with_fix=sum(bool(gap.fixes) for gap in fixed),
        in_time=sum(bool(gap.fixes) for gap in in_time),
    )


def _fixed(
    instance: Instance, plan: Plan, gaps: Sequence[Unfilled], most: float
) -> tuple[float | None, Sequence[Unfilled]]:
    """The seconds that all fixes take; None in a checkout whose engine tries none yet."""
    if find_spec("scheduler.matching.fixes") is None:
        return None, gaps
    fixes = import_module("scheduler.matching.fixes")
    return _timed(
        lambda: fixes.tried(
            instance, plan, gaps, replan.resolve, seconds=most, monotonic=time.monotonic
        )
    )


def _timed(ask: Callable[[], Found], repeats: int = 1) -> tuple[float, Found]:
    """The median of the seconds it takes, and the last answer."""
    spent = []
    for _ in range(repeats):
        began = time.perf_counter()
        found = ask()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent), found


def _check(instance: Instance, plan: Plan) -> None:
    if violations := verify.verify(instance, plan).violations:
        raise RuntimeError(f"a rule was broken: {violations[0]}")


def _key(lesson: PlannedLesson) -> Key:
    return lesson.request, lesson.day, lesson.start


def _teachers(plan: Plan) -> dict[Key, str]:
    return {_key(lesson): lesson.teacher for lesson in plan.lessons}


# -- as lines of the table


def change_row(name: str, answer: Answer, key: str = "") -> Row:
    return Row(
        f"{name}: {answer.what} ({answer.hit} lessons), first answer",
        f"{answer.milliseconds:.0f} ms; {answer.taught:,} of {answer.before:,} taught again, "
        f"{answer.other_teacher} by another teacher, {answer.other_time} lose their time",
        "≤ 150 ms",
        answer.milliseconds <= 150,
        peer("prototype", "not whole"),
        key,
    )


def _budget_row(spent: Spent) -> Row:
    lessons, teachers = (
        "any" if most is None else f"{most}"
        for most in (spent.budget.lessons, spent.budget.teachers)
    )
    return Row(
        f"{spent.teachers} teachers leave ({spent.hit} lessons), "
        f"budget {lessons} lessons of {teachers} teachers",
        f"{spent.missing} missing, {spent.changed} changed of {spent.changed_teachers}, "
        f"cost {spent.cost:,.0f}",
    )


def rows() -> Iterator[Row]:
    """The programme's own instance: a plan of five seconds, then what happens to it."""
    instance = problem.parse(json.loads(PROGRAMME.read_bytes()))
    plan = search.solve(
        instance, seconds=5, iterations=None, monotonic=time.monotonic, bound_beside=False
    )
    for key, answer in zip(("away", "leaves"), answers(instance, plan.plan), strict=True):
        yield change_row("the programme", answer, key)
    for leaving in LEAVING:
        for spent in budgets(instance, plan.plan, leaving, seconds=4):
            yield _budget_row(spent)


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows))
