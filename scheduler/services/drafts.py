"""Drafts that no search made: the timetable in force with some changes, priced and verified."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from scheduler.domain import plan_changes
from scheduler.domain.access import Actor
from scheduler.domain.lessons import LessonId
from scheduler.domain.plans import Change, ChangeKind, Placement, PlanId, PlanOrigin, PublicationId
from scheduler.domain.terms import Term
from scheduler.errors import Problem, Stale, text
from scheduler.matching import explain, verify
from scheduler.matching.plan import Plan, PlannedLesson, Unfilled
from scheduler.matching.verify import Verdict, Violation
from scheduler.services import snapshots
from scheduler.services.snapshots import Snapshot
from scheduler.store import lessons, plans
from scheduler.store.database import Session


@dataclass(frozen=True, slots=True)
class Draft:
    """Not saved yet.  `broken`: rules that the timetable in force keeps, and this one does not."""

    snapshot: Snapshot
    placements: tuple[Placement, ...]
    verdict: Verdict
    broken: tuple[Violation, ...]
    unfilled: tuple[Unfilled, ...]


def weigh(snapshot: Snapshot, current: Iterable[Placement], changes: Sequence[Change]) -> Draft:
    """The timetable in force after these changes; slow enough to stay out of transactions."""
    known = tuple(current)
    wanted = plan_changes.with_changes(known, changes)
    plan = Plan(snapshot.planned(wanted))
    before = verify.verify(snapshot.instance, Plan(snapshot.planned(known)), snapshot.prices)
    after = verify.verify(snapshot.instance, plan, snapshot.prices)
    there = {teacher.id for teacher in snapshot.instance.teachers}
    given = Plan(tuple(lesson for lesson in plan.lessons if lesson.teacher in there))
    return Draft(
        snapshot=snapshot,
        placements=wanted,
        verdict=after,
        broken=newly(before.violations, after.violations, _formerly(snapshot, changes)),
        unfilled=tuple(explain.explain(snapshot.instance, given)),
    )


def _formerly(snapshot: Snapshot, changes: Iterable[Change]) -> dict[PlannedLesson, PlannedLesson]:
    """Each lesson that changed hands as it was before."""
    passed = [c for c in changes if c.kind is ChangeKind.RESTAFFED]
    after = [snapshot.planned([c.after]) for c in passed if c.after is not None]
    before = [snapshot.planned([c.before]) for c in passed if c.before is not None]
    return {new[0]: old[0] for old, new in zip(before, after, strict=True) if old and new}


def newly(
    before: Iterable[Violation],
    after: Iterable[Violation],
    formerly: Mapping[PlannedLesson, PlannedLesson],
) -> tuple[Violation, ...]:
    """The violations that are not there already, by fewer lessons or by as many.

    What a class's lessons break together they break whoever gives them, so several lessons are
    also looked at as they were before they changed hands.
    """
    known: dict[str, list[set[PlannedLesson]]] = {}
    for violation in before:
        known.setdefault(violation.rule, []).append(set(violation.lessons))

    def is_known(violation: Violation) -> bool:
        now = set(violation.lessons)
        then = {formerly.get(x, x) for x in now} if len(now) > 1 else now
        return any(now <= had or then <= had for had in known.get(violation.rule, ()))

    return tuple(violation for violation in after if not is_known(violation))


def problems(draft: Draft) -> tuple[Problem, ...]:
    """Each broken rule, with each lesson that breaks it."""
    return tuple(
        Problem(draft.snapshot.told(lesson), text(violation.rule))
        for violation in draft.broken
        for lesson in violation.lessons
    )


def require_unchanged(db: Session, term: Term, known: Mapping[Placement, LessonId]) -> None:
    """Raise Stale unless the timetable in force is the one that a draft was made from."""
    if lessons.placements(db, term.id) != dict(known):
        raise Stale("The timetable changed while you were looking. See the new difference.")


def keep(
    db: Session,
    draft: Draft,
    term: Term,
    actor: Actor,
    now: datetime,
    origin: PlanOrigin,
    *,
    note: str = "",
    from_day: date | None = None,
    lower_bound: float = 0.0,
    undoes: PublicationId | None = None,
) -> PlanId:
    """Save it, to be previewed and published like any other; a bound of 0: nothing is proved."""
    verdict, snapshot = draft.verdict, draft.snapshot
    return plans.save(
        db,
        term_id=term.id,
        created_by=actor.person_id,
        now=now,
        cost=round(verdict.cost, 3),
        lower_bound=min(lower_bound, verdict.cost),
        requested=verdict.requested,
        seconds=0.0,
        seed=0,
        input_hash=snapshot.input_hash,
        placements=draft.placements,
        gaps=[snapshots.gap(snapshot, unfilled) for unfilled in draft.unfilled],
        weights=snapshot.weights,
        terms={name: round(points, 3) for name, points in verdict.terms.items()},
        origin=origin,
        note=note,
        from_day=from_day,
        undoes=undoes,
    )
