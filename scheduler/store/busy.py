"""Teachers' own calendars: claimed for a reading, kept with what the last good copy told."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from scheduler.domain.busy import BusyChoices, BusyReading, BusySource, BusyTime, Counts, Fetched
from scheduler.domain.intervals import Interval
from scheduler.domain.people import TeacherId
from scheduler.domain.vitals import Sources
from scheduler.errors import Text
from scheduler.store import bulk, sentences, taken_times
from scheduler.store.tables import busy_sources, busy_times, programmes, teachers

_COUNTS = tuple(each.name for each in fields(Counts))


@dataclass(frozen=True, slots=True)
class Claim:
    """A calendar that is ours to read until `until`, and what its last reading left.

    `kept`: how many of its times are not over yet; `zone`: its teacher's.
    """

    id: int
    teacher_id: TeacherId
    sealed_address: str
    choices: BusyChoices
    etag: str | None
    last_modified: str | None
    known_until: datetime | None
    failures: int
    until: datetime
    kept: int
    zone: str


# -- as its teacher sees it


def source(db: Session, teacher_id: int) -> BusySource | None:
    row = db.execute(
        select(busy_sources).where(busy_sources.c.teacher_id == teacher_id)
    ).one_or_none()
    return None if row is None else _source(row)


def sources(db: Session, programme_id: int) -> dict[TeacherId, BusySource]:
    """The calendars of a programme's teachers, by teacher."""
    rows = db.execute(_SOURCES, {"programme": programme_id})
    return {TeacherId(row.teacher_id): _source(row) for row in rows}


def all_times(
    db: Session,
    programme_id: int,
    within: Interval,
    among: Collection[TeacherId] | None = None,
) -> dict[TeacherId, tuple[BusyTime, ...]]:
    """The busy times of a programme's teachers, or of these of them, that touch the span; who has
    none is absent."""
    given = {"programme": programme_id, "begins": within.start, "ends": within.end}
    some = _TIMES if among is None else _TIMES.where(_TAKEN.c.teacher_id.in_(list(among)))
    rows = db.execute(some, given)
    found: dict[TeacherId, list[BusyTime]] = defaultdict(list)
    for row in rows:
        time = BusyTime(Interval(row.starts_at, row.ends_at), row.soft)
        found[TeacherId(row.teacher_id)].append(time)
    return {teacher: tuple(sorted(times)) for teacher, times in found.items()}


# Made once: whoever looks for cover asks them for every lesson.
_SOURCES = (
    select(busy_sources)
    .join(teachers, busy_sources.c.teacher_id == teachers.c.id)
    .where(teachers.c.programme_id == bindparam("programme"))
)
_TAKEN = taken_times.of(
    select(teachers.c.id).where(teachers.c.programme_id == bindparam("programme"))
)
_TIMES = select(_TAKEN).where(
    _TAKEN.c.starts_at < bindparam("ends"), _TAKEN.c.ends_at > bindparam("begins")
)


def sealed_address(db: Session, teacher_id: int) -> str | None:
    return db.scalar(
        select(busy_sources.c.sealed_address).where(busy_sources.c.teacher_id == teacher_id)
    )


def times(db: Session, teacher_id: int, within: Interval) -> tuple[BusyTime, ...]:
    """A teacher's busy times that touch the span, in order, wherever they came from."""
    rows = db.execute(
        select(busy_times).where(
            busy_times.c.teacher_id == teacher_id,
            busy_times.c.starts_at < within.end,
            busy_times.c.ends_at > within.start,
        )
    )
    return tuple(sorted(BusyTime(Interval(row.starts_at, row.ends_at), row.soft) for row in rows))


def put(db: Session, teacher_id: int, sealed: str, choices: BusyChoices, now: datetime) -> None:
    """Set a teacher's calendar, to be read in full at once.

    The times of the former copy stay until the new one was read well.
    """
    fresh: dict[str, Any] = {
        "sealed_address": sealed,
        "all_day": choices.all_day,
        "shown_free": choices.shown_free,
        "etag": None,
        "last_modified": None,
        "last_try_at": None,
        "failures": 0,
        "fault": None,
        "next_try_at": now,
    }
    mine = busy_sources.c.teacher_id == teacher_id
    found = db.execute(update(busy_sources).where(mine).values(fresh).returning(busy_sources.c.id))
    if found.first() is None:
        nothing = dict.fromkeys(_COUNTS, 0)
        db.execute(busy_sources.insert().values(teacher_id=teacher_id, **fresh, **nothing))


def remove(db: Session, teacher_id: int) -> bool:
    """Forget a teacher's calendar and every time it told; False when there was none."""
    # The calendar first: a reading that is being saved holds its row, and its times are then seen.
    gone = db.execute(
        delete(busy_sources)
        .where(busy_sources.c.teacher_id == teacher_id)
        .returning(busy_sources.c.id)
    )
    found = gone.first() is not None
    db.execute(delete(busy_times).where(_told(teacher_id)))
    return found


def tally(db: Session) -> Sources:
    """Of all programmes."""
    failing = func.count().filter(busy_sources.c.failures > 0)
    return Sources(*db.execute(select(func.count(), failing).select_from(busy_sources)).one())


# -- reading


def any_due(db: Session, now: datetime) -> bool:
    due = select(busy_sources.c.id).where(busy_sources.c.next_try_at <= now).limit(1)
    return db.scalar(due) is not None


def claim(db: Session, now: datetime, lease: timedelta) -> Claim | None:
    """Take the calendar that is due the longest, so that nobody else reads it meanwhile.

    A reader who vanishes holds it for the lease only.
    """
    return _take(db, busy_sources.c.next_try_at <= now, now, lease)


def claim_own(
    db: Session, teacher_id: int, now: datetime, lease: timedelta, rest: timedelta
) -> Claim | None:
    """Take a teacher's calendar before its time; None when it was tried within the `rest`."""
    rested = or_(busy_sources.c.last_try_at.is_(None), busy_sources.c.last_try_at <= now - rest)
    return _take(db, and_(busy_sources.c.teacher_id == teacher_id, rested), now, lease)


def _take(db: Session, which: ColumnElement[bool], now: datetime, lease: timedelta) -> Claim | None:
    row = busy_sources.c
    wanted = select(row.id).where(which).order_by(row.next_try_at, row.id).limit(1)
    found = db.scalar(wanted.with_for_update(skip_locked=True))
    taken = db.execute(
        update(busy_sources)
        .where(row.id == found, which)
        .values(next_try_at=now + lease, last_try_at=now)
        .returning(busy_sources)
    ).first()
    return None if taken is None else _claim(db, taken, now)


def _claim(db: Session, row: Row[Any], now: datetime) -> Claim:
    kept = select(func.count()).where(_told(row.teacher_id), busy_times.c.ends_at > now)
    zone = select(programmes.c.zone).join(teachers).where(teachers.c.id == row.teacher_id)
    return Claim(
        id=row.id,
        teacher_id=row.teacher_id,
        sealed_address=row.sealed_address,
        choices=BusyChoices(row.all_day, row.shown_free),
        etag=row.etag,
        last_modified=row.last_modified,
        known_until=row.known_until,
        failures=row.failures,
        until=row.next_try_at,
        kept=db.scalar(kept) or 0,
        zone=db.scalars(zone).one(),
    )


def save_reading(
    db: Session,
    claim: Claim,
    fetched: Fetched,
    reading: BusyReading,
    known_until: datetime,
    next_try_at: datetime,
) -> bool:
    """A new good copy in the place of the last; False when the claim is not ours any more."""
    ours = _end(
        db,
        claim,
        next_try_at,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        last_good_at=fetched.at,
        known_until=known_until,
        failures=0,
        fault=None,
        **{name: getattr(reading, name) for name in _COUNTS},
    )
    if ours:
        db.execute(delete(busy_times).where(_told(claim.teacher_id)))
        bulk.add(db, busy_times, [_time(claim.teacher_id, each) for each in reading.times])
    return ours


def save_unchanged(db: Session, claim: Claim, at: datetime, next_try_at: datetime) -> bool:
    """The last good copy is as good as new; False when the claim is not ours any more."""
    return _end(db, claim, next_try_at, last_good_at=at, failures=0, fault=None)


def save_fault(db: Session, claim: Claim, fault: Text, next_try_at: datetime) -> bool:
    """Nothing came of the try, and the last good copy stays; False when it is not our claim."""
    failures = claim.failures + 1
    return _end(db, claim, next_try_at, failures=failures, fault=sentences.packed(fault))


def _end(db: Session, claim: Claim, next_try_at: datetime, **values: object) -> bool:
    """Only for whoever holds the claim, and while the teacher wants it read in the same way."""
    row = busy_sources.c
    held = (
        row.id == claim.id,
        row.next_try_at == claim.until,
        row.sealed_address == claim.sealed_address,
        row.all_day == claim.choices.all_day,
        row.shown_free == claim.choices.shown_free,
    )
    ended = (
        update(busy_sources)
        .where(*held)
        .values(next_try_at=next_try_at, **values)
        .returning(row.id)
    )
    return db.execute(ended).first() is not None


def _told(teacher_id: int) -> ColumnElement[bool]:
    return and_(busy_times.c.teacher_id == teacher_id, busy_times.c.from_calendar)


def _time(teacher_id: int, time: BusyTime) -> dict[str, Any]:
    return {
        "teacher_id": teacher_id,
        "starts_at": time.span.start,
        "ends_at": time.span.end,
        "soft": time.soft,
        "from_calendar": True,
    }


def _source(row: Row[Any]) -> BusySource:
    return BusySource(
        teacher_id=TeacherId(row.teacher_id),
        choices=BusyChoices(row.all_day, row.shown_free),
        last_try_at=row.last_try_at,
        last_good_at=row.last_good_at,
        known_until=row.known_until,
        failures=row.failures,
        fault=None if row.fault is None else sentences.unpacked(row.fault),
        next_try_at=row.next_try_at,
        counts=Counts(*(getattr(row, name) for name in _COUNTS)),
    )
