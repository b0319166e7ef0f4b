"""The outbox as coordinators look at it: counts, lists, one message, and what hands change there.

Sign-in mails let somebody in: no query here returns one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from scheduler.domain.access import Actor
from scheduler.domain.forecast import MEASURED_OVER, Pace
from scheduler.domain.mailroom import Post, Wanted
from scheduler.domain.messages import (
    HELD,
    OPEN_STATES,
    PRIVATE,
    Channel,
    MessageKind,
    MessageState,
    OutboxId,
)
from scheduler.domain.people import PersonId
from scheduler.domain.relays import PauseReason
from scheduler.domain.terms import ProgrammeId
from scheduler.store import queue
from scheduler.store.leases import database_now
from scheduler.store.switches import SENDING_PAUSED
from scheduler.store.tables import (
    Phase,
    classes,
    grants,
    lessons,
    outbox,
    persons,
    receiving_schools,
    relays,
    switches,
    workers,
)
from scheduler.store.visibility import visible_to

Counts = Mapping[tuple[MessageKind, MessageState], int]
# What was sent a moment ago became due in this time: the index then need not go through the rest.
_LONGEST_WAIT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list goes on: after this row, in the order of the list."""

    at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class News:
    """News of changes that waits to go out: how much of it, when the first, and what is held."""

    waiting: int
    first_due_at: datetime | None
    held: int


def _seen_by(actor: Actor) -> ColumnElement[bool]:
    return and_(visible_to(actor, outbox), outbox.c.kind.not_in(PRIVATE))


# -- the queue as a whole


def pause_reason(db: Session) -> PauseReason | None:
    """Why nothing is sent; None while sending goes on."""
    value = db.scalar(select(switches.c.value).where(switches.c.name == SENDING_PAUSED))
    if value is None:
        return None
    return PauseReason(value) if value in set(PauseReason) else PauseReason.HAND


def waiting(db: Session, now: datetime) -> tuple[tuple[Channel, datetime, int], ...]:
    """What is due now, of all programmes: counts by channel and deadline."""
    rows = db.execute(
        select(outbox.c.channel, outbox.c.useless_after, func.count())
        .where(
            outbox.c.state.in_(OPEN_STATES),
            outbox.c.next_try_at <= now,
            outbox.c.useless_after > now,
        )
        .group_by(outbox.c.channel, outbox.c.useless_after)
    )
    return tuple((Channel(channel), deadline, count) for channel, deadline, count in rows)


def paces(db: Session, now: datetime, limits: Mapping[Channel, float]) -> dict[Channel, Pace]:
    """What is known of each channel's pace; a relay bears its channel's name."""
    lately = db.execute(
        select(outbox.c.channel, func.count())
        .where(outbox.c.state == MessageState.SENT, outbox.c.sent_at > now - MEASURED_OVER)
        .where(outbox.c.next_try_at > now - _LONGEST_WAIT)
        .group_by(outbox.c.channel)
    )
    sent = {Channel(channel): count for channel, count in lately}
    took = {row.name: row.send_seconds for row in db.execute(select(relays))}
    return {
        channel: Pace(took.get(channel.value), sent.get(channel, 0), limits.get(channel))
        for channel in Channel
    }


def senders(db: Session, dead_after: timedelta) -> dict[Channel, int]:
    """How many senders beat for each channel, on the database's clock: those that a process says
    it has are for mail, and it has one for every other way."""
    alive = workers.c.beat_at > database_now(db) - dead_after
    count = func.count(), func.coalesce(func.sum(workers.c.senders), 0)
    processes, mail = db.execute(select(*count).where(alive)).one()
    return dict.fromkeys(Channel, int(processes)) | {Channel.MAIL: int(mail)}


# -- what a coordinator sees


def counts(db: Session, actor: Actor) -> Counts:
    """The messages that the actor may see, by kind and state."""
    rows = db.execute(
        select(outbox.c.kind, outbox.c.state, func.count())
        .where(_seen_by(actor))
        .group_by(outbox.c.kind, outbox.c.state)
    )
    return {(MessageKind(kind), MessageState(state)): count for kind, state, count in rows}


def news(db: Session, actor: Actor) -> News:
    """News of changes that is planned and not yet on its way."""
    held = outbox.c.next_try_at >= HELD
    row = db.execute(
        select(
            func.count().filter(~held).label("waiting"),
            func.min(case((~held, outbox.c.next_try_at))).label("first"),
            func.count().filter(held).label("held"),
        ).where(_seen_by(actor), _waiting_news())
    ).one()
    return News(row.waiting, row.first, row.held)


def _waiting_news() -> ColumnElement[bool]:
    return and_(outbox.c.kind == MessageKind.CHANGES, outbox.c.state == MessageState.PLANNED)


def next_planned(db: Session, actor: Actor) -> Post | None:
    """The message of the actor's programme that goes out next."""
    query = (
        _posts(actor)
        .where(outbox.c.state == MessageState.PLANNED, outbox.c.next_try_at < HELD)
        .order_by(outbox.c.next_try_at, outbox.c.id)
    )
    row = db.execute(query.limit(1)).first()
    return None if row is None else _post(row)


def page(
    db: Session, actor: Actor, wanted: Wanted, after: Place | None, most: int
) -> tuple[Post, ...]:
    """The next `most` messages of a list: of one state by time, planned ones the next first and
    others the newest; of all states the newest planned first."""
    query = _posts(actor).where(*_filters(wanted))
    if wanted.state is None:
        query = query.order_by(outbox.c.id.desc())
        if after is not None:
            query = query.where(outbox.c.id < after.id)
    else:
        rising = wanted.state in OPEN_STATES
        order = (outbox.c.next_try_at, outbox.c.id)
        query = query.order_by(*(each.asc() if rising else each.desc() for each in order))
        if after is not None:
            here = tuple_(literal(after.at, outbox.c.next_try_at.type), literal(after.id))
            query = query.where(tuple_(*order) > here if rising else tuple_(*order) < here)
    return tuple(map(_post, db.execute(query.limit(most))))


def _filters(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.kind is not None:
        found.append(outbox.c.kind == wanted.kind)
    if wanted.state is not None:
        found.append(outbox.c.state == wanted.state)
    if wanted.people is not None:
        found.append(outbox.c.person_id.in_(list(wanted.people)))
    if wanted.since is not None:
        found.append(outbox.c.due_at >= wanted.since)
    if wanted.until is not None:
        found.append(outbox.c.due_at < wanted.until)
    return found


def one(db: Session, actor: Actor, message_id: int) -> Post | None:
    """The message, if the actor may see it."""
    row = db.execute(_posts(actor).where(outbox.c.id == message_id)).first()
    return None if row is None else _post(row)


def by_keys(db: Session, actor: Actor, keys: Collection[str]) -> dict[str, Post]:
    rows = db.execute(_posts(actor).where(outbox.c.key.in_(list(keys))))
    return {row.key: _post(row) for row in rows}


def undelivered(
    db: Session, actor: Actor, people: Collection[PersonId], since: datetime
) -> tuple[Post, ...]:
    """Mail to these people that failed since then, the newest first."""
    query = _posts(actor).where(
        outbox.c.person_id.in_(list(people)),
        outbox.c.state == MessageState.FAILED,
        outbox.c.channel == Channel.MAIL,
        outbox.c.due_at >= since,
    )
    return tuple(map(_post, db.execute(query.order_by(outbox.c.id.desc()))))


def people(db: Session, programme_id: ProgrammeId) -> tuple[tuple[PersonId, str, str], ...]:
    """Everybody with a role in the programme whose account is on: id, name, address."""
    members = select(grants.c.person_id).where(grants.c.programme_id == programme_id)
    query = select(persons.c.id, persons.c.name, persons.c.email).where(
        persons.c.id.in_(members), persons.c.active.is_(True)
    )
    return tuple(
        (PersonId(row.id), row.name, row.email)
        for row in db.execute(query.order_by(persons.c.name, persons.c.id))
    )


# -- what hands change


def take_turn(db: Session, person_id: PersonId) -> None:
    """Let one transaction of this person go after the other, so that what it counts holds."""
    db.execute(select(persons.c.id).where(persons.c.id == person_id).with_for_update())


def bring_forward(db: Session, ids: Collection[OutboxId], now: datetime) -> int:
    """Make planned messages due now, held ones too; returns how many."""
    return queue.change(db, _planned(ids), due_at=now, next_try_at=now)


def hold(db: Session, ids: Collection[OutboxId]) -> int:
    """Let nobody take these messages until they are released; what is on its way stays so."""
    waits = and_(_waits(ids), outbox.c.next_try_at < HELD)
    return queue.change(db, waits, **queue.freed(), next_try_at=HELD)


def release(db: Session, ids: Collection[OutboxId]) -> int:
    """Let held messages go out at their time again."""
    held = and_(_planned(ids), outbox.c.next_try_at >= HELD)
    return queue.change(db, held, next_try_at=outbox.c.due_at)


def stop(db: Session, message_id: OutboxId, why: str) -> bool:
    """Cancel a message; False when it has ended already or is on its way."""
    values = queue.freed(MessageState.CANCELLED) | {"last_error": why[: queue.LONGEST_TEXT]}
    return queue.change(db, _waits([message_id]), **values) == 1


def waiting_news(db: Session, actor: Actor) -> tuple[OutboxId, ...]:
    """The news of changes that is planned, held or not."""
    query = select(outbox.c.id).where(_seen_by(actor), _waiting_news())
    return tuple(map(OutboxId, db.scalars(query)))


def _planned(ids: Collection[OutboxId]) -> ColumnElement[bool]:
    return and_(outbox.c.id.in_(list(ids)), outbox.c.state == MessageState.PLANNED)


def _waits(ids: Collection[OutboxId]) -> ColumnElement[bool]:
    return and_(
        outbox.c.id.in_(list(ids)),
        outbox.c.state.in_(OPEN_STATES),
        outbox.c.phase == Phase.WAITING,
    )


# -- rows become values


def _posts(actor: Actor) -> Select[Any]:
    return (
        select(
            *outbox.c,
            persons.c.name.label("person_name"),
            persons.c.email.label("person_email"),
            classes.c.name.label("class_name"),
            receiving_schools.c.name.label("school_name"),
            lessons.c.starts_at,
            lessons.c.ends_at,
        )
        .join(persons, outbox.c.person_id == persons.c.id)
        .outerjoin(lessons, outbox.c.lesson_id == lessons.c.id)
        .outerjoin(classes, lessons.c.class_id == classes.c.id)
        .outerjoin(receiving_schools, classes.c.school_id == receiving_schools.c.id)
        .where(_seen_by(actor))
    )


def _post(row: Row[Any]) -> Post:
    return Post(
        id=OutboxId(row.id),
        key=row.key,
        kind=MessageKind(row.kind),
        channel=Channel(row.channel),
        state=MessageState(row.state),
        person_id=PersonId(row.person_id),
        person_name=row.person_name,
        person_email=row.person_email,
        programme_id=ProgrammeId(row.programme_id),
        lesson_id=row.lesson_id,
        sequence=row.lesson_sequence,
        class_name=row.class_name,
        school_name=row.school_name,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        follows_id=row.follows_id,
        payload=row.payload,
        due_at=row.due_at,
        useless_after=row.useless_after,
        next_try_at=row.next_try_at,
        sent_at=row.sent_at,
        created_at=row.created_at,
        attempts=row.attempts,
        transmitting=row.phase == Phase.TRANSMITTING,
        maybe_twice=row.maybe_twice,
        reply=row.provider_reply or row.last_error,
        message_id=row.message_id,
    )
