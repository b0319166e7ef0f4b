"""Second factors: apps by their sealed secret, passkeys by their public key, codes by a stamp."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain.factors import Authenticator, Factors, Passkey
from scheduler.domain.people import PersonId
from scheduler.store.tables import authenticators, passkeys, persons, recovery_codes, sessions


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What a passkey's signature is checked by; `sign_count`: how often it had signed."""

    id: int
    key: bytes
    sign_count: int


def of(db: Session, person_id: PersonId) -> Factors:
    """All that a person can show, the oldest passkey first."""
    app = db.execute(
        select(authenticators).where(authenticators.c.person_id == person_id)
    ).one_or_none()
    keys = db.execute(
        select(passkeys).where(passkeys.c.person_id == person_id).order_by(passkeys.c.id)
    )
    codes = select(func.count()).where(
        recovery_codes.c.person_id == person_id, recovery_codes.c.used_at.is_(None)
    )
    return Factors(
        authenticator=Authenticator(app.created_at, app.last_used_at) if app else None,
        passkeys=tuple(Passkey(row.id, row.name, row.created_at, row.last_used_at) for row in keys),
        codes_left=int(db.scalar(codes) or 0),
    )


def count(db: Session, person_id: PersonId) -> int:
    """How many factors a person has."""
    apps = select(func.count()).where(authenticators.c.person_id == person_id)
    keys = select(func.count()).where(passkeys.c.person_id == person_id)
    return int(db.scalar(apps) or 0) + int(db.scalar(keys) or 0)


def held(db: Session, person_id: PersonId) -> Factors:
    """As `of`, and so until the commit: whoever changes them too waits."""
    db.execute(select(persons.c.id).where(persons.c.id == person_id).with_for_update())
    return of(db, person_id)


# -- the app


def put_app(db: Session, person_id: PersonId, sealed: str, step: int, now: datetime) -> None:
    """From now on this app, in the place of the one before."""
    remove_app(db, person_id)
    db.execute(
        authenticators.insert().values(
            person_id=person_id,
            sealed_secret=sealed,
            created_at=now,
            last_used_at=now,
            last_step=step,
        )
    )


def sealed_app(db: Session, person_id: PersonId) -> str | None:
    query = select(authenticators.c.sealed_secret).where(authenticators.c.person_id == person_id)
    return db.scalars(query).one_or_none()


def use_step(db: Session, person_id: PersonId, sealed: str, step: int, now: datetime) -> bool:
    """Take the code of one step; True for one of any number of callers, and for no earlier step
    after it.  `sealed`: the app that the code was found by, if it is still that one."""
    done = db.execute(
        update(authenticators)
        .where(
            authenticators.c.person_id == person_id,
            authenticators.c.sealed_secret == sealed,
            authenticators.c.last_step < step,
        )
        .values(last_step=step, last_used_at=now)
        .returning(authenticators.c.person_id)
    )
    return done.first() is not None


def remove_app(db: Session, person_id: PersonId) -> bool:
    gone = db.execute(
        delete(authenticators)
        .where(authenticators.c.person_id == person_id)
        .returning(authenticators.c.person_id)
    )
    return gone.first() is not None


# -- passkeys


def credential_ids(db: Session, person_id: PersonId) -> tuple[str, ...]:
    """What a person's passkeys call themselves."""
    query = select(passkeys.c.credential_id).where(passkeys.c.person_id == person_id)
    return tuple(db.scalars(query.order_by(passkeys.c.id)))


def add_passkey(
    db: Session,
    person_id: PersonId,
    credential_id: str,
    public_key: bytes,
    sign_count: int,
    name: str,
    now: datetime,
) -> bool:
    """False when somebody has this very one already."""
    insert = (sqlite if db.get_bind().dialect.name == "sqlite" else postgresql).insert
    made = db.execute(
        insert(passkeys)
        .values(
            person_id=person_id,
            credential_id=credential_id,
            public_key=public_key,
            sign_count=sign_count,
            name=name,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["credential_id"])
        .returning(passkeys.c.id)
    )
    return made.first() is not None


def public_key(db: Session, person_id: PersonId, credential_id: str) -> PublicKey | None:
    """Of this person's own passkey of that name."""
    row = db.execute(
        select(passkeys.c.id, passkeys.c.public_key, passkeys.c.sign_count).where(
            passkeys.c.person_id == person_id, passkeys.c.credential_id == credential_id
        )
    ).one_or_none()
    return PublicKey(row.id, row.public_key, row.sign_count) if row else None


def use_passkey(db: Session, known: PublicKey, sign_count: int, now: datetime) -> bool:
    """Note that it has signed; False when it has signed, or gone, since it was looked up."""
    done = db.execute(
        update(passkeys)
        .where(passkeys.c.id == known.id, passkeys.c.sign_count == known.sign_count)
        .values(sign_count=sign_count, last_used_at=now)
        .returning(passkeys.c.id)
    )
    return done.first() is not None


def remove_passkey(db: Session, person_id: PersonId, passkey_id: int) -> bool:
    """False when the person has no such one."""
    gone = db.execute(
        delete(passkeys)
        .where(passkeys.c.id == passkey_id, passkeys.c.person_id == person_id)
        .returning(passkeys.c.id)
    )
    return gone.first() is not None


def put_challenge(db: Session, session_id: int, challenge: str, until: datetime) -> None:
    """What the next passkey of this session is to sign; an earlier one counts no more."""
    db.execute(
        update(sessions)
        .where(sessions.c.id == session_id)
        .values(challenge=challenge, challenge_until=until)
    )


def take_challenge(db: Session, session_id: int, now: datetime) -> str | None:
    """What was to be signed, for one of any number of callers; None when there is nothing."""
    query = select(sessions.c.challenge).where(
        sessions.c.id == session_id, sessions.c.challenge_until > now
    )
    challenge = db.scalars(query).one_or_none()
    if challenge is None:
        return None
    done = db.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.challenge == challenge)
        .values(challenge=None, challenge_until=None)
        .returning(sessions.c.id)
    )
    return challenge if done.first() is not None else None


# -- recovery codes


def put_codes(db: Session, person_id: PersonId, hashes: Collection[str], now: datetime) -> None:
    """From now on these; those before count no more."""
    db.execute(delete(recovery_codes).where(recovery_codes.c.person_id == person_id))
    db.execute(
        recovery_codes.insert(),
        [{"person_id": person_id, "code_hash": each, "created_at": now} for each in hashes],
    )


def use_code(db: Session, person_id: PersonId, hashes: Collection[str], now: datetime) -> bool:
    """Take a code that has one of these stamps; True for one of any number of callers."""
    done = db.execute(
        update(recovery_codes)
        .where(
            recovery_codes.c.person_id == person_id,
            recovery_codes.c.code_hash.in_(list(hashes)),
            recovery_codes.c.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(recovery_codes.c.id)
    )
    return done.first() is not None


# -- all of them


def forget(db: Session, person_id: PersonId) -> None:
    """Nothing that this person could show is known any more."""
    for table in (authenticators, passkeys, recovery_codes):
        db.execute(delete(table).where(table.c.person_id == person_id))
