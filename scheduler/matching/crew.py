"""Several searches side by side: the caller's own, and those of an executor's workers.

Each worker runs a chain of its own, and late in the search the worst takes the plan of the best.
Parts of one plan, each with its schools, were tried for large instances in two ways: a teacher
belongs to one part, or may be hired anew wherever he was freed and only what he has to spare
belongs to one.  Both found worse plans than one search alone (the second 13 to 18 % dearer in as
many moves, at three times the programme's size): what could change hands between two parts never
meets.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from typing import NamedTuple

from scheduler.matching import annealing
from scheduler.matching.annealing import Schedule, Share
from scheduler.matching.kernel import Assignment, Kernel, Limits
from scheduler.matching.prices import Prices
from scheduler.matching.table import Table

ROUNDS, MOST_ROUNDS = 20, 200  # of a search by moves; of any, at most
ROUND, ROUND_MORE = 0.5, 0.5  # seconds of one, at least, and for each thousand requests beside
EXCHANGE_FROM = 0.7  # of the search
# How late the share of another machine may be, in seconds and as a part of its own time, and how
# many in a row may not come at all before the search goes on alone.
LATE, LATE_PART, MOST_MISSED = 0.5, 0.2, 3
log = logging.getLogger(__name__)
Monotonic = Callable[[], float]
GoOn = Callable[[int], bool]


class Work(NamedTuple):
    """What a worker has to know once, and a name for all of it."""

    name: str
    table: Table
    prices: Prices
    limits: Limits | None


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
        known = Kernel(work.table, work.prices)
        if work.limits is not None:
            known.limit(work.limits)
        _of_thread.name, _of_thread.kernel = name, known
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
        return max(1, min(MOST_ROUNDS, int(self.seconds / self.least))) if self.seconds else ROUNDS

    def shares(self, n: int, elapsed: float) -> list[Share]:
        """Of round n, for plans and pools yet to be told; `elapsed` seconds of the search."""
        begin, end = n / self.count, (n + 1) / self.count
        if self.seconds:
            begin = min(end, elapsed / self.seconds)
        return [
            Share(
                start=None,
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


def _alone(shares: Sequence[Share]) -> Share:
    """The first share, with the moves of all."""
    moves = [share.moves for share in shares if share.moves is not None]
    return shares[0]._replace(moves=sum(moves)) if moves else shares[0]


def _part(whole: int, n: int, parts: int) -> int:
    """The n-th of so many parts, as equal as whole numbers can be."""
    return whole * (n + 1) // parts - whole * n // parts


class Crew:
    """The caller's kernel and `others` workers of an executor, round by round.

    A worker that fails ends the help of all: the caller's kernel goes on alone.
    """

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
        self.missed = 0  # shares in a row of which nothing came
        self.moves = 0
        self.best, self.best_cost, self.best_taught = kernel.read(), kernel.cost(), kernel.taught()

    def search(
        self, schedule: Schedule, seconds: float | None, moves: int | None, seed: int, go_on: GoOn
    ) -> None:
        """Search for so long; `go_on` hears the moves in all so far and says whether to."""
        least = ROUND + ROUND_MORE * self.work.table.requests / 1000
        rounds = Rounds(seconds, moves, schedule, seed, self.workers, least)
        began = self.monotonic()
        plans: list[Assignment | None] = [
            None,
            *[self.kernel.read(best=False)] * (self.workers - 1),
        ]
        for n in range(rounds.count):
            shares = rounds.shares(n, self.monotonic() - began)
            if self.workers == 1:
                shares = [_alone(shares)]
            shares = [
                share._replace(start=start) for share, start in zip(shares, plans, strict=True)
            ]
            found, going = self._round(shares, go_on)
            plans = self._exchange(found, shares, schedule.temperature(shares[0].end))
            plans = plans[: self.workers]
            if not going:
                return

    def _round(self, shares: Sequence[Share], go_on: GoOn) -> tuple[list[Outcome | None], bool]:
        """All shares side by side, the first one here; whether the search may go on.

        None stands for a share of which nothing came.
        """
        waiting = [self._submit(share) for share in shares[1:]]
        going = True

        def heard(moves: int) -> bool:
            nonlocal going
            going = going and go_on(self.moves + moves)
            return going

        mine = outcome(self.kernel, annealing.run(self.kernel, shares[0], self.monotonic, heard))
        found: list[Outcome | None] = [mine]
        for future, share in zip(waiting, shares[1:], strict=True):
            found.append(self._collect(future, share, going))
        self.sent = True
        self.moves += sum(one.moves for one in found if one)
        return found, going

    def _submit(self, share: Share) -> "Future[Outcome | None] | None":
        """The share in a worker's hands; None when there are no workers any more."""
        if self.executor is None:
            return None
        work = None if self.sent else self.work
        try:
            return self.executor.submit(elsewhere, self.work.name, work, share, self.monotonic)
        except Exception as error:  # noqa: BLE001 (whatever it is, the search can do without)
            self._give_up(error)
            return None

    def _collect(
        self, future: "Future[Outcome | None] | None", share: Share, going: bool
    ) -> Outcome | None:
        """The outcome of a share; a worker that does not know the work is told, and asked again."""
        try:
            while future is not None:
                if not self._is_worth_waiting(future, share, going):
                    return None
                if (found := future.result()) is not None:
                    self.missed = 0
                    return found
                self.sent = False
                future = self._submit(share)
        except Exception as error:  # noqa: BLE001 (whatever it is, the search can do without)
            self._give_up(error)
        return None

    def _is_worth_waiting(
        self, future: "Future[Outcome | None]", share: Share, going: bool
    ) -> bool:
        """Whether the outcome of a share is there or soon will be; else it is taken back.

        Nobody waits for long for a share whose time is over unless it is known to be at work, nor
        for any when the search is to stop.  The futures of a cluster never say that they have
        begun, and a machine that is cut off says nothing at all.
        """
        if not going:
            return not future.cancel() and future.done()
        if share.moves is not None or future.running():
            return True
        wait([future], LATE + LATE_PART * (share.seconds or 0.0))
        if not future.cancel():
            return True
        self.missed += 1
        if self.missed == MOST_MISSED:
            raise TimeoutError(f"nothing came of {MOST_MISSED} shares")
        return False

    def _give_up(self, error: Exception) -> None:
        """Go on alone: a slower search is better than none."""
        if self.executor is not None:
            log.warning("a search worker failed, going on without: %r", error)
        self.executor, self.workers = None, 1

    def _exchange(
        self, found: Sequence[Outcome | None], shares: Sequence[Share], temperature: float
    ) -> list[Assignment | None]:
        """Where the chains go on from; late in the search the worst takes the plan of the best."""
        plans = [one.now if one else share.start for one, share in zip(found, shares, strict=True)]
        there = [(one.now_cost, n) for n, one in enumerate(found) if one]
        for one in found:
            if one:
                self._keep(one.best, one.best_cost, one.best_taught)
        (least, first), (most, last) = min(there), max(there)
        late = shares[0].end >= EXCHANGE_FROM and most - least > 2 * temperature
        if late:
            plans[last] = plans[first]
        return [plans[0] if late and last == 0 else None, *plans[1:]]

    def _keep(self, plan: Assignment, cost: float, taught: int) -> None:
        if cost < self.best_cost - 1e-6:
            self.best, self.best_cost, self.best_taught = plan, cost, taught
