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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from resource import RUSAGE_CHILDREN
from statistics import median

import rcssmin

from scheduler import clock, config
from scheduler.clock import ShiftedClock
from scheduler.config import load
from scheduler.domain.access import Role
from scheduler.domain.baskets import Alter
from scheduler.domain.disruptions import Way
from scheduler.domain.intervals import DaySpan
from scheduler.domain.terms import TermId
from scheduler.matching import problem, search
from scheduler.services import (
    accounts,
    baskets,
    cover,
    demo,
    disruptions,
    exports,
    imports,
    plans,
    programmes,
    runs,
    suggestions,
    system,
)
from scheduler.services.context import Context
from scheduler.store import lessons
from scheduler.store.database import Database

STORM = date(2023, 10, 11)


@dataclass(frozen=True)
class Figure:
    what: str
    found: str
    goal: str


def prepared(folder: Path) -> Context:
    settings = load(_env_file=None, var_dir=folder, demo=True, loop=False)
    ctx = Context(
        settings, Database(settings.database), ShiftedClock.starting_at(demo.STARTS), b"k" * 32
    )
    system.migrate(ctx)
    return ctx


def children_seconds() -> float:
    used = resource.getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def matching(ctx: Context) -> Iterator[Figure]:
    """In short, on one core; bench.matching has the whole."""
    instance = problem.parse(exports.export_instance(ctx))
    solution = search.solve(instance, seconds=10, iterations=None, monotonic=clock.monotonic)
    found = f"cost {solution.cost:,.0f}, {solution.taught} of {solution.requested} taught"
    yield Figure(f"matching, after 10 s ({solution.seconds:.1f} s)", found, "-")


def published(ctx: Context) -> TermId:
    """Publish what a short search makes of the imported term, for who changes it afterwards."""
    accounts.add_user(ctx, demo.COORDINATOR, Role.COORDINATOR)
    actor = accounts.operator(ctx)
    term = programmes.overview(ctx, actor).term
    run = runs.work_here(ctx, runs.start(ctx, actor, term.id, seconds=3))
    assert run is not None
    assert run.plan_id is not None
    plans.publish(ctx, actor, run.plan_id, plans.preview(ctx, actor, run.plan_id).fingerprint)
    return term.id


def covering(ctx: Context) -> Iterator[Figure]:
    """Who could give a lesson instead, at the programme's size, a plan in force."""
    actor = accounts.operator(ctx)
    with ctx.reading() as db:
        ahead = lessons.find(db, since=ctx.now())[::20]
    cover.ranking(ctx, actor, ahead[0].id)
    began = time.process_time()
    fit = sum(line.fits for each in ahead for line in cover.ranking(ctx, actor, each.id))
    spent = (time.process_time() - began) / len(ahead) * 1000
    found = f"{spent:.1f} ms, {fit / len(ahead):.0f} of 203 teachers fit"
    yield Figure("who could stand in, one lesson", found, "20 ms")


def hands(ctx: Context, term_id: TermId) -> Iterator[Figure]:
    """What a coordinator waits for who changes lessons of the published term by hand."""
    actor = accounts.operator(ctx)
    with ctx.reading() as db:
        ahead = [x for x in lessons.find(db, term_id=term_id) if x.starts_at > ctx.now()]
    some = ahead[200::200]
    suggested = [_spent(partial(suggestions.of_lesson, ctx, actor, x.id)) for x in some]
    yield Figure("suggestions for a lesson", f"{median(suggested):.2f} s", "1 s")
    moves = [[Alter(x.id, teacher_id=y.teacher_id)] for x, y in pairwise(some)]
    checked = [_spent(partial(baskets.check, ctx, actor, term_id, each)) for each in moves]
    yield Figure("check of a basket", f"{median(checked):.2f} s", "1 s")


def storm(ctx: Context) -> Iterator[Figure]:
    """All schools closed on one day."""
    actor, day = accounts.operator(ctx), DaySpan(STORM, STORM)
    asked = disruptions.closure_of(ctx, actor, day, "Bão số 4", everywhere=True)
    began = time.process_time()
    look = disruptions.preview(ctx, actor, asked)
    looked = time.process_time()
    disruptions.apply(ctx, actor, asked, look.fingerprint)
    done = time.process_time()
    count = f"{len(look.lines)} lessons, {look.counts[Way.MOVE]} moved"
    yield Figure("a storm day of all schools, previewed", f"{looked - began:.2f} s, {count}", "1 s")
    yield Figure("the same, carried out and told", f"{done - looked:.2f} s", "2 s")


def _spent(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def weighing() -> Iterator[Figure]:
    static = Path(config.__file__).parent / "web" / "static"
    served = rcssmin.cssmin((static / "chungtay.css").read_bytes())  # as browsers get it
    css = len(gzip.compress(served, 9))
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
        imports.import_files(ctx, demo.examples())  # bench.imports has what it costs
        found = [*matching(ctx)]
        term_id = published(ctx)
        found += [*covering(ctx), *hands(ctx, term_id), *storm(ctx)]
        found += [*weighing(), *whole_demo(folder)]
    sys.stdout.write("| what | found | goal |\n|---|---|---|\n")
    for figure in found:
        sys.stdout.write(f"| {figure.what} | {figure.found} | {figure.goal} |\n")


if __name__ == "__main__":
    main()
