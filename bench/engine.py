"""Our engine in a process that does nothing else, `python -m bench.engine`, for bench.matching.

Reads one question as JSON from its standard input, answers with one JSON value.
"""

import hashlib
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import changes, greedy
from scheduler.matching import plan, problem, search, verify
from scheduler.matching.plan import Plan, Solution
from scheduler.matching.problem import Instance
from scheduler.matching.search import Progress
from scheduler.services import executors

CHECKOUT = Path(__file__).parent.parent
REPEATS = 5


@dataclass(frozen=True, slots=True)
class Run:
    """One search.  Megabytes are the most that all its processes together have held."""

    cost: float
    taught: int
    requested: int
    seconds: float
    moves: int
    bound: float
    gap: float
    early: float  # the best cost after `look_at` seconds; 0 when there was none yet
    digest: str  # of the plan
    read_megabytes: float  # the most until the instance was read
    megabytes: float

    @property
    def moves_per_second(self) -> float:
        return self.moves / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Priced:
    """A plan made without search."""

    cost: float
    taught: int
    requested: int
    seconds: float  # from an instance to the plan, the median of some runs


def ask(task: str, **options: object) -> Any:
    """The answer of a new process.  Raises CalledProcessError."""
    question = json.dumps({"task": task, "options": options})
    done = subprocess.run(
        [sys.executable, "-m", "bench.engine"],
        input=question, cwd=CHECKOUT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def searched(
    path: str,
    *,
    seed: int = 1,
    seconds: float | None = None,
    iterations: int | None = None,
    crew: str = "threads",
    bound: bool = False,
    look_at: float = 0.0,
    save: str | None = None,
) -> Run:
    """A search of the instance of a file; `crew` is one worker, or two in threads or processes."""
    instance = read(path)
    after_reading, early = peak(), 0.0

    def look(progress: Progress) -> bool:
        nonlocal early
        if progress.elapsed <= look_at:
            early = progress.cost
        return True

    where, count = (executors.THREADS, 0) if crew == "one" else (crew, 1)
    with executors.opened(where, count) as helpers:
        solution = search.solve(
            instance,
            seconds=seconds,
            iterations=iterations,
            seed=seed,
            monotonic=time.monotonic,
            progress=look if look_at else None,
            others=helpers.count,
            executor=helpers.executor,
            bound_beside=bound,
        )
        elsewhere = 0.0
        if helpers.executor and crew == executors.PROCESSES:
            elsewhere = helpers.executor.submit(peak).result()
    if save:
        Path(save).write_text(json.dumps(plan.dump(solution)))
    return Run(
        cost=solution.cost,
        taught=solution.taught,
        requested=solution.requested,
        seconds=solution.seconds,
        moves=solution.iterations,
        bound=solution.lower_bound,
        gap=solution.gap,
        early=early,
        digest=digest(solution),
        read_megabytes=after_reading,
        megabytes=peak() + elsewhere,
    )


def digest(solution: Solution) -> str:
    lessons = json.dumps(plan.dump_lessons(solution.plan.lessons))
    return hashlib.sha256(lessons.encode()).hexdigest()[:8]


def peak() -> float:
    """The most memory that this process has held, in megabytes.

    The kernel's own count where there is one: what getrusage tells begins with the parent's.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (1024 * 1024 if sys.platform == "darwin" else 1024)


def read(path: str) -> Instance:
    return problem.parse(json.loads(Path(path).read_text()))


def read_plan(path: str) -> Plan:
    return plan.parse(json.loads(Path(path).read_text()))


def planned_greedily(path: str) -> Priced:
    instance = read(path)
    began = time.monotonic()
    verdict = verify.verify(instance, greedy.plan(instance))
    if verdict.violations:
        raise RuntimeError(f"the greedy plan broke a rule: {verdict.violations[0]}")
    spent = time.monotonic() - began
    return Priced(verdict.cost, verdict.taught, verdict.requested, spent)


def first_plan(path: str) -> Priced:
    """The plan of the construction alone, verified after it was reported."""
    instance, spent = read(path), []
    for _ in range(REPEATS):
        began, reported = time.monotonic(), list[float]()

        def look(_: Progress, told: list[float] = reported) -> bool:
            told.append(time.monotonic())
            return True

        solution = search.solve(
            instance,
            seconds=None,
            iterations=0,
            monotonic=time.monotonic,
            progress=look,
            bound_beside=False,
            fix_seconds=0.0,
        )
        spent.append(reported[0] - began)
    return Priced(solution.cost, solution.taught, solution.requested, statistics.median(spent))


def changed(path: str, plan_path: str) -> list[changes.Answer]:
    return changes.answers(read(path), read_plan(plan_path))


def kept(path: str, plan_path: str, seconds: float) -> changes.Kept:
    return changes.kept(read(path), read_plan(plan_path), seconds)


def substituted(path: str, plan_path: str) -> changes.Substitutes:
    return changes.substitutes(read(path), read_plan(plan_path))


def reasoned(path: str, plan_path: str) -> changes.Reasons:
    return changes.reasons(read(path), read_plan(plan_path))


TASKS: Mapping[str, Callable[..., Any]] = {
    task.__name__: task
    for task in (searched, planned_greedily, first_plan, changed, kept, substituted, reasoned)
}


def main() -> None:
    question = json.load(sys.stdin)
    found = TASKS[question["task"]](**question["options"])
    answer = [asdict(one) for one in found] if isinstance(found, list) else asdict(found)
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
