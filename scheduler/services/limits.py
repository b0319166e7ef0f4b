"""Too often: whoever tries more than a limit allows is told when to come back."""

from datetime import timedelta

from scheduler import security
from scheduler.domain.limits import Limit, milliseconds
from scheduler.errors import TooMany, text
from scheduler.services.context import Context
from scheduler.store import limits


def take(ctx: Context, limit: Limit, subject: str) -> None:
    """Count one try of this address, mailbox or person; raises TooMany when it is one too many.

    In a transaction of its own, ahead of the work: what the work undoes was tried all the same.
    """
    name = security.stamp(ctx.key, limit.name, subject)  # no address is kept in clear
    with ctx.transaction() as db:
        wait = limits.take(db, limit, name, milliseconds(ctx.now()))
    if wait is not None:
        seconds = -(-wait // timedelta(seconds=1))
        raise TooMany(
            text("Too many tries. Try again in {minutes} minutes.", minutes=-(-seconds // 60)),
            retry_after=seconds,
        )
