"""Some changes of a difference between timetables: by the line they stand in, taken over alone,
taken back.  Pure."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import date

from scheduler.domain.plans import Change, ChangeKind, LineId, Placement, in_order
from scheduler.domain.requests import RequestId


def lines(changes: Iterable[Change]) -> dict[LineId, list[Change]]:
    """The changes by the line of a preview in which they stand: equal ones of a weekly series.

    A line has the same name in every preview of the same difference, whatever else is in it.
    """
    found: dict[_Series, list[Change]] = {}
    for each in changes:
        series = each.kind, each.request_id, weekly(each.before), weekly(each.after)
        found.setdefault(series, []).append(each)
    return {_named(series): own for series, own in found.items()}


_Weekly = tuple[int, int, int] | None
_Series = tuple[ChangeKind, RequestId, _Weekly, _Weekly]


def _named(series: _Series) -> LineId:
    kind, request, before, after = series
    told = f"{kind},{request},{before},{after}"
    return LineId(hashlib.sha256(told.encode()).hexdigest()[:10])


def weekly(placement: Placement | None) -> _Weekly:
    """Weekday, start and teacher: what the lessons of a series have in common."""
    if placement is None:
        return None
    return placement.day.weekday(), placement.start, placement.teacher_id


def chosen(changes: Iterable[Change], ids: Collection[LineId]) -> tuple[Change, ...]:
    """The changes that stand in these lines."""
    found = tuple(changes)
    wanted = {each for line, own in lines(found).items() if line in ids for each in own}
    return tuple(change for change in found if change in wanted)


def with_changes(current: Iterable[Placement], changes: Iterable[Change]) -> tuple[Placement, ...]:
    """The timetable after these changes, in order."""
    kept = list(changes)
    gone = {change.before for change in kept}
    come = {change.after for change in kept if change.after is not None}
    return tuple(in_order({p for p in current if p not in gone} | come))


def kind_of(*, was: bool, is_: bool, same_time: bool) -> ChangeKind:
    """What a change is to a lesson that took place before it, or takes place after it."""
    if not was:
        return ChangeKind.ADDED
    if not is_:
        return ChangeKind.DROPPED
    return ChangeKind.RESTAFFED if same_time else ChangeKind.MOVED


def reversed_(before: Placement | None, after: Placement | None) -> Change:
    """The change that leads from `after` back to `before`; one of them is there."""
    same = (
        before
        and after
        and (before.day, before.start, before.end) == (after.day, after.start, after.end)
    )
    kind = kind_of(was=after is not None, is_=before is not None, same_time=bool(same))
    return Change(kind, after, before)


def fitting(
    current: Iterable[Placement], changes: Iterable[Change], classes: Mapping[RequestId, int]
) -> tuple[Change, ...]:
    """Those of the changes that put no teacher and no class into two lessons at once.

    One that is left out keeps its old place, which may be in the way of another: so again, until
    all fit.  `classes` says whose request it is.
    """
    standing, left = list(current), list(changes)
    while True:
        after = with_changes(standing, left)
        days: dict[date, list[Placement]] = {}
        for placement in after:
            days.setdefault(placement.day, []).append(placement)
        fits = [
            change
            for change in left
            if change.after is None
            or not any(_clash(change.after, other, classes) for other in days[change.after.day])
        ]
        if len(fits) == len(left):
            return tuple(fits)
        left = fits


def _clash(one: Placement, other: Placement, classes: Mapping[RequestId, int]) -> bool:
    if one == other:
        return False
    if one.request_id == other.request_id:
        return True  # a class has one lesson of a request a day
    shared = one.teacher_id == other.teacher_id or classes.get(one.request_id, -1) == classes.get(
        other.request_id, -2
    )
    return shared and one.start < other.end and other.start < one.end
