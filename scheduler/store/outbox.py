"""Messages to people as they are planned, called off and counted; `queue` has the sending."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import (
    JSON,
    String,
    and_,
    bindparam,
    case,
    cast,
    exists,
    extract,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from scheduler.domain.lessons import LessonId
from scheduler.domain.messages import OPEN_STATES, MessageKind, MessageState, NewMessage
from scheduler.domain.reminders import REMINDED, REMINDERS
from scheduler.domain.vitals import LATELY, Lateness
from scheduler.store.queue import change, ended
from scheduler.store.tables import Phase, lessons, outbox

AT_ONCE = 1000
# What was sent of late became due in this time: the index then need not go through the rest.
_LONGEST_WAIT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many messages there are, by state and by kind, all seen at one moment."""

    planned: int
    by_state: Mapping[MessageState, int]
    by_kind: Mapping[MessageKind, int]
    maybe_twice: int


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
    return change(
        db,
        and_(
            outbox.c.lesson_id.in_(list(lesson_ids)),
            outbox.c.kind.in_(REMINDERS),
            outbox.c.state.in_(OPEN_STATES),
            outbox.c.phase == Phase.WAITING,
            ~as_planned,
        ),
        **ended(MessageState.CANCELLED),
    )


def delivered(db: Session, journal: Mapping[str, datetime]) -> int:
    """Mark as sent what a journal of sent messages names and this database holds as unsent.

    `journal`: key and instant.  Returns how many rows that changed.
    """
    unsent = outbox.c.state.in_((*OPEN_STATES, MessageState.UNKNOWN))
    keys, changed = iter(journal), 0
    while some := list(islice(keys, AT_ONCE)):
        query = select(outbox.c.id, outbox.c.key).where(outbox.c.key.in_(some), unsent)
        found = [{"row": row.id, "at": journal[row.key]} for row in db.execute(query)]
        if found:
            values = ended(MessageState.SENT) | {"sent_at": bindparam("at")}
            db.connection().execute(
                update(outbox).where(outbox.c.id == bindparam("row")).values(**values), found
            )
        changed += len(found)
    return changed


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


def lateness(db: Session, now: datetime) -> Lateness:
    """How late those reminders were that went out lately: from when they were due, and planned."""
    row = outbox.c
    could_go = case((row.created_at > row.due_at, row.created_at), else_=row.due_at)
    late = extract("epoch", row.sent_at) - extract("epoch", could_go)
    place, whole = func.row_number().over(order_by=late), func.count().over()
    sent = (
        select(late.label("late"), place.label("place"), whole.label("whole"))
        .where(row.state == MessageState.SENT, row.next_try_at > now - _LONGEST_WAIT)
        .where(row.sent_at > now - LATELY, row.kind.in_(REMINDERS))
        .subquery()
    )
    places = sent.c.place.in_(_places(sent.c.whole))
    rows = db.execute(select(sent).where(places)).all()
    if not rows:
        return Lateness(0, 0.0, 0.0, 0.0)
    found = {row.place: max(0.0, float(row.late)) for row in rows}
    return Lateness(rows[0].whole, *(found[place] for place in _places(rows[0].whole)))


def _places(count: Any) -> tuple[Any, Any, Any]:
    """The middle one, the 99th of a hundred and the last of so many: a number, or a column."""
    return (count + 1) // 2, (99 * count + 99) // 100, count


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
