"""The engine alone: it loads neither the web nor the database, so that it starts at once."""

from pathlib import Path

import click

from scheduler import console
from scheduler.services import executors, matching


@click.command()
@click.argument("instance", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@console.output_option("The plan file.")
@console.seconds_option(0)
@click.option(
    "--iterations", type=click.IntRange(0), help="Moves to try; with it a seed gives the same plan."
)
@click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    help="Searches side by side on one plan; without it one, or all that a cluster has.",
)
@click.option(
    "--executor",
    default=executors.PROCESSES,
    show_default=True,
    metavar="WHERE",
    help="Where they run: processes, threads, or dask://HOST:PORT of a cluster.",
)
@click.option(
    "--prices",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='A JSON object of prices other than the usual ones, as {"handover": 90}.',
)
@console.seed_option
@console.json_option
def match(
    instance: Path,
    output: Path,
    time_limit: float,
    iterations: int | None,
    workers: int | None,
    executor: str,
    prices: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Match an instance file without a database, and write the plan."""
    with console.sentences():
        seconds = time_limit if iterations is None else None
        plan = matching.solve_bytes(
            instance.read_bytes(),
            seconds=seconds,
            iterations=iterations,
            seed=seed,
            workers=workers,
            executor=executor,
            prices=None if prices is None else prices.read_bytes(),
        )
        output.write_bytes(console.pretty(plan))
        short = {
            name: plan[name]
            for name in ("requested", "taught", "cost", "lower_bound", "gap", "seconds")
        }
        console.show(as_json, short)
