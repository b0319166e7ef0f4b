"""Fixes of a gap as the templates' `_gaps.html` says them: to coordinators and to schools."""

from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.domain import trials
from scheduler.domain.intervals import clock_text, monday
from scheduler.domain.plans import Fix
from scheduler.domain.requests import Request, RequestId
from scheduler.services import asking
from scheduler.services.gaps import FixLine, GapLine

RIVALS_NAMED = 3


@dataclass(frozen=True, slots=True)
class FixShown:
    """A fix in values ready to print.  `on`: its day, or any day of its weekday; None without a
    time.  `period`: half day and number of the school's own period; None where it has none then.
    `asks`: whose word it needs: a school's, a teacher's, or a newcomer's; `tries`: a draft can be
    made that supposes it.
    """

    kind: str
    covers: int
    teacher: str
    on: date | None
    dated: bool
    start: str
    end: str
    period: tuple[str, int] | None
    limit: int | None
    free: int | None
    changes: int
    asks: str
    tries: bool = False


@dataclass(frozen=True, slots=True)
class GapShown:
    """A gap in values ready to print; reasons the largest first, `rest` rivals not named."""

    request_id: RequestId
    class_name: str
    school_name: str
    missing: int
    reasons: tuple[tuple[str, int], ...]
    rivals: tuple[str, ...]
    rest: int
    fixes: tuple[FixShown, ...]


def shown(line: GapLine) -> GapShown:
    reasons = sorted(line.reasons.items(), key=lambda reason: -reason[1])
    return GapShown(
        request_id=line.request.id,
        class_name=line.request.class_name,
        school_name=line.school_name,
        missing=line.missing,
        reasons=tuple(reasons),
        rivals=line.rivals[:RIVALS_NAMED],
        rest=len(line.rivals[RIVALS_NAMED:]),
        fixes=tuple(fix_shown(line.request, fix) for fix in line.fixes),
    )


def fix_shown(request: Request, shown: FixLine) -> FixShown:
    """The fix of a gap of this request."""
    fix = shown.fix
    on = fix.day
    if on is None and fix.weekday is not None:
        on = monday(request.first_day) + timedelta(days=fix.weekday)
    return FixShown(
        kind=fix.kind.value,
        covers=fix.covers,
        teacher=shown.teacher,
        on=on,
        dated=fix.day is not None,
        start="" if fix.start is None else clock_text(fix.start),
        end="" if fix.end is None else clock_text(fix.end),
        period=(shown.period.half_day.value, shown.period.number) if shown.period else None,
        limit=fix.limit,
        free=fix.free,
        changes=fix.changes,
        asks=_asks(fix),
        tries=trials.can_be_tried(fix),
    )


def _asks(fix: Fix) -> str:
    if fix.kind in asking.OF_SCHOOLS:
        return "school"
    return "newcomer" if fix.teacher_id is None else "teacher"
