"""Matching runs: one at a time, under a lease, resumed after a crash, cancelled on demand."""

import multiprocessing
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler import security
from scheduler.clock import SystemClock
from scheduler.domain.plans import Fix, FixKind, Gap, PlanState
from scheduler.domain.runs import MOST_POINTS, RunState
from scheduler.errors import Conflict, Invalid, NotAllowed, NotFound, text
from scheduler.matching import plan as solver_plan
from scheduler.services import plans, runs, snapshots, weights
from scheduler.services.context import Context
from scheduler.services.weights import DEFAULTS
from scheduler.store import plans as plan_rows
from scheduler.store import runs as rows
from scheduler.store import tables
from tests.cast import FIRST, gather


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
    for wish in (runs.cancel, runs.stop):
        with pytest.raises(NotFound):
            wish(ctx, cast.actors[who], run_id)


def test_a_waiting_run_is_cancelled_at_once(ctx, cast):
    run_id = start(ctx, cast)
    runs.cancel(ctx, cast.actors["coordinator"], run_id)
    assert runs.get(ctx, cast.actors["coordinator"], run_id).state is RunState.CANCELLED
    assert runs.work_here(ctx) is None
    with pytest.raises(Conflict):
        runs.cancel(ctx, cast.actors["coordinator"], run_id)


def ended_by(ctx, cast, *wishes):
    """A run of half a minute, as it ends when somebody asks that of it at its beginning."""
    run_id = start(ctx, cast, 30.0)
    token = security.new_token()
    with ctx.transaction() as db:
        run = rows.claim(db, token, runs.LEASE)
    for wish in wishes:
        wish(ctx, cast.actors["coordinator"], run_id)
    runs.execute(ctx, run, token)
    ended = runs.get(ctx, cast.actors["coordinator"], run_id)
    assert ended.elapsed < 20
    return ended


@pytest.mark.parametrize("wishes", [(runs.cancel,), (runs.stop, runs.cancel)])
def test_a_cancelled_run_ends_early_and_leaves_no_plan(ctx, cast, wishes):
    ended = ended_by(ctx, cast, *wishes)
    assert (ended.state, ended.plan_id) == (RunState.CANCELLED, None)
    with ctx.reading() as db:
        assert plan_rows.of_term(db, cast["term"]) == ()


def test_a_run_cancelled_after_its_last_report_leaves_no_plan_either(ctx, cast, monkeypatch):
    monkeypatch.setattr(runs, "REPORT_EVERY", 1e9)
    run_id = start(ctx, cast)
    with ctx.transaction() as db:
        run = rows.claim(db, "t", runs.LEASE)
    runs.cancel(ctx, cast.actors["coordinator"], run_id)
    runs.execute(ctx, run, "t")
    assert runs.get(ctx, cast.actors["coordinator"], run_id).state is RunState.CANCELLED


def test_a_stopped_run_ends_early_and_keeps_its_best_plan_so_far(ctx, cast):
    ended = ended_by(ctx, cast, runs.stop)
    assert (ended.state, ended.stop_asked, ended.stopping) == (RunState.DONE, True, False)
    with ctx.reading() as db:
        plan = plan_rows.get(db, ended.plan_id)
    assert (plan.taught, plan.cost) == (26, ended.cost)


def test_a_waiting_run_that_is_stopped_has_nothing_to_keep(ctx, cast):
    run_id = start(ctx, cast)
    runs.stop(ctx, cast.actors["coordinator"], run_id)
    assert runs.get(ctx, cast.actors["coordinator"], run_id).state is RunState.CANCELLED


def test_a_run_notes_its_figures_bound_and_history(ctx, cast):
    done = runs.work_here(ctx, start(ctx, cast, 1.5))
    with ctx.reading() as db:
        plan = plan_rows.get(db, done.plan_id)
    assert (done.cost, done.bound, done.taught) == (plan.cost, plan.lower_bound, plan.taught)
    assert done.gap == pytest.approx(plan.gap)
    assert done.moves_per_second > 1
    assert 3 <= len(done.history) <= MOST_POINTS
    assert [p.elapsed for p in done.history] == sorted(p.elapsed for p in done.history)
    assert (done.history[-1].cost, done.history[-1].bound) == (done.cost, done.bound)


def test_a_draft_keeps_the_weights_it_was_made_with_and_its_cost_by_term(ctx, cast):
    coordinator = cast.actors["coordinator"]
    usual = runs.work_here(ctx, start(ctx, cast))
    chosen = replace(DEFAULTS, load=0, rank=0)
    weights.choose(ctx, coordinator, cast["programme"], chosen)
    other = runs.work_here(ctx, start(ctx, cast))
    weights.reset(ctx, coordinator, cast["programme"])
    with ctx.reading() as db:
        before, after = plan_rows.get(db, usual.plan_id), plan_rows.get(db, other.plan_id)
    assert (before.weights, after.weights) == (DEFAULTS, chosen)
    assert before.terms["load"] > 0
    assert after.cost == sum(after.terms.values()) == 0
    assert before.cost == pytest.approx(sum(before.terms.values()), abs=0.01)


def test_what_the_engine_says_of_a_gap_comes_back_in_our_own_ids(ctx, cast):
    snapshot = snapshots.take(ctx, cast["term"])
    email = next(iter(snapshot.teacher_ids))
    fix = solver_plan.Fix(
        solver_plan.FixCode.WINDOW, covers=3, teacher=email, weekday=3, start=500, end=545
    )
    unfilled = solver_plan.Unfilled(
        "A/7A", FIRST, 1, (solver_plan.Reason(solver_plan.ReasonCode.FREE, 2),), ("B/8B",), (fix,)
    )
    gap = snapshots.gap(snapshot, unfilled)
    assert gap == Gap(
        cast["request_7A"], FIRST, 1, {"free": 2}, (cast["request_8B"],),
        (Fix(FixKind.WINDOW, 3, snapshot.teacher_ids[email], 3, 500, 545),),
    )  # fmt: skip


def test_every_fix_of_the_engine_has_its_kind_here_in_the_same_order():
    assert [code.value for code in solver_plan.FixCode] == [kind.value for kind in FixKind]


@pytest.mark.fault(20)
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


@pytest.mark.fault(20, 33)
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
