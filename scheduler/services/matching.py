"""The engine alone, from an instance file to a plan file; no database."""

import json
import multiprocessing
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import fields
from functools import partial

from scheduler import clock
from scheduler.errors import Invalid, text
from scheduler.matching import plan, problem, search
from scheduler.matching.plan import Solution
from scheduler.matching.prices import Prices
from scheduler.matching.problem import Instance

MOST = 1_000_000_000  # beyond it sums of prices lose their small change


def solve_bytes(
    content: bytes,
    *,
    seconds: float | None,
    iterations: int | None,
    seed: int,
    workers: int = 1,
    prices: bytes | None = None,
) -> dict[str, object]:
    """The plan file of an instance file; raises Invalid with the place of each fault.

    `prices` is a JSON file with some of the nine prices; the others stay as they are.  Several
    workers search side by side, each from a seed of its own, and the best plan is taken.
    """
    data = _decoded(content)
    instance = problem.parse(data)
    chosen = Prices() if prices is None else read_prices(prices)
    solve = partial(_solve, instance, chosen, seconds, iterations)
    if workers == 1:
        return plan.dump(solve(seed))
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        return plan.dump(_best(pool, solve, range(seed, seed + workers)))


def read_prices(content: bytes) -> Prices:
    """The prices that a JSON object names; raises Invalid for a name or a number that is none.

    Unlike the weights of a programme they may make a missing lesson cheap: this is the engine
    alone, for whoever wants to try it.
    """
    data = _decoded(content)
    if not isinstance(data, dict):
        raise Invalid(text("A file of prices is a JSON object of names and numbers."))
    names = [field.name for field in fields(Prices)]
    for name, price in data.items():
        if name not in names:
            raise Invalid(
                text("There is no price {name}. The prices are: {names}.", name=name, names=names)
            )
        if not _is_price(price):
            raise Invalid(
                text("The price {name} must be a number from 0 to {most}.", name=name, most=MOST)
            )
    return Prices(**data)


def _is_price(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= MOST


def _decoded(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Invalid(text("This is no JSON file: {why}", why=str(error))) from error


def _best(pool: Executor, solve: "partial[Solution]", seeds: range) -> Solution:
    """The cheapest plan, of equals the first seed's: the answer is the same each time."""
    return min(pool.map(solve, seeds), key=lambda found: (found.cost, found.seed))


def _solve(
    instance: Instance, prices: Prices, seconds: float | None, iterations: int | None, seed: int
) -> Solution:
    return search.solve(
        instance,
        prices=prices,
        seconds=seconds,
        iterations=iterations,
        seed=seed,
        monotonic=clock.monotonic,
    )
