"""Matching runs: one at a time, under a lease, resumed after a crash, cancelled on demand."""

import multiprocessing
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler import security
from scheduler.clock import SystemClock
from scheduler.domain.plans import PlanState
from scheduler.domain.runs import RunState
from scheduler.errors import Conflict, Invalid, NotAllowed, NotFound, text
from scheduler.services import plans, runs
from scheduler.services.context import Context
from scheduler.store import plans as plan_rows
from scheduler.store import runs as rows
from scheduler.store import tables
from tests.cast import gather


@pytest.fixture
def cast(ctx):
    return gather(ctx)


def start(ctx, cast, seconds=1.0):
    return runs.start(ctx, cast.actors["coordinator"], cast["term"], seconds)


def test_a_run_gives_a_draft_that_covers_everything(ctx, cast):
    done = runs.work_here(ctx, start(ctx, cast))
    assert done is not None
    assert done.state is RunState.DONE
    with ctx.reading() as db:
        plan = plan_rows.get(db, done.plan_id)
    assert (plan.state, plan.taught, plan.requested) == (PlanState.DRAFT, 26, 26)
    assert plan.lower_bound <= plan.cost
    assert len(plan.input_hash) == 64


def test_a_published_plan_passes_the_independent_verifier(ctx, cast):
    coordinator = cast.actors["coordinator"]
    plan_id = runs.work_here(ctx, start(ctx, cast)).plan_id
    seen = plans.preview(ctx, coordinator, plan_id)
    plans.publish(ctx, coordinator, plan_id, seen.fingerprint)
    verdict = runs.verdict(ctx, cast["term"])
    assert (verdict.violations, verdict.taught) == ((), 26)


def test_a_second_run_changes_nothing_that_is_published(ctx, cast, clock):
    coordinator = cast.actors["coordinator"]
    for _ in range(2):
        plan_id = runs.work_here(ctx, start(ctx, cast)).plan_id
        seen = plans.preview(ctx, coordinator, plan_id)
        diff = plans.publish(ctx, coordinator, plan_id, seen.fingerprint)
        clock.forward(days=3)
    assert diff.changes == ()


def test_one_run_at_a_time(ctx, cast):
    start(ctx, cast)
    with pytest.raises(Conflict):
        start(ctx, cast)


@pytest.mark.parametrize("seconds", [0, -1, 3601, float("nan"), float("inf")])
def test_odd_limits_are_refused(ctx, cast, seconds):
    with pytest.raises(Invalid):
        start(ctx, cast, seconds)


@pytest.mark.parametrize("who", ["teacher1", "schoolA", "stranger"])
def test_nobody_else_runs_or_sees_a_run(ctx, cast, who):
    run_id = start(ctx, cast)
    with pytest.raises((NotFound, NotAllowed)):
        runs.start(ctx, cast.actors[who], cast["term"], 1.0)
    with pytest.raises(NotFound):
        runs.get(ctx, cast.actors[who], run_id)
    with pytest.raises(NotFound):
        runs.cancel(ctx, cast.actors[who], run_id)


def test_a_waiting_run_is_cancelled_at_once(ctx, cast):
    run_id = start(ctx, cast)
    runs.cancel(ctx, cast.actors["coordinator"], run_id)
    assert runs.get(ctx, cast.actors["coordinator"], run_id).state is RunState.CANCELLED
    assert runs.work_here(ctx) is None
    with pytest.raises(Conflict):
        runs.cancel(ctx, cast.actors["coordinator"], run_id)


def test_a_running_run_stops_when_it_is_cancelled(ctx, cast):
    run_id = start(ctx, cast, 30.0)
    token = security.new_token()
    with ctx.transaction() as db:
        run = rows.claim(db, token, runs.LEASE)
    runs.cancel(ctx, cast.actors["coordinator"], run_id)
    runs.execute(ctx, run, token)
    ended = runs.get(ctx, cast.actors["coordinator"], run_id)
    assert (ended.state, ended.plan_id) == (RunState.CANCELLED, None)
    assert ended.elapsed < 20


def test_a_run_whose_worker_vanished_is_taken_over_and_the_old_worker_is_fenced(ctx, cast):
    run_id = start(ctx, cast)
    with ctx.transaction() as db:
        old = rows.claim(db, "old", timedelta(seconds=-1))
    done = runs.work_here(ctx)
    assert done is not None
    assert done.id == run_id
    with pytest.raises(Conflict):
        runs.execute(ctx, old, "old")
    with ctx.reading() as db:
        count = db.scalar(sa.select(sa.func.count()).select_from(tables.plans))
    assert count == 1


def test_a_run_that_kills_its_workers_is_given_up(ctx, cast):
    run_id = start(ctx, cast)
    for n in range(runs.MOST_ATTEMPTS):
        with ctx.transaction() as db:
            assert rows.claim(db, str(n), timedelta(seconds=-1)) is not None
    assert runs.work_here(ctx) is None
    assert runs.get(ctx, cast.actors["coordinator"], run_id).state is RunState.FAILED


def test_a_run_works_in_a_process_of_its_own(ctx, cast):
    real = Context(ctx.settings, ctx.database, SystemClock(), ctx.key)
    run_id = start(ctx, cast)
    assert runs.work_on_next(real)
    for child in multiprocessing.active_children():
        child.join(30)
    assert runs.get(ctx, cast.actors["coordinator"], run_id).state is RunState.DONE


def test_a_failed_run_says_why_in_a_sentence_that_can_be_translated(ctx, cast):
    run_id = start(ctx, cast)
    why = text("{where}: {what}", where=text("row {n}", n=3), what="7A")
    with ctx.transaction() as db:
        rows.claim(db, "t", runs.LEASE)
        rows.fail(db, run_id, "t", why)
    found = runs.get(ctx, cast.actors["coordinator"], run_id)
    assert (found.state, found.error) == (RunState.FAILED, why)
