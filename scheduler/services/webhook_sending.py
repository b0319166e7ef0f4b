"""Telling programs what happened: one signed POST a delivery, until it is taken or a day is over.

At least once, and of one lesson in order: an answer that is lost is asked for again, with the same
`id` in the same body.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from scheduler import clock, security
from scheduler.clock import SystemClock
from scheduler.delivery import posting
from scheduler.delivery.network import Network
from scheduler.delivery.posting import Answer, Broken, NotSent
from scheduler.domain import webhooks as rules
from scheduler.domain.webhooks import Trouble
from scheduler.security import BadSeal
from scheduler.services.context import Context
from scheduler.services.webhooks import public
from scheduler.store import switches
from scheduler.store import webhooks as rows
from scheduler.store.webhooks import Claim

LEASE = timedelta(minutes=2)  # a try ends after ten seconds; who needs longer is gone
SENDING_SECONDS = 10.0  # then others have their turn, and whoever stops us is heard
_log = logging.getLogger(__name__)


def send_due(
    ctx: Context,
    limit: int = 200,
    network: Network | None = None,
    *,
    go_on: Callable[[], bool] = lambda: True,
) -> int:
    """Try up to `limit` deliveries that are due, one after the other; how many were tried.

    Any number of processes may do so at once: each delivery is tried by one of them.  Nothing is
    tried while sending is paused.  `go_on` is asked before each.
    """
    began, tried, where = clock.monotonic(), 0, network or public(ctx)
    while tried < limit and go_on() and clock.monotonic() - began < SENDING_SECONDS:
        claim = _next(ctx)
        if claim is None:
            break
        _try(ctx, claim, where)
        tried += 1
    return tried


def _next(ctx: Context) -> Claim | None:
    now = ctx.now()
    with ctx.reading() as db:  # most ticks find nothing: do not take the writers' turn for that
        if not rows.any_due(db, now) or switches.is_on(db, switches.SENDING_PAUSED):
            return None
    with ctx.transaction() as db:
        return rows.claim(db, now, LEASE)


def _try(ctx: Context, claim: Claim, network: Network) -> None:
    """Outside any transaction; a claim that was lost meanwhile saves nothing."""
    try:
        answer = _post(ctx, claim, network)
    except BadSeal:
        return _failed(ctx, claim, Trouble.SECRET)
    except NotSent as error:
        return _failed(ctx, claim, Trouble.AWAY if error.away else Trouble.ADDRESS)
    except Broken:
        return _failed(ctx, claim, Trouble.SILENT)
    except Exception as error:  # noqa: BLE001 - its words may hold the address: keep its kind only
        kind = type(error).__name__
        _log.error("an event cannot be told", extra={"delivery_id": claim.id, "kind": kind})
        return _failed(ctx, claim, Trouble.AWAY)
    said = rules.shown(answer.body)
    if not rules.is_good(answer.status):
        return _failed(ctx, claim, Trouble.ANSWER, answer.status, said)
    with ctx.transaction() as db:
        rows.delivered(db, claim, answer.status, said, ctx.now())
    return None


def _post(ctx: Context, claim: Claim, network: Network) -> Answer:
    address = security.unseal(ctx.keys, claim.sealed_address)
    secrets = [security.unseal(ctx.keys, each) for each in claim.sealed_secrets]
    body = claim.body.encode()
    unix = int(SystemClock().now().timestamp())
    headers = {
        "Content-Type": "application/json",
        "Chungtay-Event": claim.event,
        "Chungtay-Event-Id": claim.event_id,
        "Chungtay-Signature": rules.signature(secrets, unix, body),
    }
    return posting.post(address, body, headers, network)


def _failed(
    ctx: Context, claim: Claim, trouble: Trouble, status: int | None = None, said: str = ""
) -> None:
    with ctx.transaction() as db:
        rows.failed(db, claim, trouble, status, said, ctx.now())
