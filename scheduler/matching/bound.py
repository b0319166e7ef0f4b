"""A proved lower bound on the cost of any plan, the better the longer it is worked on.

The bound is the Lagrangian dual that lagrange.c explains.  It holds at any prices of what is
scarce; better prices are found by steps towards what is asked too much and away from what is
asked too little (Adam).  The average of the latest prices bounds far better than any of them,
and tells when the steps must become shorter.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from scheduler.matching.dual import Dual
from scheduler.matching.prices import Prices
from scheduler.matching.table import Reals, Table

# Where some teachers decide who is taught at all, their prices have far to go; elsewhere long
# steps only lose the way.  So short ones are tried first, and tell.
SHORT, LONG = 1 / 400, 1 / 25  # first steps of a round, as parts of the highest price
TRIAL = 300  # steps with short ones, before it is decided
SCARCE = 0.018  # of all lessons: so many more than teachers would give are still asked of them
AGAIN, LONGER = 0.5, 1.5  # first step and window of a round, by those of the round before
ROUNDS = 10
SHORTER = 0.7  # the steps, when the average gains less in a window than
LEAST_GAIN = 0.01  # of itself
SHORTEST = 0.01  # of the first step of a round: then it is over
WINDOW = 20  # steps of the first round between two looks at the average
AVERAGED = 0.05  # weight of the latest prices in the average
MOMENTUM, MEMORY, CALM = 0.95, 0.98, 0.1
SCHOOL_STEP = 3.0  # there are few schools, and each has many lessons
MOST_NUMBERS = 10_000_000  # candidates times weeks: with more, the memory would not be modest


def always() -> bool:
    return True


class Bound:
    """A number that no valid plan's cost is below.

    `base` is what the plan of only the lessons that must stay costs, by the referee.  With the
    same table and prices, the value is the same after the same number of `evaluations` of the
    dual.  An instance that is `too_large` keeps the first, simple bound.
    """

    def __init__(self, table: Table, prices: Prices, base: float) -> None:
        self.base = base
        self.value = simple(table, prices)
        self.evaluations = 0
        self.target = np.inf
        self.highest = -np.inf  # of the dual, and where it was
        self.best: Reals = np.zeros(0)
        self.too_large = len(table.candidate_teacher) * table.calendar.weeks > MOST_NUMBERS
        self.work: Iterator[None] = iter(())
        if not self.too_large:
            self.work = self._ascend(table, prices)

    def aim(self, cost: float) -> None:
        """A plan of this cost is known, so that there is nothing to prove above it."""
        self.target = min(self.target, cost)

    def improve(self, evaluations: int | None = None, go_on: Callable[[], bool] = always) -> bool:
        """Work until so many evaluations more are done or `go_on`, asked after each, says no.

        False when nothing more can be gained.  A large evaluation is done in slices, with
        `go_on` asked after each; the next call takes up what this one left.
        """
        until = None if evaluations is None else self.evaluations + evaluations
        while until is None or self.evaluations < until:
            if self.value >= self.target:
                return False
            if not go_on():
                return True
            if next(self.work, self.work) is self.work:  # it is exhausted
                return False
        return True

    def _ascend(self, table: Table, prices: Prices) -> Iterator[None]:
        """One item after each slice of the work.  Each round starts from the best prices so far.

        The dual is made with the first slice: no first plan waits for it.
        """
        dual = Dual(table, prices)
        unit = max(prices.unmet, prices.load, prices.handover, 1e-3)
        self.best = dual.first()
        trial, shortest = _Steps(dual, dual.first(), SHORT * unit), SHORTEST * SHORT * unit
        yield from self._walk(dual, trial, WINDOW, shortest, TRIAL)
        scarce = dual.part(trial.mean, "lesson").sum() > SCARCE * dual.asked
        if not scarce:
            yield from self._walk(dual, trial, WINDOW, shortest)
        for n in range(ROUNDS):
            length = unit * (LONG if scarce else SHORT * AGAIN) * AGAIN**n
            steps = _Steps(dual, self.best, length)
            yield from self._walk(dual, steps, round(WINDOW * LONGER**n), SHORTEST * length)

    def _walk(
        self, dual: Dual, steps: "_Steps", window: int, shortest: float, most: float = np.inf
    ) -> Iterator[None]:
        """At most so many steps, shorter whenever their average no longer gains much."""
        last = -np.inf
        while steps.length > shortest and steps.count < most:
            yield from self._look(dual, steps.prices)
            steps.go(dual.slope(steps.prices))
            if steps.count % window == 0:
                yield from self._look(dual, steps.average)
                found = self.base + dual.value
                if found - last < LEAST_GAIN * abs(found):
                    steps.length *= SHORTER
                last = found

    def _look(self, dual: Dual, prices: Reals) -> Iterator[None]:
        for _ in dual.work(prices):
            yield
        self.evaluations += 1
        if dual.value > self.highest:
            self.highest = dual.value
            self.best = prices.copy()
        self.value = max(self.value, self.base + dual.value)


class _Steps:
    """Adam: each price moves by its mean slope, measured by how much that slope varies."""

    def __init__(self, dual: Dual, prices: Reals, length: float) -> None:
        self.length = length
        self.signed = dual.signed
        self.count = 0
        self.prices = prices.copy()
        self.average = prices.copy()
        self.mean = np.zeros(dual.size)
        self.square = np.zeros(dual.size)
        self.scale = np.ones(dual.size)
        dual.part(self.scale, "school")[:] = SCHOOL_STEP

    def go(self, slope: Reals) -> None:
        self.count += 1
        self.mean += (1 - MOMENTUM) * (slope - self.mean)
        self.square += (1 - MEMORY) * (slope * slope - self.square)
        spread = np.sqrt(self.square / (1 - MEMORY**self.count)) + CALM
        length = self.length / (1 - MOMENTUM**self.count)
        self.prices += length * self.scale * self.mean / spread
        np.maximum(self.prices[self.signed :], 0, out=self.prices[self.signed :])
        self.average += max(AVERAGED, 1 / self.count) * (self.prices - self.average)


def simple(table: Table, prices: Prices) -> float:
    """A bound from what can be said at once: lessons that nobody could give, each other lesson
    missed for `unmet` or more, and the load of the rest spread as evenly as it can be."""
    most = most_lessons(table)
    short = np.zeros(len(table.school_wanted))
    missing = (table.request_need - most) * table.request_priority.astype(np.float64)
    np.add.at(short, table.request_school, missing)
    wanted = np.maximum(table.school_wanted, 1)
    unmet = float(prices.unmet * (short + short * short / wanted).sum())
    teachable = int(most.sum())
    load = np.concatenate([[0.0], np.cumsum(_least_steps(table, prices, teachable))])
    taught = np.arange(len(load))
    return float((unmet + prices.unmet * (teachable - taught) + load).min()) * (1 - 1e-9)


def most_lessons(table: Table) -> NDArray[np.int64]:
    """Per request, how many of the lessons it asks for someone could give, all others aside."""
    weeks = table.calendar.weeks
    some = np.zeros((len(table.kinds) + 1, table.words), np.uint64)
    kind = np.repeat(np.arange(len(table.kinds)), np.diff(table.kind_first))
    np.bitwise_or.at(some, kind, table.candidate_weeks)
    masks = some[table.slot_kind] & table.slot_eligible
    bits = np.unpackbits(masks.astype("<u8").view(np.uint8), axis=1, bitorder="little")
    days = np.zeros((table.requests, 7, weeks), np.bool_)
    where = (table.slot_request, table.slot_weekday)
    np.logical_or.at(days, where, bits[:, :weeks].astype(np.bool_))
    inside = (table.fixed_week >= 0) & (table.fixed_week < weeks)
    fixed = (table.fixed_request, table.fixed_weekday, table.fixed_week)
    days[tuple(values[inside] for values in fixed)] = True
    per_week = np.minimum(days.sum(axis=1), table.request_per_week[:, None]).sum(axis=1)
    outside = np.bincount(table.fixed_request[~inside], minlength=table.requests)
    return np.asarray(np.minimum(per_week + outside, table.request_need), dtype=np.int64)


def _least_steps(table: Table, prices: Prices, teachable: int) -> Reals:
    """What one lesson more adds to the load of some teacher: the least of all such steps."""
    per_week = np.minimum(table.teacher_per_week.astype(np.int64), table.teacher_per_day * 7.0)
    room = np.minimum(table.teacher_total, per_week * table.calendar.weeks)
    fixed = np.bincount(table.fixed_teacher, minlength=table.teachers)
    room = np.clip(room + fixed, 0, teachable).astype(np.int64)
    total = np.repeat(np.maximum(table.teacher_total, 1).astype(np.float64), room)
    nth = np.arange(len(total)) - np.repeat(np.cumsum(room) - room, room)
    return np.sort(prices.load * (2 * nth + 1) / (total * total))[:teachable]
