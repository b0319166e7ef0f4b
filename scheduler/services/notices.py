"""Messages in a few words: to a person's browsers, or by a gateway to their telephone."""

import json
from collections.abc import Mapping
from datetime import UTC

from scheduler.delivery import push
from scheduler.delivery.channels import Parcel
from scheduler.delivery.notices import Notice
from scheduler.domain import telephones
from scheduler.domain.messages import Channel, Claimed
from scheduler.domain.people import Person
from scheduler.services import devices
from scheduler.services.context import Context


def parcel(ctx: Context, message: Claimed, reader: Person, notice: Notice) -> Parcel:
    """The message for the reader's browsers or telephone.

    Without an address, where the reader has left this way, its transport refuses it, and the
    reader's next way is taken.
    """
    life = int((message.useless_after - ctx.now()).total_seconds())
    if message.channel is Channel.PUSH:
        with ctx.reading() as db:
            found = devices.addresses(ctx, db, reader.id)
        return Parcel(message.message_id, found, push.payload(notice, reader.language), life)
    number = telephones.e164(reader.phone)
    content = _packed(_told(ctx, message, notice, reader, number))
    return Parcel(name(message), (number,) if number else (), content, life)


def name(message: Claimed) -> str:
    """What a gateway calls a message at each try: its row, and a part that nobody guesses."""
    return f"{message.id}-{message.message_id.strip('<>').partition('@')[0]}"


def _told(
    ctx: Context, message: Claimed, notice: Notice, reader: Person, number: str | None
) -> Mapping[str, object]:
    return {
        "id": name(message),
        "to": number,
        "template": notice.template,
        "parameters": dict(notice.parameters),
        "language": reader.language,
        "text": _text(ctx, message.channel, notice),
        "useless_after": message.useless_after.astimezone(UTC).isoformat(),
    }


def _text(ctx: Context, channel: Channel, notice: Notice) -> str:
    if channel is not Channel.SMS:
        return "\n".join(filter(None, (notice.title, notice.body, notice.url)))
    title, body = notice.title, " ".join(notice.body.split())
    if ctx.settings.sms_plain:
        title, body = telephones.plain(title), telephones.plain(body)
    return telephones.one_sms(title, body, notice.url)


def _packed(told: Mapping[str, object]) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
