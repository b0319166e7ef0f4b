"""The record of changes: who, when, what, why, before and after.  Only ever added to."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduler.domain.limits import narrowed
from scheduler.origin import current
from scheduler.store.tables import audit_origins, audits


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
