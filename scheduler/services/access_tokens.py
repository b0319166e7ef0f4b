"""Access tokens: signed texts by which programs use the API as a person.

They end by their own date, when their person ends them, when the secret key changes, and as soon
as the account is turned off; what their person may do is read anew at each use.  Whoever runs a
programme comes in only by what was made where a second factor had been shown, or by the operator.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from scheduler import security
from scheduler.domain import access_tokens as rules
from scheduler.domain import remarks
from scheduler.domain.access import Actor
from scheduler.domain.access_tokens import DAYS, LONGEST_NAME, MOST_TOKENS, AccessToken
from scheduler.domain.scopes import ALL, Scope, widened
from scheduler.errors import Conflict, Invalid, NotAllowed, NotFound, text
from scheduler.security import Purpose
from scheduler.services.accounts import clean_email
from scheduler.services.context import Context
from scheduler.store import access_tokens, accounts, audits, people
from scheduler.store.database import Session

OPERATORS = "chungtay access-token"  # what a token is called that was issued by this command


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; this is the only time that its text is known."""

    name: str
    text: str


def issue(ctx: Context, address: str, life: timedelta) -> str:
    """A new token for whoever has this mail address (the operator's command); raises NotFound."""
    email = clean_email(address)
    with ctx.transaction() as db:
        person = people.by_email(db, email)
        if person is None or not person.active:
            raise NotFound(text("Nobody here has the address {email}.", email=email))
        return _add(ctx, db, person.id, OPERATORS, life, by=None, proved=True)


def make(
    ctx: Context,
    actor: Actor,
    name: str,
    days: int,
    *,
    proved: bool = False,
    scopes: Collection[Scope] = ALL,
) -> NewToken:
    """A new token of the actor's; raises Invalid for its fields, Conflict with too many already.

    `proved`: the actor has shown a second factor; `scopes`: what the token may do, and to read
    whatever it may change.
    """
    if fault := remarks.fault(name, LONGEST_NAME):
        raise Invalid(fault, fields={"name": fault})
    if not DAYS[0] <= days <= DAYS[1]:
        sentence = text("Write a number from {least} to {most}.", least=DAYS[0], most=DAYS[1])
        raise Invalid(sentence, fields={"days": sentence})
    if not scopes:
        sentence = text("Choose at least one.")
        raise Invalid(sentence, fields={"scopes": sentence})
    with ctx.transaction() as db:
        access_tokens.lock(db, actor.person_id)
        if len(access_tokens.working(db, actor.person_id, ctx.now())) >= MOST_TOKENS:
            raise Conflict(
                text("You have {most} access tokens. End one of them first.", most=MOST_TOKENS)
            )
        life = timedelta(days=days)
        person = actor.person_id
        made = _add(ctx, db, person, name, life, by=person, proved=proved, scopes=widened(scopes))
        return NewToken(name, made)


def _add(
    ctx: Context,
    db: Session,
    person_id: int,
    name: str,
    life: timedelta,
    *,
    by: int | None,
    proved: bool,
    scopes: frozenset[Scope] = ALL,
) -> str:
    now = ctx.now()
    token = security.sign_link(ctx.key, Purpose.ACCESS, str(person_id), now, life)
    jti = security.read_link(ctx.keys, Purpose.ACCESS, token, now).jti
    token_id = access_tokens.add(
        db, person_id=person_id, name=name, jti=jti, now=now, expires_at=now + life, proved=proved,
        scopes=scopes,
    )  # fmt: skip
    after = {"token": token_id, "scopes": sorted(scopes)}
    audits.record(db, now, by, "access_token", "person", person_id, after=after)
    return token


def mine(ctx: Context, actor: Actor) -> tuple[AccessToken, ...]:
    """The actor's tokens that work, the newest first."""
    with ctx.reading() as db:
        return access_tokens.working(db, actor.person_id, ctx.now())


def shut(ctx: Context, actor: Actor, token: AccessToken) -> bool:
    """Whether this token of the actor's opens nothing, for want of a second factor."""
    return not rules.opens(token, actor, ctx.settings.second_factor)


def revoke(ctx: Context, actor: Actor, token_id: int) -> None:
    """End a token of the actor's at once; once more does nothing.  Raises NotFound for others'."""
    now, person_id = ctx.now(), actor.person_id
    with ctx.transaction() as db:
        if access_tokens.revoke(db, person_id, token_id, now):
            what = {"token": token_id}
            audits.record(db, now, person_id, "revoked_token", "person", person_id, after=what)
        elif not access_tokens.has(db, person_id, token_id):
            raise NotFound("There is nothing here.")


def actor(ctx: Context, token: str, needs: Scope | None = None) -> Actor | None:
    """Whose token it is, with the rights of this moment; None for any that is not good.

    Raises NotAllowed for one that has not the scope that it `needs`.
    """
    now = ctx.now()
    try:
        link = security.read_link(ctx.keys, Purpose.ACCESS, token, now)
    except security.BadLink:
        return None
    with ctx.reading() as db:
        known = access_tokens.by_jti(db, link.jti)
        if known is None or str(known.person_id) != link.subject or not rules.works(known, now):
            return None
        found = accounts.actor_of(db, known.person_id)
    if found is None or shut(ctx, found, known):
        return None
    if needs is not None and needs not in known.scopes:
        raise NotAllowed(
            text("This access token has no scope {scope}. Make one that has.", scope=needs)
        )
    if rules.use_due(known, now):
        with ctx.transaction() as db:
            access_tokens.used(db, known.id, now, now - rules.USED_EVERY)
    return found
