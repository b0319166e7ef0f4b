"""The figures that the README quotes, each beside its goal: `make bench`.

Speed is CPU time on this machine.  bench.feeds and bench.matching have theirs.
"""

import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from scheduler import clock, config
from scheduler.clock import ShiftedClock
from scheduler.config import load
from scheduler.domain.access import Role
from scheduler.domain.disruptions import Way
from scheduler.domain.intervals import DaySpan
from scheduler.matching import problem, search
from scheduler.services import accounts, demo, disruptions, exports, imports, plans, runs, system
from scheduler.services.context import Context
from scheduler.store import terms
from scheduler.store.database import Database

STORM = date(2023, 10, 11)


@dataclass(frozen=True)
class Figure:
    what: str
    found: str
    goal: str


def examples() -> list[tuple[str, bytes]]:
    return [(p.name, p.read_bytes()) for p in sorted(config.data_dir("examples").glob("*.xlsx"))]


def prepared(folder: Path) -> Context:
    settings = load(_env_file=None, var_dir=folder, demo=True, loop=False)
    ctx = Context(
        settings, Database(settings.database), ShiftedClock.starting_at(demo.STARTS), b"k" * 32
    )
    system.migrate(ctx)
    return ctx


def importing(ctx: Context) -> Iterator[Figure]:
    began = time.process_time()
    imports.import_files(ctx, examples())
    spent = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Figure("import of the three workbooks", f"{spent:.2f} s, {peak:.0f} MB", "3 s, 150 MB")


def matching(ctx: Context) -> Iterator[Figure]:
    """In short, on one core; bench.matching has the whole."""
    instance = problem.parse(exports.export_instance(ctx))
    solution = search.solve(instance, seconds=10, iterations=None, monotonic=clock.monotonic)
    found = f"cost {solution.cost:,.0f}, {solution.taught} of {solution.requested} taught"
    yield Figure(f"matching, after 10 s ({solution.seconds:.1f} s)", found, "-")


def storm(ctx: Context) -> Iterator[Figure]:
    """All schools closed on one day, on a timetable that one second of search made."""
    coordinator = accounts.add_user(ctx, demo.COORDINATOR, Role.COORDINATOR)
    with ctx.reading() as db:
        term = terms.find(db, None)
    run = runs.work_here(ctx, runs.start(ctx, coordinator, term.id, 1))
    seen = plans.preview(ctx, coordinator, run.plan_id)
    plans.publish(ctx, coordinator, run.plan_id, seen.fingerprint)
    day = DaySpan(STORM, STORM)
    asked = disruptions.closure_of(ctx, coordinator, day, "Bão số 4", everywhere=True)
    began = time.process_time()
    look = disruptions.preview(ctx, coordinator, asked)
    looked = time.process_time()
    disruptions.apply(ctx, coordinator, asked, look.fingerprint)
    done = time.process_time()
    count = f"{len(look.lines)} lessons, {look.counts[Way.MOVE]} moved"
    yield Figure("a storm day of all schools, previewed", f"{looked - began:.2f} s, {count}", "1 s")
    yield Figure("the same, carried out and told", f"{done - looked:.2f} s", "2 s")


def weighing() -> Iterator[Figure]:
    static = Path(config.__file__).parent / "web" / "static"
    css = len(gzip.compress((static / "chungtay.css").read_bytes(), 9))
    fonts = sum(p.stat().st_size for p in static.glob("*.woff2"))
    yield Figure("stylesheet, gzipped", f"{css:,} B", "8,192 B")
    yield Figure("fonts", f"{fonts:,} B", "23,000 B")


def whole_demo(folder: Path) -> Iterator[Figure]:
    done = subprocess.run(
        [sys.executable, "-m", "scheduler", "demo", "--check"],
        env={"CHUNGTAY_VAR_DIR": str(folder)}, capture_output=True, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    found = f"{told['seconds']} s, {told['taught']} taught, {told['violations']} violations"
    yield Figure("chungtay demo --check", found, "60 s, 0 violations")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ctx = prepared(folder / "bench")
        found = [*importing(ctx), *matching(ctx), *storm(ctx), *weighing(), *whole_demo(folder)]
    sys.stdout.write("| what | found | goal |\n|---|---|---|\n")
    for figure in found:
        sys.stdout.write(f"| {figure.what} | {figure.found} | {figure.goal} |\n")


if __name__ == "__main__":
    main()
