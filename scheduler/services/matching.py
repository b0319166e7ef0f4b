"""The engine alone, from an instance file to a plan file; no database."""

import json

from scheduler import clock
from scheduler.errors import Invalid, text
from scheduler.matching import plan, problem, search


def solve_bytes(
    content: bytes, *, seconds: float | None, iterations: int | None, seed: int
) -> dict[str, object]:
    """The plan file of an instance file; raises Invalid with the place of each fault."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Invalid(text("This is no JSON file: {why}", why=str(error))) from error
    solution = search.solve(
        problem.parse(data),
        seconds=seconds,
        iterations=iterations,
        seed=seed,
        monotonic=clock.monotonic,
    )
    return plan.dump(solution)
