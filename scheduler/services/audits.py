"""The record of changes: sealing its lines one after the other, and finding what was touched."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, timedelta

from scheduler import security
from scheduler.delivery import heads
from scheduler.domain import audits as rules
from scheduler.domain import limits as limit
from scheduler.domain.audits import Broken, Fault, Line, Link, Seal, Verified
from scheduler.domain.people import PersonId
from scheduler.errors import TooMany
from scheduler.services import limits
from scheduler.services.context import Context
from scheduler.store import audits as rows
from scheduler.store import switches

SEALED_AT_ONCE = 500
READ_AT_ONCE = 1000
_DAY = timedelta(days=1)
_log = logging.getLogger(__name__)


# -- sealing


def seal(ctx: Context, *, everywhere: bool = False) -> int:
    """Seal lines that have no seal yet, some hundred at most; how many.

    `everywhere`: old ones too, which a beat does not look for.  Any number of processes may do it
    at once: they take turns.
    """
    with ctx.reading() as db:  # most beats find nothing, and then nobody need wait
        if not (everywhere or rows.any_unsealed(db)):
            return 0
    with ctx.transaction() as db:
        rows.take_sealing_turn(db)
        lines = rows.unsealed(db, SEALED_AT_ONCE, everywhere=everywhere)
        if lines:
            rows.add_seals(db, _seals(ctx.key, rows.newest_seal(db), lines))
    return len(lines)


def _seals(key: bytes, newest: Seal | None, lines: Iterable[Line]) -> Iterator[Seal]:
    position, ahead = (newest.position, newest.seal) if newest else (0, "")
    kid = security.key_id(key)
    for line in lines:
        position, ahead = position + 1, security.chain_seal(key, ahead, rules.canonical(line))
        yield Seal(position, line.id, line.at.astimezone(UTC).date(), kid, ahead)


def look_through(ctx: Context) -> int:
    """Once a day: seal what the beats passed over, and note the newest seal outside the database.

    How many lines were passed over; 0 when another process had the turn today.
    """
    with ctx.transaction() as db:
        if not switches.take_turn(db, switches.RECORD_LOOKED_THROUGH, _DAY):
            return 0
    found = done = seal(ctx, everywhere=True)
    while done == SEALED_AT_ONCE:
        done = seal(ctx, everywhere=True)
        found += done
    with ctx.reading() as db:
        newest = rows.newest_seal(db)
    if newest is not None:
        _log.info("head of the record", extra={"seals": newest.position, "head": newest.seal})
        folder = ctx.settings.journal_dir.parent
        heads.note(folder, ctx.now(), newest.position, newest.seal)
    return found


# -- verifying


def verify(ctx: Context, *, day: date | None = None, noted: Sequence[str] = ()) -> Verified:
    """Read the seals again, of one day or all, to the first that does not hold.

    `noted`: seals that were the newest at some time, as somebody wrote them down: without them
    nobody sees that lines were cut off at the end.
    """
    keys = {security.key_id(key): key for key in ctx.keys}
    count, head, last = 0, "", 0
    while True:
        with ctx.reading() as db:
            found = rows.links(db, last, READ_AT_ONCE, day)
        for link in found:
            fault = _fault(keys, link, expected=None if day else last + 1)
            if fault is not None:
                broken = Broken(fault, link.seal.position, link.seal.audit_id)
                return Verified(count, head, broken)
            count, head, last = count + 1, link.seal.seal, link.seal.position
        if len(found) < READ_AT_ONCE:
            return Verified(count, head, _left_out(ctx, noted))


def _fault(keys: dict[str, bytes], link: Link, expected: int | None) -> Fault | None:
    position = link.seal.position
    if (link.ahead is None) != (position == 1) or expected not in (None, position):
        return Fault.NO_SEAL
    if link.line is None:
        return Fault.NO_LINE
    key = keys.get(link.seal.kid)
    if key is None:
        return Fault.UNKNOWN_KEY
    right = security.chain_seal(key, link.ahead or "", rules.canonical(link.line))
    return None if security.same(right, link.seal.seal) else Fault.CHANGED


def _left_out(ctx: Context, noted: Sequence[str]) -> Broken | None:
    """What the seals themselves do not tell: lines without one, and heads that are gone."""
    with ctx.reading() as db:
        if not all(rows.has_seal(db, head) for head in noted):
            return Broken(Fault.NO_HEAD)
        bare = rows.unsealed_since(db, ctx.now() - rules.SEALED_WITHIN)
    return None if bare is None else Broken(Fault.UNSEALED, audit_id=bare)


# -- noting


def denied(ctx: Context, person_id: PersonId, what: str) -> None:
    """Note that a signed-in person asked for what their roles do not open.

    Never fails: the refusal is told all the same.  Whoever is refused again and again fills no
    disk: some refusals in a while are noted, and the others not.
    """
    try:
        limits.take(ctx, limit.REFUSALS_NOTED_BY_PERSON, str(person_id))
        with ctx.transaction() as db:
            rows.record(db, ctx.now(), person_id, "denied", "person", person_id, reason=what)
    except TooMany:
        return
    except Exception:  # noqa: BLE001 - what cannot be noted must not change the answer
        _log.exception("a refusal could not be noted")
