"""What a school itself can do about lessons that a plan lacks.  Pure: no clock, no database."""

from collections.abc import Iterable
from dataclasses import replace

from scheduler.domain import requests
from scheduler.domain.plans import Fix, FixKind
from scheduler.domain.requests import LAST_RANK, NewRequest, Request, Slot

# All other fixes want somebody else: a volunteer, a room, a newcomer.
OWN = (FixKind.SLOT, FixKind.MAKE_UP)


def mended(request: Request, fix: Fix) -> NewRequest:
    """What the school asks for then: one more time as the class's last choice, as the engine tried
    it; or, of a make-up lesson, one lesson on that very day beside what was asked."""
    if fix.kind is FixKind.MAKE_UP:
        return _make_up(request, fix)
    last = max((slot.rank + 1 for slot in request.slots), default=0)
    slot = replace(_slot(fix), rank=min(last, LAST_RANK))
    asked = requests.as_asked(request)
    return asked if is_done(request, fix) else replace(asked, slots=(*asked.slots, slot))


def unmended(request: Request, fix: Fix) -> NewRequest:
    """The request without the time that the fix added."""
    kept = tuple(slot for slot in request.slots if not _same(slot, _slot(fix)))
    return replace(requests.as_asked(request), slots=kept)


def is_done(request: Request, fix: Fix, others: Iterable[Request] = ()) -> bool:
    """Whether the school did so already; `others`: what else it asks for."""
    if fix.kind is FixKind.MAKE_UP:
        return made_up(request, fix, others) is not None
    if fix.kind is not FixKind.SLOT:
        return False
    return any(_same(slot, _slot(fix)) for slot in request.slots)


def made_up(request: Request, fix: Fix, others: Iterable[Request]) -> Request | None:
    """The request for that make-up lesson."""
    wanted = _make_up(request, fix)
    return next((other for other in others if requests.asks(other, wanted)), None)


def seen_as(request: Request, fix: Fix) -> str:
    """Names what a button was about: the request as it stood, and the fix."""
    told = (fix.kind.value, fix.day, fix.weekday, fix.start, fix.end)
    return f"{requests.seen_as(request)}-" + "-".join(map(str, told))


def _make_up(request: Request, fix: Fix) -> NewRequest:
    if fix.day is None:
        raise ValueError("a make-up lesson needs its day")
    slot = replace(_slot(replace(fix, weekday=fix.day.weekday())), rank=0)
    return NewRequest(request.class_name, 1, fix.day, fix.day, request.priority, (slot,))


def _slot(fix: Fix) -> Slot:
    if fix.weekday is None or fix.start is None or fix.end is None:
        raise ValueError(f"{fix.kind} needs a weekday and a time")
    return Slot(fix.weekday, fix.start, fix.end, 0)


def _same(one: Slot, other: Slot) -> bool:
    return (one.weekday, one.start) == (other.weekday, other.start)
