"""What a plan leaves without a teacher, request by request: why, and what would cover it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from scheduler.domain.people import BellPeriod, ReceivingSchool, SchoolId, Teacher, TeacherId
from scheduler.domain.plans import Fix, FixKind, Gap, best_fixes
from scheduler.domain.requests import Request, RequestId


@dataclass(frozen=True, slots=True)
class FixLine:
    """A fix with its teacher's name and the school's name for its time, where there are any."""

    fix: Fix
    teacher: str
    period: BellPeriod | None


@dataclass(frozen=True, slots=True)
class GapLine:
    """What a request still lacks in a plan.

    Reason codes are those of its worst week; rivals come from all weeks, the most frequent first,
    and so do fixes, one of each kind, the smallest change first.
    """

    request: Request
    school_name: str
    missing: int
    weeks: int
    reasons: Mapping[str, int]
    rivals: tuple[str, ...]
    fixes: tuple[FixLine, ...]


def lines(
    gaps: Iterable[Gap],
    asked: Mapping[RequestId, Request],
    schools: Mapping[SchoolId, ReceivingSchool],
    teachers: Mapping[TeacherId, Teacher],
) -> tuple[GapLine, ...]:
    """One line a request, the one that lacks most in front."""
    weeks: dict[RequestId, list[Gap]] = {}
    for gap in gaps:
        if gap.request_id in asked:
            weeks.setdefault(gap.request_id, []).append(gap)
    found = (_line(asked[each], own, asked, schools, teachers) for each, own in weeks.items())
    return tuple(sorted(found, key=lambda line: -line.missing))


def without_names(line: GapLine) -> GapLine:
    """The line as a school may read it: what volunteers promised is theirs and the coordinator's,
    and so is whom another school has."""
    return replace(line, rivals=(), fixes=tuple(map(_nameless, line.fixes)))


def _nameless(line: FixLine) -> FixLine:
    rooms = line.fix.kind in (FixKind.ROOM, FixKind.NEW_TEACHER)  # the school's own number
    limit = line.fix.limit if rooms else None
    return replace(line, teacher="", fix=replace(line.fix, teacher_id=None, limit=limit))


def _line(
    request: Request,
    gaps: list[Gap],
    asked: Mapping[RequestId, Request],
    schools: Mapping[SchoolId, ReceivingSchool],
    teachers: Mapping[TeacherId, Teacher],
) -> GapLine:
    school = schools[request.school_id]
    rivals = Counter(rival for gap in gaps for rival in gap.rivals if rival in asked)
    return GapLine(
        request=request,
        school_name=school.name,
        missing=sum(gap.missing for gap in gaps),
        weeks=len(gaps),
        reasons=max(gaps, key=lambda gap: gap.missing).reasons,
        rivals=tuple(_rival(asked[each], request, schools) for each, _ in rivals.most_common()),
        fixes=tuple(line_of(fix, school, teachers) for fix in best_fixes(gaps)),
    )


def _rival(rival: Request, request: Request, schools: Mapping[SchoolId, ReceivingSchool]) -> str:
    if rival.school_id == request.school_id:
        return rival.class_name
    return f"{rival.class_name} ({schools[rival.school_id].name})"


def line_of(fix: Fix, school: ReceivingSchool, teachers: Mapping[TeacherId, Teacher]) -> FixLine:
    """The fix with the names that belong to it."""
    teacher = teachers.get(fix.teacher_id) if fix.teacher_id is not None else None
    bells = (bell for bell in school.periods if (bell.start, bell.end) == (fix.start, fix.end))
    return FixLine(fix, teacher.name if teacher else "", next(bells, None))
