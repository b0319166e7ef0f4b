"""Several searches side by side: the caller's own, and those of an executor's workers.

Small instances run one chain a worker, and late in the search the worst takes the plan of the best.
Large ones are cut each round into parts, by school; a teacher belongs to one part, which alone may
hire him, while the others may free him: so the parts of a round fit together again.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

import numpy as np

from scheduler.matching import annealing
from scheduler.matching.annealing import Schedule, Share
from scheduler.matching.kernel import Assignment, Kernel, Pool
from scheduler.matching.prices import Prices
from scheduler.matching.table import Table

PARTS_FROM = 500  # requests
ROUNDS = 40  # at most
CHAIN_ROUND, PART_ROUND = 0.5, 1.5  # seconds, at least
EXCHANGE_FROM = 0.7  # of the search
Monotonic = Callable[[], float]
GoOn = Callable[[int], bool]


class Work(NamedTuple):
    """What a worker has to know once: the table, the prices, and a name for both."""

    name: str
    table: Table
    prices: Prices


class Outcome(NamedTuple):
    """What came of a share: the best plan seen and the one at hand, each with its cost."""

    best: Assignment
    best_cost: float
    best_taught: int
    now: Assignment
    now_cost: float
    moves: int


_of_thread = threading.local()  # in a worker: the name and the kernel of the work it knows


def elsewhere(name: str, work: Work | None, share: Share, monotonic: Monotonic) -> Outcome | None:
    """A worker's side of a share; None when it does not know the work."""
    if getattr(_of_thread, "name", None) != name:
        if work is None:
            return None
        _of_thread.name, _of_thread.kernel = name, Kernel(work.table, work.prices)
    kernel: Kernel = _of_thread.kernel
    moves = annealing.run(kernel, share, monotonic, lambda _: True)
    return outcome(kernel, moves)


def outcome(kernel: Kernel, moves: int) -> Outcome:
    best, now = kernel.read(best=True), kernel.read(best=False)
    return Outcome(best, kernel.cost(), kernel.taught(), now, kernel.cost(best=False), moves)


@dataclass(frozen=True, slots=True)
class Rounds:
    """A search of so many seconds, or moves in all, cut into rounds for so many workers."""

    seconds: float | None
    moves: int | None
    schedule: Schedule
    seed: int
    workers: int
    least: float  # seconds of a round

    @property
    def count(self) -> int:
        if self.workers == 1:
            return 1
        return max(1, min(ROUNDS, int(self.seconds / self.least))) if self.seconds else ROUNDS // 2

    def shares(self, n: int, elapsed: float) -> list[Share]:
        """Of round n, for plans and pools yet to be told; `elapsed` seconds of the search."""
        begin, end = n / self.count, (n + 1) / self.count
        if self.seconds:
            begin = min(end, elapsed / self.seconds)
        return [
            Share(
                start=None,
                pool=None,
                schedule=self.schedule,
                begin=begin,
                end=end,
                seed=self.seed * 1_000_003 + n * self.workers + worker,
                moves=self._moves(n, worker),
                seconds=self.seconds and (end - begin) * self.seconds,
            )
            for worker in range(self.workers)
        ]

    def _moves(self, n: int, worker: int) -> int | None:
        if self.moves is None:
            return None
        mine = _part(self.moves, worker, self.workers)
        return _part(mine, n, self.count)


def _part(whole: int, n: int, parts: int) -> int:
    """The n-th of so many parts, as equal as whole numbers can be."""
    return whole * (n + 1) // parts - whole * n // parts


class Crew:
    """The caller's kernel and `others` workers of an executor, round by round."""

    def __init__(
        self,
        kernel: Kernel,
        work: Work,
        executor: Executor | None,
        others: int,
        monotonic: Monotonic,
    ) -> None:
        self.kernel = kernel
        self.work = work
        self.executor = executor
        self.workers = 1 + (others if executor else 0)
        self.monotonic = monotonic
        self.sent = False
        self.moves = 0
        self.best, self.best_cost, self.best_taught = kernel.read(), kernel.cost(), kernel.taught()

    def search(
        self, schedule: Schedule, seconds: float | None, moves: int | None, seed: int, go_on: GoOn
    ) -> None:
        """Search for so long; `go_on` hears the moves in all so far and says whether to."""
        in_parts = self.work.table.requests >= PARTS_FROM and self.workers > 1
        least = PART_ROUND if in_parts else CHAIN_ROUND
        rounds = Rounds(seconds, moves, schedule, seed, self.workers, least)
        began = self.monotonic()
        plans: list[Assignment | None] = [
            None,
            *[self.kernel.read(best=False)] * (self.workers - 1),
        ]
        pools: list[Pool | None] = [None] * self.workers
        for n in range(rounds.count):
            if in_parts:
                pools = [*self._parts(Random(seed * 1000 + n))]  # noqa: S311 (luck, not secrecy)
            shares = [
                share._replace(start=start, pool=pool)
                for share, start, pool in zip(
                    rounds.shares(n, self.monotonic() - began), plans, pools, strict=True
                )
            ]
            found, going = self._round(shares, go_on)
            if in_parts:
                last = n + 1 == rounds.count or not going
                plans = [self._merge(found, pools, last)] * self.workers
            else:
                plans = self._exchange(found, schedule.temperature(shares[0].end), shares[0].end)
            if not going:
                return

    def _round(self, shares: Sequence[Share], go_on: GoOn) -> tuple[list[Outcome], bool]:
        """All shares side by side, the first one here; whether the search may go on."""
        waiting = [self._submit(share) for share in shares[1:]]
        going = True

        def heard(moves: int) -> bool:
            nonlocal going
            going = going and go_on(self.moves + moves)
            return going

        found = [outcome(self.kernel, annealing.run(self.kernel, shares[0], self.monotonic, heard))]
        for future, share in zip(waiting, shares[1:], strict=True):
            found.append(self._collect(future, share))
        self.sent = True
        self.moves += sum(one.moves for one in found)
        return found, going

    def _submit(self, share: Share) -> "Future[Outcome | None]":
        if self.executor is None:
            raise RuntimeError("there are no other workers")
        work = None if self.sent else self.work
        return self.executor.submit(elsewhere, self.work.name, work, share, self.monotonic)

    def _collect(self, future: "Future[Outcome | None]", share: Share) -> Outcome:
        """The outcome of a share; a worker that does not know the work is told, and asked again."""
        found = future.result()
        while found is None:
            self.sent = False
            found = self._submit(share).result()
        return found

    def _exchange(
        self, found: list[Outcome], temperature: float, done: float
    ) -> list[Assignment | None]:
        """Where the chains go on from; late in the search the worst takes the plan of the best."""
        for one in found:
            self._keep(one.best, one.best_cost, one.best_taught)
        plans: list[Assignment | None] = [None, *(one.now for one in found[1:])]
        costs = [one.now_cost for one in found]
        first, last = costs.index(min(costs)), costs.index(max(costs))
        if done >= EXCHANGE_FROM and costs[last] - costs[first] > 2 * temperature:
            plans[last] = found[first].now
        return plans

    def _keep(self, plan: Assignment, cost: float, taught: int) -> None:
        if cost < self.best_cost - 1e-6:
            self.best, self.best_cost, self.best_taught = plan, cost, taught

    def _parts(self, rng: Random) -> list[Pool]:
        """Schools by lot; a teacher goes to the one part he teaches in, or else by lot."""
        table, plan = self.work.table, self.kernel.read(best=False)
        lot = np.array([rng.randrange(self.workers) for _ in table.school_rooms], dtype=np.int32)
        part = lot[table.request_school]
        owner = np.array([rng.randrange(self.workers) for _ in table.teacher_total], dtype=np.int32)
        teaches = np.zeros((self.workers, table.teachers), dtype=np.bool_)
        for n in range(self.workers):
            who = plan.who[part == n]
            teaches[n, who[who >= 0]] = True
        one = teaches.sum(axis=0) == 1
        owner[one] = teaches[:, one].argmax(axis=0)
        return [
            Pool(np.flatnonzero(part == n).astype(np.int32), (owner == n).astype(np.int8))
            for n in range(self.workers)
        ]

    def _merge(self, found: list[Outcome], pools: Sequence[Pool | None], last: bool) -> Assignment:
        """The parts as one plan: each one's requests as it left them, at the end its best."""
        plans = [one.best if last else one.now for one in found]
        merged = Assignment(plans[0].slot.copy(), plans[0].who.copy())
        for plan, pool in zip(plans, pools, strict=True):
            if pool is not None:
                merged.slot[pool.requests] = plan.slot[pool.requests]
                merged.who[pool.requests] = plan.who[pool.requests]
        self.kernel.load(merged)
        self._keep(merged, self.kernel.cost(), self.kernel.taught())
        return merged
