"""Draft plans: what one would change, and publishing exactly what was seen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scheduler.domain import access
from scheduler.domain import plans as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.lessons import Deed, LessonId
from scheduler.domain.people import ReceivingSchool, SchoolId, Teacher, TeacherId
from scheduler.domain.plans import (
    Change,
    ChangeKind,
    Fingerprint,
    Placement,
    Plan,
    PlanDiff,
    PlanId,
    PlanOrigin,
    PlanState,
)
from scheduler.domain.requests import Request, RequestId
from scheduler.domain.runs import RunId
from scheduler.domain.subscriptions import would_miss
from scheduler.domain.terms import Term, TermId
from scheduler.domain.weights import Charge, bill
from scheduler.errors import Conflict, NotFound, Stale
from scheduler.services import baskets, gaps, timetable
from scheduler.services.context import Context
from scheduler.services.gaps import GapLine
from scheduler.services.timetable import Cause
from scheduler.store import (
    audits,
    lessons,
    people,
    requests,
    runs,
    subscriptions,
    tables,
    terms,
)
from scheduler.store import plans as rows
from scheduler.store.database import Session
from scheduler.store.visibility import sees

SOON = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class DiffLine:
    """Equal changes of one weekly series in one line; minutes on the term's wall."""

    kind: ChangeKind
    request: Request
    school_name: str
    count: int
    first_day: date
    last_day: date
    before: Placement | None
    after: Placement | None
    teacher_before: str
    teacher_after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The object that publishing makes true: what changes, who hears of it, what is odd, what it
    costs and why, and the run that found it.

    `soon` counts lessons that change before the end of tomorrow; `unseen` names the teachers of
    those whose calendars will hardly show it in time.
    """

    plan: Plan
    term: Term
    fingerprint: Fingerprint
    diff: PlanDiff
    lines: tuple[DiffLine, ...]
    gaps: tuple[GapLine, ...]
    teachers_told: int
    schools_told: int
    soon: int
    unseen: tuple[str, ...]
    bill: tuple[Charge, ...]
    run: RunId | None

    @property
    def changes(self) -> int:
        return len(self.diff.changes)


def of_term(ctx: Context, actor: Actor, term_id: TermId) -> tuple[Plan, ...]:
    """Drafts and publications of a term, the newest first."""
    with ctx.reading() as db:
        return rows.of_term(db, _term(db, actor, term_id, Action.SEE_PROGRAMME).id)


def preview(ctx: Context, actor: Actor, plan_id: PlanId) -> Preview:
    """What publishing this plan would change now; raises NotFound for strangers."""
    now = ctx.now()
    with ctx.reading() as db:
        plan = _visible(db, actor, plan_id)
        term = _term(db, actor, plan.term_id, Action.SEE_PROGRAMME)
        current, wanted = _both_sides(ctx, db, plan, term)
        missing = rows.gaps(db, plan_id)
        run = runs.of_plan(db, plan_id)
        asked = {request.id: request for request in requests.of_term(db, term.id)}
        asked |= {r.id: r for r in requests.by_ids(db, _requests_of(current, wanted))}
        names = {t.id: t for t in people.teachers(db, term.programme_id)}
        schools = {s.id: s for s in terms.schools(db, term.programme_id)}
        diff = rules.diff(current, wanted)
        starts = _starts_soon(diff, term, now)
        links = subscriptions.of_teachers(db, starts)
    unseen = (names[t] for t, at in starts.items() if would_miss(links[t], at, now) and t in names)
    return Preview(
        plan=plan,
        term=term,
        fingerprint=rules.fingerprint(plan_id, current, wanted),
        diff=diff,
        lines=_lines(diff.changes, asked, names, schools),
        gaps=gaps.lines(missing, asked, schools, names),
        teachers_told=len(_teachers_of(diff.changes)),
        schools_told=len({asked[c.request_id].school_id for c in diff.changes}),
        soon=sum(_is_soon(c.before, term, now) for c in diff.changes if c.before is not None),
        unseen=tuple(sorted(teacher.name for teacher in unseen)),
        bill=bill(plan.terms, plan.weights, plan.requested - plan.taught) if plan.weights else (),
        run=run,
    )


def _is_soon(lesson: Placement, term: Term, now: datetime) -> bool:
    return lesson.day <= term.today(now) + SOON


def _starts_soon(diff: PlanDiff, term: Term, now: datetime) -> dict[TeacherId, datetime]:
    """When the first lesson starts that a teacher gains or loses before the end of tomorrow."""
    zone, found = ZoneInfo(term.zone), dict[TeacherId, datetime]()
    for change in diff.changes:
        for lesson in (change.before, change.after):
            if lesson is not None and _is_soon(lesson, term, now):
                at = datetime.combine(lesson.day, time(*divmod(lesson.start, 60)), zone)
                found[lesson.teacher_id] = min(at, found.get(lesson.teacher_id, at))
    return found


def publish(ctx: Context, actor: Actor, plan_id: PlanId, seen: Fingerprint) -> PlanDiff:
    """Make the plan the timetable everyone sees, exactly as previewed.

    One transaction: lessons and their revisions, messages, dirty feeds, the record of changes.
    Publishing the predecessor again undoes a publication.  Raises Stale when the draft or the
    timetable is no longer what the coordinator saw.
    """
    now = ctx.now()
    with ctx.transaction() as db:
        plan = _visible(db, actor, plan_id)
        term = _term(db, actor, plan.term_id, Action.PUBLISH)
        plan = rows.lock(db, plan_id) or plan
        if plan.state is PlanState.PUBLISHED:
            raise Conflict("This plan is already the published timetable.")
        known = lessons.placements(db, term.id)
        current, wanted = _both_sides(ctx, db, plan, term)
        if rules.fingerprint(plan_id, current, wanted) != seen:
            raise Stale(
                "The timetable changed while you were looking. "
                "See the new difference, then publish."
            )
        diff = rules.diff(current, wanted)
        publication = rows.publish(db, plan, seen, now, actor.person_id)
        cause = Cause(
            Deed.PUBLISHED,
            f"publication:{publication}",
            actor.person_id,
            actor.name,
            reason=plan.note,
            publication_id=publication,
        )
        told = timetable.carry_out(ctx, db, term, diff.changes, known, cause)
        baskets.finish(ctx, db, actor, plan, diff.changes, told)
        _record(ctx, db, actor, plan, diff)
    return diff


def _record(ctx: Context, db: Session, actor: Actor, plan: Plan, diff: PlanDiff) -> None:
    counts = {kind.value: diff.count(kind) for kind in ChangeKind}
    audits.record(
        db,
        ctx.now(),
        actor.person_id,
        "publish",
        "plan",
        plan.id,
        before={"state": plan.state.value},
        after={"state": PlanState.PUBLISHED.value, "kept": diff.kept, **counts},
    )


def _both_sides(
    ctx: Context, db: Session, plan: Plan, term: Term
) -> tuple[tuple[Placement, ...], tuple[Placement, ...]]:
    """What is in force and what the plan wants, without the days that have passed.

    What has begun stays; only a term's first publication may hold days before today, for a
    programme that brings its year along.  What somebody called off for a day, no plan brings back
    on that day; only undoing a publication does, for what that one called off.
    """
    current: Mapping[Placement, LessonId] = lessons.placements(db, term.id)
    off = lessons.called_off(db, term.id, undoing=plan.origin is PlanOrigin.UNDO)
    wanted = tuple(p for p in rows.placements(db, plan.id) if (p.request_id, p.day) not in off)
    if rows.published(db, term.id) is None:
        return tuple(sorted(current)), wanted
    today = term.today(ctx.now())
    return (
        tuple(sorted(p for p in current if p.day > today)),
        tuple(p for p in wanted if p.day > today),
    )


def _visible(db: Session, actor: Actor, plan_id: PlanId) -> Plan:
    found = rows.get(db, plan_id) if sees(db, actor, tables.plans, plan_id) else None
    if found is None:
        raise NotFound("There is no such plan here.")
    return found


def _term(db: Session, actor: Actor, term_id: TermId, action: Action) -> Term:
    term = terms.get(db, term_id) if sees(db, actor, tables.terms, term_id) else None
    if term is None:
        raise NotFound("There is no such term here.")
    access.require(actor, action, term.programme_id)
    return term


def _requests_of(*sides: Iterable[Placement]) -> set[RequestId]:
    return {placement.request_id for side in sides for placement in side}


def _teachers_of(changes: Iterable[Change]) -> set[TeacherId]:
    return {p.teacher_id for c in changes for p in (c.before, c.after) if p is not None}


def _lines(
    changes: Iterable[Change],
    asked: Mapping[RequestId, Request],
    names: Mapping[TeacherId, Teacher],
    schools: Mapping[SchoolId, ReceivingSchool],
) -> tuple[DiffLine, ...]:
    series: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        ends = tuple(_weekly(p) for p in (change.before, change.after))
        series.setdefault((change.kind, change.request_id, *ends), []).append(change)
    lines = [_line(group, asked, names, schools) for group in series.values()]
    order = {kind: n for n, kind in enumerate(reversed(ChangeKind))}
    return tuple(
        sorted(
            lines,
            key=lambda line: (order[line.kind], line.school_name, line.request.key, line.first_day),
        )
    )


def _weekly(placement: Placement | None) -> tuple[int, int, int] | None:
    if placement is None:
        return None
    return placement.day.weekday(), placement.start, placement.teacher_id


def _line(
    group: list[Change],
    asked: Mapping[RequestId, Request],
    names: Mapping[TeacherId, Teacher],
    schools: Mapping[SchoolId, ReceivingSchool],
) -> DiffLine:
    first = group[0]
    days = [p.day for c in group for p in (c.after or c.before,) if p is not None]
    request = asked[first.request_id]
    return DiffLine(
        kind=first.kind,
        request=request,
        school_name=schools[request.school_id].name,
        count=len(group),
        first_day=min(days),
        last_day=max(days),
        before=first.before,
        after=first.after,
        teacher_before=names[first.before.teacher_id].name if first.before else "",
        teacher_after=names[first.after.teacher_id].name if first.after else "",
    )
