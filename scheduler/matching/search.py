"""From an instance to a verified plan: construct, then ruin and recreate for as long as allowed.

The kernel does the work; the bound rises in a thread beside it, and reports tell of both.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from math import floor
from random import Random

import numpy as np

from scheduler.errors import Invalid, Problem, text
from scheduler.matching import annealing, candidates, explain, fixes, replan, verify
from scheduler.matching.annealing import Schedule
from scheduler.matching.bound import Bound
from scheduler.matching.crew import Crew, Work
from scheduler.matching.kernel import ARRAYS, Assignment, Kernel, Limits
from scheduler.matching.plan import Plan, Solution
from scheduler.matching.prices import Prices
from scheduler.matching.problem import Instance
from scheduler.matching.replan import Budget
from scheduler.matching.table import Ints, Table
from scheduler.matching.verify import Verdict

REPORT_EVERY = 0.2  # seconds between two reports of progress
CONSTRUCTED = 256  # requests between two looks whether to go on
HARDEST_FIRST_BELOW = 2000  # requests; above, random order is better
FIRST_STRETCH = 10.0  # seconds of a search without end; each further stretch is twice as long
BOUND_EVALUATIONS = 200  # of the bound's prices, in a search by moves


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the search is: the best cost so far, its lessons, the proved bound on any cost."""

    cost: float
    taught: int
    requested: int
    moves: int
    elapsed: float
    bound: float = 0.0

    @property
    def gap(self) -> float:
        """How much of the cost might still be saved, at most: from 0 to 1."""
        return max(0.0, (self.cost - self.bound) / self.cost) if self.cost > 0 else 0.0

    @property
    def moves_per_second(self) -> float:
        return self.moves / self.elapsed if self.elapsed > 0 else 0.0


Report = Callable[[Progress], bool]


def solve(
    instance: Instance,
    *,
    prices: Prices | None = None,
    seconds: float | None,
    iterations: int | None,
    seed: int = 1,
    monotonic: Callable[[], float],
    progress: Report | None = None,
    budget: Budget | None = None,
    others: int = 0,
    executor: Executor | None = None,
    bound_beside: bool = True,
    fix_seconds: float = 2.0,
) -> Solution:
    """The best plan found within `seconds` of search and `iterations` moves, verified.

    Construction always runs to its end and counts into the seconds; 0 iterations stop there.
    The same seed, iterations and number of workers, without seconds, give the same plan.
    `progress` hears of the search a few times a second; when it returns False the best plan so far
    is returned.  A plan in force is where the search starts from; `budget` limits what it may
    change of it.  `others` workers of the `executor` search as well.  The proved bound rises in a
    thread beside the search, or does with a quick one.  After the search `fix_seconds` are spent on
    trying what would cover the missing lessons.
    Raises Invalid when the lessons that must stay break hard rules by themselves, ValueError
    when nothing would ever end the search.
    """
    if seconds is None and iterations is None and progress is None:
        raise ValueError("a search needs a limit: seconds, iterations or progress")
    prices = prices or Prices()
    table = candidates.table(instance)
    standing = _verify_standing(instance, prices)
    kernel = Kernel(table, prices)
    base = standing.cost - kernel.cost()
    hunt = _Hunt(kernel, base, standing.requested, _Watch(monotonic, seconds, progress))
    bound = Bound(table, prices, standing.cost)
    hunt.bound = bound
    with rising(bound) if bound_beside and iterations is None else nullcontext():
        if hunt.first_plan(budget):
            work = Work(_name(table, prices, kernel.limits), table, prices, kernel.limits)
            crew = Crew(kernel, work, executor, others, monotonic)
            hunt.improve(crew, iterations, seed)
    if iterations is not None and bound_beside:
        bound.improve(evaluations=BOUND_EVALUATIONS)
    plan = replan.plan_of(instance, table, hunt.best())
    verdict = verify.verify(instance, plan, prices)
    if verdict.violations:
        raise RuntimeError(f"the search broke a rule: {verdict.violations[0]}")
    lowest = min(bound.value, verdict.cost)  # a difference in the last digit is rounding
    return Solution(
        plan=plan,
        cost=round(verdict.cost, 3),
        lower_bound=floor(lowest * 1000 + 1e-6) / 1000,  # never rounded up
        gap=round((verdict.cost - lowest) / verdict.cost, 6) if verdict.cost > 0 else 0.0,
        seconds=round(hunt.watch.elapsed(), 3),
        taught=verdict.taught,
        requested=verdict.requested,
        terms={name: round(term, 3) for name, term in verdict.terms.items()},
        unfilled=fixes.tried(
            instance,
            plan,
            explain.explain(instance, plan),
            partial(replan.resolve, prices=prices),
            seconds=fix_seconds,
            monotonic=monotonic,
        ),
        iterations=hunt.moves,
        seed=seed,
    )


def _verify_standing(instance: Instance, prices: Prices) -> Verdict:
    """The verdict on the plan of nothing but what must stay: no plan can be valid if it is not."""
    plan = Plan(tuple(replan.standing_lessons(instance)))
    verdict = verify.verify(instance, plan, prices)
    if not verdict.violations:
        return verdict
    places = {(was.request, was.day, was.start): n for n, was in enumerate(instance.current)}
    problems = tuple(
        Problem(
            text("current[{n}]", n=places[lesson.request, lesson.day, lesson.start]),
            text(violation.rule),
        )
        for violation in verdict.violations
        for lesson in violation.lessons
    )
    raise Invalid(text("Lessons that are pinned or past break rules together."), problems)


def _name(table: Table, prices: Prices, limits: Limits | None) -> str:
    """Tells one piece of work from any other."""
    plain = prices, table.calendar, table.gap_minutes, limits and limits[:2]
    digest = hashlib.sha256(repr(plain).encode())
    arrays = {name: getattr(table, name) for name in ARRAYS}
    for name, array in {**arrays, "keepable": limits and limits.keepable}.items():
        if array is not None:
            digest.update(f"{name} {array.shape}".encode())
            digest.update(array.tobytes())
    return digest.hexdigest()


@contextmanager
def rising(bound: Bound) -> Iterator[None]:
    """Let the bound rise in a thread beside; a fault in it is raised at the end."""
    stop, faults = threading.Event(), list[Exception]()

    def rise() -> None:
        try:
            bound.improve(go_on=lambda: not stop.is_set())
        except Exception as error:  # noqa: BLE001 (raised by the thread that waits)
            faults.append(error)

    thread = threading.Thread(target=rise, name="bound", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if faults:
        raise faults[0]


class _Watch:
    """Seconds, reports and the wish to stop."""

    def __init__(
        self, monotonic: Callable[[], float], seconds: float | None, report: Report | None
    ) -> None:
        self.monotonic = monotonic
        self.started = self.reported = monotonic()
        self.seconds = seconds
        self.report = report

    def elapsed(self) -> float:
        return self.monotonic() - self.started

    def left(self) -> float | None:
        return None if self.seconds is None else self.seconds - self.elapsed()

    def due(self) -> bool:
        return self.report is not None and self.monotonic() - self.reported >= REPORT_EVERY

    def tell(self, progress: Progress) -> bool:
        """Report; False when the search is to stop."""
        self.reported = self.monotonic()
        return self.report is None or self.report(progress)


class _Hunt:
    """One search from the first plan to the last, as its reports tell of it."""

    def __init__(self, kernel: Kernel, base: float, requested: int, watch: _Watch) -> None:
        self.kernel = kernel
        self.base = base
        self.requested = requested
        self.watch = watch
        self.bound: Bound | None = None
        self.crew: Crew | None = None
        self.moves = 0
        self.counted = False  # the search ends by moves, or by seconds if those come first
        self.going = True

    def first_plan(self, budget: Budget | None) -> bool:
        """The plan in force made right, or one from nothing; False when it was cancelled."""
        if self.kernel.table.slot_current is not None:
            replan.take_up(self.kernel, budget)
        else:
            order = construction_order(self.kernel.table, Random(1))  # noqa: S311 (luck)  # nosec B311
            for first in range(0, len(order), CONSTRUCTED):
                if not self.go_on(0):
                    return False
                self.kernel.construct(order[first : first + CONSTRUCTED])
        return self.watch.tell(self._progress())

    def improve(self, crew: Crew, iterations: int | None, seed: int) -> None:
        """Search until a limit; without any, in ever longer stretches until somebody stops it."""
        self.crew, self.counted = crew, iterations is not None
        stretch = FIRST_STRETCH
        while crew.work.table.requests:
            seconds = self.watch.left() if iterations is None else None
            if seconds is None and iterations is None:
                seconds = stretch
            if seconds is None or seconds > 0:
                schedule = self._schedule(crew, seconds, iterations, seed)
                if iterations is not None:
                    iterations -= crew.moves
                elif self.watch.seconds is not None:
                    seconds = self.watch.left()
                crew.search(schedule, seconds, iterations, seed, self.go_on)
            self.moves = crew.moves
            if self.watch.seconds is not None or iterations is not None or not self.going:
                return
            stretch, seed = 2 * stretch, seed + 1

    def _schedule(
        self, crew: Crew, seconds: float | None, moves: int | None, seed: int
    ) -> Schedule:
        """How to cool down; for a small instance a short search tells whether teachers suffice."""
        in_force = self.kernel.table.slot_current is not None
        if not in_force and self.kernel.table.requests < annealing.LARGE_FROM:
            share = annealing.probe(seconds, moves, seed)
            crew.moves += annealing.run(self.kernel, share, self.watch.monotonic, self.go_on)
        missing = self.requested - self.kernel.taught()
        return annealing.schedule(self.kernel.table.requests, in_force, missing)

    def go_on(self, moves: int) -> bool:
        """Report when it is time to; False when someone wants the search to end."""
        self.moves = moves
        if self.counted and (left := self.watch.left()) is not None and left <= 0:
            self.going = False
        if self.watch.due():
            self.going = self.watch.tell(self._progress())
        return self.going

    def best(self) -> Assignment:
        if self.crew is not None and self.crew.best_cost <= self.kernel.cost():
            return self.crew.best
        return self.kernel.read()

    def _progress(self) -> Progress:
        cost, taught = self.kernel.cost(), self.kernel.taught()
        if self.crew is not None and self.crew.best_cost < cost:
            cost, taught = self.crew.best_cost, self.crew.best_taught
        cost += self.base
        if self.bound is not None:
            self.bound.aim(cost)
        return Progress(
            cost=cost,
            taught=taught,
            requested=self.requested,
            moves=self.moves,
            elapsed=self.watch.elapsed(),
            bound=min(cost, self.bound.value) if self.bound is not None else 0.0,
        )


def construction_order(table: Table, rng: Random) -> Ints:
    """Urgent requests first, of those the ones with the fewest candidates; in a crowd by lot."""
    if table.requests >= HARDEST_FIRST_BELOW:
        order = list(range(table.requests))
        rng.shuffle(order)
        return np.array(order, dtype=np.int32)
    listed = np.diff(table.kind_first)[table.slot_kind]
    choice = np.bincount(table.slot_request, weights=listed, minlength=table.requests)
    return np.lexsort((choice, -table.request_priority)).astype(np.int32)
