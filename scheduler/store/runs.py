"""Matching runs as a queue: claimed under a lease, finished only by whoever holds it."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select, update
from sqlalchemy.orm import Session

from scheduler.domain.plans import PlanState, Supposition
from scheduler.domain.runs import WHOLE, Point, Run, RunId, RunState, Scope, Standing, Wish
from scheduler.domain.vitals import RunTally
from scheduler.errors import Text
from scheduler.store import sentences, suppositions
from scheduler.store.leases import database_now
from scheduler.store.tables import plans, runs

OPEN = (RunState.QUEUED, RunState.RUNNING)


def add(
    db: Session,
    *,
    term_id: int,
    asked_by: int | None,
    now: datetime,
    seconds: float,
    seed: int,
    scope: Scope = WHOLE,
    supposes: Iterable[Supposition] = (),
) -> RunId:
    """Queue a run; the database refuses a second open one of the same term."""
    made = db.execute(
        runs.insert()
        .values(
            term_id=term_id,
            state=RunState.QUEUED,
            asked_by=asked_by,
            asked_at=now,
            seconds_limit=seconds,
            seed=seed,
            elapsed=0.0,
            stop_asked=False,
            cancel_asked=False,
            attempts=0,
            supposes=suppositions.kept(supposes),
            **asdict(scope),
        )
        .returning(runs.c.id)
    )
    return RunId(made.scalar_one())


def get(db: Session, run_id: int) -> Run | None:
    row = db.execute(select(runs).where(runs.c.id == run_id)).first()
    return None if row is None else _run(row)


def latest(db: Session, term_id: int) -> Run | None:
    row = db.execute(
        select(runs).where(runs.c.term_id == term_id).order_by(runs.c.id.desc())
    ).first()
    return None if row is None else _run(row)


def latest_search(db: Session, term_id: int) -> Run | None:
    """The newest run that took in what everybody asks and promises, and tried no change of it."""
    mine = runs.c.term_id == term_id, runs.c.supposes.is_(None)
    row = db.execute(select(runs).where(*mine).order_by(runs.c.id.desc())).first()
    return None if row is None else _run(row)


def of_plan(db: Session, plan_id: int) -> Run | None:
    """The run that found the plan."""
    row = db.execute(select(runs).where(runs.c.plan_id == plan_id)).first()
    return None if row is None else _run(row)


def latest_limited(db: Session, term_id: int) -> Run | None:
    """The newest run with a budget of changes whose plan still is a draft."""
    limited = or_(runs.c.most_lessons.is_not(None), runs.c.most_teachers.is_not(None))
    query = (
        select(runs)
        .join(plans, runs.c.plan_id == plans.c.id)
        .where(runs.c.term_id == term_id, plans.c.state == PlanState.DRAFT, limited)
    )
    row = db.execute(query.order_by(runs.c.id.desc())).first()
    return None if row is None else _run(row)


def trials_since(db: Session, term_id: int, since: datetime) -> tuple[Run, ...]:
    """The runs that try something and are at work, or whose plan is a draft, asked since then."""
    going = or_(runs.c.state.in_(OPEN), plans.c.state == PlanState.DRAFT)
    query = (
        select(runs)
        .outerjoin(plans, runs.c.plan_id == plans.c.id)
        .where(runs.c.term_id == term_id, runs.c.supposes.is_not(None), runs.c.asked_at >= since)
    )
    return tuple(map(_run, db.execute(query.where(going))))


def open_of(db: Session, term_id: int) -> Run | None:
    row = db.execute(select(runs).where(runs.c.term_id == term_id, runs.c.state.in_(OPEN))).first()
    return None if row is None else _run(row)


def attempts(db: Session, run_id: int) -> int:
    return int(db.scalar(select(runs.c.attempts).where(runs.c.id == run_id)) or 0)


def tally(db: Session, now: datetime) -> RunTally:
    """All runs that there ever were."""
    counts = db.execute(select(runs.c.state, func.count()).group_by(runs.c.state)).all()
    lost = (runs.c.state == RunState.RUNNING) & (runs.c.lease_until < database_now(db))
    asked, abandoned = db.execute(
        select(
            func.min(runs.c.asked_at).filter(runs.c.state == RunState.QUEUED),
            func.count().filter(lost),
        )
    ).one()
    return RunTally(
        by_state=dict.fromkeys(RunState, 0) | {RunState(state): count for state, count in counts},
        abandoned=abandoned,
        waits_seconds=max(0.0, (now - asked).total_seconds()) if asked else 0.0,
    )


def newest_searches(db: Session, since: datetime) -> tuple[Run, ...]:
    """Of each term the newest run asked since then that has found something; none that tries a
    change."""
    mine = runs.c.supposes.is_(None), runs.c.cost.is_not(None), runs.c.asked_at >= since
    newest = select(func.max(runs.c.id)).where(*mine).group_by(runs.c.term_id)
    query = select(runs).where(runs.c.id.in_(newest)).order_by(runs.c.term_id)
    return tuple(map(_run, db.execute(query)))


def waiting(db: Session) -> bool:
    """True when a run waits, or has lost its worker."""
    return db.scalar(select(runs.c.id).where(_free(db)).limit(1)) is not None


def claim(db: Session, token: str, lease: timedelta, run_id: int | None = None) -> Run | None:
    """Take the oldest run that waits, or whose worker has vanished; None when there is none."""
    now = database_now(db)
    wanted = select(runs.c.id).where(_free(db))
    if run_id is not None:
        wanted = wanted.where(runs.c.id == run_id)
    found = db.scalar(wanted.order_by(runs.c.id).limit(1).with_for_update(skip_locked=True))
    if found is None:
        return None
    db.execute(
        update(runs)
        .where(runs.c.id == found)
        .values(
            state=RunState.RUNNING,
            lease_token=token,
            lease_until=now + lease,
            attempts=runs.c.attempts + 1,
        )
    )
    return get(db, found)


def progress(
    db: Session,
    run_id: int,
    token: str,
    lease: timedelta,
    standing: Standing,
    history: Iterable[Point],
) -> Wish | None:
    """Note how far it is and renew the lease; gives what it is asked to do, None: to go on.

    A run that is not ours any more is one to drop.
    """
    row = db.execute(
        update(runs)
        .where(_mine(run_id, token))
        .values(lease_until=database_now(db) + lease, **_noted(standing, history))
        .returning(runs.c.stop_asked, runs.c.cancel_asked)
    ).first()
    if row is None or row.cancel_asked:
        return Wish.CANCEL
    return Wish.STOP if row.stop_asked else None


def cancel_asked(db: Session, run_id: int, token: str) -> bool:
    """True when somebody wants no plan of a run that is ours."""
    return db.scalar(select(runs.c.cancel_asked).where(_mine(run_id, token))) is True


def finish(
    db: Session,
    run_id: int,
    token: str,
    plan_id: int,
    standing: Standing,
    history: Iterable[Point],
) -> bool:
    """The run ends with its draft; False when the lease went to somebody else."""
    noted = _noted(standing, history)
    return _end(db, _mine(run_id, token), state=RunState.DONE, plan_id=plan_id, **noted)


def fail(db: Session, run_id: int, token: str, error: Text) -> bool:
    """The run ends without a draft; `error` says why, in each reader's language."""
    return _end(db, _mine(run_id, token), state=RunState.FAILED, error=sentences.packed(error))


def cancelled(db: Session, run_id: int, token: str) -> bool:
    return _end(db, _mine(run_id, token), state=RunState.CANCELLED)


def ask(db: Session, run_id: int, wish: Wish) -> bool:
    """Ask a run to stop or to cancel; one that nobody has begun ends at once, without a plan."""
    if _end(
        db, (runs.c.id == run_id) & (runs.c.state == RunState.QUEUED), state=RunState.CANCELLED
    ):
        return True
    row = db.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.state == RunState.RUNNING)
        .values({runs.c.stop_asked if wish is Wish.STOP else runs.c.cancel_asked: True})
        .returning(runs.c.id)
    ).first()
    return row is not None


def _free(db: Session) -> ColumnElement[bool]:
    return or_(
        runs.c.state == RunState.QUEUED,
        (runs.c.state == RunState.RUNNING) & (runs.c.lease_until < database_now(db)),
    )


def _mine(run_id: int, token: str) -> ColumnElement[bool]:
    return (
        (runs.c.id == run_id) & (runs.c.lease_token == token) & (runs.c.state == RunState.RUNNING)
    )


def _end(db: Session, where: ColumnElement[bool], **values: object) -> bool:
    done = db.execute(
        update(runs)
        .where(where)
        .values(lease_token=None, lease_until=None, **values)
        .returning(runs.c.id)
    )
    return done.first() is not None


def _noted(standing: Standing, history: Iterable[Point]) -> dict[str, Any]:
    return {
        **asdict(standing),
        "history": [[p.elapsed, p.cost, p.bound] for p in history],
    }


def _run(row: Row[tuple[object, ...]]) -> Run:
    return Run(
        id=row.id,
        term_id=row.term_id,
        state=RunState(row.state),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        seconds_limit=row.seconds_limit,
        seed=row.seed,
        elapsed=row.elapsed,
        cost=row.cost,
        taught=row.taught,
        requested=row.requested,
        plan_id=row.plan_id,
        error=None if row.error is None else sentences.unpacked(row.error),
        stop_asked=row.stop_asked,
        cancel_asked=row.cancel_asked,
        bound=row.bound,
        moves_per_second=row.moves_per_second,
        history=tuple(Point(*point) for point in row.history or ()),
        scope=Scope(row.from_day, row.most_lessons, row.most_teachers),
        supposes=suppositions.read(row.supposes),
    )
