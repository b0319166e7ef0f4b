"""The engine alone, from an instance file to a plan file; no database."""

from dataclasses import fields

from scheduler import clock
from scheduler.errors import Invalid, text
from scheduler.matching import plan, problem, reading, search
from scheduler.matching.prices import Prices
from scheduler.services import executors

MOST = 1_000_000_000  # beyond it sums of prices lose their small change


def solve_bytes(
    content: bytes,
    *,
    seconds: float | None,
    iterations: int | None,
    seed: int,
    workers: int | None = None,
    executor: str = executors.PROCESSES,
    prices: bytes | None = None,
) -> dict[str, object]:
    """The plan file of an instance file; raises Invalid with the place of each fault.

    `prices` is a JSON file with some of the nine prices; the others stay as they are.  So many
    workers search one plan together, this process and those of the executor; without a number
    this process alone, or all that a cluster has.
    """
    data = reading.decode(content)
    instance = problem.parse(data)
    chosen = Prices() if prices is None else read_prices(prices)
    others = executors.others(executor, workers)
    with executors.opened(executor, others) as beside:
        solution = search.solve(
            instance,
            prices=chosen,
            seconds=seconds,
            iterations=iterations,
            seed=seed,
            monotonic=clock.monotonic,
            others=beside.count,
            executor=beside.executor,
        )
    return plan.dump(solution)


def read_prices(content: bytes) -> Prices:
    """The prices that a JSON object names; raises Invalid for a name or a number that is none.

    Unlike the weights of a programme they may make a missing lesson cheap: this is the engine
    alone, for whoever wants to try it.
    """
    data = reading.decode(content)
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
