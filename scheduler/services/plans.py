"""Draft plans: what one would change, and publishing exactly what was seen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scheduler.domain import plan_changes
from scheduler.domain import plans as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.lessons import Deed, LessonId
from scheduler.domain.people import ReceivingSchool, SchoolId, Teacher, TeacherId
from scheduler.domain.plans import (
    Change,
    ChangeKind,
    Effect,
    Fingerprint,
    LineId,
    Placement,
    Plan,
    PlanDiff,
    PlanId,
    PlanOrigin,
    PlanState,
)
from scheduler.domain.requests import Request, RequestId
from scheduler.domain.runs import WHOLE, RunId, Scope
from scheduler.domain.subscriptions import would_miss
from scheduler.domain.terms import Term, TermId
from scheduler.domain.weights import Charge, bill
from scheduler.errors import Conflict, Stale, Text, text
from scheduler.services import baskets, differences, gaps, timetable, trials
from scheduler.services.context import Context
from scheduler.services.differences import Difference
from scheduler.services.gaps import GapLine
from scheduler.services.terms import allowed
from scheduler.services.timetable import Cause
from scheduler.services.trials import Supposed
from scheduler.store import (
    audits,
    people,
    pins,
    requests,
    roles,
    runs,
    subscriptions,
    terms,
    webhook_events,
)
from scheduler.store import plans as rows
from scheduler.store import timetable as timetable_rows
from scheduler.store.database import Session
from scheduler.store.pins import Pin

SOON = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class DiffLine:
    """Equal changes of one weekly series in one line; minutes on the term's wall.

    `id` is what `accept` is told: the same in every preview of the same difference.
    """

    id: LineId
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

    `effect` says it in three figures; `scope` is what its run was allowed to change.  `pinned`
    are pins on lessons that it would change: it cannot be published while they hold, nor until all
    that is `supposed` holds.
    `soon` counts lessons that change before the end of tomorrow; `unseen` are the teachers of
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
    unseen: tuple[Teacher, ...]
    bill: tuple[Charge, ...]
    run: RunId | None
    effect: Effect
    scope: Scope
    pinned: tuple[Pin, ...]
    supposed: tuple[Supposed, ...]

    @property
    def changes(self) -> int:
        return len(self.diff.changes)

    @property
    def words(self) -> tuple[Text, ...]:
        """What it does, and what it was allowed to do."""
        allowed = rules.budget_words(self.scope.most_lessons, self.scope.most_teachers)
        since = self.plan.from_day and text("Changes nothing before {day}.", day=self.plan.from_day)
        return tuple(each for each in (self.effect.words, allowed, since) if each)


def of_term(ctx: Context, actor: Actor, term_id: TermId) -> tuple[Plan, ...]:
    """Drafts and publications of a term, the newest first."""
    with ctx.reading() as db:
        return rows.of_term(db, allowed(db, actor, term_id, Action.SEE_PROGRAMME).id)


def preview(ctx: Context, actor: Actor, plan_id: PlanId) -> Preview:
    """What publishing this plan would change now; raises NotFound for strangers."""
    now = ctx.now()
    with ctx.reading() as db:
        plan = differences.visible(db, actor, plan_id)
        term = allowed(db, actor, plan.term_id, Action.SEE_PROGRAMME)
        found = differences.between(ctx, db, plan, term)
        diff = found.diff
        held = _held_against(ctx, db, actor, plan, term)
        missing = rows.gaps(db, plan_id)
        run = runs.of_plan(db, plan_id)
        changed = {change.request_id for change in diff.changes}
        lacking = {each for gap in missing for each in (gap.request_id, *gap.rivals)}
        asked = {r.id: r for r in requests.of_term(db, term.id, changed | lacking)}
        withdrawn = changed - asked.keys()
        asked |= {r.id: r for r in requests.by_ids(db, withdrawn)}
        names = {t.id: t for t in people.teachers(db, term.programme_id)}
        schools = {s.id: s for s in terms.schools(db, term.programme_id)}
        starts = _starts_soon(diff, term, now)
        links = subscriptions.of_teachers(db, starts)
        supposed = trials.supposed(db, term, plan.supposes)
    unseen = (names[t] for t, at in starts.items() if would_miss(links[t], at, now) and t in names)
    return Preview(
        plan=plan,
        term=term,
        fingerprint=rules.fingerprint(plan_id, diff),
        diff=diff,
        lines=_lines(diff.changes, asked, names, schools),
        gaps=gaps.lines(missing, asked, schools, names),
        teachers_told=len(_teachers_of(diff.changes)),
        schools_told=len({asked[c.request_id].school_id for c in diff.changes}),
        soon=sum(c.before.day <= _soon(term, now) for c in diff.changes if c.before is not None),
        unseen=tuple(sorted(unseen, key=lambda teacher: teacher.name)),
        bill=bill(plan.terms, plan.weights, plan.requested - plan.taught) if plan.weights else (),
        run=run.id if run else None,
        effect=rules.effect(diff),
        scope=run.scope if run else WHOLE,
        pinned=_pinned(found, held),
        supposed=supposed,
    )


def effect(ctx: Context, actor: Actor, plan_id: PlanId) -> Effect:
    """What publishing this plan would do now, in figures alone; raises NotFound for strangers."""
    with ctx.reading() as db:
        plan = differences.visible(db, actor, plan_id)
        term = allowed(db, actor, plan.term_id, Action.SEE_PROGRAMME)
        return rules.effect(differences.between(ctx, db, plan, term).diff)


def _held_against(
    ctx: Context, db: Session, actor: Actor, plan: Plan, term: Term
) -> dict[LessonId, Pin]:
    """The pins that hold against a plan: by hand a coordinator may change what she pinned."""
    held = pins.of_term(db, term.id, term.today(ctx.now()))
    if plan.origin is not PlanOrigin.HAND:
        return held
    return {lesson: pin for lesson, pin in held.items() if pin.owner_id != actor.person_id}


def _pinned(found: Difference, held: Mapping[LessonId, Pin]) -> tuple[Pin, ...]:
    """The pins on lessons that would change."""
    changed = (each.before for each in found.diff.changes if each.before is not None)
    touched = (found.lessons[place] for place in changed)
    return tuple(held[lesson] for lesson in touched if lesson in held)


def _soon(term: Term, now: datetime) -> date:
    """The last day of which news may come too late."""
    return term.today(now) + SOON


def _starts_soon(diff: PlanDiff, term: Term, now: datetime) -> dict[TeacherId, datetime]:
    """When the first lesson starts that a teacher gains or loses before the end of tomorrow."""
    zone, found = ZoneInfo(term.zone), dict[TeacherId, datetime]()
    last = _soon(term, now)
    for change in diff.changes:
        for lesson in (change.before, change.after):
            if lesson is not None and lesson.day <= last:
                at = datetime.combine(lesson.day, time(*divmod(lesson.start, 60)), zone)
                found[lesson.teacher_id] = min(at, found.get(lesson.teacher_id, at))
    return found


def publish(ctx: Context, actor: Actor, plan_id: PlanId, seen: Fingerprint) -> PlanDiff:
    """Make the plan the timetable everyone sees, exactly as previewed.

    One transaction: lessons and their revisions, messages, dirty feeds, the record of changes.
    Publishing the predecessor again undoes a publication.  Raises Stale when the draft or the
    timetable is no longer what the coordinator saw, Conflict when it changes a pinned lesson or
    supposes what is not so.
    """
    now = ctx.now()
    trials.require_sound(ctx, actor, plan_id)
    with ctx.transaction() as db:
        plan = differences.visible(db, actor, plan_id)
        term = allowed(db, actor, plan.term_id, Action.PUBLISH)
        # One publication of a term at a time, and nobody takes a lesson over between look and deed.
        terms.lock(db, term.id)
        timetable_rows.lock(db, term.id)
        plan = rows.lock(db, plan_id) or plan
        if plan.state is PlanState.PUBLISHED:
            raise Conflict("This plan is already the published timetable.")
        trials.require_so(db, term, plan)
        found = differences.between(ctx, db, plan, term)
        diff = found.diff
        if rules.fingerprint(plan_id, diff) != seen:
            raise Stale(
                "The timetable changed while you were looking. "
                "See the new difference, then publish."
            )
        _may_give(db, term, diff)
        publication = rows.publish(db, plan, seen, now, actor.person_id)
        cause = Cause(
            Deed.UNDONE if plan.origin is PlanOrigin.UNDO else Deed.PUBLISHED,
            f"publication:{publication}",
            actor.person_id,
            actor.name,
            reason=plan.note,
            publication_id=publication,
        )
        told = timetable.carry_out(ctx, db, term, diff.changes, found.lessons, cause)
        # asked late: whoever pins a lesson now waits for its row, which we hold
        if _pinned(found, _held_against(ctx, db, actor, plan, term)):
            raise Conflict(
                "This plan changes lessons that are pinned. Unpin them, or run the engine again."
            )
        baskets.finish(ctx, db, actor, plan, diff.changes, told)
        _record(ctx, db, actor, plan, diff)
        _tell(ctx, db, term, plan, publication, diff)
    return diff


def _may_give(db: Session, term: Term, diff: PlanDiff) -> None:
    """Raises Conflict for lessons of somebody who left since the plan was made, or outside the term
    as it is now."""
    after = [x.after for x in diff.changes if x.after is not None]
    if any(not term.first_day <= p.day <= term.last_day or p.day in term.holidays for p in after):
        raise Conflict(
            "The days of the term have changed since this plan was made. Run the engine again."
        )
    gone = roles.gone(db, term.programme_id)
    given = {x.after.teacher_id for x in diff.changes if x.after is not None} & gone
    if given:
        names = {t.id: t.name for t in people.teachers(db, term.programme_id)}
        who = ", ".join(sorted(names[each] for each in given))
        raise Conflict(text("{names} takes no lessons any more. Run the engine again.", names=who))


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


def _tell(
    ctx: Context, db: Session, term: Term, plan: Plan, publication: int, diff: PlanDiff
) -> None:
    """Programs, beside what they are told of each lesson."""
    counts = {kind.value: diff.count(kind) for kind in ChangeKind}
    told = {"id": plan.id, "publication": publication, "term": term.code, "kept": diff.kept}
    webhook_events.plan_published(db, term.programme_id, told | counts, ctx.now())


def _teachers_of(changes: Iterable[Change]) -> set[TeacherId]:
    return {p.teacher_id for c in changes for p in (c.before, c.after) if p is not None}


def _lines(
    changes: Iterable[Change],
    asked: Mapping[RequestId, Request],
    names: Mapping[TeacherId, Teacher],
    schools: Mapping[SchoolId, ReceivingSchool],
) -> tuple[DiffLine, ...]:
    series = plan_changes.lines(changes)
    lines = [_line(name, group, asked, names, schools) for name, group in series.items()]
    order = {kind: n for n, kind in enumerate(reversed(ChangeKind))}
    return tuple(
        sorted(
            lines,
            key=lambda line: (order[line.kind], line.school_name, line.request.key, line.first_day),
        )
    )


def _line(
    name: LineId,
    group: list[Change],
    asked: Mapping[RequestId, Request],
    names: Mapping[TeacherId, Teacher],
    schools: Mapping[SchoolId, ReceivingSchool],
) -> DiffLine:
    first = group[0]
    days = [p.day for c in group for p in (c.after or c.before,) if p is not None]
    request = asked[first.request_id]
    return DiffLine(
        id=name,
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
