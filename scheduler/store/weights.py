"""The weights that a programme has chosen."""

from dataclasses import asdict

from sqlalchemy import null, select, update
from sqlalchemy.orm import Session

from scheduler.domain.weights import Weights
from scheduler.store.tables import programmes


def of_programme(db: Session, programme_id: int) -> Weights | None:
    """None where the programme never chose any."""
    kept = db.scalar(select(programmes.c.weights).where(programmes.c.id == programme_id))
    return None if kept is None else Weights(**kept)


def keep(db: Session, programme_id: int, weights: Weights | None) -> None:
    db.execute(
        update(programmes)
        .where(programmes.c.id == programme_id)
        .values(weights=null() if weights is None else asdict(weights))
    )
