"""The record of changes: who, when, what, why, before and after.  Only ever added to."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, func, select
from sqlalchemy.orm import Session

from scheduler.domain.audits import Line, Link, Seal
from scheduler.domain.limits import narrowed
from scheduler.origin import current
from scheduler.store import switches
from scheduler.store.tables import audit_origins, audit_seals, audits

# Of two transactions the later number may be written first: so far back a beat looks for lines
# that came after their time.  What is older is found by the daily look through all.
LOOK_BACK = 5000


def record(
    db: Session,
    at: datetime,
    person_id: int | None,
    action: str,
    subject: str,
    subject_id: int | None = None,
    *,
    reason: str = "",
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Write one line; `before` and `after` hold what changed, as JSON values, and no secrets."""
    origin = current()
    made = db.execute(
        audits.insert()
        .values(
            at=at,
            person_id=person_id,
            action=action,
            subject=subject,
            subject_id=subject_id,
            reason=reason,
            before=dict(before) if before is not None else None,
            after=dict(after) if after is not None else None,
            request_id=origin.request_id,
            network=narrowed(origin.address),
        )
        .returning(audits.c.id)
    )
    if origin.address:
        line = {"audit_id": made.scalar_one(), "address": origin.address}
        db.execute(audit_origins.insert().values(line))


def count(db: Session, person_id: int, action: str, since: datetime) -> int:
    """How often this person did it since then."""
    query = select(func.count()).where(
        audits.c.at > since, audits.c.person_id == person_id, audits.c.action == action
    )
    return int(db.scalar(query) or 0)


def newest(db: Session, person_id: int, action: str, subject: str, subject_id: int) -> Line | None:
    """The last time that this person did it to that subject."""
    query = (
        select(audits)
        .where(
            audits.c.person_id == person_id,
            audits.c.action == action,
            audits.c.subject == subject,
            audits.c.subject_id == subject_id,
        )
        .order_by(audits.c.id.desc())
        .limit(1)
    )
    row = db.execute(query).first()
    return None if row is None else line_of(row)


# -- seals


def last_of(db: Session, action: str, subject: str, subject_id: int | None = None) -> int:
    """The number of the last line of that deed, to that subject or to any; 0: there is none."""
    where = [audits.c.action == action, audits.c.subject == subject]
    if subject_id is not None:
        where.append(audits.c.subject_id == subject_id)
    return int(db.scalar(select(func.max(audits.c.id)).where(*where)) or 0)


def take_sealing_turn(db: Session) -> None:
    """Wait until nobody else seals: from here on, to the end of the transaction, only we do."""
    switches.turn_on(db, switches.RECORD_SEALED)


def any_unsealed(db: Session) -> bool:
    """Whether a line of late waits for its seal."""
    return db.execute(select(audits.c.id).where(*_unsealed(db)).limit(1)).first() is not None


def unsealed(db: Session, most: int, *, everywhere: bool = False) -> tuple[Line, ...]:
    """Lines without a seal, in order of their numbers; the newest alone, or wherever they are."""
    where = (_bare(),) if everywhere else _unsealed(db)
    rows = db.execute(select(audits).where(*where).order_by(audits.c.id).limit(most))
    return tuple(map(line_of, rows))


def unsealed_since(db: Session, at: datetime) -> int | None:
    """The first line from before that instant which has no seal."""
    query = select(func.min(audits.c.id)).where(_bare(), audits.c.at < at)
    found: int | None = db.scalar(query)
    return found


def newest_seal(db: Session) -> Seal | None:
    row = db.execute(select(audit_seals).order_by(audit_seals.c.position.desc()).limit(1)).first()
    return None if row is None else Seal(**row._mapping)


def add_seals(db: Session, seals: Iterable[Seal]) -> None:
    db.execute(audit_seals.insert(), [asdict(seal) for seal in seals])


def links(db: Session, after: int, most: int, day: date | None = None) -> tuple[Link, ...]:
    """The seals behind that position, of one day or of all, in their order."""
    ahead = audit_seals.alias("ahead")
    query = (
        select(audit_seals, ahead.c.seal.label("seal_ahead"), *_LINE)
        .outerjoin(audits, audits.c.id == audit_seals.c.audit_id)
        .outerjoin(ahead, ahead.c.position == audit_seals.c.position - 1)
        .where(audit_seals.c.position > after)
        .order_by(audit_seals.c.position)
        .limit(most)
    )
    if day is not None:
        query = query.where(audit_seals.c.day == day)
    return tuple(map(_link, db.execute(query)))


def has_seal(db: Session, seal: str) -> bool:
    return bool(db.scalar(select(exists().where(audit_seals.c.seal == seal))))


def line_of(row: Row[Any]) -> Line:
    return Line(**{name: row._mapping[name] for name in _NAMES})


_NAMES = tuple(field.name for field in fields(Line))
_LINE = tuple(audits.c[name].label(f"line_{name}") for name in _NAMES)


def _bare() -> ColumnElement[bool]:
    return ~exists().where(audit_seals.c.audit_id == audits.c.id)


def _unsealed(db: Session) -> tuple[ColumnElement[bool], ...]:
    newest = db.scalar(select(func.max(audit_seals.c.audit_id))) or 0
    return _bare(), audits.c.id > newest - LOOK_BACK


def _link(row: Row[Any]) -> Link:
    found = row._mapping
    line = Line(**{name: found[f"line_{name}"] for name in _NAMES}) if found["line_id"] else None
    seal = Seal(row.position, row.audit_id, row.day, row.kid, row.seal)
    return Link(seal, line, row.seal_ahead)
