"""What gateways report of the messages they took."""

from dataclasses import dataclass
from datetime import timedelta

from scheduler import security
from scheduler.clock import SystemClock
from scheduler.delivery import gateway
from scheduler.delivery.mail import one_line
from scheduler.domain.messages import Channel, MessageState
from scheduler.errors import Busy, Conflict, Invalid, NotAllowed, NotFound
from scheduler.services import ways
from scheduler.services.context import Context
from scheduler.store import ways as rows

WINDOW = timedelta(minutes=5)
LONGEST_REASON = 300
DELIVERED, FAILED = "delivered", "failed"


@dataclass(frozen=True, slots=True)
class Report:
    """`id` is the message's name as we gave it, `state` delivered or failed."""

    id: str
    state: str
    reason: str = ""


def verify(ctx: Context, channel: Channel, timestamp: str, signature: str, body: bytes) -> None:
    """Whether the gateway of this channel signed it, lately; raises NotFound, NotAllowed."""
    secret = ways.gateway_secret(ctx, channel)
    if secret is None:
        raise NotFound("There is nothing here.")
    expected = gateway.signature(secret, timestamp, body)
    if not security.same(signature, expected) or not _is_fresh(timestamp):
        raise NotAllowed("This report is not signed as agreed.")


def _is_fresh(timestamp: str) -> bool:
    """On the machine's clock: the gateway knows nothing of a programme's that plays another day."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    return abs(SystemClock().now().timestamp() - int(timestamp)) <= WINDOW.total_seconds()


def report(ctx: Context, channel: Channel, told: Report) -> None:
    """Note once what became of a message; one that failed takes its reader's next way.

    Raises NotFound for a message that is not this gateway's, Busy while it is still being handed
    over, Conflict for what was reported before: a replay changes nothing.
    """
    if told.state not in (DELIVERED, FAILED):
        raise Invalid("The state of a report is delivered or failed.")
    with ctx.transaction() as db:
        leg = rows.leg(db, _row_of(told.id))
        if leg is None or leg.channel is not channel or not _is_named(ctx, told.id, leg.key):
            raise NotFound("There is no such message here.")
        stands = rows.told_of(db, leg.id)
        if stands is None or stands[0] is MessageState.LEASED:
            raise Busy("This message is being sent. Report it again in a moment.")
        if stands[1].startswith(DELIVERED):
            raise Conflict("This message was reported before.")
        if told.state == DELIVERED:
            news = rows.arrived(db, leg.id, f"{DELIVERED} {stands[1]}".strip(), ctx.now())
        else:
            news = rows.give_up(db, leg.id, f"{FAILED}: {one_line(told.reason)[:LONGEST_REASON]}")
        if not news:
            raise Conflict("This message was reported before.")
        if told.state == FAILED:
            ways.follow(ctx, db, leg)


def _row_of(name: str) -> int:
    number = name.partition("-")[0]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0


def _is_named(ctx: Context, name: str, key: str) -> bool:
    given = name.partition("-")[2]
    return any(security.same(given, security.message_stamp(each, key)) for each in ctx.keys)
