"""Messages on several ways: their legs, what leads to people, and what gateways reported."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, literal, null, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain.messages import Channel, MessageKind, MessageState, OutboxId
from scheduler.domain.people import PersonId
from scheduler.domain.ways import Leg, key_by
from scheduler.store.queue import LONGEST_TEXT
from scheduler.store.tables import Phase, outbox, persons

# What the same message has on every way.
_SHARED = (
    outbox.c.kind,
    outbox.c.person_id,
    outbox.c.programme_id,
    outbox.c.lesson_id,
    outbox.c.lesson_sequence,
    outbox.c.payload,
    outbox.c.due_at,
    outbox.c.useless_after,
)


def reach(db: Session, people: Collection[PersonId]) -> dict[PersonId, tuple[str, bool]]:
    """The telephone number of each as written, and whether their address takes mail."""
    query = select(persons.c.id, persons.c.phone, persons.c.mail_fault).where(
        persons.c.id.in_(list(people))
    )
    return {PersonId(row.id): (row.phone, row.mail_fault is None) for row in db.execute(query)}


def tried(db: Session, key: str) -> dict[Channel, OutboxId | None]:
    """The ways that a message took or takes, and which leg each of them follows."""
    query = select(outbox.c.channel, outbox.c.follows_id).where(outbox.c.key.in_(_names(key)))
    return {Channel(row.channel): row.follows_id for row in db.execute(query)}


def follow(db: Session, failed: Leg, channel: Channel, message_id: str, now: datetime) -> bool:
    """Plan a message that failed on another way; False when it is there already."""
    values: dict[str, ColumnElement[Any]] = {
        "key": literal(key_by(failed.key, channel)),
        "channel": literal(channel.value),
        "follows_id": literal(failed.id),
        "state": literal(MessageState.PLANNED.value),
        "attempts": literal(0),
        "next_try_at": literal(now, outbox.c.next_try_at.type),
        "phase": literal(Phase.WAITING.value),
        "message_id": literal(message_id),
        "last_error": literal(""),
        "created_at": literal(now, outbox.c.created_at.type),
    }
    names = [*(column.name for column in _SHARED), *values]
    copy = select(*_SHARED, *values.values()).where(outbox.c.id == failed.id)
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    new = dialect.insert(outbox).from_select(names, copy)
    planned = new.on_conflict_do_nothing(index_elements=[outbox.c.key]).returning(outbox.c.id)
    return db.execute(planned).first() is not None


def leg(db: Session, message_id: int) -> Leg | None:
    row = db.execute(select(outbox).where(outbox.c.id == message_id)).one_or_none()
    return None if row is None else _leg(row)


def any_stranded(db: Session, channels: Collection[Channel], now: datetime) -> bool:
    """Whether `stranded` would find any; a look that keeps no writer waiting."""
    return bool(db.scalar(select(exists().where(_waits(channels, now)))))


def stranded(db: Session, channels: Collection[Channel], now: datetime, limit: int) -> list[Leg]:
    """Messages that are due on one of these ways, which nobody serves; held until the commit."""
    query: Select[Any] = (
        select(outbox)
        .where(_waits(channels, now))
        .order_by(outbox.c.useless_after, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_leg(row) for row in db.execute(query)]


def give_up(db: Session, message_id: OutboxId, why: str) -> bool:
    """A message that waits, or was taken by the far end, does not arrive by this way."""
    return _report(
        db,
        message_id,
        (MessageState.PLANNED, MessageState.SENT, MessageState.UNKNOWN),
        state=MessageState.FAILED,
        sent_at=null(),
        last_error=why[:LONGEST_TEXT],
    )


def arrived(db: Session, message_id: OutboxId, reply: str, now: datetime) -> bool:
    """A message was delivered, as its gateway says; False when that is not news."""
    return _report(
        db,
        message_id,
        (MessageState.SENT, MessageState.UNKNOWN),
        state=MessageState.SENT,
        sent_at=now,
        provider_reply=reply[:LONGEST_TEXT],
    )


def told_of(db: Session, message_id: OutboxId) -> tuple[MessageState, str] | None:
    """Where a message stands, and its far end's word; held until the commit."""
    query = select(outbox.c.state, outbox.c.provider_reply).where(outbox.c.id == message_id)
    row = db.execute(query.with_for_update()).one_or_none()
    return None if row is None else (MessageState(row.state), row.provider_reply)


def _waits(channels: Collection[Channel], now: datetime) -> ColumnElement[bool]:
    return and_(
        outbox.c.channel.in_([channel.value for channel in channels]),
        outbox.c.state == MessageState.PLANNED,
        outbox.c.next_try_at <= now,
        outbox.c.useless_after > now,
    )


def _names(key: str) -> list[str]:
    return [key_by(key, channel) for channel in Channel]


def _report(db: Session, message_id: int, states: Collection[str], **values: object) -> bool:
    done = (
        update(outbox)
        .where(outbox.c.id == message_id, outbox.c.state.in_(list(states)))
        .values(**values)
        .returning(outbox.c.id)
    )
    return db.execute(done).first() is not None


def _leg(row: Row[Any]) -> Leg:
    return Leg(
        id=OutboxId(row.id),
        key=row.key,
        kind=MessageKind(row.kind),
        channel=Channel(row.channel),
        person_id=PersonId(row.person_id),
        useless_after=row.useless_after,
    )
