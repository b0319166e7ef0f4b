"""A school takes up the smallest change that would cover its missing lessons, or undoes that."""

from dataclasses import dataclass

from scheduler.domain import access, mending
from scheduler.domain.access import Action, Actor
from scheduler.domain.plans import FixKind
from scheduler.domain.requests import Request, RequestId
from scheduler.domain.terms import Term
from scheduler.errors import Conflict, NotFound, Stale, text
from scheduler.services import gaps, requests
from scheduler.services.context import Context
from scheduler.services.gaps import FixLine, GapLine
from scheduler.services.lessons import visible_school
from scheduler.store import plans, tables
from scheduler.store import requests as rows
from scheduler.store.database import Session
from scheduler.store.visibility import sees


@dataclass(frozen=True, slots=True)
class Remedy:
    """A fix that a school may take up; `seen` names it and the request as they stand."""

    gap: GapLine
    line: FixLine
    done: bool
    seen: str

    @property
    def request(self) -> Request:
        return self.gap.request


def remedy(ctx: Context, actor: Actor, request_id: RequestId, kind: FixKind) -> Remedy:
    """What taking up this fix of the published timetable would do.

    Raises NotFound for a stranger, Stale when the timetable has no such fix of the request.
    """
    with ctx.reading() as db:
        return _remedy(db, actor, request_id, kind)[0]


def take(ctx: Context, actor: Actor, request_id: RequestId, kind: FixKind, seen: str) -> None:
    """Change what the school asks for as the fix says; the next run takes it in.

    Taken up already, it is done.  Raises Stale when request or fix were others when they were
    `seen`, Conflict for a make-up lesson whose day is over.
    """
    with ctx.transaction() as db:
        request = requests.locked(db, actor, request_id)
        found, term = _remedy(db, actor, request_id, kind)
        if found.done:
            return
        if found.seen != seen:
            raise Stale("The timetable or the request has changed. See what helps now.")
        fix = found.line.fix
        if fix.day is not None and fix.day <= term.today(ctx.now()):
            raise Conflict(text("{day} is too near or over. Ask for another day.", day=fix.day))
        new = mending.mended(request, fix)
        if kind is FixKind.MAKE_UP:
            requests.ask(ctx, db, actor, term, request.school_id, request.class_id, new)
        else:
            requests.rewrite(ctx, db, actor, request, new)


def undo(ctx: Context, actor: Actor, request_id: RequestId, kind: FixKind) -> None:
    """Ask again as before the fix; undone already, it stays so."""
    with ctx.transaction() as db:
        request = requests.locked(db, actor, request_id)
        found, term = _remedy(db, actor, request_id, kind)
        if not found.done:
            return
        if kind is FixKind.MAKE_UP:
            asked = rows.of_school(db, term.id, request.school_id)
            extra = mending.made_up(request, found.line.fix, asked)
            if extra is not None:
                requests.take_back(ctx, db, actor, extra.id)
        else:
            requests.rewrite(ctx, db, actor, request, mending.unmended(request, found.line.fix))


def _remedy(db: Session, actor: Actor, request_id: RequestId, kind: FixKind) -> tuple[Remedy, Term]:
    request = rows.get(db, request_id) if sees(db, actor, tables.requests, request_id) else None
    if request is None or kind not in mending.OWN:
        raise NotFound("There is no such request here.")
    term = requests.term_of(db, request.id)
    access.require(actor, Action.REQUEST_LESSONS, term.programme_id)
    school = visible_school(db, actor, request.school_id)
    in_force = plans.published(db, term.id)
    missing = plans.gaps(db, in_force.id, school.id) if in_force else ()
    lines = gaps.lines(missing, {request.id: request}, {school.id: school}, {})
    gap = next(iter(lines), None)
    line = next((x for x in gap.fixes if x.fix.kind is kind), None) if gap else None
    if gap is None or line is None:
        raise Stale("The published timetable has no such way for this request any more.")
    asked = rows.of_school(db, term.id, school.id)
    done = mending.is_done(request, line.fix, asked)
    seen = mending.seen_as(request, line.fix)
    shown = gaps.without_names(gap)
    own = next(x for x in shown.fixes if x.fix.kind is kind)
    return Remedy(shown, own, done, seen), term
