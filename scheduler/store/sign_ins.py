"""Sign-in links: asked for, made, used and dead; secrets come here as hashes only."""

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime

from sqlalchemy import ColumnElement, Row, delete, select, update
from sqlalchemy.orm import Session

from scheduler.domain.accounts import SignIn, Wish
from scheduler.domain.people import PersonId
from scheduler.origin import Origin, current
from scheduler.store.tables import sign_ins


def add(
    db: Session,
    *,
    email: str | None,
    mailbox: str,
    token_hash: str,
    browser_hash: str,
    code_hash: str,
    tries: int,
    now: datetime,
    expires_at: datetime,
    person_id: int | None = None,
) -> int:
    """Store a new link; its number.  With `email`: a wish for one, and where it came from."""
    origin = current() if email else Origin()
    made = db.execute(
        sign_ins.insert()
        .values(
            person_id=person_id,
            email=email,
            mailbox=mailbox,
            address=origin.address,
            request_id=origin.request_id,
            token_hash=token_hash,
            browser_hash=browser_hash,
            code_hash=code_hash,
            tries_left=tries,
            created_at=now,
            expires_at=expires_at,
        )
        .returning(sign_ins.c.id)
    )
    return int(made.scalar_one())


def wishes(db: Session, most: int) -> tuple[Wish, ...]:
    """Those that nobody looked at yet, in the order they came."""
    columns = [sign_ins.c[field.name] for field in fields(Wish)]
    query = select(*columns).where(sign_ins.c.email.is_not(None)).order_by(sign_ins.c.id)
    return tuple(Wish(**row._mapping) for row in db.execute(query.limit(most)))


def take_wish(db: Session, wish: Wish) -> SignIn | None:
    """Forget what the wish says; what is left of it, for one of any number of callers."""
    row = db.execute(
        update(sign_ins)
        .where(sign_ins.c.id == wish.id, sign_ins.c.email == wish.email)
        .values(email=None, address="", request_id="")
        .returning(sign_ins)
    ).first()
    return None if row is None else _sign_in(row)


def lock_mailbox(db: Session, mailboxes: Collection[str], now: datetime) -> int:
    """The newest link or wish for the mailbox that has not expired; 0 when there is none.

    Until the transaction ends nobody else changes one of them.
    """
    query = (
        select(sign_ins.c.id)
        .where(sign_ins.c.mailbox.in_(list(mailboxes)), sign_ins.c.expires_at > now)
        .order_by(sign_ins.c.id)
        .with_for_update()
    )
    return max(db.scalars(query).all(), default=0)


def end_older(db: Session, mailboxes: Collection[str], newest: int) -> None:
    """End the links for the mailbox from before this one, and wishes for one."""
    db.execute(
        update(sign_ins)
        .where(
            sign_ins.c.mailbox.in_(list(mailboxes)),
            sign_ins.c.id < newest,
            sign_ins.c.used_at.is_(None),
            sign_ins.c.tries_left > 0,
        )
        .values(tries_left=0)
    )


def make_link(
    db: Session, sign_in_id: int, person_id: int, token_hash: str, code_hash: str
) -> None:
    """From now on the link and its code let this person in."""
    made = {"person_id": person_id, "token_hash": token_hash, "code_hash": code_hash}
    db.execute(update(sign_ins).where(sign_ins.c.id == sign_in_id).values(made))


def any_of_nobody(db: Session, now: datetime) -> bool:
    """Whether something is kept about addresses of nobody for longer than a link lives."""
    return db.scalar(select(sign_ins.c.id).where(*_of_nobody(now)).limit(1)) is not None


def forget_nobody(db: Session, now: datetime) -> None:
    db.execute(delete(sign_ins).where(*_of_nobody(now)))


def _of_nobody(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        sign_ins.c.person_id.is_(None), sign_ins.c.email.is_(None), sign_ins.c.expires_at <= now,
    )  # fmt: skip


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


def held(db: Session, sign_in_id: int) -> SignIn:
    """The link as it is now, and so until the commit: whoever types a code for it too waits."""
    query = select(sign_ins).where(sign_ins.c.id == sign_in_id).with_for_update()
    return _sign_in(db.execute(query).one())


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


def _sign_in(row: Row[tuple[object, ...]]) -> SignIn:
    return SignIn(
        id=row.id,
        person_id=None if row.person_id is None else PersonId(row.person_id),
        browser_hash=row.browser_hash,
        code_hash=row.code_hash,
        tries_left=row.tries_left,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
