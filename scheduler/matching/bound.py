"""A proved lower bound on the cost of any plan, the better the longer it is worked on.

The bound is the Lagrangian dual that lagrange.c explains.  It holds at any prices of what is
scarce; better prices are found by steps towards what is asked too much and away from what is
asked too little (Adam).  The average of the latest prices bounds far better than any of them,
and tells when the steps must become shorter.
"""

from collections.abc import Callable, Iterator

import numpy as np

from scheduler.matching.candidates import Reals, Table
from scheduler.matching.dual import Dual
from scheduler.matching.prices import Prices

WINDOW = 20  # steps between two looks at the average
AVERAGED = 0.05  # weight of the latest prices in the average
MOMENTUM, MEMORY, CALM = 0.95, 0.98, 0.1
FIRST_STEP = 1 / 25
ROUNDS, AGAIN, LONGER, END = 12, 0.5, 1.5, 0.01
SHORTER = 0.7  # the steps, when the average gains less than
LEAST_GAIN = 0.0005  # of the bound in a window
SCHOOL_STEP = 3.0  # there are few schools, and each has many lessons
MOST_NUMBERS = 10_000_000  # candidates times weeks: with more, the memory would not be modest


def always() -> bool:
    return True


class Bound:
    """A number that no valid plan's cost is below.

    `base` is what the plan of only the lessons that must stay costs, by the referee.  The same
    table and prices have the same value after the same number of evaluations.
    """

    def __init__(self, table: Table, prices: Prices, base: float) -> None:
        self.base = base
        self.value = 0.0  # no price is negative
        self.evaluations = 0
        self.highest = -np.inf
        self.best: Reals = np.zeros(0)
        self.target = np.inf
        self.too_large = len(table.candidate_teacher) * table.calendar.weeks > MOST_NUMBERS
        self.work = iter(()) if self.too_large else self._ascend(Dual(table, prices), prices)

    def aim(self, cost: float) -> None:
        """A plan of this cost is known, so that there is nothing to prove above it."""
        self.target = min(self.target, cost)

    def improve(self, evaluations: int | None = None, go_on: Callable[[], bool] = always) -> bool:
        """Work until so many evaluations more are done or `go_on`, which is asked often, says no.

        False when nothing more can be gained.  The next call takes up what this one left.
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

    def _ascend(self, dual: Dual, prices: Prices) -> Iterator[None]:
        """One item after each slice of the work.

        Each round starts from the best prices so far with shorter steps, and takes more of them
        before it shortens them again.
        """
        first = FIRST_STEP * max(prices.unmet, prices.load, prices.handover, 1e-3)
        begin, window = dual.first(), WINDOW
        for n in range(ROUNDS):
            steps, last = _Steps(dual, begin, first * AGAIN**n), -np.inf
            while steps.length > END * first:
                yield from self._look(dual, steps.prices)
                steps.go(dual.slope(steps.prices))
                if steps.count % window == 0:
                    yield from self._look(dual, steps.average)
                    if dual.value - last < LEAST_GAIN * abs(dual.value):
                        steps.length *= SHORTER
                    last = dual.value
            begin, window = self.best, int(window * LONGER)

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
        self.average = self.prices.copy()
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
