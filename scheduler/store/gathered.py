"""Messages that follow what happens until they go out: reminders that are planned anew, and news
that grows."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, case, or_, select, update
from sqlalchemy.orm import Session

from scheduler.domain import news
from scheduler.domain.lessons import Lesson
from scheduler.domain.messages import (
    HELD,
    OF_SESSIONS,
    MessageKind,
    MessageState,
    NewMessage,
    OutboxId,
)
from scheduler.domain.news import Gathering
from scheduler.domain.people import PersonId
from scheduler.domain.reminders import REMINDERS, Standing, day_of
from scheduler.domain.terms import ProgrammeId
from scheduler.store import queue
from scheduler.store.tables import Phase, outbox, persons

_WAITING = and_(
    outbox.c.state.in_((MessageState.PLANNED, MessageState.LEASED)),
    outbox.c.phase == Phase.WAITING,
)


# What a coordinator holds back stays so, whatever becomes of it meanwhile.
_RETELL = (
    update(outbox)
    .where(outbox.c.id == bindparam("row_id"))
    .values(
        due_at=bindparam("due"),
        next_try_at=case(
            (outbox.c.next_try_at >= HELD, outbox.c.next_try_at),
            else_=bindparam("due", type_=outbox.c.due_at.type),
        ),
        useless_after=bindparam("useless"),
        payload=bindparam("told", type_=outbox.c.payload.type),
    )
)


def _retold(
    row_id: OutboxId, due: datetime, useless: datetime, told: Mapping[str, object]
) -> dict[str, object]:
    return {"row_id": row_id, "due": due, "useless": useless, "told": dict(told)}


# -- reminders


def standing(db: Session, people: Collection[PersonId], now: datetime) -> tuple[Standing, ...]:
    """The reminders of these people that time has not ended, locked against other planners."""
    rows = db.execute(
        select(outbox)
        .where(
            outbox.c.person_id.in_(list(people)),
            outbox.c.kind.in_(REMINDERS),
            outbox.c.useless_after > now,
        )
        .order_by(outbox.c.id)
        .with_for_update()
    )
    return tuple(
        Standing(
            id=OutboxId(row.id),
            key=row.key,
            kind=MessageKind(row.kind),
            state=MessageState(row.state),
            waiting=row.phase == Phase.WAITING,
            due_at=row.due_at,
            useless_after=row.useless_after,
            payload=row.payload,
        )
        for row in rows
    )


def change(db: Session, changed: Sequence[tuple[OutboxId, NewMessage]]) -> None:
    """Give waiting messages, or cancelled ones that are wanted again, another time and content."""
    if not changed:
        return
    rows = [
        _retold(row_id, message.due_at, message.useless_after, message.payload)
        for row_id, message in changed
    ]
    db.connection().execute(_RETELL.values(**queue.freed(MessageState.PLANNED)), rows)


def void(db: Session, ids: Collection[OutboxId]) -> int:
    """Cancel messages that nothing has gone out of."""
    return _cancel(db, outbox.c.id.in_(list(ids))) if ids else 0


def void_reminders(db: Session, person: PersonId) -> int:
    """Cancel every open reminder of one person: they are planned anew by other choices."""
    return _cancel(db, and_(outbox.c.person_id == person, outbox.c.kind.in_(REMINDERS)))


def void_calls(db: Session, calls: Collection[int]) -> int:
    """Cancel what waits to ask anybody for cover in these calls: coordinators, and teachers."""
    asks = outbox.c.kind.in_((MessageKind.COVER_WANTED, MessageKind.CHANGES))
    ended = 0
    for call in calls:  # mostly one
        names = (f"cover:{call}:", f"offer:{call}:")
        of_call = or_(*(outbox.c.key.startswith(name, autoescape=True) for name in names))
        ended += _cancel(db, and_(asks, of_call))
    return ended


def void_named(db: Session, name: str) -> int:
    """Cancel what waits under names that begin so."""
    return _cancel(db, outbox.c.key.startswith(name, autoescape=True))


def void_offer(db: Session, call: int, person: PersonId) -> int:
    """Cancel what waits to ask one teacher in a call."""
    name = outbox.c.key.startswith(f"offer:{call}:{person}:", autoescape=True)
    return _cancel(db, and_(outbox.c.person_id == person, name))


# -- news


def gather(
    db: Session,
    messages: Iterable[NewMessage],
    cause: str,
    add: Callable[[Sequence[NewMessage]], int],
) -> int:
    """Put each message's news into one that its reader has waiting, or `add` the message.

    What the same cause told already is left out; returns how many people will hear of it.  The
    lock on the readers makes two writers take turns: nothing is lost, and news stays together.
    """
    given = sorted(messages, key=lambda message: message.person_id)
    if not given:
        return 0
    readers = [message.person_id for message in given]
    db.execute(
        select(persons.c.id)
        .where(persons.c.id.in_(readers))
        .order_by(persons.c.id)
        .with_for_update(key_share=True)
    )
    waiting = _open_news(db, readers)
    new, grown, heard = [], [], 0
    for message in given:
        rows = waiting.get((message.person_id, message.programme_id), [])
        if any(cause in gathering.causes for _, gathering, _ in rows):
            continue
        if not rows:
            new.append(message)
            continue
        row_id, gathering, due_at = rows[0]
        grown.append(_grown(row_id, gathering, due_at, message))
        heard += 1
    _grow(db, grown)
    return heard + add(new)


def _open_news(
    db: Session, readers: Collection[PersonId]
) -> dict[tuple[PersonId, ProgrammeId | None], list[tuple[OutboxId, Gathering, datetime]]]:
    rows = db.execute(
        select(outbox)
        .where(
            outbox.c.person_id.in_(list(readers)),
            outbox.c.kind == MessageKind.CHANGES,
            outbox.c.state == MessageState.PLANNED,
            outbox.c.phase == Phase.WAITING,
        )
        .order_by(outbox.c.id)
        .with_for_update()
    )
    found: dict[Any, list[tuple[OutboxId, Gathering, datetime]]] = {}
    for row in rows:
        gathering = news.read(row.payload)
        if gathering.causes:  # an offer stays alone
            known = found.setdefault((row.person_id, row.programme_id), [])
            known.append((OutboxId(row.id), gathering, row.due_at))
    return found


def _grown(
    row_id: OutboxId, gathering: Gathering, due_at: datetime, message: NewMessage
) -> dict[str, object]:
    due = min(due_at, message.due_at)
    told = gathering.with_(news.read(message.payload)).payload()
    return _retold(row_id, due, message.useless_after, told)


def _grow(db: Session, grown: Sequence[dict[str, object]]) -> None:
    if grown:
        db.connection().execute(_RETELL, list(grown))


def unheard(db: Session, lesson: Lesson, people: Collection[PersonId]) -> frozenset[PersonId]:
    """To whom it is so new that the news of it still waits, and no reminder of it is out."""
    since = {
        row.person_id: max(row.created_at, lesson.created_at)
        for row in db.execute(
            select(outbox).where(
                outbox.c.person_id.in_(list(people)),
                outbox.c.kind == MessageKind.CHANGES,
                _WAITING,
            )
        )
        if any(e.lesson_id == lesson.id and e.was is None for e in news.read(row.payload).entries)
    }
    gone_out = select(outbox).where(
        outbox.c.person_id.in_(list(since)),
        outbox.c.kind.in_(REMINDERS),
        or_(outbox.c.lesson_id.is_(None), outbox.c.lesson_id == lesson.id),
        or_(outbox.c.state == MessageState.UNKNOWN, outbox.c.phase == Phase.TRANSMITTING),
    )
    heard = {
        row.person_id
        for row in db.execute(gone_out)
        if (row.sent_at or row.due_at) > since[row.person_id] and _tells_of(row, lesson)
    }
    return frozenset(map(PersonId, since.keys() - heard))


def untold(db: Session, name: str) -> dict[PersonId, Mapping[str, Any]]:
    """For whom news under names that begin so still waits, and what it holds: it will tell what
    is so by then."""
    query = select(outbox.c.person_id, outbox.c.payload).where(
        outbox.c.key.startswith(name, autoescape=True),
        outbox.c.kind == MessageKind.JOINT_NEWS,
        outbox.c.state == MessageState.PLANNED,
        outbox.c.phase == Phase.WAITING,
    )
    return {PersonId(row.person_id): row.payload for row in db.execute(query)}


def _tells_of(row: Row[Any], lesson: Lesson) -> bool:
    """Whether a reminder is of this lesson, or of the day or week in which it begins."""
    if row.lesson_id is not None:
        return bool(row.lesson_id == lesson.id)
    if row.kind in OF_SESSIONS:
        return False
    begins, ends, _ = day_of(row.payload)
    return begins <= lesson.starts_at < ends


def wake(db: Session, person: PersonId) -> int:
    """Let news that waits for the end of a reader's quiet be looked at anew: it is another one."""
    waits = and_(
        outbox.c.person_id == person,
        outbox.c.kind.not_in(REMINDERS),
        outbox.c.state == MessageState.PLANNED,
        outbox.c.next_try_at > outbox.c.due_at,
        outbox.c.next_try_at < HELD,
    )
    statement = update(outbox).where(waits).values(next_try_at=outbox.c.due_at)
    return int(db.connection().execute(statement).rowcount)


# -- rows


def _cancel(db: Session, where: ColumnElement[bool]) -> int:
    return _end(db, and_(where, _WAITING), MessageState.CANCELLED)


def _end(db: Session, where: ColumnElement[bool], state: MessageState) -> int:
    """Rows are locked in order of id, so that two writers never wait in a ring."""
    query = select(outbox.c.id).where(where).order_by(outbox.c.id).with_for_update()
    ids = list(db.scalars(query))
    if not ids:
        return 0
    statement = update(outbox).where(outbox.c.id.in_(ids)).values(**queue.freed(state))
    return int(db.connection().execute(statement).rowcount)
