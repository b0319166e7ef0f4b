"""Terms: for whoever may do something with one, and their days for who runs the programme."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from scheduler.domain import access, term_wishes
from scheduler.domain.access import Action, Actor
from scheduler.domain.intervals import DaySpan
from scheduler.domain.plans import Fingerprint
from scheduler.domain.requests import RequestId
from scheduler.domain.term_wishes import TermWish
from scheduler.domain.terms import Term, TermId
from scheduler.errors import Invalid, NotFound, Stale, Text, text
from scheduler.services import programmes
from scheduler.services.context import Context
from scheduler.store import audits, availability, feeds, requests, tables, terms
from scheduler.store.database import Session
from scheduler.store.visibility import sees


def allowed(db: Session, actor: Actor, term_id: TermId, action: Action) -> Term:
    """The term; raises NotFound for strangers, NotAllowed for who may not do this with it."""
    term = terms.get(db, term_id) if sees(db, actor, tables.terms, term_id) else None
    if term is None:
        raise NotFound("There is no such term here.")
    access.require(actor, action, term.programme_id)
    return term


# -- changing its days


@dataclass(frozen=True, slots=True)
class TermDesk:
    """A term with its lessons; `stranded`: those ahead that lie on a holiday, and stay until
    somebody calls them off; `seen` names what can be changed."""

    term: Term
    lessons: int
    stranded: int
    seen: Fingerprint


def of_actor(ctx: Context, actor: Actor) -> tuple[TermDesk, ...]:
    """The terms of the actor's programme, the newest first; raises NotFound for who runs none."""
    programme_id = programmes.own(actor)
    access.require(actor, Action.IMPORT, programme_id)
    with ctx.reading() as db:
        found = terms.of_programme(db, programme_id)
        starts = terms.starts(db, [term.id for term in found])
    return tuple(_desk(term, starts[term.id], ctx.now()) for term in found)


def one(ctx: Context, actor: Actor, term_id: TermId) -> TermDesk:
    """One of them; raises NotFound for strangers."""
    with ctx.reading() as db:
        term = allowed(db, actor, term_id, Action.IMPORT)
        return _desk(term, terms.starts(db, [term_id])[term_id], ctx.now())


def _desk(term: Term, starts: Sequence[datetime], now: datetime) -> TermDesk:
    ahead = [term.today(at) for at in starts if at > now]
    stranded = sum(day in term.holidays for day in ahead)
    return TermDesk(term, len(starts), stranded, term_wishes.fingerprint(term))


def add(ctx: Context, actor: Actor, code: str, wish: TermWish) -> TermId:
    """A new term of the actor's programme; what schools, teachers and weights are stays as it is.

    Just the same again is the same term.  Raises Invalid with the faults by field, also for a code
    that another term has and for days of another term, NotFound for who runs none.
    """
    programme_id = programmes.own(actor)
    access.require(actor, Action.IMPORT, programme_id)
    with ctx.transaction() as db:
        terms.lock_programme(db, programme_id)
        there = terms.of_programme(db, programme_id)
        same = next((each for each in there if each.code == code), None)
        if same is not None and term_wishes.wish_of(same) == wish:
            return same.id
        if faults := term_wishes.new_faults(code, wish, there):
            raise Invalid("Some fields need another look.", fields=faults)
        made = terms.add(db, programme_id, code, wish)
        audits.record(
            db, ctx.now(), actor.person_id, "add_term", "term", made,
            after={"code": code, **_told(wish)},
        )  # fmt: skip
        return made


@dataclass(frozen=True, slots=True)
class Beyond:
    """What reaches beyond a term's new days: requests that would be cut to them, those with no day
    left, which would be taken back, and days away that lie outside altogether.

    `seen` names it all: empty where there is nothing.
    """

    cut: Mapping[RequestId, DaySpan]
    taken_back: tuple[RequestId, ...]
    away: tuple[int, ...]

    @property
    def seen(self) -> str:
        if not (self.cut or self.taken_back or self.away):
            return ""
        told = repr((sorted(self.cut.items()), self.taken_back, self.away))
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def beyond(ctx: Context, actor: Actor, term_id: TermId, wish: TermWish) -> Beyond:
    """What the term's new days would cut off; raises as `change` does."""
    with ctx.reading() as db:
        term = allowed(db, actor, term_id, Action.IMPORT)
        _check(db, term, wish)
        return _beyond(db, term, wish)


def _beyond(db: Session, term: Term, wish: TermWish) -> Beyond:
    cut, gone = dict[RequestId, DaySpan](), list[RequestId]()
    for each in requests.of_term(db, term.id):
        days = DaySpan(each.first_day, each.last_day)
        kept = term_wishes.kept_of(days, wish)
        if kept is None:
            gone.append(each.id)
        elif kept != days:
            cut[each.id] = kept
    whole = DaySpan(wish.first_day, wish.last_day)
    return Beyond(cut, tuple(gone), availability.away_outside(db, term.id, whole))


def change(
    ctx: Context,
    actor: Actor,
    term_id: TermId,
    wish: TermWish,
    seen: Fingerprint,
    agreed: str = "",
) -> Term:
    """Give a term other days; lessons on its new holidays stay until somebody calls them off.

    Requests and days away are cut to the new days; `agreed` says that this was seen (`beyond`).
    Raises Invalid with the faults by field, also where lessons would lie outside the term, Stale,
    NotFound for strangers.
    """
    with ctx.transaction() as db:
        allowed(db, actor, term_id, Action.IMPORT)
        terms.lock(db, term_id)
        term = allowed(db, actor, term_id, Action.IMPORT)
        outside = _beyond(db, term, wish)
        if term_wishes.wish_of(term) == wish and not outside.seen:
            return term
        if term_wishes.fingerprint(term) != seen:
            raise Stale("The term has changed while you were looking. See how it is now.")
        _check(db, term, wish)
        if outside.seen != agreed:
            raise Stale("More reaches beyond these days than you have seen. See what would be cut.")
        _cut(ctx, db, outside)
        terms.change(db, term_id, wish)
        feeds.mark_all_dirty(db)
        audits.record(
            db, ctx.now(), actor.person_id, "change_term", "term", term_id,
            before=_told(term_wishes.wish_of(term)), after={**_told(wish), **_told_cut(outside)},
        )  # fmt: skip
        return allowed(db, actor, term_id, Action.IMPORT)


def _check(db: Session, term: Term, wish: TermWish) -> None:
    days = [term.today(at) for at in terms.starts(db, [term.id])[term.id]]
    there = terms.of_programme(db, term.programme_id)
    others = [each for each in there if each.id != term.id]
    faults = term_wishes.faults(wish) or _lost(wish, days) or term_wishes.shared(wish, others)
    if faults:
        raise Invalid("Some fields need another look.", fields=faults)


def _cut(ctx: Context, db: Session, outside: Beyond) -> None:
    requests.set_days(db, outside.cut)
    for request_id in outside.taken_back:
        requests.withdraw(db, request_id, ctx.now())
    availability.forget_away(db, outside.away)


def _told_cut(outside: Beyond) -> dict[str, object]:
    """What the record keeps of it, where there is anything."""
    told = {
        "requests_cut": sorted(outside.cut),
        "requests_withdrawn": list(outside.taken_back),
        "absences_dropped": list(outside.away),
    }
    return {name: ids for name, ids in told.items() if ids}


def _lost(wish: TermWish, days: Sequence[date]) -> dict[str, Text]:
    """Lessons that would lie outside of the term."""
    outside = {
        "first_day": sum(day < wish.first_day for day in days),
        "last_day": sum(day > wish.last_day for day in days),
    }
    return {
        name: text("{count} lessons lie outside of these days. Call them off first.", count=count)
        for name, count in outside.items()
        if count
    }


def _told(wish: TermWish) -> dict[str, object]:
    return {
        "name": wish.name,
        "first_day": wish.first_day.isoformat(),
        "last_day": wish.last_day.isoformat(),
        "gap_minutes": wish.gap_minutes,
        "holidays": [day.isoformat() for day in wish.holidays],
    }
