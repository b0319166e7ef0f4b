"""What classes ask for, as values."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, case, func, select, true, update
from sqlalchemy.orm import Session

from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import ClassId, Level, SchoolId
from scheduler.domain.requests import NewRequest, Request, RequestId, Slot
from scheduler.store import bulk
from scheduler.store.tables import classes, receiving_schools, request_slots, requests


def of_term(
    db: Session, term_id: int, among: Collection[RequestId] | None = None
) -> tuple[Request, ...]:
    """The requests of a term that were not withdrawn, in the order in which they came; `among`
    leaves out all others."""
    some = true() if among is None else requests.c.id.in_(list(among))
    return _read(db, requests.c.term_id == term_id, requests.c.withdrawn_at.is_(None), some)


@dataclass(frozen=True, slots=True)
class Alike:
    """So many requests of a school that ask for as many lessons a week on the same weekdays."""

    school_id: SchoolId
    lessons_per_week: int
    days: DaySpan
    weekdays: frozenset[int]
    requests: int


def alike(db: Session, term_id: int) -> tuple[Alike, ...]:
    """The requests of a term that were not withdrawn, counted in the database."""
    bit = case({day: 1 << day for day in range(7)}, value=request_slots.c.weekday)
    each = (
        select(
            classes.c.school_id,
            requests.c.lessons_per_week,
            requests.c.first_day,
            requests.c.last_day,
            func.sum(bit.distinct()).label("weekdays"),
        )
        .join(classes, requests.c.class_id == classes.c.id)
        .join(request_slots, request_slots.c.request_id == requests.c.id)
        .where(requests.c.term_id == term_id, requests.c.withdrawn_at.is_(None))
        .group_by(requests.c.id, classes.c.school_id)
        .subquery()
    )
    query = select(each, func.count().label("requests")).group_by(*each.c)
    return tuple(
        Alike(
            SchoolId(row.school_id),
            row.lessons_per_week,
            DaySpan(row.first_day, row.last_day),
            frozenset(day for day in range(7) if row.weekdays >> day & 1),
            row.requests,
        )
        for row in db.execute(query)
    )


def any_of(db: Session, term_id: int) -> bool:
    """Whether anybody asks for lessons in the term."""
    query = select(requests.c.id).where(
        requests.c.term_id == term_id, requests.c.withdrawn_at.is_(None)
    )
    return db.scalar(query.limit(1)) is not None


def of_school(db: Session, term_id: int, school_id: int) -> tuple[Request, ...]:
    """The requests of one school that were not withdrawn, in the order in which they came."""
    return _read(
        db,
        requests.c.term_id == term_id,
        classes.c.school_id == school_id,
        requests.c.withdrawn_at.is_(None),
    )


def withdrawn(db: Session, term_id: int) -> tuple[Request, ...]:
    """The requests of a term that were withdrawn."""
    return _read(db, requests.c.term_id == term_id, requests.c.withdrawn_at.is_not(None))


def withdrawn_since(
    db: Session, term_id: int, school_id: int, since: datetime | None
) -> tuple[Request, ...]:
    """The requests of one school that were withdrawn after that instant; None: at any time."""
    where = [
        requests.c.term_id == term_id,
        classes.c.school_id == school_id,
        requests.c.withdrawn_at.is_not(None),
    ]
    if since is not None:
        where.append(requests.c.withdrawn_at > since)
    return _read(db, *where)


def get(db: Session, request_id: int) -> Request | None:
    """One request, also when it was withdrawn."""
    return next(iter(_read(db, requests.c.id == request_id)), None)


def by_ids(db: Session, request_ids: Collection[int]) -> tuple[Request, ...]:
    """These requests, withdrawn ones too."""
    return _read(db, requests.c.id.in_(list(request_ids))) if request_ids else ()


def withdraw(db: Session, request_id: int, now: datetime) -> bool:
    """Take a request back; False when it was taken back before."""
    done = db.execute(
        update(requests)
        .where(requests.c.id == request_id, requests.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
        .returning(requests.c.id)
    )
    return done.first() is not None


def restore(db: Session, request_id: int, since: datetime | None) -> bool:
    """Undo a withdrawal from after that instant (None: any); False when there is none."""
    where = [requests.c.id == request_id, requests.c.withdrawn_at.is_not(None)]
    if since is not None:
        where.append(requests.c.withdrawn_at > since)
    done = db.execute(
        update(requests).where(*where).values(withdrawn_at=None).returning(requests.c.id)
    )
    return done.first() is not None


def change(db: Session, request_id: int, new: NewRequest) -> bool:
    """Make a request what this says; False when it was withdrawn."""
    done = db.execute(
        update(requests)
        .where(requests.c.id == request_id, requests.c.withdrawn_at.is_(None))
        .values(_row(new))
        .returning(requests.c.id)
    )
    if done.first() is None:
        return False
    bulk.forget(db, request_slots, "request_id", [request_id])
    bulk.add(db, request_slots, [_slot_row(request_id, slot) for slot in new.slots])
    return True


def set_days(db: Session, days: Mapping[RequestId, DaySpan]) -> None:
    """Let these requests begin and end on these days."""
    rows = [
        {"id": key, "first_day": span.first_day, "last_day": span.last_day}
        for key, span in days.items()
    ]
    bulk.change(db, requests, rows)


def lock(db: Session, request_id: int) -> Request | None:
    """The request, held against other writers until the transaction ends; None: withdrawn."""
    alive = (requests.c.id == request_id) & requests.c.withdrawn_at.is_(None)
    if db.execute(select(requests.c.id).where(alive).with_for_update()).first() is None:
        return None
    return get(db, request_id)


def lock_class(db: Session, class_id: int) -> None:
    """Let nobody else ask for this class until the transaction ends."""
    db.execute(select(classes.c.id).where(classes.c.id == class_id).with_for_update())


def lock_classes(db: Session, school_id: int) -> None:
    """Let nobody else ask for any class of a school until the transaction ends."""
    own = select(classes.c.id).where(classes.c.school_id == school_id)
    db.execute(own.order_by(classes.c.id).with_for_update())


def insert(
    db: Session,
    term_id: int,
    class_id: int,
    new: NewRequest,
    now: datetime,
    created_by: int | None,
) -> RequestId:
    """Store a request of a class under the class's next free number in that term."""
    same = (requests.c.class_id == class_id) & (requests.c.term_id == term_id)
    number = (db.scalar(select(func.max(requests.c.number)).where(same)) or 0) + 1
    add_all(db, term_id, {(class_id, number): new}, now, created_by)
    added = db.scalar(select(requests.c.id).where(same, requests.c.number == number))
    return RequestId(int(added or 0))


def add_all(
    db: Session,
    term_id: int,
    new: Mapping[tuple[int, int], NewRequest],
    now: datetime,
    created_by: int | None,
) -> None:
    """Store requests by the ids of their classes and their numbers."""
    rows = [
        {
            "class_id": class_id,
            "term_id": term_id,
            "number": number,
            "created_at": now,
            "created_by": created_by,
            **_row(ask),
        }
        for (class_id, number), ask in new.items()
    ]
    bulk.add(db, requests, rows)
    _add_slots(db, term_id, new)


def change_all(db: Session, term_id: int, asks: Mapping[tuple[int, int], NewRequest]) -> None:
    """Make stored requests, by class and number, what these say."""
    ids = _ids(db, term_id)
    known = [{"id": ids[key], **_row(ask)} for key, ask in asks.items()]
    bulk.change(db, requests, known)
    bulk.forget(db, request_slots, "request_id", [row["id"] for row in known])
    _add_slots(db, term_id, asks)


def set_slots(db: Session, slots: Mapping[RequestId, Collection[Slot]]) -> None:
    """Let these requests ask for these times instead of theirs."""
    bulk.forget(db, request_slots, "request_id", slots)
    rows = [_slot_row(each, slot) for each, asked in slots.items() for slot in asked]
    bulk.add(db, request_slots, rows)


def _add_slots(db: Session, term_id: int, asks: Mapping[tuple[int, int], NewRequest]) -> None:
    ids = _ids(db, term_id)
    slots = [_slot_row(ids[key], slot) for key, ask in asks.items() for slot in ask.slots]
    bulk.add(db, request_slots, slots)


def _ids(db: Session, term_id: int) -> dict[tuple[int, int], int]:
    query = select(requests.c.id, requests.c.class_id, requests.c.number)
    rows = db.execute(query.where(requests.c.term_id == term_id))
    return {(row.class_id, row.number): row.id for row in rows}


def _row(ask: NewRequest) -> dict[str, Any]:
    return {
        "lessons_per_week": ask.lessons_per_week,
        "first_day": ask.first_day,
        "last_day": ask.last_day,
        "priority": ask.priority,
    }


def _slot_row(request_id: int, slot: Slot) -> dict[str, int]:
    """A slot as a row of its request."""
    return {
        "request_id": request_id,
        "weekday": slot.weekday,
        "start_minute": slot.start,
        "end_minute": slot.end,
        "rank": slot.rank,
    }


def _read(db: Session, *where: ColumnElement[bool]) -> tuple[Request, ...]:
    query = (
        select(
            requests,
            classes.c.school_id,
            classes.c.name.label("class_name"),
            classes.c.level,
            classes.c.pupils,
            receiving_schools.c.code.label("school_code"),
        )
        .join(classes, requests.c.class_id == classes.c.id)
        .join(receiving_schools, classes.c.school_id == receiving_schools.c.id)
        .where(*where)
        .order_by(requests.c.id)
    )
    slots = _slots(db, where)
    return tuple(_request(row, tuple(slots[row.id])) for row in db.execute(query).all())


def _slots(db: Session, where: tuple[ColumnElement[bool], ...]) -> dict[int, list[Slot]]:
    own = request_slots.c
    query = (
        select(own.request_id, own.weekday, own.start_minute, own.end_minute, own.rank)
        .join(requests, request_slots.c.request_id == requests.c.id)
        .join(classes, requests.c.class_id == classes.c.id)
        .where(*where)
        .order_by(request_slots.c.id)
    )
    found: dict[int, list[Slot]] = defaultdict(list)
    for request, *slot in db.execute(query).all():
        found[request].append(Slot(*slot))
    return found


def _request(row: Row[Any], slots: tuple[Slot, ...]) -> Request:
    return Request(
        id=RequestId(row.id),
        school_id=SchoolId(row.school_id),
        school_code=row.school_code,
        class_id=ClassId(row.class_id),
        class_name=row.class_name,
        level=Level(row.level),
        pupils=row.pupils,
        number=row.number,
        lessons_per_week=row.lessons_per_week,
        first_day=row.first_day,
        last_day=row.last_day,
        priority=row.priority,
        slots=slots,
    )
