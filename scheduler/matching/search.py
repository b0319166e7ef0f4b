"""The first engine: construct by block insertion, then ruin and recreate.

`insertion` prices one weekly slot at a time and is the part a compiled kernel replaces.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import floor
from random import Random

from scheduler.errors import Invalid, Problem, text
from scheduler.matching import bound, explain, insertion, verify
from scheduler.matching.candidates import Table, table, weeks_of
from scheduler.matching.insertion import QUICK, THOROUGH
from scheduler.matching.plan import Plan, PlannedLesson, Solution
from scheduler.matching.prices import Prices
from scheduler.matching.problem import Instance
from scheduler.matching.state import Placement, State
from scheduler.matching.verify import Verdict

REPORT_EVERY = 0.2  # seconds between two reports of progress
HARDEST_FIRST_BELOW = 2000  # requests; above, random order is better
RUINED = 5  # requests of one move, at most


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the search is: the best cost so far, its lessons, moves tried, seconds spent.

    `bound` is what no plan can cost less than, 0 while nothing is proved.
    """

    cost: float
    taught: int
    requested: int
    moves: int
    elapsed: float
    bound: float = 0.0

    @property
    def gap(self) -> float:
        return (self.cost - self.bound) / self.cost if self.cost > 0 else 0.0

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
) -> Solution:
    """The best plan found within `seconds` of search or `iterations` moves, verified.

    Construction always runs to its end and counts into the seconds; 0 iterations stop there.
    The same seed and iterations, without seconds, give the same plan.  `progress` hears of the
    search a few times a second; when it returns False the best plan so far is returned.
    Raises Invalid when the lessons that must stay break hard rules by themselves, ValueError
    when nothing would ever end the search.
    """
    if seconds is None and iterations is None and progress is None:
        raise ValueError("a search needs a limit: seconds, iterations or progress")
    prices = prices or Prices()
    watch = _Watch(monotonic, seconds, progress)
    standing = _verify_standing(instance, prices)
    rows = table(instance)
    rng = Random(seed)  # noqa: S311 (luck, not secrecy)
    run = _Run(State(rows, prices), standing, rng, watch)
    if run.construct():
        run.improve(iterations)
    plan = plan_of(run.state)
    verdict = verify.verify(instance, plan, prices)
    if verdict.violations:
        raise RuntimeError(f"the search broke a rule: {verdict.violations[0]}")
    lowest = bound.lower_bound(rows, prices)
    return Solution(
        plan=plan,
        cost=round(verdict.cost, 3),
        lower_bound=floor(lowest * 1000 + 1e-6) / 1000,  # never rounded up
        gap=round((verdict.cost - lowest) / verdict.cost, 6) if verdict.cost > 0 else 0.0,
        seconds=round(watch.elapsed(), 3),
        taught=verdict.taught,
        requested=verdict.requested,
        terms={name: round(term, 3) for name, term in verdict.terms.items()},
        unfilled=explain.explain(instance, plan),
        iterations=run.moves,
        seed=seed,
    )


def plan_of(state: State) -> Plan:
    """The dated lessons of a state, in the order of requests and days."""
    return Plan(tuple(sorted((*_standing_lessons(state.table.instance), *_placed(state)))))


def _placed(state: State) -> Iterable[PlannedLesson]:
    instance, calendar = state.table.instance, state.table.calendar
    for placements in state.placed:
        for placement in placements:
            slot = placement.slot
            request = instance.requests[slot.request].id
            for teacher, weeks in placement.staffing:
                for week in weeks_of(weeks):
                    day = calendar.day(week, slot.weekday)
                    name = instance.teachers[teacher].id
                    yield PlannedLesson(request, day, slot.start, slot.end, name)


def _standing_lessons(instance: Instance) -> Iterable[PlannedLesson]:
    for was in instance.current:
        if instance.is_fixed(was):
            yield PlannedLesson(was.request, was.day, was.start, was.end, was.teacher)


def _verify_standing(instance: Instance, prices: Prices) -> Verdict:
    """The verdict on the plan of nothing but what must stay: no plan can be valid if it is not."""
    plan = Plan(tuple(_standing_lessons(instance)))
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

    def over(self) -> bool:
        return self.seconds is not None and self.elapsed() >= self.seconds

    def due(self) -> bool:
        return self.report is not None and self.monotonic() - self.reported >= REPORT_EVERY

    def tell(self, progress: Progress) -> bool:
        """Report; False when the search is to stop."""
        self.reported = self.monotonic()
        return self.report is None or self.report(progress)


class _Run:
    """One search: a state, its luck, and the slots each request had last."""

    def __init__(self, state: State, standing: Verdict, rng: Random, watch: _Watch) -> None:
        self.state = state
        self.rng = rng
        self.watch = watch
        self.moves = 0
        self.base = standing.cost - state.cost
        self.requested = standing.requested
        self.table: Table = state.table

    def go_on(self) -> bool:
        """Report when it is time to; False when someone wants the search to end."""
        return not self.watch.due() or self.watch.tell(self._progress())

    def construct(self) -> bool:
        """Insert every request once; False when it was cancelled."""
        for request in self._order():
            if not self.go_on():
                return False
            insertion.insert(self.state, request, self.rng, THOROUGH, ())
        return self.watch.tell(self._progress())

    def improve(self, iterations: int | None) -> None:
        """Ruin and recreate until a limit; a worse plan is undone."""
        if not self.table.requests:
            return
        while iterations is None or self.moves < iterations:
            if self.watch.over() or not self.go_on():
                return
            self._move()
            self.moves += 1

    def _progress(self) -> Progress:
        return Progress(
            cost=self.base + self.state.cost,
            taught=sum(self.state.given),
            requested=self.requested,
            moves=self.moves,
            elapsed=self.watch.elapsed(),
        )

    def _order(self) -> list[int]:
        """Urgent requests first, of those the ones with the fewest candidates."""
        rows = self.table.requests
        order = list(range(len(rows)))
        if len(rows) >= HARDEST_FIRST_BELOW:
            self.rng.shuffle(order)
            return order
        choice = [sum(len(slot.candidates) for slot in row.slots) for row in rows]
        return sorted(order, key=lambda n: (-rows[n].priority, choice[n]))

    def _move(self) -> None:
        before = self.state.cost
        ruined = self._ruined()
        gone = {request: self.state.remove(request) for request in ruined}
        for request in ruined:
            hints = (placement.slot.number for placement in gone[request])
            insertion.insert(self.state, request, self.rng, QUICK, hints)
        if self.state.cost > before + 1e-9:
            self._undo(gone)
            self.state.cost = before  # undoing adds nothing but rounding

    def _undo(self, gone: dict[int, list[Placement]]) -> None:
        for request in gone:
            self.state.remove(request)
        for placements in gone.values():
            for placement in placements:
                self.state.place(placement)

    def _ruined(self) -> list[int]:
        """A request, half the time one with unmet lessons, and some related ones."""
        rng, count = self.rng, len(self.table.requests)
        seed = rng.randrange(count)
        if rng.random() < 0.5:
            for _ in range(6):
                if self.state.missing(seed) > 0:
                    break
                seed = rng.randrange(count)
        ruined, size = [seed], 1 + rng.randrange(RUINED)
        for _ in range(3 * size):
            other = self._related(rng.choice(ruined))
            if other is not None and other not in ruined and len(ruined) < size:
                ruined.append(other)
        rng.shuffle(ruined)
        return ruined

    def _related(self, request: int) -> int | None:
        """Served by one who could serve it, or sharing a teacher, or of the same school."""
        kind, row = self.rng.random(), self.table.requests[request]
        if kind < 0.6:
            return self._served_by(self._could_serve(request))
        if kind < 0.8:
            return self._served_by(self._serves(request))
        return self.rng.choice(self.table.of_school[row.school])

    def _could_serve(self, request: int) -> int | None:
        slots = self.table.requests[request].slots
        pool = self.rng.choice(slots).candidates if slots else ()
        return self.rng.choice(pool).teacher if pool else None

    def _serves(self, request: int) -> int | None:
        blocks = [block for placement in self.state.placed[request] for block in placement.staffing]
        return self.rng.choice(blocks)[0] if blocks else None

    def _served_by(self, teacher: int | None) -> int | None:
        serves = list(self.state.serves[teacher]) if teacher is not None else []
        return self.rng.choice(serves) if serves else None
