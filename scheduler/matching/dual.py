"""The Lagrangian dual of the matching problem: its value and slope at given prices of the scarce.

All prices are one vector: per teacher of a lesson; per teacher and length of a run, beside that;
then those that are never negative: per school of a lesson not given, per row and week, per cell
and week.  See lagrange.c for why any of them prove a bound.
"""

from collections.abc import Iterator

import numpy as np

from scheduler.matching import relaxation as relaxations
from scheduler.matching.lagrange import Parts
from scheduler.matching.prices import Prices
from scheduler.matching.table import Reals, Table

SLICE = 2000  # requests of one call into C: between two the work can be stopped
ROUNDING = 1e-9  # of all that is added up
EXPECTED = 0.9  # of what a teacher may give, for the first prices
SIGNED = ("lesson", "run")
NOT_NEGATIVE = ("school", "row", "cell")


class Dual:
    """After a walk over `work(prices)`: `value` there, rounded down, and `slope(prices)`."""

    def __init__(self, table: Table, prices: Prices) -> None:
        self.prices = prices
        self.relaxation = relaxation = relaxations.relax(table, prices)
        self.parts = Parts(table, relaxation, prices)
        everyone = np.arange(table.requests, dtype=np.int32)
        self.slices = np.array_split(everyone, table.requests // SLICE + 1)
        self.lengths = np.arange(relaxation.longest + 1, dtype=np.float64)
        self.shapes: dict[str, tuple[int, ...]] = {
            "lesson": relaxation.left.shape,
            "run": (table.teachers, relaxation.longest + 1),
            "school": relaxation.short.shape,
            "row": relaxation.row_room.shape,
            "cell": relaxation.cell_room.shape,
        }
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes.values()]).tolist()
        self.spans = dict(zip(self.shapes, zip([0, *ends], ends, strict=False), strict=True))
        self.size = int(ends[-1])
        self.signed = self.spans[SIGNED[-1]][1]  # prices from here on are not negative
        self.asked = float(table.request_need.sum())
        self.value = -np.inf
        self.missing = np.zeros(len(relaxation.short))
        self.runs = np.zeros(self.shapes["run"], np.int32)

    def part(self, vector: Reals, name: str) -> Reals:
        """A view of one kind of prices."""
        return vector[slice(*self.spans[name])].reshape(self.shapes[name])

    def first(self) -> Reals:
        """Where to begin: every teacher nearly full, nothing else scarce, all lessons given."""
        relaxation, vector = self.relaxation, np.zeros(self.size)
        full = np.maximum(EXPECTED * relaxation.left, 1).astype(np.intp)
        some = np.minimum(full, relaxation.left)
        everyone = np.arange(len(some))
        self.part(vector, "lesson")[:] = 2 * relaxation.load[everyone, some] / full
        self.part(vector, "school")[:] = self.prices.unmet
        return vector

    def work(self, vector: Reals) -> Iterator[None]:
        """Work out the value, with a stop after each slice of it."""
        relaxation, parts = self.relaxation, self.parts
        lesson, run, school, row, cell = (self.part(vector, name) for name in self.shapes)
        run = np.ascontiguousarray(lesson[:, None] * self.lengths + run)
        reward = school[relaxation.request_school] * relaxation.priority
        asked = 0.0
        for which in self.slices:
            asked += parts.requests(which, reward, row, cell, run)
            yield
        given, self.runs = parts.teachers(run)
        terms = (
            asked,
            given,
            self._schools(school),
            float(school @ relaxation.short),
            -float((row * relaxation.row_room).sum()),
            -float((cell * relaxation.cell_room).sum()),
        )
        self.value = sum(terms) - ROUNDING * sum(map(abs, terms))

    def _schools(self, school: Reals) -> float:
        """The lessons each school would rather miss than pay for: near the parabola's lowest."""
        relaxation, wanted = self.relaxation, np.maximum(self.relaxation.wanted, 1)
        unmet = max(self.prices.unmet, 1e-9)
        guess = np.rint(np.clip((school / unmet - 1) * wanted / 2, 0, relaxation.short))
        near = np.clip(guess + np.array([[0.0], [-1.0], [1.0]]), 0, relaxation.short)
        before = relaxations.unmet(relaxation, self.prices, relaxation.short)
        costs = relaxations.unmet(relaxation, self.prices, near) - school * near - before
        best = costs.argmin(axis=0)
        everyone = np.arange(len(best))
        self.missing = near[best, everyone]
        return float(costs[best, everyone].sum())

    def slope(self, vector: Reals) -> Reals:
        """How the value would grow with each price; 0 where a price cannot fall any further."""
        relaxation, parts = self.relaxation, self.parts
        slope = np.zeros(self.size)
        self.part(slope, "lesson")[:] = self.runs @ self.lengths
        self.part(slope, "run")[:] = self.runs
        taught = np.bincount(
            relaxation.request_school,
            parts.taught * relaxation.priority,
            minlength=len(relaxation.short),
        )
        self.part(slope, "school")[:] = relaxation.short - taught - self.missing
        self.part(slope, "row")[:] = parts.row - relaxation.row_room
        self.part(slope, "cell")[:] = parts.cell - relaxation.cell_room
        bounded = slope[self.signed :]
        bounded[(vector[self.signed :] <= 0) & (bounded < 0)] = 0
        return slope
