"""Messages to people as a queue: planned once by key, claimed under a lease, ended by its holder.

Due times compare with the programme's clock, which the caller gives; leases with the database's.
Every ending names the lease token: a worker that lost its lease changes nothing.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Row,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from scheduler.domain.lessons import LessonId
from scheduler.domain.messages import (
    AGAIN_BEFORE,
    OPEN_STATES,
    Channel,
    Claimed,
    MessageKind,
    MessageState,
    NewMessage,
    OutboxId,
)
from scheduler.domain.people import PersonId
from scheduler.domain.reminders import REMINDED, REMINDERS
from scheduler.store import switches
from scheduler.store.leases import database_now
from scheduler.store.tables import Phase, lessons, outbox

LONGEST_ERROR = 500
_ONLY_ONCE = (MessageKind.CALLED_OFF, MessageKind.SIGN_IN)
# A sign-in message holds a secret until it ends, whichever way.
_SPENT: ColumnElement[Any] = case(
    (outbox.c.kind == MessageKind.SIGN_IN, literal({}, JSON)), else_=outbox.c.payload
)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many messages there are, by state and by kind, all seen at one moment."""

    planned: int
    by_state: Mapping[MessageState, int]
    by_kind: Mapping[MessageKind, int]
    maybe_twice: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: too late; given back to the queue; of unknown fate; sent once more."""

    expired: int
    freed: int
    unknown: int
    again: int


def add(
    db: Session, messages: Iterable[NewMessage], now: datetime, name: Callable[[str], str]
) -> int:
    """Plan messages, leaving out those whose key is there already; returns how many are new.

    `name` makes the Message-ID of a key.
    """
    # In order of key, so that two transactions with the same messages never wait in a ring.
    rows = [_row(m, now, name) for m in sorted(messages, key=lambda message: message.key)]
    if not rows:
        return 0
    if db.get_bind().dialect.name == "sqlite":
        new = sqlite.insert(outbox).on_conflict_do_nothing(index_elements=[outbox.c.key])
        return len(db.scalars(new.returning(outbox.c.id), rows).all())
    return len(db.scalars(_from_arrays(rows)).all())


def cancel_outdated(db: Session, lesson_ids: Collection[LessonId]) -> int:
    """Cancel open reminders of lessons that changed since, or do not take place.

    What is being transmitted at this moment stays: its worker says how that ended.
    """
    as_planned = exists().where(
        lessons.c.id == outbox.c.lesson_id,
        lessons.c.sequence == outbox.c.lesson_sequence,
        lessons.c.state.in_(REMINDED),
    )
    return _change(
        db,
        and_(
            outbox.c.lesson_id.in_(list(lesson_ids)),
            outbox.c.kind.in_(REMINDERS),
            outbox.c.state.in_(OPEN_STATES),
            outbox.c.phase == Phase.WAITING,
            ~as_planned,
        ),
        **_ended(MessageState.CANCELLED),
    )


def any_due(db: Session, now: datetime) -> bool:
    """Whether a claim would find anything; a look that keeps no writer waiting."""
    return bool(db.scalar(select(exists().where(_due(now)))))


def any_to_sweep(db: Session, now: datetime) -> bool:
    """Whether a sweep would find anything; a look that keeps no writer waiting."""
    found = [_too_late(now), _abandoned(db), _worth_a_second(now)]
    return any(db.scalar(select(exists().where(each))) for each in found)


def claim(
    db: Session, token: str, now: datetime, limit: int, lease: timedelta
) -> tuple[Claimed, ...]:
    """Take the messages that are due, the most urgent first; none while sending is paused."""
    if switches.is_on(db, switches.SENDING_PAUSED):
        return ()
    due = (
        select(outbox.c.id)
        .where(_due(now))
        .order_by(outbox.c.useless_after, outbox.c.due_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # SQLite has one writer at a time, and no such words
        .cte("due")
    )
    rows = db.execute(
        update(outbox)
        .where(outbox.c.id.in_(select(due.c.id)))
        .values(
            state=MessageState.LEASED,
            lease_token=token,
            lease_until=database_now(db) + lease,
            phase=Phase.WAITING,
        )
        .returning(*outbox.c)
    ).all()
    urgent = sorted(rows, key=lambda row: (row.useless_after, row.due_at, row.id))
    return tuple(map(_claimed, urgent))


def begin_transmission(db: Session, message: Claimed) -> bool:
    """Note that from here on a crash leaves its fate unknown; False when it is not ours any more:
    cancelled, or taken over."""
    return _mine(db, message, phase=Phase.TRANSMITTING, attempts=outbox.c.attempts + 1)


def mark_sent(db: Session, message: Claimed, now: datetime) -> bool:
    return _mine(db, message, **_ended(MessageState.SENT), sent_at=now)


def mark_failed(db: Session, message: Claimed, error: str) -> bool:
    return _mine(db, message, **_ended(MessageState.FAILED, error))


def mark_unknown(db: Session, message: Claimed, error: str) -> bool:
    return _mine(db, message, **_ended(MessageState.UNKNOWN, error))


def mark_cancelled(db: Session, message: Claimed, error: str) -> bool:
    return _mine(db, message, **_ended(MessageState.CANCELLED, error))


def mark_expired(db: Session, message: Claimed) -> bool:
    return _mine(db, message, **_ended(MessageState.EXPIRED))


def retry(db: Session, message: Claimed, next_try_at: datetime, error: str) -> bool:
    """It was certainly not sent: back to the queue until `next_try_at`."""
    return _mine(db, message, **_freed(), next_try_at=next_try_at, last_error=error[:LONGEST_ERROR])


def give_back(db: Session, messages: Collection[Claimed]) -> int:
    """Return messages that were not tried, as if never claimed; returns how many were ours."""
    return sum(_mine(db, message, **_freed()) for message in messages)


def sweep(db: Session, now: datetime) -> Swept:
    """Expire what is too late, and decide about what vanished workers held.

    A message whose first transmission had an unknown end is sent once more, under the same
    Message-ID, if there is time.
    """
    abandoned, vanished = _abandoned(db), "the worker vanished while sending"
    return Swept(
        again=_change(db, _worth_a_second(now), **_freed(), maybe_twice=True),
        freed=_change(db, and_(abandoned, outbox.c.phase == Phase.WAITING), **_freed()),
        unknown=_change(db, abandoned, **_ended(MessageState.UNKNOWN, vanished)),
        expired=_change(db, _too_late(now), **_ended(MessageState.EXPIRED)),
    )


def tally(db: Session) -> Tally:
    """Every message counted once, in one statement, so that the parts and the whole agree."""
    everything = select(func.count()).select_from(outbox).scalar_subquery()
    twice = func.count().filter(outbox.c.maybe_twice)
    rows = db.execute(
        select(outbox.c.state, outbox.c.kind, func.count(), twice, everything).group_by(
            outbox.c.state, outbox.c.kind
        )
    ).all()
    by_state = dict.fromkeys(MessageState, 0)
    by_kind = dict.fromkeys(MessageKind, 0)
    for state, kind, count, _, _ in rows:
        by_state[MessageState(state)] += count
        by_kind[MessageKind(kind)] += count
    total = rows[0][4] if rows else 0
    return Tally(total, by_state, by_kind, sum(row[3] for row in rows))


def _row(message: NewMessage, now: datetime, name: Callable[[str], str]) -> dict[str, object]:
    return {
        "key": message.key,
        "kind": message.kind,
        "channel": message.channel,
        "person_id": message.person_id,
        "lesson_id": message.lesson_id,
        "lesson_sequence": message.sequence,
        "programme_id": message.programme_id,
        "payload": dict(message.payload),
        "due_at": message.due_at,
        "useless_after": message.useless_after,
        "state": MessageState.PLANNED,
        "attempts": 0,
        "next_try_at": message.due_at,
        "phase": Phase.WAITING,
        "message_id": name(message.key),
        "last_error": "",
        "created_at": now,
    }


def _from_arrays(rows: Sequence[Mapping[str, Any]]) -> ReturningInsert[tuple[int]]:
    """One array a column: PostgreSQL's driver spends seconds on ten thousand rows of parameters."""
    names = list(rows[0])
    types = {name: String() if name == "payload" else outbox.c[name].type for name in names}
    columns = {name: [row[name] for row in rows] for name in names}
    columns["payload"] = [json.dumps(payload) for payload in columns["payload"]]
    arrays = [literal(columns[name], postgresql.ARRAY(types[name])) for name in names]
    source = func.unnest(*arrays).table_valued(*names, name="new").render_derived()
    values = [cast(c, JSON) if c.name == "payload" else c for c in source.c]
    new = postgresql.insert(outbox).from_select(names, select(*values))
    return new.on_conflict_do_nothing(index_elements=[outbox.c.key]).returning(outbox.c.id)


def _claimed(row: Row[Any]) -> Claimed:
    return Claimed(
        id=OutboxId(row.id),
        key=row.key,
        kind=MessageKind(row.kind),
        channel=Channel(row.channel),
        person_id=PersonId(row.person_id),
        lesson_id=row.lesson_id,
        sequence=row.lesson_sequence,
        payload=row.payload,
        due_at=row.due_at,
        useless_after=row.useless_after,
        attempts=row.attempts,
        message_id=row.message_id,
        lease_token=row.lease_token,
    )


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(
        outbox.c.state == MessageState.PLANNED,
        outbox.c.next_try_at <= now,
        outbox.c.useless_after > now,
    )


def _too_late(now: datetime) -> ColumnElement[bool]:
    return and_(outbox.c.state == MessageState.PLANNED, outbox.c.useless_after <= now)


def _abandoned(db: Session) -> ColumnElement[bool]:
    return and_(outbox.c.state == MessageState.LEASED, outbox.c.lease_until < database_now(db))


def _worth_a_second(now: datetime) -> ColumnElement[bool]:
    return and_(
        outbox.c.state == MessageState.UNKNOWN,
        outbox.c.attempts == 1,
        outbox.c.kind.not_in(_ONLY_ONCE),
        outbox.c.useless_after > now + AGAIN_BEFORE,
    )


def _ended(state: MessageState, error: str | None = None) -> dict[str, object]:
    values: dict[str, object] = {
        "state": state,
        "lease_token": None,
        "lease_until": None,
        "payload": _SPENT,
    }
    return values if error is None else values | {"last_error": error[:LONGEST_ERROR]}


def _freed() -> dict[str, object]:
    return {
        "state": MessageState.PLANNED,
        "lease_token": None,
        "lease_until": None,
        "phase": Phase.WAITING,
    }


def _mine(db: Session, message: Claimed, **values: object) -> bool:
    held = and_(outbox.c.id == message.id, outbox.c.lease_token == message.lease_token)
    return _change(db, held, **values) == 1


def _change(db: Session, where: ColumnElement[bool], **values: object) -> int:
    statement = update(outbox).where(where).values(**values)
    return int(db.connection().execute(statement).rowcount)
