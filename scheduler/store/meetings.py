"""Where lessons meet: the usual place of a programme, and rooms that classes have of their own."""

from collections.abc import Collection, Mapping

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scheduler.domain.people import ClassId
from scheduler.store import bulk
from scheduler.store.tables import classes, programmes


def usual(db: Session, programme_ids: Collection[int]) -> tuple[str | None, ...]:
    """The pattern of each of these programmes; None: that of the installation."""
    query = select(programmes.c.meeting_url).where(programmes.c.id.in_(list(programme_ids)))
    return tuple(db.scalars(query.order_by(programmes.c.id)))


def set_usual(db: Session, programme_id: int, pattern: str | None) -> None:
    mine = programmes.c.id == programme_id
    db.execute(update(programmes).where(mine).values(meeting_url=pattern))


def of_school(db: Session, school_id: int) -> dict[ClassId, str]:
    """The classes of a school that have a room of their own, and where."""
    query = select(classes.c.id, classes.c.meeting_url).where(
        classes.c.school_id == school_id, classes.c.meeting_url.is_not(None)
    )
    return {ClassId(row.id): row.meeting_url for row in db.execute(query.order_by(classes.c.id))}


def lock_school(db: Session, school_id: int) -> None:
    """Let nobody else change rooms of these classes meanwhile."""
    mine = select(classes.c.id).where(classes.c.school_id == school_id).order_by(classes.c.id)
    db.execute(mine.with_for_update(key_share=True))


def change(db: Session, rooms: Mapping[ClassId, str | None]) -> None:
    """Give classes a room of their own, or none any more."""
    bulk.change(db, classes, [{"id": key, "meeting_url": url} for key, url in rooms.items()])
