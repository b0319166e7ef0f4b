"""Plans that try a change: whether what they suppose is so.  Pure: no clock, no database."""

from collections.abc import Iterable
from dataclasses import replace

from scheduler.domain import mending
from scheduler.domain.availability import Pledge
from scheduler.domain.people import ReceivingSchool
from scheduler.domain.plans import Fix, FixKind, Mark, Supposition
from scheduler.domain.requests import Request

_LIMITS = {
    FixKind.DAY_LIMIT: "max_per_day",
    FixKind.WEEK_LIMIT: "max_per_week",
    FixKind.TERM_LIMIT: "max_total",
}


def can_be_tried(fix: Fix) -> bool:
    """Whether a draft can suppose it: nobody can be given lessons before they are here, and older
    plans do not say of every fix whose it is or how much."""
    if fix.kind in _LIMITS:
        return fix.teacher_id is not None and fix.limit is not None
    if fix.kind is FixKind.MAKE_UP and fix.day is None:
        return False
    if fix.kind in (FixKind.WINDOW, FixKind.MAKE_UP):
        return fix.teacher_id is not None
    return fix.kind is FixKind.SLOT or (fix.kind is FixKind.ROOM and fix.limit is not None)


def holds(
    supposed: Supposition, request: Request | None, school: ReceivingSchool, pledge: Pledge | None
) -> bool:
    """Whether it is so by now; `pledge`: of its teacher, `request`: None when it was taken back."""
    fix = supposed.fix
    if request is None:
        return False
    if fix.kind is FixKind.SLOT:
        return mending.is_done(request, fix)
    if fix.kind is FixKind.ROOM:
        return fix.limit is not None and school.rooms >= fix.limit
    if fix.kind is FixKind.MAKE_UP:
        return supposed.agreed
    return pledge is not None and _promised(pledge, fix)


def _promised(pledge: Pledge, fix: Fix) -> bool:
    if fix.kind is FixKind.WINDOW:
        if fix.weekday is None or fix.start is None or fix.end is None:
            return False
        return any(w.holds(fix.weekday, fix.start, fix.end) for w in pledge.windows)
    limit = _LIMITS.get(fix.kind)
    return limit is not None and getattr(pledge, limit) >= (fix.limit or 0)


def marks(supposes: Iterable[Supposition]) -> tuple[Mark, ...]:
    """The lessons that are to stand beside the weekly times of their class."""
    return tuple(
        Mark(each.request_id, each.fix.day)
        for each in supposes
        if each.fix.kind is FixKind.MAKE_UP and each.fix.day is not None
    )


def same(one: Iterable[Supposition], other: Iterable[Supposition]) -> bool:
    """Whether both suppose the same of the same plan, agreed by now or not."""
    bare = [[replace(each, agreed=False) for each in side] for side in (one, other)]
    return bare[0] == bare[1]
