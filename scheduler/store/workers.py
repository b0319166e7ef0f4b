"""The processes that beat, one row each, on the database's clock."""

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.store.leases import database_now
from scheduler.store.tables import workers

FORGOTTEN = timedelta(days=1)


def beat(db: Session, name: str, senders: int) -> None:
    """This process lives, and sends over so many connections."""
    at = database_now(db)
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    db.execute(
        dialect.insert(workers)
        .values(name=name, senders=senders, started_at=at, beat_at=at)
        .on_conflict_do_update(
            index_elements=[workers.c.name], set_={"senders": senders, "beat_at": at}
        )
    )
    db.execute(delete(workers).where(workers.c.beat_at < at - FORGOTTEN))


def leave(db: Session, name: str) -> None:
    """This process ends."""
    db.execute(delete(workers).where(workers.c.name == name))


def beating(db: Session, within: timedelta) -> int:
    """How many beat within this time."""
    since = database_now(db) - within
    query = select(func.count()).select_from(workers).where(workers.c.beat_at > since)
    return db.scalar(query) or 0


def beats(db: Session) -> dict[str, float]:
    """Seconds since the last beat of each that did not take its leave."""
    at = database_now(db)
    rows = db.execute(select(workers.c.name, workers.c.beat_at).order_by(workers.c.name))
    return {name: max(0.0, (at - beat_at).total_seconds()) for name, beat_at in rows}


def age(db: Session, name: str) -> timedelta | None:
    """How long ago this one beat; None when it never did."""
    at = db.scalar(select(workers.c.beat_at).where(workers.c.name == name))
    return None if at is None else database_now(db) - at
