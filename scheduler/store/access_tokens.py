"""The names of access tokens: what is known of a token whose text nobody keeps."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.orm import Session

from scheduler.domain.access_tokens import AccessToken
from scheduler.domain.scopes import ALL, READING, Scope
from scheduler.store.tables import access_tokens, persons


def lock(db: Session, person_id: int) -> None:
    """Let nobody else give this person a token until the transaction ends."""
    db.execute(select(persons.c.id).where(persons.c.id == person_id).with_for_update())


def add(
    db: Session,
    *,
    person_id: int,
    name: str,
    jti: str,
    now: datetime,
    expires_at: datetime,
    proved: bool,
    scopes: Collection[Scope] = ALL,
) -> int:
    made = access_tokens.insert().values(
        person_id=person_id,
        name=name,
        jti=jti,
        created_at=now,
        expires_at=expires_at,
        proved=proved,
        scopes=sorted(scopes),
        reads_only={*scopes} != ALL,  # all that a process of before 0022 lets it do
    )
    return int(db.execute(made.returning(access_tokens.c.id)).scalar_one())


def by_jti(db: Session, jti: str) -> AccessToken | None:
    row = db.execute(select(access_tokens).where(access_tokens.c.jti == jti)).first()
    return None if row is None else _token(row)


def working(db: Session, person_id: int, now: datetime) -> tuple[AccessToken, ...]:
    """The person's tokens that programs can come with, the newest first."""
    rows = db.execute(
        select(access_tokens)
        .where(
            access_tokens.c.person_id == person_id,
            access_tokens.c.revoked_at.is_(None),
            access_tokens.c.expires_at > now,
        )
        .order_by(access_tokens.c.id.desc())
    )
    return tuple(map(_token, rows))


def revoke(db: Session, person_id: int, token_id: int, now: datetime) -> bool:
    """End one of the person's own tokens; False when it had ended before, or is not theirs."""
    done = db.execute(
        update(access_tokens)
        .where(
            access_tokens.c.id == token_id,
            access_tokens.c.person_id == person_id,
            access_tokens.c.revoked_at.is_(None),
        )
        .values(revoked_at=now)
        .returning(access_tokens.c.id)
    )
    return done.first() is not None


def has(db: Session, person_id: int, token_id: int) -> bool:
    """Whether the token, ended or not, is this person's."""
    query = select(func.count()).where(
        access_tokens.c.id == token_id, access_tokens.c.person_id == person_id
    )
    return bool(db.scalar(query))


def used(db: Session, token_id: int, now: datetime, unless_since: datetime) -> None:
    """Note a use, unless another noted one since then."""
    db.execute(
        update(access_tokens)
        .where(
            access_tokens.c.id == token_id,
            or_(
                access_tokens.c.last_used_at.is_(None),
                access_tokens.c.last_used_at <= unless_since,
            ),
        )
        .values(last_used_at=now)
    )


def _token(row: Row[Any]) -> AccessToken:
    return AccessToken(
        id=row.id,
        person_id=row.person_id,
        name=row.name,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        proved=row.proved,
        scopes=_scopes(row),
    )


def _scopes(row: Row[Any]) -> frozenset[Scope]:
    """Tokens of before there were scopes may all, or all that changes nothing."""
    if row.scopes is None:
        return READING if row.reads_only else ALL
    return frozenset(Scope(each) for each in row.scopes)
