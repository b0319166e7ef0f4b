"""What the README promises of desk work and weights: `python -m bench.figures`.

Speed is CPU time of this process.  bench.feeds and bench.matching have theirs.
"""

import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from resource import RUSAGE_CHILDREN
from statistics import median

import rcssmin

from bench.rows import Row, alone, at_most
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


def matching(ctx: Context) -> Iterator[Row]:
    """In short, on one core; bench.matching has the whole."""
    instance = problem.parse(exports.export_instance(ctx))
    solution = search.solve(instance, seconds=10, iterations=None, monotonic=clock.monotonic)
    found = f"cost {solution.cost:,.0f}, {solution.taught:,} of {solution.requested:,} taught"
    yield Row(f"matching, after 10 s ({solution.seconds:.1f} s)", found)


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


def covering(ctx: Context) -> Iterator[Row]:
    """Who could give a lesson instead, at the programme's size, a plan in force."""
    actor = accounts.operator(ctx)
    with ctx.reading() as db:
        ahead = lessons.find(db, since=ctx.now())[::20]
    cover.ranking(ctx, actor, ahead[0].id)
    began = time.process_time()
    ranked = [cover.ranking(ctx, actor, each.id) for each in ahead]
    spent = (time.process_time() - began) / len(ahead) * 1000
    fit = sum(line.fits for lines in ranked for line in lines) / len(ahead)
    what = f"who could stand in for a lesson, {fit:.0f} of {len(ranked[0])} teachers fit"
    yield at_most(what, spent, 20, "ms", key="substitutes")


def hands(ctx: Context, term_id: TermId) -> Iterator[Row]:
    """What a coordinator waits for who changes lessons of the published term by hand."""
    actor = accounts.operator(ctx)
    with ctx.reading() as db:
        ahead = [x for x in lessons.find(db, term_id=term_id) if x.starts_at > ctx.now()]
    some = ahead[200::200]
    suggested = [_spent(partial(suggestions.of_lesson, ctx, actor, x.id)) for x in some]
    yield at_most("suggestions for a lesson", median(suggested), 1, "s", key="hints", digits=2)
    moves = [[Alter(x.id, teacher_id=y.teacher_id)] for x, y in pairwise(some)]
    checked = [_spent(partial(baskets.check, ctx, actor, term_id, each)) for each in moves]
    yield at_most("check of a basket", median(checked), 1, "s", key="basket", digits=2)


def storm(ctx: Context) -> Iterator[Row]:
    """All schools closed on one day."""
    actor, day = accounts.operator(ctx), DaySpan(STORM, STORM)
    asked = disruptions.closure_of(ctx, actor, day, "Bão số 4", everywhere=True)
    began = time.process_time()
    look = disruptions.preview(ctx, actor, asked)
    looked = time.process_time()
    disruptions.apply(ctx, actor, asked, look.fingerprint)
    done = time.process_time()
    what = (
        f"a storm day of all schools, {len(look.lines)} lessons, {look.counts[Way.MOVE]} moved: "
        "looked at"
    )
    yield at_most(what, looked - began, 1, "s", key="storm-look", digits=2)
    yield at_most("the same, carried out", done - looked, 2, "s", key="storm-done", digits=2)


def _spent(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def weighing() -> Iterator[Row]:
    static = Path(config.__file__).parent / "web" / "static"
    served = rcssmin.cssmin((static / "chungtay.css").read_bytes())  # as browsers get it
    css, script = (
        len(gzip.compress(each, 9)) for each in (served, (static / "htmx.min.js").read_bytes())
    )
    fonts = sum(p.stat().st_size for p in static.glob("*.woff2"))
    yield at_most("stylesheet, gzipped", css, 8192, "B", key="css", digits=0)
    yield at_most("fonts, both", fonts, 23_000, "B", key="fonts", digits=0)
    yield at_most("htmx, gzipped", script / 1000, 13, "kB", key="htmx")


def whole_demo(folder: Path) -> Iterator[Row]:
    done = subprocess.run(
        [sys.executable, "-m", "scheduler", "demo", "--check"],
        env={"CHUNGTAY_VAR_DIR": str(folder)}, capture_output=True, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    found = f"{told['seconds']} s, {told['taught']:,} taught, {told['violations']} violations"
    met = told["seconds"] <= 60 and told["violations"] == 0
    yield Row("chungtay demo --check", found, "≤ 60 s, 0 violations", met, key="demo")


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ctx = prepared(folder / "bench")
        imports.import_files(ctx, demo.examples())  # bench.imports has what it costs
        yield from matching(ctx)
        term_id = published(ctx)
        yield from covering(ctx)
        yield from hands(ctx, term_id)
        yield from storm(ctx)
        yield from weighing()
        yield from whole_demo(folder)


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows))
