"""The smallest changes that cover missing lessons, each tried before it is shown.

What would help is read off the timetable (proposals.py); what does help, a new solution of the
changed instance tells.  Pure: the resolver and the clock are given.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from scheduler.matching import explain
from scheduler.matching.obstacles import Timetable
from scheduler.matching.plan import Fix, FixCode, Plan, PlannedLesson, Unfilled
from scheduler.matching.problem import (
    CurrentLesson,
    Instance,
    Request,
    School,
    Slot,
    Teacher,
    Window,
)
from scheduler.matching.proposals import Proposal, proposals
from scheduler.matching.verify import monday

KEPT = 3  # fixes of one missing lesson, at most

Resolve = Callable[[Instance, Plan], Plan]
"""Given a changed instance and the plan in force, a plan that keeps the instance's hard rules."""


def apply(instance: Instance, unfilled: Unfilled, fix: Fix) -> Instance:
    """The instance with exactly that change."""
    if fix.code is FixCode.SLOT:
        return _accepting(instance, unfilled.request, fix)
    if fix.code is FixCode.MAKE_UP:
        return _pinned(instance, unfilled.request, fix, fix.teacher or "")
    if fix.code is FixCode.NEW_TEACHER:
        return _with_teacher(_with_rooms(instance, unfilled.request, fix), unfilled.request, fix)
    if fix.code is FixCode.ROOM:
        return _with_rooms(instance, unfilled.request, fix)
    teachers = tuple(_lifted(x, fix) if x.id == fix.teacher else x for x in instance.teachers)
    return replace(instance, teachers=teachers)


def tried(
    instance: Instance,
    plan: Plan,
    unfilled: Sequence[Unfilled],
    resolve: Resolve,
    *,
    seconds: float | None,
    monotonic: Callable[[], float],
) -> tuple[Unfilled, ...]:
    """The gaps with their fixes: changes with which the plan, solved again, covers the lesson.

    No other request has fewer lessons then, and the whole plan has more, also than without any
    change: a gap that needs none has no fix.  First each gap gets one, then a second and a third,
    until the seconds are over; None lets it run to its end.
    """
    watch = _Watch(monotonic, seconds)
    if not unfilled or watch.over():
        return tuple(unfilled)
    trials = _Trials(instance, plan, resolve)
    cases = trials.cases(unfilled)
    for goal in range(1, KEPT + 1):
        for case in cases.values():
            while not watch.over() and (proposal := case.next(goal)):
                case.learn(proposal, trials.run(case.gaps[0], proposal))
    fixes = {(name, week): case.kept(week) for name, case in cases.items() for week in case.found}
    return tuple(replace(gap, fixes=fixes.get((gap.request, gap.week), ())) for gap in unfilled)


@dataclass
class _Case:
    """The gaps of one request, what is left to try for them, and what was found."""

    gaps: Sequence[Unfilled]
    queue: Iterator[Proposal]
    passed: list[Proposal] = field(default_factory=list)  # over, for the time being
    found: dict[date, list[Fix]] = field(default_factory=dict)

    @classmethod
    def of(cls, timetable: Timetable, gaps: Sequence[Unfilled]) -> "_Case":
        found: dict[date, list[Fix]] = {gap.week: [] for gap in gaps}
        return cls(gaps, proposals(timetable, gaps), [], found)

    def next(self, goal: int) -> Proposal | None:
        """The smallest proposal for a week that has fewer fixes than that."""
        for n, proposal in enumerate(self.passed):
            if self._wants(proposal, goal):
                return self.passed.pop(n)
        for proposal in self.queue:
            if self._wants(proposal, goal):
                return proposal
            self.passed.append(proposal)
        return None

    def learn(self, proposal: Proposal, fixes: dict[date, Fix]) -> None:
        for week, fix in fixes.items():
            if not self._has(week, fix.code):
                self.found[week].append(fix)
        if not fixes and len(proposal.changes) > 1:  # they fail together: let each try alone
            alone = (Proposal((fix,), {week: fix}) for week, fix in proposal.weeks.items())
            self.passed[:0] = alone

    def kept(self, week: date) -> tuple[Fix, ...]:
        return tuple(sorted(self.found[week], key=lambda fix: explain.SIZE[fix.code])[:KEPT])

    def _wants(self, proposal: Proposal, goal: int) -> bool:
        return any(
            len(self.found[week]) < goal and not self._has(week, fix.code)
            for week, fix in proposal.weeks.items()
        )

    def _has(self, week: date, code: FixCode) -> bool:
        return any(fix.code is code for fix in self.found[week])


class _Watch:
    """How long trials may go on."""

    def __init__(self, monotonic: Callable[[], float], seconds: float | None) -> None:
        self.monotonic = monotonic
        self.seconds = seconds
        self.started = monotonic()

    def over(self) -> bool:
        return self.seconds is not None and self.monotonic() - self.started >= self.seconds


class _Trials:
    """Solves changed instances from the plan, or from what the plan becomes without a change."""

    def __init__(self, instance: Instance, plan: Plan, resolve: Resolve) -> None:
        again = resolve(instance, plan)
        self.better = len(again.lessons) > len(plan.lessons)
        self.plan = again if self.better else plan
        self.instance = instance
        self.resolve = resolve
        self.timetable = Timetable(instance, self.plan)
        self.lessons = frozenset(self.plan.lessons)
        self.before = Counter(lesson.request for lesson in self.plan.lessons)

    def cases(self, unfilled: Sequence[Unfilled]) -> dict[str, "_Case"]:
        """By request, the gaps that only a change can cover."""
        if self.better:
            left = {(x.request, x.week) for x in explain.explain(self.instance, self.plan)}
            unfilled = [gap for gap in unfilled if (gap.request, gap.week) in left]
        by_request: dict[str, list[Unfilled]] = {}
        for gap in unfilled:
            by_request.setdefault(gap.request, []).append(gap)
        return {name: _Case.of(self.timetable, gaps) for name, gaps in by_request.items()}

    def run(self, gap: Unfilled, proposal: Proposal) -> dict[date, Fix]:
        """For each week that is covered the fix that does it; nothing where anyone loses."""
        changed = self.instance
        for fix in proposal.changes:
            changed = apply(changed, gap, fix)
        plan = self.resolve(changed, self.plan)
        after = Counter(lesson.request for lesson in plan.lessons)
        growth = len(plan.lessons) - len(self.lessons)
        if any(after[name] < count for name, count in self.before.items()):
            return {}
        more = _weeks(plan.lessons, gap.request)
        more.subtract(_weeks(self.lessons, gap.request))
        weeks = [week for week in proposal.weeks if more[week] > 0]
        several = len(proposal.changes) > 1
        if growth < (len(weeks) if several else 1):
            return {}
        covers = 1 if several else growth
        changes = len(self.lessons.difference(plan.lessons))
        return {
            week: replace(proposal.weeks[week], covers=covers, changes=changes) for week in weeks
        }


def _weeks(lessons: Iterable[PlannedLesson], request: str) -> Counter[date]:
    """The lessons of a request in each week."""
    return Counter(monday(lesson.day) for lesson in lessons if lesson.request == request)


def _accepting(instance: Instance, name: str, fix: Fix) -> Instance:
    """With one more time that the class accepts, as its last choice."""

    def more(request: Request) -> Request:
        rank = max((slot.rank + 1 for slot in request.slots), default=0)
        slot = Slot(*_weekly(fix), rank)
        return replace(request, slots=(*request.slots, slot))

    requests = tuple(more(x) if x.id == name else x for x in instance.requests)
    return replace(instance, requests=requests)


def _lifted(teacher: Teacher, fix: Fix) -> Teacher:
    limit = fix.limit or 0
    match fix.code:
        case FixCode.WINDOW:
            return replace(teacher, available=(*teacher.available, Window(*_weekly(fix))))
        case FixCode.DAY_LIMIT:
            return replace(teacher, max_per_day=limit)
        case FixCode.WEEK_LIMIT:
            return replace(teacher, max_per_week=limit)
        case FixCode.TERM_LIMIT:
            return replace(teacher, max_total=limit)
        case _:
            raise ValueError(f"{fix.code} changes no teacher")


def _pinned(instance: Instance, name: str, fix: Fix, teacher: str) -> Instance:
    """With a lesson that must stay, beside the weekly timetable of the class."""
    day, start, end = _dated(fix)
    lesson = CurrentLesson(name, day, start, end, teacher, pinned=True)
    others = (x for x in instance.current if (x.request, x.day, x.start) != (name, day, start))
    return replace(instance, current=(*others, lesson))


def _with_rooms(instance: Instance, name: str, fix: Fix) -> Instance:
    if fix.limit is None:
        return instance
    school, rooms = _request(instance, name).school, fix.limit

    def more(one: School) -> School:
        return replace(one, rooms=rooms) if one.id == school else one

    return replace(instance, schools=tuple(map(more, instance.schools)))


def _with_teacher(instance: Instance, name: str, fix: Fix) -> Instance:
    """With somebody for the level who is free at that time, each week or on the one day."""
    request = _request(instance, name)
    if fix.day is None:
        window = Window(*_weekly(fix))
    else:
        day, start, end = _dated(fix)
        window = Window(day.weekday(), start, end, first_day=day, last_day=day)
    known = {one.id for one in instance.teachers}
    newcomer = next(f"new-{n}" for n in range(1, len(known) + 2) if f"new-{n}" not in known)
    weeks = (instance.term.last_day - instance.term.first_day).days // 7 + 2
    teacher = Teacher(newcomer, "", (request.level,), 1, 1, weeks, (window,))
    changed = replace(instance, teachers=(*instance.teachers, teacher))
    if fix.day is not None:
        return _pinned(changed, name, fix, newcomer)
    accepted = {(slot.weekday, slot.start, slot.end) for slot in request.slots}
    return changed if _weekly(fix) in accepted else _accepting(changed, name, fix)


def _request(instance: Instance, name: str) -> Request:
    return next(request for request in instance.requests if request.id == name)


def _weekly(fix: Fix) -> tuple[int, int, int]:
    if fix.weekday is None or fix.start is None or fix.end is None:
        raise ValueError(f"{fix.code} needs a weekday and a time")
    return fix.weekday, fix.start, fix.end


def _dated(fix: Fix) -> tuple[date, int, int]:
    if fix.day is None or fix.start is None or fix.end is None:
        raise ValueError(f"{fix.code} needs a day and a time")
    return fix.day, fix.start, fix.end
