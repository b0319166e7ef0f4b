"""The engine alone, from an instance file to a plan file; no database."""

import multiprocessing
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial

from scheduler import clock
from scheduler.matching import plan, problem, reading, search
from scheduler.matching.plan import Solution
from scheduler.matching.problem import Instance


def solve_bytes(
    content: bytes,
    *,
    seconds: float | None,
    iterations: int | None,
    seed: int,
    workers: int = 1,
) -> dict[str, object]:
    """The plan file of an instance file; raises Invalid with the place of each fault.

    Several workers search side by side, each from a seed of its own, and the best plan is taken.
    """
    instance = problem.parse(reading.decode(content))
    solve = partial(_solve, instance, seconds, iterations)
    if workers == 1:
        return plan.dump(solve(seed))
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        return plan.dump(_best(pool, solve, range(seed, seed + workers)))


def _best(pool: Executor, solve: "partial[Solution]", seeds: range) -> Solution:
    """The cheapest plan, of equals the first seed's: the answer is the same each time."""
    return min(pool.map(solve, seeds), key=lambda found: (found.cost, found.seed))


def _solve(
    instance: Instance, seconds: float | None, iterations: int | None, seed: int
) -> Solution:
    return search.solve(
        instance, seconds=seconds, iterations=iterations, seed=seed, monotonic=clock.monotonic
    )
