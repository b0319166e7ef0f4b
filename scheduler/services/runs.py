"""Matching runs: asked for by a coordinator, claimed by a tick, worked on in another process."""

import logging
import multiprocessing
from dataclasses import replace
from datetime import timedelta

from scheduler import clock, logs, security, tracing
from scheduler.clock import Clock
from scheduler.config import Settings
from scheduler.domain import runs as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.plans import PlanId, PlanOrigin
from scheduler.domain.runs import WHOLE, Point, Run, RunId, Scope, Standing, Wish, thinned
from scheduler.domain.terms import TermId
from scheduler.errors import ChungTayError, Conflict, Invalid, NotFound, Text, text
from scheduler.matching import search, verify
from scheduler.matching.plan import Plan, Solution
from scheduler.matching.replan import Budget
from scheduler.matching.search import Progress
from scheduler.matching.verify import Verdict
from scheduler.services import executors, programmes, snapshots, suppositions
from scheduler.services.context import Context, open_database
from scheduler.services.snapshots import Snapshot
from scheduler.services.terms import allowed
from scheduler.store import audits, lessons, plans, tables
from scheduler.store import runs as rows
from scheduler.store.database import Session
from scheduler.store.visibility import sees

LEASE = timedelta(seconds=60)
REPORT_EVERY = 1.0  # seconds between two notes of progress in the database
LIMITS = (1.0, 3600.0)  # seconds that a coordinator may ask for
MOST_ATTEMPTS = 3
CHILD = "matching run"
_log = logging.getLogger(__name__)


def start(
    ctx: Context,
    actor: Actor,
    term_id: TermId,
    seconds: float,
    seed: int = 1,
    scope: Scope = WHOLE,
) -> RunId:
    """Queue a run for the term; raises Conflict while one is open and for a term that is
    over, Invalid for odd limits.

    It starts from the timetable in force, where there is one, and changes of it what `scope`
    allows.
    """
    if not LIMITS[0] <= seconds <= LIMITS[1]:
        raise Invalid(
            "Choose how long the engine may search.",
            fields={"seconds": text("Write a number of seconds from 1 to 3600.")},
        )
    with ctx.transaction() as db:
        term = allowed(db, actor, term_id, Action.RUN_MATCHING)
        programmes.require_open(programmes.choose(db, term.programme_id, term.id, ctx.now()))
        in_force = plans.published(db, term.id) is not None
        if found := rules.faults(scope, term, ctx.now(), in_force):
            raise Invalid("Some fields need another look.", fields=found)
        if rows.open_of(db, term.id) is not None:
            raise Conflict("The matching engine is already at work on this term.")
        run_id = rows.add(
            db,
            term_id=term.id,
            asked_by=actor.person_id,
            now=ctx.now(),
            seconds=seconds,
            seed=seed,
            scope=scope,
        )
        audits.record(db, ctx.now(), actor.person_id, "run_matching", "run", run_id)
        return run_id


def get(ctx: Context, actor: Actor, run_id: RunId) -> Run:
    """One run with its progress; raises NotFound for strangers."""
    with ctx.reading() as db:
        found = rows.get(db, run_id) if sees(db, actor, tables.runs, run_id) else None
    if found is None:
        raise NotFound("There is no such run here.")
    return found


def latest(ctx: Context, actor: Actor, term_id: TermId) -> Run | None:
    """The newest run of the term, open or ended."""
    with ctx.reading() as db:
        return rows.latest(db, allowed(db, actor, term_id, Action.RUN_MATCHING).id)


def latest_limited(ctx: Context, actor: Actor, term_id: TermId) -> Run | None:
    """The newest run of the term that might change some lessons only, while its plan waits as a
    draft."""
    with ctx.reading() as db:
        return rows.latest_limited(db, allowed(db, actor, term_id, Action.RUN_MATCHING).id)


def stop(ctx: Context, actor: Actor, run_id: RunId) -> None:
    """Ask a run to end now and keep its best plan so far; raises Conflict when it has ended."""
    _ask(ctx, actor, run_id, Wish.STOP)


def cancel(ctx: Context, actor: Actor, run_id: RunId) -> None:
    """Ask a run to end now without a draft; raises Conflict when it has ended already."""
    _ask(ctx, actor, run_id, Wish.CANCEL)


def _ask(ctx: Context, actor: Actor, run_id: RunId, wish: Wish) -> None:
    get(ctx, actor, run_id)
    with ctx.transaction() as db:
        if not rows.ask(db, run_id, wish):
            raise Conflict("This run has ended already.")
        audits.record(db, ctx.now(), actor.person_id, f"{wish}_run", "run", run_id)


# -- the worker's side


def work_on_next(ctx: Context) -> bool:
    """Claim the next run, if any, and give it to a process of its own; True when one was begun."""
    if any(child.name == CHILD for child in multiprocessing.active_children()):
        return False
    claimed = _claim(ctx)
    if claimed is None:
        return False
    run, token = claimed
    spawn = multiprocessing.get_context("spawn")
    work = (ctx.settings, ctx.clock, ctx.keys, run, token)
    spawn.Process(target=_in_child, name=CHILD, args=work, daemon=True).start()
    return True


def work_here(ctx: Context, run_id: RunId | None = None) -> Run | None:
    """Claim a run and work on it in this process, to its end; None when nothing waits."""
    claimed = _claim(ctx, run_id)
    if claimed is None:
        return None
    execute(ctx, *claimed)
    with ctx.reading() as db:
        return rows.get(db, claimed[0].id)


def _claim(ctx: Context, run_id: RunId | None = None) -> tuple[Run, str] | None:
    with ctx.reading() as db:  # most ticks find nothing: do not take the writers' turn for that
        if not rows.waiting(db):
            return None
    token = security.new_token()
    with ctx.transaction() as db:
        run = rows.claim(db, token, LEASE, run_id)
        if run is None:
            return None
        if rows.attempts(db, run.id) > MOST_ATTEMPTS:
            rows.fail(db, run.id, token, text("The engine stopped each time it was tried."))
            return None
    return run, token


def _in_child(
    settings: Settings, beat: Clock, keys: tuple[bytes, ...], run: Run, token: str
) -> None:
    key, *former = keys
    logs.set_up(settings.log_format)
    tracing.set_up()
    try:
        ctx = Context(settings, open_database(settings, "run"), beat, key, tuple(former))
        with tracing.span("matching run"):
            execute(ctx, run, token)
    except Conflict:
        _log.warning("run %s went to another worker; this one's plan is dropped", run.id)
    finally:
        tracing.close()  # such a process ends without asking anybody


def execute(ctx: Context, run: Run, token: str) -> None:
    """Solve outside any transaction, then keep the draft, if the lease is still ours."""
    try:
        snapshot = snapshots.take(ctx, run.term_id, run.scope.from_day)
        watched = _Progress(ctx, run, token)
        if run.supposes:
            snapshot = suppositions.with_all(ctx, snapshot, run.supposes)
        solution = _solved(ctx, run, snapshot, watched)
        solution = snapshots.without_called_off(snapshot, solution)
    except Exception as error:
        with ctx.transaction() as db:
            rows.fail(db, run.id, token, _reason(error))
        if not isinstance(error, ChungTayError):
            raise
        return
    with ctx.transaction() as db:
        # asked again: the search may have ended by itself before it heard
        if watched.wish is Wish.CANCEL or rows.cancel_asked(db, run.id, token):
            rows.cancelled(db, run.id, token)
            return
        plan_id = _keep(db, ctx, run, snapshot, solution)
        standing = _ended(run, solution)
        history = watched.told(standing)
        if not rows.finish(db, run.id, token, plan_id, standing, history):
            raise Conflict("Another worker has taken this run over.")


def _solved(ctx: Context, run: Run, snapshot: Snapshot, watched: "_Progress") -> Solution:
    """The plan that the run found; of one that tries a change the plan at hand, mended."""
    if run.supposes:
        return search.solve(
            snapshot.instance,
            prices=snapshot.prices,
            seconds=None,
            iterations=0,
            seed=run.seed,
            monotonic=clock.monotonic,
            progress=watched,
            bound_beside=False,
        )
    where = ctx.settings.matching_executor
    others = executors.others(where, ctx.settings.matching_workers)
    with executors.opened_if_there(where, others) as beside:
        return search.solve(
            snapshot.instance,
            prices=snapshot.prices,
            seconds=run.seconds_limit,
            iterations=None,
            seed=run.seed,
            monotonic=clock.monotonic,
            progress=watched,
            budget=_budget(run.scope),
            others=beside.count,
            executor=beside.executor,
        )


def _budget(scope: Scope) -> Budget | None:
    return Budget(scope.most_lessons, scope.most_teachers) if scope.limited else None


def _ended(run: Run, solution: Solution) -> Standing:
    return Standing(
        elapsed=solution.seconds,
        cost=solution.cost,
        taught=solution.taught,
        requested=solution.requested,
        bound=_proved(run, solution.lower_bound),
        moves_per_second=solution.iterations / solution.seconds if solution.seconds else 0.0,
    )


def _proved(run: Run, bound: float) -> float:
    """A run that tries a change does not search: what little is proved then would mislead."""
    return 0.0 if run.supposes else bound


def _reason(error: Exception) -> Text:
    """What a coordinator reads of a run that failed: the first fault, where there are several."""
    if isinstance(error, Invalid) and error.problems:
        first = error.problems[0]
        return text("{where}: {what}", where=first.where, what=first.what)
    if isinstance(error, ChungTayError):
        return error.message
    return text("The engine met a fault of its own: {fault}.", fault=type(error).__name__)


class _Progress:
    """Notes progress in the database about once a second; hears there whether to stop."""

    def __init__(self, ctx: Context, run: Run, token: str) -> None:
        self.ctx, self.run, self.token = ctx, run, token
        self.noted = clock.monotonic()
        self.history: tuple[Point, ...] = ()
        self.wish: Wish | None = None

    def __call__(self, seen: Progress) -> bool:
        standing = Standing(
            elapsed=seen.elapsed,
            cost=seen.cost,
            taught=seen.taught,
            requested=seen.requested,
            bound=_proved(self.run, seen.bound),
            moves_per_second=seen.moves_per_second,
        )
        history = self.told(standing)
        if clock.monotonic() - self.noted < REPORT_EVERY:
            return self.wish is None
        self.noted = clock.monotonic()
        with self.ctx.transaction() as db:
            self.wish = rows.progress(db, self.run.id, self.token, LEASE, standing, history)
        return self.wish is None

    def told(self, standing: Standing) -> tuple[Point, ...]:
        """The history with one point more."""
        point = Point(round(standing.elapsed, 2), round(standing.cost, 3), round(standing.bound, 3))
        self.history = thinned((*self.history, point))
        return self.history


def verdict(ctx: Context, term_id: TermId) -> Verdict:
    """The published timetable read by the independent verifier: violations, cost, taught."""
    snapshot = snapshots.take(ctx, term_id)
    with ctx.reading() as db:
        planned = snapshot.planned(lessons.placements(db, term_id))
    alone = replace(snapshot.instance, current=(), freeze_before=None)
    return verify.verify(alone, Plan(planned), snapshot.prices)


def _keep(db: Session, ctx: Context, run: Run, snapshot: Snapshot, solution: Solution) -> PlanId:
    return plans.save(
        db,
        term_id=run.term_id,
        created_by=run.asked_by,
        now=ctx.now(),
        cost=solution.cost,
        lower_bound=_proved(run, solution.lower_bound),
        requested=solution.requested,
        seconds=solution.seconds,
        seed=solution.seed,
        input_hash=snapshot.input_hash,
        placements=map(snapshot.placement, solution.plan.lessons),
        gaps=[snapshots.gap(snapshot, unfilled) for unfilled in solution.unfilled],
        weights=snapshot.weights,
        terms=solution.terms,
        from_day=run.scope.from_day,
        origin=PlanOrigin.TRIAL if run.supposes else PlanOrigin.RUN,
        marks=suppositions.marks(db, run.supposes),
        supposes=run.supposes,
    )
