"""Which term it is: a new one is added while the one before it still runs."""

from datetime import date, datetime

from sqlalchemy.orm import Session

from scheduler.domain import terms as rules
from scheduler.domain.terms import Term
from scheduler.store import terms


def running(db: Session, programme_id: int, now: datetime) -> Term | None:
    """The term whose lessons people give now; the newest one may lie ahead."""
    return rules.running(terms.of_programme(db, programme_id), now)


def of_day(db: Session, programme_id: int, day: date) -> Term | None:
    """The term of that day, or the next one; after all of them the last."""
    return rules.of_day(terms.of_programme(db, programme_id), day)


def at_school(db: Session, school_id: int, now: datetime) -> Term | None:
    """The one that runs in the programme of a school."""
    return rules.running(terms.of_school(db, school_id), now)
