"""Busy time from a teacher's own calendar: set, read again and again, and forgotten at once.

Nothing here says the address: not a log line, not an audit row, not an error.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from scheduler import clock, security
from scheduler.delivery import fetching
from scheduler.domain import busy as rules
from scheduler.domain.access import Actor, Grant, Role
from scheduler.domain.busy import BusyChoices, BusyDay, BusyReading, BusySource, Fetched
from scheduler.domain.intervals import Interval
from scheduler.domain.people import TeacherId
from scheduler.errors import ChungTayError, Conflict, Invalid, NotFound, Text, text
from scheduler.exchange import busy as exchange
from scheduler.security import BadSeal
from scheduler.services.context import Context
from scheduler.store import audits, terms
from scheduler.store import busy as rows
from scheduler.store.busy import Claim
from scheduler.store.database import Session

Fetch = Callable[..., Fetched | None]  # as `delivery.fetching.fetch`

LEASE = timedelta(minutes=5)  # a fetch and a reading take seconds; who needs longer is gone
REST = timedelta(minutes=1)  # between two readings that a teacher asks for
SHOWN_DAYS = 14
READING_SECONDS = 10.0  # no step of a beat may keep the others waiting for long
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BusyDesk:
    """A teacher's calendar as its page shows it; `host` is all that is told of the address.

    `host` is empty when the address can no longer be opened; `old`: the copy is so old that free
    time is not known any more.
    """

    source: BusySource | None
    host: str
    old: bool
    days: tuple[BusyDay, ...]
    zone: str


def desk(ctx: Context, actor: Actor) -> BusyDesk:
    """The calendar of whoever is signed in; raises NotFound for somebody who is no teacher."""
    mine, now = _mine(actor), ctx.now()
    soon = Interval(now - timedelta(days=1), now + timedelta(days=SHOWN_DAYS + 1))
    with ctx.reading() as db:
        zone = terms.programme(db, mine.programme_id).zone
        source = rows.source(db, _teacher(mine))
        sealed = rows.sealed_address(db, _teacher(mine))
        times = rows.times(db, _teacher(mine), soon)
    return BusyDesk(
        source=source,
        host=_host(ctx, sealed) if sealed else "",
        old=source is not None and source.is_old(now),
        days=rules.by_day(times, zone, now.astimezone(ZoneInfo(zone)).date(), SHOWN_DAYS),
        zone=zone,
    )


def set_source(ctx: Context, actor: Actor, address: str, choices: BusyChoices) -> None:
    """Take the actor's calendar at this address in the place of any former one; read it next.

    The times of the former one count until the new one was read.  Raises Invalid for what is no
    https address.
    """
    mine = _mine(actor)
    sealed = security.seal(ctx.key, rules.address_of(address))
    with ctx.transaction() as db:
        _put(ctx, db, actor, _teacher(mine), sealed, choices)


def choose(ctx: Context, actor: Actor, choices: BusyChoices) -> None:
    """Have the calendar at hand read in another way; raises Invalid when there is none."""
    teacher_id = _teacher(_mine(actor))
    with ctx.transaction() as db:
        sealed = rows.sealed_address(db, teacher_id)
        if sealed is None:
            fault = text("Fill this in.")
            raise Invalid("The address was not saved.", fields={"address": fault})
        _put(ctx, db, actor, teacher_id, sealed, choices)


def _put(
    ctx: Context,
    db: Session,
    actor: Actor,
    teacher_id: TeacherId,
    sealed: str,
    choices: BusyChoices,
) -> None:
    now = ctx.now()
    rows.put(db, teacher_id, sealed, choices, now)
    after = {"all_day": choices.all_day, "shown_free": choices.shown_free}
    audits.record(db, now, actor.person_id, "set_busy", "teacher", teacher_id, after=after)


def remove_source(ctx: Context, actor: Actor) -> None:
    """Forget the actor's calendar, its address and every time it told; NotFound without one."""
    teacher_id = _teacher(_mine(actor))
    with ctx.transaction() as db:
        if not rows.remove(db, teacher_id):
            raise _no_calendar()
        audits.record(db, ctx.now(), actor.person_id, "remove_busy", "teacher", teacher_id)


def read_now(ctx: Context, actor: Actor, fetch: Fetch = fetching.fetch) -> None:
    """Read the actor's calendar before its time; what came of it stands on the desk.

    An empty calendar is believed here, where its teacher looks on.  Raises NotFound without a
    calendar, Conflict when it was tried a moment ago or is being read.
    """
    teacher_id = _teacher(_mine(actor))
    with ctx.transaction() as db:
        if rows.source(db, teacher_id) is None:
            raise _no_calendar()
        claim = rows.claim_own(db, teacher_id, ctx.now(), LEASE, REST)
    if claim is None:
        raise Conflict("Your calendar was read a moment ago. Wait a minute, then try again.")
    copy = _read(ctx, claim, fetch)
    _save(ctx, claim, copy)


def refresh_due(
    ctx: Context,
    limit: int = 20,
    fetch: Fetch = fetching.fetch,
    *,
    go_on: Callable[[], bool] = lambda: True,
) -> int:
    """Read up to `limit` calendars that are due, one after the other; how many were tried.

    Any number of processes may do so at once: each calendar is read by one of them.  `go_on` is
    asked before each.
    """
    began, tried = clock.monotonic(), 0
    while tried < limit and go_on() and clock.monotonic() - began < READING_SECONDS:
        claim = _next(ctx)
        if claim is None:
            break
        copy = _read(ctx, claim, fetch)
        if isinstance(copy, _Copy) and rules.emptied(copy.reading, claim.kept):
            copy = text(
                "The calendar came back empty, so your former times still count. If it "
                "really is empty, choose Read again now."
            )
        _save(ctx, claim, copy)
        tried += 1
    return tried


def _next(ctx: Context) -> Claim | None:
    now = ctx.now()
    with ctx.reading() as db:  # most ticks find nothing: do not take the writers' turn for that
        if not rows.any_due(db, now):
            return None
    with ctx.transaction() as db:
        return rows.claim(db, now, LEASE)


# -- one reading, outside any transaction


@dataclass(frozen=True, slots=True)
class _Copy:
    fetched: Fetched
    reading: BusyReading
    reach: Interval


def _read(ctx: Context, claim: Claim, fetch: Fetch) -> _Copy | Text | None:
    """What the calendar holds; None when it is as it was, a sentence when it cannot be read."""
    try:
        return _understood(ctx, claim, fetch)
    except ChungTayError as fault:
        return fault.message
    except BadSeal:
        return text("The address can no longer be opened here. Enter it once more.")
    except Exception as error:  # noqa: BLE001 - its words may hold the address: keep its kind only
        kind = type(error).__name__
        _log.error("a calendar cannot be read", extra={"source_id": claim.id, "kind": kind})
        return text("Something went wrong on our side. We try again by ourselves.")


def _understood(ctx: Context, claim: Claim, fetch: Fetch) -> _Copy | None:
    address = security.unseal(ctx.keys, claim.sealed_address)
    inside = ctx.settings.inside
    now = ctx.now()
    if rules.is_worn(claim.known_until, now):
        fetched = fetch(address, etag=None, last_modified=None, now=now, inside=inside)
        if fetched is None:
            raise Invalid("The calendar's server sent nothing.")
    else:
        marks = {"etag": claim.etag, "last_modified": claim.last_modified}
        fetched = fetch(address, **marks, now=now, inside=inside)
    if fetched is None:
        return None
    reach = rules.reach(now)
    reading = exchange.read(
        fetched.body,
        zone=claim.zone,
        reach=reach,
        choices=claim.choices,
        own_domain=ctx.settings.uid_domain,
    )
    return _Copy(fetched, reading, reach)


def _save(ctx: Context, claim: Claim, copy: _Copy | Text | None) -> None:
    """A claim that was lost meanwhile, to the teacher or to another reader, saves nothing."""
    now = ctx.now()
    again = rules.next_try(0, claim.id, now)
    with ctx.transaction() as db:
        match copy:
            case None:
                rows.save_unchanged(db, claim, now, again)
            case Text():
                later = rules.next_try(claim.failures + 1, claim.id, now)
                rows.save_fault(db, claim, copy, later)
            case _Copy():
                times = rules.tidied(copy.reading.times)
                reading = replace(copy.reading, times=times)
                until = copy.reach.end
                rows.save_reading(db, claim, copy.fetched, reading, until, again)


def _host(ctx: Context, sealed: str) -> str:
    try:
        return rules.host_of(security.unseal(ctx.keys, sealed))
    except BadSeal:
        return ""


def _mine(actor: Actor) -> Grant:
    for grant in actor.with_role(Role.TEACHER):
        return grant
    raise NotFound("This page is for volunteer teachers.")


def _teacher(grant: Grant) -> TeacherId:
    assert grant.teacher_id is not None  # noqa: S101 - the table's own check
    return grant.teacher_id


def _no_calendar() -> NotFound:
    return NotFound("You have not given us a calendar of yours.")
