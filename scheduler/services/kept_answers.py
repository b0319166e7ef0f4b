"""Done once: a program that asks again under the same key gets the same answer, for a day.

What changes and its answer are two transactions: a process that dies between them leaves the key
free after a minute, and then only the use case's own care keeps it from being done twice.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduler import security
from scheduler.domain.access import Actor
from scheduler.errors import Conflict, Invalid, text
from scheduler.security import BadSeal
from scheduler.services.context import Context
from scheduler.store import kept_answers as rows
from scheduler.store.kept_answers import Kept

LEASE = timedelta(minutes=1)
LONGEST_KEY = 200
_KEY = re.compile(r"[!-~]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer under a key."""

    name: str
    made_at: datetime


def begin(ctx: Context, actor: Actor, where: str, key: str, body: bytes) -> Claim | Kept:
    """Take the key for this request, or give what was answered to it before.

    `where`: the method and the address.  Raises Invalid for what is no key or belongs to another
    request, Conflict while the first one is at work.
    """
    if not _KEY.fullmatch(key):
        raise Invalid(
            text("An Idempotency-Key has 1 to {most} plain signs.", most=LONGEST_KEY),
            fields={"Idempotency-Key": text("Write plain signs without spaces.")},
        )
    owner = f"{actor.person_id} {where}\n{key}"
    name, request = security.stamp(ctx.key, "once", owner), hashlib.sha256(body).hexdigest()
    now = ctx.now()
    with ctx.transaction() as db:
        if rows.claim(db, name, request, now, LEASE):
            return Claim(name, now)
        found = rows.get(db, name)
    if found is not None and found.request != request:
        raise Invalid(
            "This Idempotency-Key came with another body. Take a new key for a new request."
        )
    if found is None or found.status is None:
        raise Conflict(
            "The first request with this Idempotency-Key is still at work. Wait a moment."
        )
    return replace(found, body=_opened(ctx, found.body))


def _opened(ctx: Context, sealed: bytes) -> bytes:
    """An answer may hold a secret that is shown once: it is kept as secrets are."""
    try:
        return security.unseal(ctx.keys, sealed.decode()).encode()
    except (BadSeal, UnicodeDecodeError):
        raise Conflict(
            "This was done already, and its answer can no longer be read. Look how it stands now."
        ) from None


def end(ctx: Context, claim: Claim, status: int, kind: str, body: bytes) -> None:
    """Keep the answer; one that says "later" or "broken" frees the key instead."""
    with ctx.transaction() as db:
        if status >= 500 or status in (408, 429):
            rows.drop(db, claim.name, claim.made_at)
        else:
            sealed = security.seal(ctx.key, body.decode()).encode()
            rows.keep(db, claim.name, claim.made_at, status, kind, sealed)
