"""A person takes another mail address: the new mailbox must say yes, the old one hears of it."""

from datetime import timedelta

from scheduler import security
from scheduler.domain.access import Actor
from scheduler.domain.limits import ADDRESS_CHANGES_BY_PERSON, LETTERS_BY_MAILBOX
from scheduler.domain.messages import Channel, MessageKind, NewMessage
from scheduler.domain.people import Person, PersonId
from scheduler.errors import Invalid, NotFound, text
from scheduler.services import accounts, limits, outbox
from scheduler.services.context import Context
from scheduler.store import accounts as account_rows
from scheduler.store import address_changes as rows
from scheduler.store import addresses, audits, people, queue
from scheduler.store.database import Session

LIFE = timedelta(hours=1)
_DEAD = text("This link can no longer be used. Ask for the change once more.")


def ask(ctx: Context, actor: Actor, address: str) -> None:
    """Send a link to the new address, and a word to the present one.

    The same answer and as many mails for an address that is somebody's already: then its owner
    gets a word instead of the link.  Raises Invalid, TooMany.
    """
    email = accounts.clean_email(address)
    if email == actor.email:
        fault = text("This is the address you have.")
        raise Invalid("The address was not changed.", fields={"email": fault})
    limits.take(ctx, ADDRESS_CHANGES_BY_PERSON, str(actor.person_id))
    limits.take(ctx, LETTERS_BY_MAILBOX, email)
    now, token = ctx.now(), security.new_token()
    with ctx.transaction() as db:
        owner = people.by_email(db, email)
        rows.add(db, actor.person_id, email, security.digest(token), now, now + LIFE)
        told = _asks(ctx, actor, email, token) if owner is None else _taken(ctx, owner, token)
        outbox.plan(ctx, db, [told, _notice(ctx, actor.person_id, "asked", token, actor.email)])
        audits.record(db, now, actor.person_id, "ask_address", "person", actor.person_id)


def look(ctx: Context, token: str) -> tuple[str, str]:
    """The address that the link stands for, and its reader's language; looking changes nothing.

    Raises NotFound for a link that is not open.
    """
    with ctx.reading() as db:
        found = rows.open_of(db, security.digest(token), ctx.now())
        person = people.person(db, found.person_id) if found else None
    if found is None or person is None or not person.active:
        raise NotFound(_DEAD)
    return found.email, person.language


def confirm(ctx: Context, token: str) -> str:
    """Take the address, once; every session of the person ends.  Returns the address.

    Raises NotFound for a link that is not open, or whose address became somebody else's.
    """
    now = ctx.now()
    with ctx.transaction() as db:
        found = rows.use(db, security.digest(token), now)
        person = people.person(db, found.person_id) if found else None
        if found is None or person is None or not person.active:
            raise NotFound(_DEAD)
        _take(db, found)
        account_rows.shut_out(db, person.id, now)
        queue.recall(db, person_ids=[person.id])
        audits.record(db, now, person.id, "change_address", "person", person.id)
    return found.email


def _take(db: Session, found: rows.AddressChange) -> None:
    if not addresses.correct(db, found.person_id, found.email):
        raise NotFound(_DEAD)


def _asks(ctx: Context, actor: Actor, email: str, token: str) -> NewMessage:
    url = f"{ctx.settings.base_url}/address/{token}"
    return _message(ctx, MessageKind.NEW_ADDRESS, actor.person_id, token, email, {"url": url})


def _taken(ctx: Context, owner: Person, token: str) -> NewMessage:
    return _notice(ctx, owner.id, "taken", token, owner.email)


def _notice(ctx: Context, person: PersonId, why: str, token: str, email: str) -> NewMessage:
    return _message(ctx, MessageKind.ADDRESS_NOTICE, person, token, email, {"why": why})


def _message(
    ctx: Context, kind: MessageKind, person: PersonId, token: str, email: str, more: dict[str, str]
) -> NewMessage:
    """To that very address, whatever the person has when it goes out."""
    name = security.stamp(ctx.key, "address", token)
    return NewMessage(
        key=f"{kind}:{name}:{person}:{Channel.MAIL}",
        kind=kind,
        person_id=person,
        due_at=ctx.now(),
        useless_after=ctx.now() + LIFE,
        payload={"email": email, **more},
    )
