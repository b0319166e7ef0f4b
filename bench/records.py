"""What records cost: the example term, all of it held, added up, compared, certified, printed."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from bench.figures import prepared
from bench.rows import Row, alone, at_most
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


def figures(ctx: Context) -> Iterator[Row]:
    actor = accounts.operator(ctx)
    record, spent = timed(lambda: records.of_programme(ctx, actor))
    count = record.whole.given.lessons
    yield _milliseconds(f"record of a term, {count:,} lessons", spent, 300)
    found, spent = timed(lambda: fairness.figures(ctx, actor, 60))
    yield _milliseconds(f"fairness of {len(found.teachers.shares)} teachers", spent, 1000)
    issued, spent = timed(lambda: certificates.issue_all(ctx, actor))
    yield _milliseconds(f"{len(issued)} certificates issued", spent, 2000)
    began = time.perf_counter()
    papers = certificates.printed(ctx, issued[:PAPERS])
    each = (time.perf_counter() - began) / PAPERS
    size = max(map(len, papers)) / 1024
    yield Row(
        f"a certificate as PDF, of {PAPERS}", f"{each:.2f} s, {size:.0f} kB", "≤ 1 s, 100 kB",
        each <= 1 and size <= 100, key="pdf",
    )  # fmt: skip


def _milliseconds(what: str, seconds: float, goal: float) -> Row:
    return at_most(what, seconds * 1000, goal, "ms", digits=0)


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        ctx = prepared(Path(name) / "bench")
        term(ctx)
        yield from figures(ctx)


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows))
