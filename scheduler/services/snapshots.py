"""A term as the matching engine knows it, and the way back: here alone the school's words become
the solver's and come back."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

from scheduler.domain import partnerships as partnership_rules
from scheduler.domain.baskets import Part
from scheduler.domain.partnerships import Bonds
from scheduler.domain.people import TeacherId
from scheduler.domain.plans import Fix, FixKind, Gap, Placement
from scheduler.domain.requests import RequestId
from scheduler.domain.terms import Term, TermId
from scheduler.domain.weights import Weights
from scheduler.errors import NotFound, Text, text
from scheduler.matching import plan as solver_plan
from scheduler.matching import problem, verify
from scheduler.matching.plan import Plan, PlannedLesson, ReasonCode, Solution, Unfilled
from scheduler.matching.prices import Prices
from scheduler.matching.problem import Instance
from scheduler.services import exports, partnerships
from scheduler.services.context import Context
from scheduler.services.weights import DEFAULTS
from scheduler.store import lessons, people, requests, terms, weights
from scheduler.store.database import Session

BOUND = "partnership"  # a reason of ours: who teaches the level, but only at their partners'
_UNQUALIFIED = ReasonCode.NOT_QUALIFIED.value


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a run works on: the solver's instance, its hash, the programme's weights, and the way
    back to our ids.

    `off`: lessons that somebody called off for that day, which no plan brings back.  `untaught`: by
    request how many teachers do not teach its level; the solver also calls those unqualified whom a
    partnership keeps to other schools.
    """

    instance: Instance
    weights: Weights
    input_hash: str
    request_ids: Mapping[str, RequestId]
    teacher_ids: Mapping[str, TeacherId]
    off: frozenset[tuple[RequestId, date]]
    names: Mapping[str, str]  # of teachers
    untaught: Mapping[str, int]

    @property
    def prices(self) -> Prices:
        return _prices(self.weights)

    def placement(self, lesson: PlannedLesson) -> Placement:
        request, teacher = self.request_ids[lesson.request], self.teacher_ids[lesson.teacher]
        return Placement(request, lesson.day, lesson.start, lesson.end, teacher)

    def planned(self, placements: Iterable[Placement]) -> tuple[PlannedLesson, ...]:
        """As the solver calls them, without those of requests that are no more."""
        keys = {ours: theirs for theirs, ours in self.request_ids.items()}
        mails = {ours: theirs for theirs, ours in self.teacher_ids.items()}
        return tuple(
            PlannedLesson(keys[p.request_id], p.day, p.start, p.end, mails[p.teacher_id])
            for p in sorted(placements)
            if p.request_id in keys
        )

    def told(self, lesson: PlannedLesson) -> Text:
        """The lesson as a coordinator names it."""
        clock = f"{lesson.start // 60:02d}:{lesson.start % 60:02d}"
        teacher = self.names.get(lesson.teacher, lesson.teacher)
        return text(
            "{request}, {day} {clock}, {teacher}",
            request=lesson.request, day=lesson.day, clock=clock, teacher=teacher,
        )  # fmt: skip


def prices(db: Session, term: Term) -> Prices:
    """What a plan of the term costs by the weights of its programme."""
    return _prices(_weights(db, term))


def _weights(db: Session, term: Term) -> Weights:
    return weights.of_programme(db, term.programme_id) or DEFAULTS


def _prices(chosen: Weights) -> Prices:
    return Prices(**asdict(chosen))


def take(
    ctx: Context, term_id: TermId, from_day: date | None = None, part: Part | None = None
) -> Snapshot:
    """The term now, or a part of its timetable; what has begun, is today or lies before `from_day`
    stays as published."""
    with ctx.reading() as db:
        term = terms.get(db, term_id)
        if term is None:
            raise NotFound("There is no such term here.")
        today = term.today(ctx.now())
        data = exports.instance(db, term, today, part)
        chosen = _weights(db, term)
        request_ids = {request.key: request.id for request in requests.of_term(db, term_id)}
        teachers = people.teachers(db, term.programme_id)
        off = lessons.called_off(db, term_id)
        bonds = partnerships.bonds(db, term)
    untaught = _untaught(data)
    _bind(data, bonds)
    if data["current"] or from_day:
        first = today + timedelta(days=1)
        data["freeze_before"] = max(first, from_day or first).isoformat()
    told = json.dumps(data, sort_keys=True, ensure_ascii=False)
    return Snapshot(
        instance=problem.parse(data),
        weights=chosen,
        input_hash=hashlib.sha256(told.encode()).hexdigest(),
        request_ids=request_ids,
        teacher_ids={t.email: t.id for t in teachers},
        off=off,
        names={t.email: t.name for t in teachers},
        untaught=untaught,
    )


def _untaught(data: Mapping[str, Any]) -> dict[str, int]:
    levels = [set(teacher["levels"]) for teacher in data["teachers"]]
    counts = {
        level: sum(level not in own for own in levels)
        for level in {request["level"] for request in data["requests"]}
    }
    return {request["id"]: counts[request["level"]] for request in data["requests"]}


def _bind(data: Mapping[str, Any], bonds: Bonds) -> None:
    """Tell the engine of partnerships in its own words: schools of a wish are preferred ones; a
    level of schools that bound teachers may go to is another level than the same elsewhere."""
    groups = partnership_rules.groups(bonds, {request["school"] for request in data["requests"]})
    numbers = {group: n for n, group in enumerate(sorted(set(groups.values()), key=sorted))}
    for teacher in data["teachers"]:
        label = teacher["school"]
        if wished := bonds.wished.get(label):
            own = teacher.get("preferred_schools", ())
            teacher["preferred_schools"] = sorted({*own, *wished})
        if bonds.allowed:
            open_to = (
                [n for group, n in numbers.items() if label in group]
                if label in bonds.allowed
                else list(numbers.values())
            )
            teacher["levels"] = [f"{level} {n}" for level in teacher["levels"] for n in open_to]
    if bonds.allowed:
        for request in data["requests"]:
            request["level"] = f"{request['level']} {numbers[groups[request['school']]]}"


def without_called_off(snapshot: Snapshot, solution: Solution) -> Solution:
    """The solution as it can be published, priced again: the engine does not know of lessons that
    somebody called off for a day, and gives them anew."""
    found = solution.plan.lessons
    kept = tuple(x for x in found if (snapshot.request_ids[x.request], x.day) not in snapshot.off)
    if len(kept) == len(found):
        return solution
    verdict = verify.verify(snapshot.instance, Plan(kept), snapshot.prices)
    return replace(
        solution,
        plan=Plan(kept),
        cost=round(verdict.cost, 3),
        lower_bound=min(solution.lower_bound, verdict.cost),
        taught=verdict.taught,
        terms={name: round(term, 3) for name, term in verdict.terms.items()},
    )


def gap(snapshot: Snapshot, unfilled: Unfilled) -> Gap:
    """What a plan lacks, in our own ids."""
    reasons = {reason.code.value: reason.count for reason in unfilled.reasons}
    untaught = snapshot.untaught[unfilled.request]
    if (bound := reasons.get(_UNQUALIFIED, 0) - untaught) > 0:
        split = {_UNQUALIFIED: untaught, BOUND: bound}
        reasons = {code: n for code, n in (reasons | split).items() if n}
    return Gap(
        snapshot.request_ids[unfilled.request],
        unfilled.week,
        unfilled.missing,
        reasons,
        tuple(snapshot.request_ids[rival] for rival in unfilled.rivals),
        tuple(_fix(snapshot, fix) for fix in unfilled.fixes),
    )


def _fix(snapshot: Snapshot, fix: solver_plan.Fix) -> Fix:
    return Fix(
        kind=FixKind(fix.code.value),
        covers=fix.covers,
        teacher_id=None if fix.teacher is None else snapshot.teacher_ids[fix.teacher],
        weekday=fix.weekday,
        start=fix.start,
        end=fix.end,
        day=fix.day,
        limit=fix.limit,
        free=fix.free,
        changes=fix.changes,
    )
