"""Draft plans, what they lack, and publications."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from itertools import starmap

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from scheduler.domain.plans import (
    Fingerprint,
    Gap,
    Mark,
    Placement,
    Plan,
    PlanId,
    PlanOrigin,
    PlanState,
    PublicationId,
    Supposition,
    in_order,
)
from scheduler.domain.weights import Weights
from scheduler.store import suppositions
from scheduler.store.tables import (
    classes,
    plan_gaps,
    plan_lessons,
    plan_marks,
    plans,
    publications,
    requests,
)


def save(
    db: Session,
    *,
    term_id: int,
    created_by: int | None,
    now: datetime,
    cost: float,
    lower_bound: float,
    requested: int,
    seconds: float,
    seed: int,
    input_hash: str,
    placements: Iterable[Placement],
    gaps: Iterable[Gap],
    weights: Weights | None = None,
    terms: Mapping[str, float] | None = None,
    origin: PlanOrigin = PlanOrigin.RUN,
    note: str = "",
    from_day: date | None = None,
    undoes: PublicationId | None = None,
    marks: Iterable[Mark] = (),
    supposes: Iterable[Supposition] = (),
) -> PlanId:
    """Keep a draft with its lessons and gaps, the weights it was made with and its cost by term;
    where it comes from, and the day before which it changes nothing."""
    wanted = list(placements)
    made = db.execute(
        plans.insert()
        .values(
            term_id=term_id,
            state=PlanState.DRAFT,
            created_at=now,
            created_by=created_by,
            cost=cost,
            lower_bound=lower_bound,
            requested=requested,
            taught=len(wanted),
            seconds=seconds,
            seed=seed,
            input_hash=input_hash,
            weights=None if weights is None else asdict(weights),
            terms=None if terms is None else dict(terms),
            origin=origin,
            note=note,
            from_day=from_day,
            undoes_id=undoes,
            supposes=suppositions.kept(supposes),
        )
        .returning(plans.c.id)
    )
    plan_id = PlanId(made.scalar_one())
    lesson_rows = [
        {
            "plan_id": plan_id,
            "request_id": p.request_id,
            "day": p.day,
            "start_minute": p.start,
            "end_minute": p.end,
            "teacher_id": p.teacher_id,
        }
        for p in wanted
    ]
    gap_rows = [
        {
            "plan_id": plan_id,
            "request_id": gap.request_id,
            "week": gap.week,
            "missing": gap.missing,
            "reasons": dict(gap.reasons),
            "rivals": list(gap.rivals),
            "fixes": [suppositions.fix_kept(fix) for fix in gap.fixes],
        }
        for gap in gaps
    ]
    mark_rows = [{"plan_id": plan_id, **asdict(mark)} for mark in marks]
    for table, rows in (
        (plan_lessons, lesson_rows), (plan_gaps, gap_rows), (plan_marks, mark_rows),
    ):  # fmt: skip
        if rows:
            db.execute(insert(table), rows)
    return plan_id


def get(db: Session, plan_id: int) -> Plan | None:
    row = db.execute(select(plans).where(plans.c.id == plan_id)).first()
    return None if row is None else _plan(row)


def of_term(db: Session, term_id: int) -> tuple[Plan, ...]:
    """All plans of a term, the newest first."""
    rows = db.execute(
        select(plans).where(plans.c.term_id == term_id).order_by(plans.c.id.desc())
    ).all()
    return tuple(_plan(row) for row in rows)


def same_draft(
    db: Session,
    term_id: int,
    origin: PlanOrigin,
    input_hash: str,
    wanted: Iterable[Placement],
    from_day: date | None,
) -> PlanId | None:
    """A draft of this origin that was made of just the same, and holds just the same."""
    lessons = tuple(sorted(wanted))
    asked = (PlanState.DRAFT, origin, input_hash, from_day)
    for plan in of_term(db, term_id):
        made = (plan.state, plan.origin, plan.input_hash, plan.from_day)
        if made == asked and placements(db, plan.id) == lessons:
            return plan.id
    return None


def published(db: Session, term_id: int) -> Plan | None:
    row = db.execute(
        select(plans).where(plans.c.term_id == term_id, plans.c.state == PlanState.PUBLISHED)
    ).first()
    return None if row is None else _plan(row)


def placements(db: Session, plan_id: int) -> tuple[Placement, ...]:
    row = plan_lessons.c
    query = select(row.request_id, row.day, row.start_minute, row.end_minute, row.teacher_id)
    rows = db.execute(query.where(row.plan_id == plan_id)).all()
    return tuple(in_order(starmap(Placement, rows)))


def marks(db: Session, plan_id: int) -> tuple[Mark, ...]:
    """What hands meant beside the plan's lessons."""
    query = select(plan_marks).where(plan_marks.c.plan_id == plan_id)
    rows = db.execute(query.order_by(plan_marks.c.request_id, plan_marks.c.day))
    return tuple(Mark(row.request_id, row.day, row.called_off) for row in rows)


def gaps(db: Session, plan_id: int, school_id: int | None = None) -> tuple[Gap, ...]:
    """What the plan lacks, of all requests or of one school's."""
    query = select(plan_gaps).where(plan_gaps.c.plan_id == plan_id)
    if school_id is not None:
        own = select(classes.c.id).where(classes.c.school_id == school_id)
        query = query.join(requests).where(requests.c.class_id.in_(own))
    rows = db.execute(query.order_by(plan_gaps.c.request_id, plan_gaps.c.week)).all()
    return tuple(map(_gap, rows))


def lock(db: Session, plan_id: int) -> Plan | None:
    """The plan, held against other publishers until the transaction ends."""
    row = db.execute(select(plans).where(plans.c.id == plan_id).with_for_update()).first()
    return None if row is None else _plan(row)


def agree(db: Session, plan_id: int, supposes: Iterable[Supposition]) -> None:
    """Keep what a locked plan supposes, as it is agreed by now."""
    values = {plans.c.supposes: suppositions.kept(supposes)}
    db.execute(update(plans).where(plans.c.id == plan_id).values(values))


def publish(
    db: Session, plan: Plan, fingerprint: Fingerprint, now: datetime, by: int | None
) -> PublicationId:
    """Make the plan the one in force; returns the publication's id."""
    previous = db.scalar(
        select(publications.c.id)
        .where(publications.c.term_id == plan.term_id)
        .order_by(publications.c.id.desc())
    )
    db.execute(
        update(plans)
        .where(plans.c.term_id == plan.term_id, plans.c.state == PlanState.PUBLISHED)
        .values(state=PlanState.SUPERSEDED)
    )
    db.execute(
        update(plans)
        .where(plans.c.id == plan.id)
        .values(state=PlanState.PUBLISHED, published_at=now)
    )
    made = db.execute(
        publications.insert()
        .values(
            term_id=plan.term_id,
            plan_id=plan.id,
            fingerprint=fingerprint,
            published_at=now,
            published_by=by,
            previous_id=previous,
            undoes_id=plan.undoes,
        )
        .returning(publications.c.id)
    )
    return PublicationId(made.scalar_one())


def _gap(row: Row[tuple[object, ...]]) -> Gap:
    return Gap(
        row.request_id,
        row.week,
        row.missing,
        row.reasons,
        tuple(row.rivals or ()),
        tuple(map(suppositions.fix_read, row.fixes or ())),
    )


def _plan(row: Row[tuple[object, ...]]) -> Plan:
    return Plan(
        id=row.id,
        term_id=row.term_id,
        state=PlanState(row.state),
        created_at=row.created_at,
        created_by=row.created_by,
        cost=row.cost,
        lower_bound=row.lower_bound,
        requested=row.requested,
        taught=row.taught,
        seconds=row.seconds,
        seed=row.seed,
        input_hash=row.input_hash,
        published_at=row.published_at,
        weights=None if row.weights is None else Weights(**row.weights),
        terms=row.terms or {},
        origin=PlanOrigin(row.origin),
        note=row.note,
        from_day=row.from_day,
        undoes=row.undoes_id,
        supposes=suppositions.read(row.supposes),
    )
