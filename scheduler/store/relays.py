"""The ways out as all processes share them, on the database's clock: what they may still take,
and whether they answer."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain import relays as rules
from scheduler.domain.messages import Channel
from scheduler.domain.relays import Limit, Relay
from scheduler.store.leases import database_now
from scheduler.store.tables import relays

LONGEST_ERROR = 500


def seen(db: Session) -> dict[Channel, Relay]:
    """Every way that was ever taken."""
    return {Channel(row.name): _relay(row) for row in db.execute(select(relays))}


def closed(db: Session) -> tuple[Channel, ...]:
    """The ways that are left alone at this moment because they did not answer."""
    query = select(relays.c.name).where(relays.c.open_until > database_now(db))
    return tuple(map(Channel, db.scalars(query.order_by(relays.c.name))))


def may_take(db: Session, channel: Channel, limit: Limit, wanted: int) -> int:
    """How many messages could begin now; a look that keeps nobody waiting."""
    row = db.execute(_of(channel)).first()
    return wanted if row is None else rules.may_take(_relay(row), limit, database_now(db), wanted)


def take(db: Session, channel: Channel, limit: Limit, wanted: int) -> int:
    """Let as many messages begin as the relay may take, at most `wanted`; returns how many."""
    row = db.execute(_of(channel)).first()
    if not limit.rate and (row is None or not row.failures):
        return wanted  # nothing to share: do not make the others wait in line for it
    relay = _locked(db, channel, limit)
    now = database_now(db)
    count = rules.may_take(relay, limit, now, wanted)
    if count:
        _write(db, channel, rules.taken(relay, limit, now, count))
    return count


def put_back(db: Session, channel: Channel, limit: Limit, count: int) -> None:
    """Messages that were to begin did not."""
    if count and limit.rate:
        _change(db, channel, limit, lambda relay: rules.put_back(relay, limit, count))


def answered(db: Session, channel: Channel, limit: Limit, seconds: float) -> None:
    """It answers, in so many seconds a message."""
    _change(db, channel, limit, lambda relay: rules.answered(relay, seconds))


def away(db: Session, channel: Channel, limit: Limit, error: str) -> None:
    """It did not answer at all."""
    now, why = database_now(db), error[:LONGEST_ERROR]
    _change(db, channel, limit, lambda relay: rules.away(relay, now, why))


def _change(db: Session, channel: Channel, limit: Limit, change: Callable[[Relay], Relay]) -> None:
    _write(db, channel, change(_locked(db, channel, limit)))


def _locked(db: Session, channel: Channel, limit: Limit) -> Relay:
    row = db.execute(_of(channel).with_for_update()).first()
    if row is None:
        dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
        new = Relay(tokens=limit.most, refilled_at=database_now(db))
        db.execute(
            dialect.insert(relays)
            .values(name=channel, **asdict(new))
            .on_conflict_do_nothing(index_elements=[relays.c.name])
        )
        row = db.execute(_of(channel).with_for_update()).one()
    return _relay(row)


def _write(db: Session, channel: Channel, relay: Relay) -> None:
    db.execute(update(relays).where(relays.c.name == channel).values(**asdict(relay)))


def _of(channel: Channel) -> Select[Any]:
    return select(relays).where(relays.c.name == channel)


def _relay(row: Row[Any]) -> Relay:
    return Relay(
        tokens=row.tokens,
        refilled_at=row.refilled_at,
        failures=row.failures,
        open_until=row.open_until,
        send_seconds=row.send_seconds,
        last_error=row.last_error,
    )
