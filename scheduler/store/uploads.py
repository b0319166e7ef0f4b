"""Lists that a coordinator sent in, until they are taken over or too old."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from scheduler.domain.imports import UploadId
from scheduler.domain.terms import ProgrammeId
from scheduler.store.tables import uploads


@dataclass(frozen=True, slots=True)
class Upload:
    """`digest`: of the files as they came; `sheets`: as `exchange.opened` packs them."""

    id: UploadId
    programme_id: ProgrammeId
    sent_at: datetime
    digest: str
    sheets: bytes


def add(
    db: Session, programme_id: int, person_id: int, now: datetime, digest: str, sheets: bytes
) -> UploadId:
    made = insert(uploads).values(
        programme_id=programme_id, person_id=person_id, sent_at=now, digest=digest, sheets=sheets
    )
    return UploadId(db.execute(made.returning(uploads.c.id)).scalar_one())


def own(db: Session, person_id: int, upload_id: int, since: datetime) -> Upload | None:
    """One that this very person sent in after then; None: it is not there, or another's."""
    row = db.execute(
        select(uploads).where(
            uploads.c.id == upload_id, uploads.c.person_id == person_id, uploads.c.sent_at > since
        )
    ).first()
    if row is None:
        return None
    return Upload(
        UploadId(row.id), ProgrammeId(row.programme_id), row.sent_at, row.digest, row.sheets
    )


def keep_newest(db: Session, person_id: int, most: int) -> None:
    """Of what a person sent in, forget all but so many."""
    mine = uploads.c.person_id == person_id
    newest = select(uploads.c.id).where(mine).order_by(uploads.c.id.desc()).limit(most)
    db.execute(delete(uploads).where(mine, uploads.c.id.not_in(newest)))
