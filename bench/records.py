"""What records cost: the example term, all of it held, added up, compared, certified, printed."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from bench.figures import Figure, prepared
from scheduler.domain.access import Role
from scheduler.domain.lessons import LessonState
from scheduler.services import accounts, certificates, demo, fairness, imports, plans, records, runs
from scheduler.services.context import Context
from scheduler.store import tables

PAPERS = 10
Answer = TypeVar("Answer")


def term(ctx: Context) -> None:
    """The example term, matched, published, and every lesson held."""
    imports.import_files(ctx, demo.examples())
    accounts.add_user(ctx, "bench@x.example", Role.COORDINATOR)
    actor = accounts.operator(ctx)
    found = records.of_programme(ctx, actor)
    assert found.lines == ()
    with ctx.reading() as db:
        term_id = db.scalar(tables.terms.select().with_only_columns(tables.terms.c.id))
    run = runs.work_here(ctx, runs.start(ctx, actor, term_id, 2, 1))
    assert run is not None
    assert run.plan_id is not None
    seen = plans.preview(ctx, actor, run.plan_id).fingerprint
    plans.publish(ctx, actor, run.plan_id, seen)
    with ctx.transaction() as db:
        db.execute(tables.lessons.update().values(state=LessonState.HELD))


def timed(act: Callable[[], Answer]) -> tuple[Answer, float]:
    began = time.process_time()
    answer = act()
    return answer, time.process_time() - began


def figures(ctx: Context) -> Iterator[Figure]:
    actor = accounts.operator(ctx)
    record, spent = timed(lambda: records.of_programme(ctx, actor))
    count = record.whole.given.lessons
    yield Figure(f"record of a term, {count:,} lessons", f"{spent * 1000:.0f} ms", "300 ms")
    found, spent = timed(lambda: fairness.figures(ctx, actor, 60))
    who = len(found.teachers.shares)
    yield Figure(f"fairness of {who} teachers", f"{spent * 1000:.0f} ms", "1,000 ms")
    issued, spent = timed(lambda: certificates.issue_all(ctx, actor))
    yield Figure(f"{len(issued)} certificates issued", f"{spent * 1000:.0f} ms", "2,000 ms")
    began = time.perf_counter()
    papers = certificates.printed(ctx, issued[:PAPERS])
    each = (time.perf_counter() - began) / PAPERS
    size = max(map(len, papers)) / 1024
    yield Figure(
        f"a certificate as PDF, of {PAPERS}", f"{each:.2f} s, {size:.0f} kB", "1 s, 100 kB"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        ctx = prepared(Path(name) / "bench")
        term(ctx)
        sys.stdout.write("| what | found | goal |\n|---|---|---|\n")
        for figure in figures(ctx):
            sys.stdout.write(f"| {figure.what} | {figure.found} | {figure.goal} |\n")


if __name__ == "__main__":
    main()
