"""The engine against its goals, in one table: `python -m bench.matching`, about 70 minutes.

Each run is a process of its own that does nothing else, and costs are those of verified plans.  The
prototype (the floor) runs in turn with ours, on the same files, for the same seconds, with as many
cores: two.  Progress is told on standard error; each line stands in the table as it is known.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import changes, instances
from bench.changes import change_row
from bench.engine import Priced, Run, ask
from bench.engine_rows import Costs, cost_row, memory_row, speed_row, taught_row
from bench.instances import Absent, Floor, Prototype, Source
from bench.rows import NONE, Row, peer, say, take_json, tell

PROGRAMME = Source("the programme")
SCALE1 = tuple(Source(f"scale 1, seed {seed}", 1, seed) for seed in range(1, 6))
TIGHT = Source("tight", 1, 2, 1.4)
SCALE10 = Source("scale 10", 10)
SCALE100 = Source("scale 100", 100)
STEPS = {PROGRAMME: (3, 0.02), SCALE1[0]: (10, 0.05), SCALE10: (8, 0.5)}  # of the prototype's bound
BOUND_SECONDS = 60.0
FEW_MOVES = 20_000


@dataclass
class Bench:
    """What has been run so far, so that nothing runs twice."""

    folder: Path
    beside: Path
    seeds: int
    factor: float
    prototype: Prototype = field(init=False)
    runs: dict[tuple[object, ...], Run] = field(default_factory=dict)
    floors: dict[tuple[object, ...], Floor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.prototype = Prototype(self.beside, self.folder)

    def file(self, source: Source) -> str:
        return str(source.file(self.folder, self.beside))

    def plan_file(self, source: Source) -> str:
        """A plan of five seconds."""
        path = self.folder / f"{source.name}.plan.json"
        if not path.is_file():
            self.run(source, 5, save=str(path))
        return str(path)

    def run(self, source: Source, seconds: float, **options: object) -> Run:
        """One search of ours; the seconds are still to be shortened by the factor."""
        key = (source, seconds, *sorted(options.items()))
        if key not in self.runs:
            self.runs[key] = found = Run(
                **ask("searched", path=self.file(source), seconds=seconds * self.factor, **options)
            )
            tell(f"{source.name}, {found.seconds:.1f} s {options or ''}: {found.cost:,.0f}")
        return self.runs[key]

    def floor(self, source: Source, seconds: float, seed: int) -> Floor:
        """One search of the prototype.  Raises Absent."""
        key = (source, seconds, seed)
        if key not in self.floors:
            path = source.file(self.folder, self.beside)
            self.floors[key] = found = self.prototype.solve(path, seconds * self.factor, seed)
            tell(f"{source.name}, prototype, seed {seed}: {found.cost:,.0f}")
        return self.floors[key]

    def label(self, source: Source, seconds: float) -> str:
        return f"{source.name}, {seconds * self.factor:g} s"


def costs(bench: Bench, source: Source, seconds: float, ours: int, floors: int) -> Costs:
    found, theirs, absent = [], [], NONE
    for seed in range(1, ours + 1):
        found.append(bench.run(source, seconds, seed=seed))
        if seed <= floors and absent == NONE:
            try:
                theirs.append(bench.floor(source, seconds, seed))
            except Absent as error:
                absent = str(error)
    return Costs(bench.label(source, seconds), f"{source.key}-{seconds:g}", found, theirs, absent)


def greedy(bench: Bench, source: Source) -> str:
    found = Priced(**ask("planned_greedily", path=bench.file(source)))
    tell(f"{source.name}, greedy: {found.cost:,.0f}, {found.taught:,} in {found.seconds:.1f} s")
    return f"{found.cost:,.0f} ({found.taught:,} taught)"


def beside(bench: Bench, source: Source, seconds: float = BOUND_SECONDS) -> Run:
    """A search on one core while the bound rises on the other."""
    return bench.run(source, seconds, crew="one", bound=True)


def gap_row(bench: Bench, source: Source, found: Costs, goal: float) -> Row:
    run = beside(bench, source)
    try:
        if not found.floors:
            raise Absent(found.absent)
        path, upper = Path(bench.file(source)), found.floors[-1].cost
        steps = STEPS[source]
        lower = bench.prototype.bound(path, BOUND_SECONDS * bench.factor, upper, steps)
        theirs = f"{(upper - lower) / upper:.1%} ({lower:,.0f})"
    except Absent as error:
        theirs = str(error)
    return Row(
        what=f"{bench.label(source, BOUND_SECONDS)}: proved gap, search and bound beside",
        found=f"{run.gap:.1%} of {run.cost:,.0f}",
        goal=f"≤ {goal:.0%}",
        met=run.gap <= goal,
        beside=(*peer("prototype", theirs), *peer("proved bound", f"{run.bound:,.0f}")),
        key=f"{source.key}-gap",
    )


def programme(bench: Bench) -> Iterator[Row]:
    found = costs(bench, PROGRAMME, 10, bench.seeds, bench.seeds)
    run = beside(bench, PROGRAMME)
    yield cost_row(found, 21_900, greedy(bench, PROGRAMME), run.bound)
    yield taught_row(found, all_of_them=True)
    first = Priced(**ask("first_plan", path=bench.file(PROGRAMME)))
    yield Row(
        f"{PROGRAMME.name}: first valid plan, preparation included",
        f"{first.seconds:.3f} s ({first.cost:,.0f}, {first.taught:,} taught)",
        "≤ 0.1 s",
        first.seconds <= 0.1,
        key="programme-first",
    )
    yield early_row(bench, found)
    yield gap_row(bench, PROGRAMME, found, 0.07)
    yield memory_row(found)
    yield speed_row(found)


def early_row(bench: Bench, found: Costs) -> Row:
    """How much the cost after two seconds is above that of ten."""
    seeds = range(1, bench.seeds + 1)
    short = median(bench.run(PROGRAMME, 2, seed=seed).cost for seed in seeds) / found.cost - 1
    look = bench.run(PROGRAMME, 10, seed=1, look_at=2 * bench.factor)
    on_the_way = look.early / look.cost - 1
    return Row(
        f"{bench.label(PROGRAMME, 2)}: cost above the final one",
        f"{short:.1%} ({on_the_way:.1%} on the way of the long search)",
        "≤ 4 %",
        short <= 0.04,
        key="programme-early",
    )


def scale1(bench: Bench) -> Iterator[Row]:
    tuned = SCALE1[0]
    short = costs(bench, tuned, 5, bench.seeds, bench.seeds)
    run = beside(bench, tuned)
    yield cost_row(short, 66_500, greedy(bench, tuned), run.bound)
    long = costs(bench, tuned, 60, bench.seeds, 1)
    yield cost_row(long, 64_900, bound=run.bound)
    yield taught_row(long, all_of_them=False)
    yield gap_row(bench, tuned, long, 0.07)
    yield memory_row(long)
    yield speed_row(short)
    for other in SCALE1[1:]:  # nobody tuned on these
        bound = beside(bench, other, BOUND_SECONDS / 3).bound
        by_hand = greedy(bench, other)
        yield cost_row(costs(bench, other, 5, 1, 1), None, by_hand, bound)
        yield cost_row(costs(bench, other, 60, 1, 1), None, bound=bound)


def tight(bench: Bench) -> Iterator[Row]:
    found = costs(bench, TIGHT, 15, bench.seeds, bench.seeds)
    bound = beside(bench, TIGHT, BOUND_SECONDS / 3).bound
    yield cost_row(found, 1_252_000, greedy(bench, TIGHT), bound)
    yield taught_row(found, all_of_them=False)


def scale10(bench: Bench) -> Iterator[Row]:
    found = costs(bench, SCALE10, 30, bench.seeds, 1)
    run = beside(bench, SCALE10)
    yield cost_row(found, 357_000, greedy(bench, SCALE10), run.bound)
    yield taught_row(found, all_of_them=True)
    yield gap_row(bench, SCALE10, found, 0.15)
    yield memory_row(found)
    yield speed_row(found)


def scale100(bench: Bench) -> Iterator[Row]:
    found = costs(bench, SCALE100, 240, bench.seeds, 1)
    bound = beside(bench, SCALE100).bound
    yield cost_row(found, 4_000_000, bound=bound)
    yield taught_row(found, all_of_them=False)
    yield memory_row(found, 1024)
    yield speed_row(found)
    yield Row(f"{SCALE100.name}: greedy plan", greedy(bench, SCALE100))


def workers(bench: Bench) -> Iterator[Row]:
    """One worker, two in threads, two in processes, for the same seconds."""
    for source in (SCALE10, SCALE100):
        found = {
            crew: bench.run(source, 30, seed=1, crew=crew)
            for crew in ("one", "threads", "processes")
        }
        told = (
            f"{crew} {run.cost:,.0f} ({run.moves_per_second:,.0f}/s, {run.megabytes:,.0f} MB)"
            for crew, run in found.items()
        )
        two = min(found["threads"].cost, found["processes"].cost)
        yield Row(
            f"{bench.label(source, 30)}: cost with one worker, two in threads, in processes",
            "; ".join(told),
            "two are better",
            two < found["one"].cost,
            key=f"{source.key}-workers",
        )


def replan(bench: Bench) -> Iterator[Row]:
    for source in (PROGRAMME, SCALE1[0]):
        paths = {"path": bench.file(source), "plan_path": bench.plan_file(source)}
        found = [changes.Answer(**answer) for answer in ask("changed", **paths)]
        for what, answer in zip(("away", "leaves"), found, strict=True):
            yield change_row(source.name, answer, f"{source.key}-{what}")
        kept = changes.Kept(**ask("kept", **paths, seconds=2 * bench.factor))
        stay = "stay" if kept.all_stay else "do not all stay"
        yield Row(
            f"{source.name}: pins, freeze in mid-week, budget of changes",
            f"{kept.pins} pins and {kept.past:,} past lessons {stay}; "
            f"{kept.changes} of {kept.most_changes} changes",
            "kept",
            kept.all_stay and kept.changes <= kept.most_changes,
            key=f"{source.key}-kept",
        )


def substitutes(bench: Bench) -> Iterator[Row]:
    source = SCALE1[0]
    found = changes.Substitutes(
        **ask("substituted", path=bench.file(source), plan_path=bench.plan_file(source))
    )
    yield Row(
        f"{source.name}: substitutes for one lesson, median of {changes.ASKED:,}",
        f"{found.desk_microseconds:.1f} µs, of them kernel {found.kernel_microseconds:.1f} µs; "
        f"{found.found:g} found",
        "≤ 50 µs",
        found.desk_microseconds <= 50,
        key="substitutes",
    )


def reasons(bench: Bench) -> Iterator[Row]:
    source = SCALE1[0]
    found = changes.Reasons(
        **ask("reasoned", path=bench.file(source), plan_path=bench.plan_file(source))
    )
    yield Row(
        f"{source.name}: reasons for {found.missing} missing lessons of {found.requests} requests",
        f"{found.milliseconds:.0f} ms",
        "≤ 50 ms",
        found.milliseconds <= 50,
        key="reasons",
    )
    told = "no engine here tries fixes"
    if found.fix_seconds is not None:
        told = (
            f"{found.in_time} of {found.with_fix} that have any, of {found.gaps}; "
            f"all {found.fixes} fixes in {found.fix_seconds:.1f} s"
        )
    yield Row(
        f"{source.name}: requests and weeks with a tried fix after {changes.FIXING:g} s",
        told,
        "all that have any",
        found.fix_seconds is not None and found.in_time >= found.with_fix,
        key="fixes",
    )


def same(bench: Bench) -> Iterator[Row]:
    """The plan of a seed and a number of moves, in two processes."""
    moves = max(100, round(FEW_MOVES * bench.factor))
    for source in (PROGRAMME, SCALE1[0], SCALE10):
        options = {"path": bench.file(source), "iterations": moves, "seed": 7}
        once, again = (
            [Run(**ask("searched", crew=crew, **options)).digest for crew in ("one", "threads")]
            for _ in range(2)
        )
        yield Row(
            f"{source.name}: same plan by seed and {moves:,} moves, one and two workers",
            f"{' '.join(once)}, again {' '.join(again)}",
            "the same",
            once == again,
            key=f"{source.key}-same",
        )


PARTS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    part.__name__: part
    for part in (
        programme, scale1, tight, scale10, scale100, replan, substitutes, reasons, same, workers,
    )
}  # fmt: skip


def rows(bench: Bench, parts: Sequence[str]) -> Iterator[Row]:
    """The rows of those parts; one that cannot run says why in a row of its own."""
    for part in parts:
        try:
            yield from PARTS[part](bench)
        except Absent as error:
            yield Row(part, str(error))
        except subprocess.CalledProcessError as error:
            tell(error.stderr)
            yield Row(part, f"failed: {instances.last_words(error)}", "to run", False)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.matching", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, of: %(default)s")
    parser.add_argument("--seeds", type=int, default=5, help="of a search (default %(default)s)")
    parser.add_argument(
        "--seconds-factor", type=float, default=1.0, metavar="F",
        help="all searches so many times as long; below 1 it only shows that everything runs",
    )  # fmt: skip
    parser.add_argument(
        "--beside", type=Path, default=instances.BESIDE, metavar="FOLDER",
        help="with make_instance.py and the prototype (default: ../shared/matching)",
    )  # fmt: skip
    take_json(parser)
    found = parser.parse_args(arguments)
    found.only = found.only.split(",")
    if unknown := set(found.only) - PARTS.keys():
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    return found


def main() -> int:
    asked = parsed()
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), asked.beside.resolve(), asked.seeds, asked.seconds_factor)
        try:
            return say(rows(bench, asked.only), asked.json)
        except KeyboardInterrupt:
            tell("stopped")
            return 1


if __name__ == "__main__":
    sys.exit(main())
