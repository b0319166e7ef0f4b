"""Sessions and the people behind them; secrets come here as hashes only."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain.access import Actor, Grant, Role
from scheduler.domain.accounts import OpenSession, Secret, SessionSeen
from scheduler.domain.people import PersonId
from scheduler.origin import current
from scheduler.store import people
from scheduler.store.tables import address_changes, grants, persons, sessions, sign_ins

# From when on a session is to have a new secret that is to have it at its next request.
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def add_session(
    db: Session,
    *,
    person_id: int,
    token_hash: str,
    csrf: str,
    now: datetime,
    renew_at: datetime,
    expires_at: datetime,
    device: str,
) -> None:
    db.execute(
        sessions.insert().values(
            person_id=person_id,
            series_hash=token_hash,
            token_hash=token_hash,
            csrf=csrf,
            created_at=now,
            seen_at=now,
            expires_at=expires_at,
            renewed_at=now,
            renew_at=renew_at,
            device=device,
            address=current().address,
        )
    )


def session_of(db: Session, series_hash: str, token_hash: str) -> SessionSeen | None:
    """The session and its person's rights as they are now; None when ended or disabled.

    Whatever secret of its series was brought: `secret` says which.
    """
    row = db.execute(
        select(sessions, persons.c.name, persons.c.email, persons.c.language)
        .join(persons, sessions.c.person_id == persons.c.id)
        .where(
            sessions.c.series_hash == series_hash,
            sessions.c.ended_at.is_(None),
            persons.c.active.is_(True),
        )
    ).first()
    if row is None:
        return None
    actor = Actor(
        PersonId(row.person_id), row.name, row.email, row.language, people.grants(db, row.person_id)
    )
    return SessionSeen(
        id=row.id,
        actor=actor,
        csrf=row.csrf,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        renewed_at=row.renewed_at,
        renew_at=row.renew_at,
        proved_at=row.proved_at,
        secret=_which(row, token_hash),
        unused=row.former_hash is not None and row.former_until is None,
        former_until=row.former_until,
    )


def _which(row: Row[tuple[object, ...]], token_hash: str) -> Secret:
    if row.token_hash == token_hash:
        return Secret.NEWEST
    return Secret.FORMER if row.former_hash == token_hash else Secret.OLD


def open_sessions(db: Session, person_id: int) -> tuple[OpenSession, ...]:
    """A person's sessions that nobody ended, the one seen last in front."""
    rows = db.execute(
        select(sessions)
        .where(sessions.c.person_id == person_id, sessions.c.ended_at.is_(None))
        .order_by(sessions.c.seen_at.desc(), sessions.c.id.desc())
    )
    return tuple(
        OpenSession(row.id, row.device, row.address, row.created_at, row.seen_at, row.expires_at)
        for row in rows
    )


def came_from(db: Session, since: datetime) -> dict[str, int]:
    """From which addresses people came since then, and how many from each."""
    people_there = func.count(sessions.c.person_id.distinct())
    query = select(sessions.c.address, people_there).where(sessions.c.seen_at >= since)
    return {row[0]: row[1] for row in db.execute(query.group_by(sessions.c.address))}


def actor_of(db: Session, person_id: int) -> Actor | None:
    """A person with the rights of this moment; None when there is none, or disabled."""
    row = db.execute(
        select(persons).where(persons.c.id == person_id, persons.c.active.is_(True))
    ).first()
    if row is None:
        return None
    return Actor(PersonId(row.id), row.name, row.email, row.language, people.grants(db, row.id))


def seen(db: Session, session_id: int, now: datetime) -> None:
    """Note that the session was used, and from where."""
    where = {"address": current().address} if current().address else {}
    db.execute(update(sessions).where(sessions.c.id == session_id).values(seen_at=now, **where))


def came(db: Session, session_id: int, token_hash: str, former_until: datetime) -> None:
    """Note that the newest secret was used; a second time, or once there is a newer: nothing."""
    db.execute(
        update(sessions)
        .where(
            sessions.c.id == session_id,
            sessions.c.token_hash == token_hash,
            sessions.c.former_hash.is_not(None),
            sessions.c.former_until.is_(None),
        )
        .values(former_until=former_until)
    )


def renew(
    db: Session, session_id: int, old_hash: str, new_hash: str, now: datetime, renew_at: datetime
) -> bool:
    """Give the session another secret; True for one of any number that bring the old one."""
    done = db.execute(
        update(sessions)
        .where(
            sessions.c.id == session_id,
            sessions.c.token_hash == old_hash,
            sessions.c.ended_at.is_(None),
        )
        .values(
            token_hash=new_hash,
            former_hash=old_hash,
            former_until=None,
            renewed_at=now,
            renew_at=renew_at,
            seen_at=now,
        )
        .returning(sessions.c.id)
    )
    return done.first() is not None


def give_again(
    db: Session, session_id: int, former_hash: str, new_hash: str, now: datetime, before: datetime
) -> bool:
    """Put another secret in the place of one that never came and was given `before` then.

    True for one of any number that bring the former one.
    """
    done = db.execute(
        update(sessions)
        .where(
            sessions.c.id == session_id,
            sessions.c.former_hash == former_hash,
            sessions.c.former_until.is_(None),
            sessions.c.renewed_at <= before,
            sessions.c.ended_at.is_(None),
        )
        .values(token_hash=new_hash, renewed_at=now, seen_at=now)
        .returning(sessions.c.id)
    )
    return done.first() is not None


def renew_soon(db: Session, person_ids: Collection[int]) -> None:
    """Each browser of these people gets a new secret at its next request: their roles changed."""
    db.execute(
        update(sessions)
        .where(sessions.c.person_id.in_(list(person_ids)), sessions.c.ended_at.is_(None))
        .values(renew_at=_LONG_AGO)
    )


def prove(db: Session, session_id: int, now: datetime) -> None:
    """Note that the second factor was shown in this session."""
    db.execute(update(sessions).where(sessions.c.id == session_id).values(proved_at=now))


def replace_token(
    db: Session, session_id: int, token_hash: str, now: datetime, renew_at: datetime
) -> bool:
    """From now on this secret alone, of a new series; False for a session that has ended."""
    done = db.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.ended_at.is_(None))
        .values(
            series_hash=token_hash,
            token_hash=token_hash,
            renewed_at=now,
            renew_at=renew_at,
            former_hash=None,
            former_until=None,
        )
        .returning(sessions.c.id)
    )
    return done.first() is not None


def end_session(db: Session, series_hash: str, now: datetime) -> PersonId | None:
    """End the session of this series of secrets; whose it was, if it was open."""
    ended = db.scalar(
        update(sessions)
        .where(sessions.c.series_hash == series_hash, sessions.c.ended_at.is_(None))
        .values(ended_at=now)
        .returning(sessions.c.person_id)
    )
    return None if ended is None else PersonId(ended)


def end_one(db: Session, person_id: int, session_id: int, now: datetime) -> bool:
    """End one of the person's own sessions, and a change of address that may have been asked for
    in it; False when it was not open, or not theirs."""
    done = db.execute(
        update(sessions)
        .where(
            sessions.c.id == session_id,
            sessions.c.person_id == person_id,
            sessions.c.ended_at.is_(None),
        )
        .values(ended_at=now)
        .returning(sessions.c.id)
    )
    if done.first() is None:
        return False
    _end_wishes(db, person_id, now)
    return True


def has_session(db: Session, person_id: int, session_id: int) -> bool:
    """Whether the session, open or ended, is or was this person's."""
    query = select(sessions.c.id).where(
        sessions.c.id == session_id, sessions.c.person_id == person_id
    )
    return db.scalar(query) is not None


def end_sessions(db: Session, person_id: int, now: datetime, but: int | None = None) -> int:
    """End the person's sessions, all or all but this one, and a change of address that may have
    been asked for in one; how many were open."""
    _end_wishes(db, person_id, now)
    ended = update(sessions).where(sessions.c.person_id == person_id, sessions.c.ended_at.is_(None))
    if but is not None:
        ended = ended.where(sessions.c.id != but)
    return len(db.execute(ended.values(ended_at=now).returning(sessions.c.id)).all())


def _end_wishes(db: Session, person_id: int, now: datetime) -> None:
    mine = (address_changes.c.person_id == person_id, address_changes.c.used_at.is_(None))
    still = address_changes.c.expires_at > now
    db.execute(update(address_changes).where(*mine, still).values(expires_at=now))


def shut_out(db: Session, person_id: int, now: datetime) -> None:
    """Sign a person out everywhere; sign-in links that wait in a mailbox end as well."""
    end_sessions(db, person_id, now)
    waiting = (sign_ins.c.person_id == person_id, sign_ins.c.used_at.is_(None))
    db.execute(update(sign_ins).where(*waiting).values(tries_left=0))


def set_language(db: Session, person_id: int, language: str) -> None:
    db.execute(update(persons).where(persons.c.id == person_id).values(language=language))


def add_grant(db: Session, person_id: int, grant: Grant) -> None:
    """Give a person one role more."""
    renew_soon(db, [person_id])
    db.execute(
        grants.insert().values(
            person_id=person_id,
            role=grant.role,
            programme_id=grant.programme_id,
            teacher_id=grant.teacher_id,
            school_id=grant.school_id,
            donor_school_id=grant.donor_school_id,
        )
    )


def ensure_person(db: Session, *, email: str, name: str, language: str, now: datetime) -> PersonId:
    """The person of this address, made when unknown, held until the transaction ends."""
    insert = (sqlite if db.get_bind().dialect.name == "sqlite" else postgresql).insert
    new = insert(persons).values(
        email=email, name=name, phone="", language=language, active=True, reminders=True,
        created_at=now,
    )  # fmt: skip
    db.execute(new.on_conflict_do_nothing(index_elements=["email"]))
    held = select(persons.c.id).where(persons.c.email == email).with_for_update()
    return PersonId(db.execute(held).scalar_one())


def with_role(db: Session, role: Role) -> tuple[Actor, ...]:
    """Everybody who has the role, in order of sign-up."""
    ids = db.scalars(
        select(grants.c.person_id).where(grants.c.role == role).order_by(grants.c.id)
    ).all()
    found = (actor_of(db, person_id) for person_id in dict.fromkeys(ids))
    return tuple(actor for actor in found if actor is not None)
