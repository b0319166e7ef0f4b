"""Sign-in links and sessions; secrets come here as hashes only."""

from datetime import datetime

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from scheduler.domain.access import Actor, Grant, Role
from scheduler.domain.accounts import SessionSeen, SignIn
from scheduler.domain.people import PersonId
from scheduler.origin import current
from scheduler.store import people
from scheduler.store.tables import grants, persons, sessions, sign_ins


def add_sign_in(
    db: Session,
    *,
    person_id: int,
    token_hash: str,
    browser_hash: str,
    code_hash: str,
    tries: int,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Store a new link; a newer one ends the older ones of the same person."""
    db.execute(
        update(sign_ins)
        .where(sign_ins.c.person_id == person_id, sign_ins.c.used_at.is_(None))
        .values(tries_left=0)
    )
    db.execute(
        sign_ins.insert().values(
            person_id=person_id,
            token_hash=token_hash,
            browser_hash=browser_hash,
            code_hash=code_hash,
            tries_left=tries,
            created_at=now,
            expires_at=expires_at,
        )
    )


def by_token(db: Session, token_hash: str) -> SignIn | None:
    row = db.execute(select(sign_ins).where(sign_ins.c.token_hash == token_hash)).first()
    return None if row is None else _sign_in(row)


def by_browser(db: Session, browser_hash: str) -> SignIn | None:
    """The newest link that this browser asked for."""
    row = db.execute(
        select(sign_ins)
        .where(sign_ins.c.browser_hash == browser_hash)
        .order_by(sign_ins.c.id.desc())
    ).first()
    return None if row is None else _sign_in(row)


def use(db: Session, sign_in_id: int, now: datetime) -> bool:
    """Consume a link; True for exactly one of any number of callers."""
    done = db.execute(
        update(sign_ins)
        .where(
            sign_ins.c.id == sign_in_id,
            sign_ins.c.used_at.is_(None),
            sign_ins.c.tries_left > 0,
            sign_ins.c.expires_at > now,
        )
        .values(used_at=now)
        .returning(sign_ins.c.id)
    )
    return done.first() is not None


def wrong_code(db: Session, sign_in_id: int) -> None:
    """Take one try off; with none left the link is dead."""
    db.execute(
        update(sign_ins)
        .where(sign_ins.c.id == sign_in_id, sign_ins.c.tries_left > 0)
        .values(tries_left=sign_ins.c.tries_left - 1)
    )


def add_session(
    db: Session,
    *,
    person_id: int,
    token_hash: str,
    csrf: str,
    now: datetime,
    expires_at: datetime,
    device: str,
) -> None:
    db.execute(
        sessions.insert().values(
            person_id=person_id,
            token_hash=token_hash,
            csrf=csrf,
            created_at=now,
            seen_at=now,
            expires_at=expires_at,
            renewed_at=now,
            device=device,
            address=current().address,
        )
    )


def session_of(db: Session, token_hash: str) -> SessionSeen | None:
    """The session and its person's rights as they are now; None when ended or disabled."""
    row = db.execute(
        select(sessions, persons.c.name, persons.c.email, persons.c.language)
        .join(persons, sessions.c.person_id == persons.c.id)
        .where(
            sessions.c.token_hash == token_hash,
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
        proved_at=row.proved_at,
    )


def actor_of(db: Session, person_id: int) -> Actor | None:
    """A person with the rights of this moment; None when there is none, or disabled."""
    row = db.execute(
        select(persons).where(persons.c.id == person_id, persons.c.active.is_(True))
    ).first()
    if row is None:
        return None
    return Actor(PersonId(row.id), row.name, row.email, row.language, people.grants(db, row.id))


def seen(db: Session, session_id: int, now: datetime) -> None:
    db.execute(update(sessions).where(sessions.c.id == session_id).values(seen_at=now))


def prove(db: Session, session_id: int, now: datetime) -> None:
    """Note that the second factor was shown in this session."""
    db.execute(update(sessions).where(sessions.c.id == session_id).values(proved_at=now))


def end_session(db: Session, token_hash: str, now: datetime) -> None:
    db.execute(
        update(sessions)
        .where(sessions.c.token_hash == token_hash, sessions.c.ended_at.is_(None))
        .values(ended_at=now)
    )


def end_sessions_of(db: Session, person_id: int, now: datetime) -> None:
    """Sign a person out everywhere; sign-in links that wait in a mailbox end as well."""
    mine = (sessions.c.person_id == person_id, sessions.c.ended_at.is_(None))
    db.execute(update(sessions).where(*mine).values(ended_at=now))
    waiting = (sign_ins.c.person_id == person_id, sign_ins.c.used_at.is_(None))
    db.execute(update(sign_ins).where(*waiting).values(tries_left=0))


def set_language(db: Session, person_id: int, language: str) -> None:
    db.execute(update(persons).where(persons.c.id == person_id).values(language=language))


def add_grant(db: Session, person_id: int, grant: Grant) -> None:
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


def add_person(db: Session, *, email: str, name: str, language: str, now: datetime) -> PersonId:
    """A new person; the address must not be known yet."""
    made = db.execute(
        persons.insert()
        .values(
            email=email,
            name=name,
            phone="",
            language=language,
            active=True,
            reminders=True,
            created_at=now,
        )
        .returning(persons.c.id)
    )
    return PersonId(made.scalar_one())


def with_role(db: Session, role: Role) -> tuple[Actor, ...]:
    """Everybody who has the role, in order of sign-up."""
    ids = db.scalars(
        select(grants.c.person_id).where(grants.c.role == role).order_by(grants.c.id)
    ).all()
    found = (actor_of(db, person_id) for person_id in dict.fromkeys(ids))
    return tuple(actor for actor in found if actor is not None)


def _sign_in(row: Row[tuple[object, ...]]) -> SignIn:
    return SignIn(
        id=row.id,
        person_id=row.person_id,
        browser_hash=row.browser_hash,
        code_hash=row.code_hash,
        tries_left=row.tries_left,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
