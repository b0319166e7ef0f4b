"""The queue of messages: claimed under a lease, the most urgent first, ended by its holder.

Due times compare with the programme's clock, which the caller gives; leases with the database's.
Every ending names the lease token: a worker that lost its lease changes nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Row,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from scheduler.domain.lessons import LessonId
from scheduler.domain.messages import (
    AGAIN_BEFORE,
    PRIVATE,
    Channel,
    Claimed,
    MessageKind,
    MessageState,
    OutboxId,
)
from scheduler.domain.people import PersonId
from scheduler.store import switches
from scheduler.store.leases import database_now
from scheduler.store.tables import Phase, outbox

LONGEST_TEXT = 500
_ONLY_ONCE = (MessageKind.CALLED_OFF, *PRIVATE)
# In the words of the index ix_outbox_open: SQLite takes it only for these very ones.
_OPEN = text("state IN ('planned', 'leased')")
# A private message holds its secret until it ends, whichever way.
_SPENT: ColumnElement[Any] = case(
    (or_(*(outbox.c.kind == kind for kind in PRIVATE)), literal({}, JSON)), else_=outbox.c.payload
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is due at this moment: how many, and since when the first of them."""

    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: too late; given back to the queue; of unknown fate; sent once more."""

    expired: int
    freed: int
    unknown: int
    again: int


def due_channels(db: Session, now: datetime) -> tuple[Channel, ...]:
    """The ways by which something is due; none while sending is paused."""
    if switches.is_on(db, switches.SENDING_PAUSED):
        return ()
    found = select(outbox.c.channel).where(_due(now)).distinct()
    return tuple(map(Channel, db.scalars(found)))


def any_due(db: Session, channel: Channel, now: datetime) -> bool:
    """Whether a claim would find anything; a look that keeps no writer waiting."""
    return bool(db.scalar(select(exists().where(outbox.c.channel == channel, _due(now)))))


def waiting(db: Session, now: datetime) -> Waiting:
    row = db.execute(select(func.count(), func.min(outbox.c.next_try_at)).where(_due(now))).one()
    return Waiting(row[0], row[1])


def claim(
    db: Session,
    channel: Channel,
    owner: str,
    token: str,
    now: datetime,
    limit: int,
    lease: timedelta,
) -> tuple[Claimed, ...]:
    """Take the messages of a channel that are due, the most urgent first; none while paused."""
    if switches.is_on(db, switches.SENDING_PAUSED):
        return ()
    due = (
        select(outbox.c.id)
        .where(outbox.c.channel == channel, _OPEN, _due(now))
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
            lease_owner=owner,
            lease_token=token,
            lease_until=database_now(db) + lease,
            phase=Phase.WAITING,
        )
        .returning(*outbox.c)
    ).all()
    urgent = sorted(rows, key=lambda row: (row.useless_after, row.due_at, row.id))
    return tuple(map(_claimed, urgent))


def recall(
    db: Session,
    *,
    person_ids: Collection[PersonId] = (),
    lesson_ids: Collection[LessonId] = (),
) -> int:
    """Take back what waits in a worker and is about these people or lessons, to be made anew.

    For whoever changes what messages tell, in the same transaction.  What is being transmitted
    at this moment is past recall.  Returns how many were taken back.
    """
    about = or_(outbox.c.person_id.in_(list(person_ids)), outbox.c.lesson_id.in_(list(lesson_ids)))
    held = and_(outbox.c.state == MessageState.LEASED, outbox.c.phase == Phase.WAITING)
    # In order of id, so that two who recall the same messages never wait in a ring.
    ids = select(outbox.c.id).where(about, held).order_by(outbox.c.id).with_for_update()
    found = db.scalars(ids).all()
    return change(db, and_(outbox.c.id.in_(found), held), **freed()) if found else 0


def begin_transmission(db: Session, message: Claimed) -> bool:
    """Note that from here on a crash leaves its fate unknown; False when it is not ours any more:
    cancelled, recalled, or taken over."""
    return _mine(db, message, phase=Phase.TRANSMITTING, attempts=message.attempts + 1)


def mark_sent(db: Session, message: Claimed, now: datetime, reply: str) -> bool:
    ended_well = ended(MessageState.SENT) | {"provider_reply": reply[:LONGEST_TEXT]}
    return _mine(db, message, **ended_well, sent_at=now)


def pass_on(db: Connection, sent: Claimed, now: datetime, reply: str, following: Claimed) -> bool:
    """Mark one as sent and begin the next, in one statement; False when not both were ours.

    Then the caller undoes it.  Not for a private message, which has a secret to lose.
    """
    given = {
        "sent": sent.id, "sent_token": sent.lease_token, "now": now,
        "reply": reply[:LONGEST_TEXT], "begun": following.id,
        "begun_token": following.lease_token, "tries": following.attempts + 1,
    }  # fmt: skip
    return db.execute(_passing_on(), given).rowcount == 2


def mark_failed(db: Session, message: Claimed, error: str) -> bool:
    return _mine(db, message, **ended(MessageState.FAILED, error))


def mark_unknown(db: Session, message: Claimed, error: str) -> bool:
    return _mine(db, message, **ended(MessageState.UNKNOWN, error))


def mark_cancelled(db: Session, message: Claimed, error: str) -> bool:
    return _mine(db, message, **ended(MessageState.CANCELLED, error))


def mark_expired(db: Session, message: Claimed) -> bool:
    return _mine(db, message, **ended(MessageState.EXPIRED))


def retry(db: Session, message: Claimed, next_try_at: datetime, error: str) -> bool:
    """It was certainly not sent: back to the queue until `next_try_at`."""
    return _mine(db, message, **freed(), next_try_at=next_try_at, last_error=error[:LONGEST_TEXT])


def postpone(db: Session, message: Claimed, until: datetime) -> bool:
    """Its reader wants quiet until then."""
    return _mine(db, message, **freed(), next_try_at=until)


def give_back(db: Session, messages: Collection[Claimed]) -> int:
    """Return messages that were not tried, as if never claimed; returns how many were ours."""
    return sum(
        change(db, and_(outbox.c.id.in_(ids), outbox.c.lease_token == token), **freed())
        for token, ids in _by_token(messages).items()
    )


def state(db: Session, message: Claimed) -> MessageState:
    """Where it stands, for who lost the line to the database while committing."""
    found = db.execute(select(outbox.c.state).where(outbox.c.id == message.id))
    return MessageState(found.scalar_one())


def any_to_sweep(db: Session, now: datetime) -> bool:
    """Whether a sweep would find anything; a look that keeps no writer waiting."""
    found = [_too_late(now), _abandoned(db), _worth_a_second(now)]
    return any(db.scalar(select(exists().where(each))) for each in found)


def sweep(db: Session, now: datetime) -> Swept:
    """Expire what is too late, and decide about what vanished workers held.

    A message whose first transmission had an unknown end is sent once more, under the same
    Message-ID, if there is time.
    """
    abandoned, vanished = _abandoned(db), "the worker vanished while sending"
    return Swept(
        again=_sweep(db, _worth_a_second(now), **freed(), maybe_twice=True),
        freed=_sweep(db, and_(abandoned, outbox.c.phase == Phase.WAITING), **freed()),
        unknown=_sweep(db, abandoned, **ended(MessageState.UNKNOWN, vanished)),
        expired=_sweep(db, _too_late(now), **ended(MessageState.EXPIRED)),
    )


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
    return and_(
        outbox.c.channel.in_(list(Channel)),  # the index of deadlines has one row of them a channel
        _OPEN,
        # Not "= planned": SQLite would then walk through all that is planned, by states.
        outbox.c.state != MessageState.LEASED,
        outbox.c.useless_after <= now,
    )


def _abandoned(db: Session) -> ColumnElement[bool]:
    return and_(outbox.c.state == MessageState.LEASED, outbox.c.lease_until < database_now(db))


def _worth_a_second(now: datetime) -> ColumnElement[bool]:
    return and_(
        outbox.c.state == MessageState.UNKNOWN,
        outbox.c.maybe_twice.is_(False),
        outbox.c.kind.not_in(_ONLY_ONCE),
        outbox.c.useless_after > now + AGAIN_BEFORE,
    )


def ended(state: MessageState, error: str | None = None) -> dict[str, Any]:
    """What a row holds once it has ended so."""
    values: dict[str, Any] = {
        "state": state,
        "lease_owner": None,
        "lease_token": None,
        "lease_until": None,
        "payload": _SPENT,
    }
    return values if error is None else values | {"last_error": error[:LONGEST_TEXT]}


def freed(state: MessageState = MessageState.PLANNED) -> dict[str, Any]:
    """What a row holds that no worker has and nothing has gone out of."""
    return {
        "state": state,
        "lease_owner": None,
        "lease_token": None,
        "lease_until": None,
        "phase": Phase.WAITING,
    }


def _sweep(db: Session, where: ColumnElement[bool], **values: object) -> int:
    """Passing over rows that a worker marks at this moment: waiting for two could be a ring."""
    ids = select(outbox.c.id).where(where).with_for_update(skip_locked=True)
    return change(db, outbox.c.id.in_(ids), **values)


def _by_token(messages: Collection[Claimed]) -> dict[str, list[OutboxId]]:
    found: dict[str, list[OutboxId]] = {}
    for message in messages:
        found.setdefault(message.lease_token, []).append(message.id)
    return found


def _mine(db: Session, message: Claimed, **values: object) -> bool:
    held = {"held_id": message.id, "held_token": message.lease_token}
    given = {f"new_{name}": value for name, value in values.items() if value is not _SPENT}
    done = db.connection().execute(_marking(tuple(values)), held | given)
    return int(done.rowcount) == 1


@cache
def _marking(names: tuple[str, ...]) -> Update:
    """Made once: two of them run for each message that goes out."""
    spent: Any = {"payload": _SPENT} if "payload" in names else {}
    given: Any = {name: bindparam(f"new_{name}") for name in names if name not in spent}
    held = and_(
        outbox.c.id == bindparam("held_id"), outbox.c.lease_token == bindparam("held_token")
    )
    return update(outbox).where(held).values(given | spent)


@cache
def _passing_on() -> Update:
    """Made once.  Of the two rows, each column changes in one and stays in the other."""
    row = outbox.c
    first, second = row.id == bindparam("sent"), row.id == bindparam("begun")
    after = {
        "state": literal(MessageState.SENT, row.state.type),
        "lease_owner": null(), "lease_token": null(), "lease_until": null(),
        "provider_reply": bindparam("reply"), "sent_at": bindparam("now", type_=row.sent_at.type),
    }  # fmt: skip
    begun = {
        "phase": literal(Phase.TRANSMITTING, row.phase.type),
        "attempts": bindparam("tries", type_=row.attempts.type),
    }
    held = or_(
        and_(first, row.lease_token == bindparam("sent_token")),
        and_(second, row.lease_token == bindparam("begun_token")),
    )
    of_one = {name: case((first, value), else_=row[name]) for name, value in after.items()}
    of_other = {name: case((second, value), else_=row[name]) for name, value in begun.items()}
    ids = row.id.in_([bindparam("sent"), bindparam("begun")])
    return update(outbox).where(ids, held).values(of_one | of_other)


def change(db: Session, where: ColumnElement[bool], **values: object) -> int:
    """Returns how many rows it changed."""
    statement = update(outbox).where(where).values(**values)
    return int(db.connection().execute(statement).rowcount)
