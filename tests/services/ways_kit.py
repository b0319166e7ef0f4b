"""What tests of ways share: messages on any way, readers with choices, a sender of our own."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from scheduler.domain.choices import Choices
from scheduler.domain.messages import Channel, Claimed, MessageKind, MessageState, NewMessage
from scheduler.domain.news import Gathering
from scheduler.services import devices, outbox
from scheduler.services.context import Context
from scheduler.store import choices, tables
from tests.delivery.browsers import Browser

SECRET = "a secret of a gateway, long enough"
HOUR = timedelta(hours=1)


def with_gateways(ctx: Context, **more: object) -> Context:
    """The same installation, with gateways for SMS and Zalo."""
    given = {
        "sms_url": "http://127.0.0.1:9/sms",
        "sms_secret": SecretStr(SECRET),
        "zalo_url": "http://127.0.0.1:9/zalo",
        "zalo_secret": SecretStr(SECRET),
        **more,
    }
    return replace(ctx, settings=ctx.settings.model_copy(update=given))


def choose(ctx: Context, person: int, *channels: Channel) -> None:
    with ctx.transaction() as db:
        choices.save(db, person, Choices(channels=channels))


def have_device(ctx: Context, actor: Any, endpoint: str = "https://push.test/ok") -> Browser:
    browser = Browser()
    found = browser.subscription(endpoint)
    devices.sign_up(ctx, actor, found.endpoint, found.p256dh, found.auth, "")
    return browser


def have_phone(ctx: Context, person: int, phone: str = "0912 345 678") -> None:
    with ctx.transaction() as db:
        row = tables.persons
        db.execute(row.update().where(row.c.id == person).values(phone=phone))


def plan(ctx: Context, person: int, channel: Channel, **more: Any) -> int:
    """A message about a publication, due now; its row."""
    values = {
        "key": f"publication:1:{person}:changes:{channel}",
        "kind": MessageKind.CHANGES,
        "person_id": person,
        "due_at": ctx.now(),
        "useless_after": ctx.now() + HOUR,
        "payload": Gathering((), ("publication:1",)).payload(),
        **more,
    }
    with ctx.transaction() as db:
        assert outbox.plan(ctx, db, [NewMessage(**values, channel=channel)]) == 1
        return int(db.scalar(sa.select(sa.func.max(tables.outbox.c.id))))


def end(ctx: Context, row_id: int, state: MessageState, **values: object) -> None:
    """As a sender would mark it."""
    row = tables.outbox
    sent_at = ctx.now() if state is MessageState.SENT else None
    with ctx.transaction() as db:
        ended = row.update().where(row.c.id == row_id)
        db.execute(ended.values(state=state, sent_at=sent_at, **values))


def claimed(ctx: Context, row_id: int) -> Claimed:
    """A row as a sender holds it."""
    with ctx.reading() as db:
        row = db.execute(sa.select(tables.outbox).where(tables.outbox.c.id == row_id)).one()
    return Claimed(
        id=row.id, key=row.key, kind=MessageKind(row.kind), channel=Channel(row.channel),
        person_id=row.person_id, lesson_id=row.lesson_id, sequence=row.lesson_sequence,
        payload=row.payload, due_at=row.due_at, useless_after=row.useless_after,
        attempts=row.attempts, message_id=row.message_id, lease_token="",
    )  # fmt: skip
