"""The ways to people that this installation has, and which of them a message takes."""

from collections.abc import Collection, Mapping
from email.utils import parseaddr
from functools import partial

from scheduler import security
from scheduler.delivery.channels import Transport
from scheduler.delivery.gateway import GatewayTransport
from scheduler.delivery.mailfiles import FileTransport
from scheduler.delivery.push import PushTransport
from scheduler.delivery.smtp import SmtpTransport
from scheduler.domain import telephones
from scheduler.domain import ways as rules
from scheduler.domain.messages import Channel, Claimed
from scheduler.domain.people import PersonId
from scheduler.domain.ways import Leg
from scheduler.services import devices
from scheduler.services.context import Context
from scheduler.store import choices
from scheduler.store import devices as browsers
from scheduler.store import ways as rows
from scheduler.store.database import Session

RESCUED_AT_ONCE = 100


def transport(ctx: Context, channel: Channel) -> Transport | None:
    """A transport of this process for the channel; None where the installation has none."""
    match channel:
        case Channel.MAIL:
            return mail(ctx)
        case Channel.PUSH:
            return push(ctx)
        case _:
            secret = gateway_secret(ctx, channel)
            return None if secret is None else GatewayTransport(_gateway_url(ctx, channel), secret)


def mail(ctx: Context) -> Transport:
    """The relay in the settings; files while there is none."""
    url = ctx.settings.smtp_url.get_secret_value()
    if not url:
        return FileTransport(ctx.settings.mail_dir)
    return SmtpTransport(url, ctx.settings.mail_from)


def push(ctx: Context) -> Transport:
    """The services of the browsers' makers: they need no setting."""
    subject = f"mailto:{parseaddr(ctx.settings.mail_from)[1]}"
    return PushTransport(security.push_key(ctx.key), subject, partial(devices.settle, ctx))


def gateway_secret(ctx: Context, channel: Channel) -> bytes | None:
    """What the gateway of this channel signs with; None where there is none."""
    settings = ctx.settings
    secrets = {Channel.SMS: settings.sms_secret, Channel.ZALO: settings.zalo_secret}
    if not _gateway_url(ctx, channel):
        return None
    return secrets[channel].get_secret_value().encode()


def _gateway_url(ctx: Context, channel: Channel) -> str:
    return {Channel.SMS: ctx.settings.sms_url, Channel.ZALO: ctx.settings.zalo_url}.get(channel, "")


# -- which way


def first(ctx: Context, db: Session, people: Collection[PersonId]) -> dict[PersonId, Channel]:
    """The way by which each person is reached first: the earliest choice that leads anywhere."""
    return {person: ways[0] for person, ways in _ways(ctx, db, people).items()}


def urgent(
    ctx: Context, db: Session, people: Collection[PersonId]
) -> dict[PersonId, tuple[Channel, ...]]:
    """The ways that the news of a lesson called off takes at once when the lesson is near
    (`domain.ways.is_urgent`): mail, and each reader's first other way."""
    return {person: rules.at_once(ways) for person, ways in _ways(ctx, db, people).items()}


def _ways(
    ctx: Context, db: Session, people: Collection[PersonId]
) -> Mapping[PersonId, tuple[Channel, ...]]:
    """The ways of each person that lead anywhere, in order; three queries for however many."""
    chosen = choices.of(db, people)
    return {
        person: rules.order(chosen[person], leads)
        for person, leads in leading(ctx, db, people).items()
    }


def leading(
    ctx: Context, db: Session, people: Collection[PersonId]
) -> Mapping[PersonId, frozenset[Channel]]:
    """Every way that leads to each person, whether chosen or not."""
    reach = rows.reach(db, people)
    with_device = browsers.having(db, people)
    gateways = {each for each in (Channel.SMS, Channel.ZALO) if _gateway_url(ctx, each)}
    found = {}
    for person in people:
        phone, takes_mail = reach.get(person, ("", True))
        leads = {Channel.MAIL} if takes_mail else set()
        leads |= {Channel.PUSH} if person in with_device else set()
        leads |= gateways if telephones.e164(phone) else set()
        found[person] = frozenset(leads)
    return found


# -- from one way to the next


def follow(ctx: Context, db: Session, failed: Claimed | Leg) -> int:
    """Plan a message that failed for its reader's next way, in the transaction that marks it.

    Returns how many were planned: none when there is no next way or no time.
    """
    if failed.kind in rules.MAIL_ONLY or failed.useless_after <= ctx.now():
        return 0
    tried = rows.tried(db, failed.key)
    if failed.id in tried.values():  # told twice, where a commit had an unknown end
        return 0
    open_ways = _ways(ctx, db, [failed.person_id])[failed.person_id]
    channel = rules.after(open_ways, {failed.channel, *tried})
    if channel is None:
        return 0
    leg = failed if isinstance(failed, Leg) else _leg(failed)
    return int(rows.follow(db, leg, channel, _message_id(ctx, leg.key, channel), ctx.now()))


def rescue(ctx: Context) -> int:
    """Messages that wait for a gateway which the settings no longer name take the next way."""
    closed = [each for each in (Channel.SMS, Channel.ZALO) if not _gateway_url(ctx, each)]
    with ctx.reading() as db:  # most ticks find nothing: do not take the writers' turn for that
        if not rows.any_stranded(db, closed, ctx.now()):
            return 0
    with ctx.transaction() as db:
        stranded = rows.stranded(db, closed, ctx.now(), RESCUED_AT_ONCE)
        for leg in stranded:
            rows.give_up(db, leg.id, "there is no such way here")
            follow(ctx, db, leg)
    return len(stranded)


def _leg(message: Claimed) -> Leg:
    return Leg(
        id=message.id,
        key=message.key,
        kind=message.kind,
        channel=message.channel,
        person_id=message.person_id,
        useless_after=message.useless_after,
    )


def _message_id(ctx: Context, key: str, channel: Channel) -> str:
    stamp = security.message_stamp(ctx.key, rules.key_by(key, channel))
    return f"<{stamp}@{ctx.settings.uid_domain}>"
