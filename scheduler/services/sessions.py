"""Signed-in browsers: who they are, their secrets that change each day, and their ends."""

from contextlib import suppress
from datetime import datetime

from scheduler import security
from scheduler.domain import accounts as rules
from scheduler.domain.access import Actor
from scheduler.domain.accounts import OpenSession, Secret, SessionSeen
from scheduler.errors import Full, NotFound
from scheduler.services.context import Context
from scheduler.store import accounts, audits
from scheduler.store.database import Session


def who(ctx: Context, token: str) -> SessionSeen | None:
    """The signed-in person behind a cookie, with the rights of this moment; None for a stranger.

    A secret that its browser gave up is somebody else's copy: it ends the session.
    """
    if not token:
        return None
    now = ctx.now()
    with ctx.reading() as db:
        found = accounts.session_of(db, _series(token), security.digest(token))
    if found is None or not rules.alive(found, found.strict, now):
        return None
    if rules.stolen(found, now):
        _end_stolen(ctx, found)
        return None
    _note(ctx, found, token, now)
    return found


def _series(token: str) -> str:
    """What all secrets of a session have in common: they begin with the first."""
    return security.digest(token.partition(".")[0])


def _note(ctx: Context, found: SessionSeen, token: str, now: datetime) -> None:
    """What the request tells of the session, once in a while: most write nothing."""
    first, since_long = rules.first_use(found), now - found.seen_at > rules.SEEN_EVERY
    if not (first or since_long):
        return
    with suppress(Full), ctx.transaction() as db:  # who only reads need not hear of it
        if first:
            accounts.came(db, found.id, security.digest(token), now + rules.FORMER_LIFE)
        if since_long:
            accounts.seen(db, found.id, now)


def _end_stolen(ctx: Context, found: SessionSeen) -> None:
    with ctx.transaction() as db:
        if accounts.end_one(db, found.actor.person_id, found.id, ctx.now()):
            audits.record(db, ctx.now(), None, "stolen_session", "person", found.actor.person_id)


def renewed(ctx: Context, found: SessionSeen, token: str) -> str:
    """The secret that the browser is to bring from now on; empty while its own will do.

    Of requests at once one is given it; the others are answered on the former secret.  That one
    stays good until the new one came: on a bad line the answer may be lost.
    """
    now = ctx.now()
    if not rules.renewal_due(found, now):
        return ""
    new = f"{token.partition('.')[0]}.{security.new_token()}"
    old_hash, new_hash, won = security.digest(token), security.digest(new), False
    with suppress(Full), ctx.transaction() as db:
        if found.secret is Secret.FORMER:
            before = now - rules.GIVE_AGAIN
            won = accounts.give_again(db, found.id, old_hash, new_hash, now, before)
        else:
            renew_at = now + rules.RENEW_EVERY
            won = accounts.renew(db, found.id, old_hash, new_hash, now, renew_at)
    return new if won else ""


def replace_token(db: Session, session_id: int, now: datetime) -> str:
    """A new secret for a session whose rights grow; the one before counts no more from now on.

    Raises NotFound for a session that has ended.
    """
    token = security.new_token()
    renew_at = now + rules.RENEW_EVERY
    if not accounts.replace_token(db, session_id, security.digest(token), now, renew_at):
        raise NotFound("You are no longer signed in. Sign in again.")
    return token


def sign_out(ctx: Context, token: str) -> None:
    """End the session at once; unknown ones are left alone."""
    with ctx.transaction() as db:
        person_id = accounts.end_session(db, _series(token), ctx.now())
        if person_id is not None:
            audits.record(db, ctx.now(), person_id, "signed_out", "person", person_id)


def mine(ctx: Context, actor: Actor) -> tuple[OpenSession, ...]:
    """Where the actor is signed in at this moment, the browser seen last in front."""
    now, strict = ctx.now(), actor.runs_programme
    with ctx.reading() as db:
        found = accounts.open_sessions(db, actor.person_id)
    return tuple(each for each in found if rules.alive(each, strict, now))


def end(ctx: Context, actor: Actor, session_id: int) -> None:
    """Sign the actor out in one browser; once more does nothing.  Raises NotFound for others'."""
    now, person_id = ctx.now(), actor.person_id
    with ctx.transaction() as db:
        if accounts.end_one(db, person_id, session_id, now):
            what = {"session": session_id}
            audits.record(db, now, person_id, "ended_session", "person", person_id, after=what)
        elif not accounts.has_session(db, person_id, session_id):
            raise NotFound("There is nothing here.")


def end_others(ctx: Context, actor: Actor, but: int) -> int:
    """Sign the actor out everywhere but in this session; in how many browsers."""
    now, person_id = ctx.now(), actor.person_id
    with ctx.transaction() as db:
        count = accounts.end_sessions(db, person_id, now, but)
        if count:
            what = {"sessions": count}
            audits.record(db, now, person_id, "ended_sessions", "person", person_id, after=what)
    return count
