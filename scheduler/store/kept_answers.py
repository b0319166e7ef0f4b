"""Answers kept under the keys that programs send with what must be done once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.store.tables import kept_answers

_ROW = kept_answers.c


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it went out; `status` None: whoever asked first is still waiting for it."""

    request: str
    status: int | None
    kind: str
    body: bytes


def claim(db: Session, name: str, request: str, now: datetime, lease: timedelta) -> bool:
    """Take the name for a request; False when somebody has it.  Who vanishes holds it for the
    lease only."""
    insert = (sqlite if db.get_bind().dialect.name == "sqlite" else postgresql).insert
    fresh = {"request": request, "made_at": now}
    left = (_ROW.status.is_(None), _ROW.made_at <= now - lease)
    done = db.execute(
        insert(kept_answers)
        .values(name=name, **fresh)
        .on_conflict_do_update(index_elements=["name"], set_=fresh, where=left[0] & left[1])
        .returning(_ROW.name)
    )
    return done.first() is not None


def get(db: Session, name: str) -> Kept | None:
    row = db.execute(select(kept_answers).where(_ROW.name == name)).one_or_none()
    return None if row is None else Kept(row.request, row.status, row.kind or "", row.body or b"")


def keep(db: Session, name: str, made_at: datetime, status: int, kind: str, body: bytes) -> None:
    """Keep what was answered to the claim of that moment."""
    ours = (_ROW.name == name, _ROW.made_at == made_at, _ROW.status.is_(None))
    db.execute(update(kept_answers).where(*ours).values(status=status, kind=kind, body=body))


def drop(db: Session, name: str, made_at: datetime) -> None:
    """As if nothing had been asked: what went wrong on our side may be tried again."""
    ours = (_ROW.name == name, _ROW.made_at == made_at, _ROW.status.is_(None))
    db.execute(delete(kept_answers).where(*ours))
