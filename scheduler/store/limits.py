"""Buckets of tries, one row each: every process sees the same.

Kept is one number, the instant at which the bucket is full again (the generic cell rate
algorithm of ITU-T I.371): one statement takes a try or finds that there is none.
"""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import and_, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain.limits import Limit
from scheduler.store.tables import buckets


def take(db: Session, limit: Limit, name: str, now: int) -> timedelta | None:
    """Take one try of the bucket; None when there was one, else how long until there is.

    `now` in milliseconds since 1970.  What is refused costs nothing.
    """
    insert = (sqlite if db.get_bind().dialect.name == "sqlite" else postgresql).insert
    most = limit.burst * limit.step
    # Further ahead than machines that differ explain: the clock was set back, and a bucket that
    # waited for it would shut its people out for as long.
    believed = and_(buckets.c.full_at > now, buckets.c.full_at <= now + 2 * most)
    start = case((believed, buckets.c.full_at), else_=now)
    statement = insert(buckets).values(name=name, full_at=now + limit.step)
    taken = db.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"full_at": start + limit.step},
            where=start + limit.step <= now + most,
        ).returning(buckets.c.full_at)
    ).first()
    if taken is not None:
        return None
    full_at = db.scalar(select(buckets.c.full_at).where(buckets.c.name == name)) or now
    return timedelta(milliseconds=max(full_at + limit.step - now - most, 1))


def add(db: Session, limit: Limit, tries: Mapping[str, int], now: int) -> dict[str, int]:
    """Count tries that were allowed elsewhere; when each bucket is full again.

    Milliseconds since 1970.  A bucket may be overdrawn, by its whole burst at most.
    """
    if not tries:
        return {}
    insert = (sqlite if db.get_bind().dialect.name == "sqlite" else postgresql).insert
    furthest = now + 2 * limit.burst * limit.step
    rows = [
        {"name": name, "full_at": min(now + count * limit.step, furthest)}
        for name, count in sorted(tries.items())
    ]
    statement = insert(buckets).values(rows)
    believed = and_(buckets.c.full_at > now, buckets.c.full_at <= furthest)
    after = case((believed, buckets.c.full_at), else_=now) + statement.excluded.full_at - now
    done = db.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"full_at": case((after > furthest, furthest), else_=after)},
        ).returning(buckets.c.name, buckets.c.full_at)
    )
    return {row.name: row.full_at for row in done}


def drop_full(db: Session, now: int) -> int:
    """Forget the buckets that are full again; how many there were."""
    gone = db.execute(
        delete(buckets).where(buckets.c.full_at <= now).returning(buckets.c.name)
    ).all()
    return len(gone)
