"""Certificates as they were printed.  A row is never changed but to withdraw it."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, insert, select, update
from sqlalchemy.orm import Session

from scheduler.domain.certificates import Certificate, CertificateId, Facts
from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import PersonId, TeacherId
from scheduler.domain.records import Amount
from scheduler.store.tables import certificates, programmes, teachers


def lock_teachers(db: Session, ids: Collection[TeacherId]) -> None:
    """Let nobody else issue to these teachers until the transaction ends."""
    query = select(teachers.c.id).where(teachers.c.id.in_(list(ids)))
    db.execute(query.order_by(teachers.c.id).with_for_update()).all()


def standing(
    db: Session, ids: Collection[TeacherId], days: DaySpan
) -> dict[TeacherId, tuple[Certificate, ...]]:
    """The certificates of these teachers about exactly these days, without the withdrawn ones."""
    found: dict[TeacherId, tuple[Certificate, ...]] = dict.fromkeys(ids, ())
    for each in _read(
        db,
        certificates.c.teacher_id.in_(list(ids)),
        certificates.c.first_day == days.first_day,
        certificates.c.last_day == days.last_day,
        certificates.c.withdrawn_at.is_(None),
    ):
        found[each.facts.teacher_id] += (each,)
    return found


def add(db: Session, code: str, facts: Facts, now: datetime, issued_by: PersonId) -> Certificate:
    """Keep a new certificate."""
    values = {
        "code": code,
        "teacher_id": facts.teacher_id,
        "first_day": facts.days.first_day,
        "last_day": facts.days.last_day,
        "name": facts.name,
        "school": facts.school,
        "programme": facts.programme,
        "lessons": facts.held.lessons,
        "minutes": facts.held.minutes,
        "months": [[day.isoformat(), sum_.lessons, sum_.minutes] for day, sum_ in facts.months],
        "issued_at": now,
        "issued_by": issued_by,
    }
    db.execute(insert(certificates).values(values))
    (made,) = _read(db, certificates.c.code == code)
    return made


def by_code(db: Session, code: str) -> Certificate | None:
    """The certificate of this code, a withdrawn one too."""
    return next(iter(_read(db, certificates.c.code == code)), None)


def of_teacher(db: Session, teacher_id: TeacherId) -> tuple[Certificate, ...]:
    """All that a teacher was given, the oldest first, withdrawn ones too."""
    return _read(db, certificates.c.teacher_id == teacher_id)


def withdraw(db: Session, certificate_id: CertificateId, now: datetime) -> bool:
    """False when it was withdrawn before."""
    done = db.execute(
        update(certificates)
        .where(certificates.c.id == certificate_id, certificates.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
        .returning(certificates.c.id)
    )
    return done.first() is not None


def _read(db: Session, *where: ColumnElement[bool]) -> tuple[Certificate, ...]:
    query = (
        select(certificates, programmes.c.zone)
        .join(teachers, certificates.c.teacher_id == teachers.c.id)
        .join(programmes, teachers.c.programme_id == programmes.c.id)
        .where(*where)
        .order_by(certificates.c.id)
    )
    return tuple(map(_certificate, db.execute(query)))


def _certificate(row: Row[Any]) -> Certificate:
    months = ((date.fromisoformat(day), Amount(*figures)) for day, *figures in row.months)
    return Certificate(
        id=CertificateId(row.id),
        code=row.code,
        facts=Facts(
            teacher_id=TeacherId(row.teacher_id),
            name=row.name,
            school=row.school,
            programme=row.programme,
            days=DaySpan(row.first_day, row.last_day),
            held=Amount(row.lessons, row.minutes),
            months=tuple(months),
        ),
        issued_at=row.issued_at,
        issued_on=row.issued_at.astimezone(ZoneInfo(row.zone)).date(),
        withdrawn_at=row.withdrawn_at,
    )
