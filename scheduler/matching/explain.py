"""Why a lesson is not covered: for each request and week, what keeps each teacher from it.

Every teacher counts once, with the obstacle that stops him last on the slot where he comes
furthest; the obstacles stand in the order of ReasonCode.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from scheduler.matching.obstacles import Option, Timetable
from scheduler.matching.plan import (
    Fix,
    FixCode,
    Plan,
    Reason,
    ReasonCode,
    Shortage,
    Unfilled,
)
from scheduler.matching.problem import Instance, Request
from scheduler.matching.verify import monday

RANK = {code: n for n, code in enumerate(ReasonCode)}
SIZE = {code: n for n, code in enumerate(FixCode)}
SPENT = (
    ReasonCode.TERM_LIMIT,
    ReasonCode.WEEK_LIMIT,
    ReasonCode.DAY_LIMIT,
    ReasonCode.TEACHING,
)  # the teacher would come, were it not for other lessons
RIVALS = 3  # named, at most

Furthest = Mapping[str, tuple[ReasonCode, Option]]


def explain(instance: Instance, plan: Plan) -> tuple[Unfilled, ...]:
    """Each request and week with lessons missing; the plan must keep the hard rules."""
    return tuple(_unfilled(Timetable(instance, plan)))


def _unfilled(timetable: Timetable) -> Iterator[Unfilled]:
    for request in timetable.instance.requests:
        given = timetable.by_request.get(request.id, ())
        if len(given) >= timetable.need[request.id]:
            continue
        taught = Counter(monday(lesson.day) for lesson in given)
        for week, days in sorted(timetable.weeks(request).items()):
            missing = min(request.lessons_per_week, days) - taught[week]
            if missing > 0:
                yield _gap(timetable, request, week, missing)


def shortages(gaps: Sequence[Unfilled]) -> tuple[Shortage, ...]:
    """What is unfilled, one line a request."""
    by_request: dict[str, list[Unfilled]] = {}
    for gap in gaps:
        by_request.setdefault(gap.request, []).append(gap)
    return tuple(
        Shortage(
            request=request,
            missing=sum(gap.missing for gap in found),
            weeks=tuple(gap.week for gap in found),
            worst=min(found, key=lambda gap: (_is_past(gap), -gap.missing, gap.week)),
            fix=_best([fix for gap in found for fix in gap.fixes]),
        )
        for request, found in by_request.items()
    )


def _gap(timetable: Timetable, request: Request, week: date, missing: int) -> Unfilled:
    options, shut = timetable.options(request, week)
    furthest = _furthest(timetable, request, options)
    qualified = len(timetable.qualified[request.level])
    found = Counter(code for code, _ in furthest.values())
    found[ReasonCode.NOT_QUALIFIED] = len(timetable.teachers) - qualified
    found[ReasonCode.NOT_AVAILABLE if options else shut] = qualified - len(furthest)
    reasons = tuple(Reason(code, found[code]) for code in ReasonCode if found[code])
    rivals = _rivals(timetable, request, furthest)
    return Unfilled(request.id, week, missing, reasons, rivals)


def _furthest(timetable: Timetable, request: Request, options: list[Option]) -> Furthest:
    """What stops each teacher who is available for an option, where he comes furthest."""
    furthest: dict[str, tuple[ReasonCode, Option]] = {}
    for option in options:
        for teacher, code in timetable.stops(request.level, option).items():
            if code is ReasonCode.FREE and option.closed:
                code = option.closed
            if teacher not in furthest or RANK[code] > RANK[furthest[teacher][0]]:
                furthest[teacher] = code, option
    return furthest


def _rivals(timetable: Timetable, request: Request, furthest: Furthest) -> tuple[str, ...]:
    """The requests that have most of the teachers who would come, or the rooms."""
    found: Counter[str] = Counter()
    for teacher, (code, option) in furthest.items():
        if code in SPENT:
            found.update({x.request for x in timetable.held_by(teacher, code, option)})
        elif code is ReasonCode.ROOM_FULL:
            found.update({x.request for x in timetable.beside(request, option)})
    del found[request.id]
    return tuple(sorted(found, key=lambda name: (-found[name], name))[:RIVALS])


def _is_past(gap: Unfilled) -> bool:
    return any(reason.code is ReasonCode.PAST for reason in gap.reasons)


def _best(fixes: list[Fix]) -> Fix | None:
    """The smallest fix among those that cover at least half of what the best one covers."""
    most = max((fix.covers for fix in fixes), default=0)
    enough = [fix for fix in fixes if 2 * fix.covers >= most]
    return min(enough, key=lambda fix: (SIZE[fix.code], -fix.covers), default=None)
