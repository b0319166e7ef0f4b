"""The second factor: an app that shows six digits is set up and shown, codes for when it is lost.

Passkeys are in `services.passkeys`; both end in `prove` and `add`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pyotp

from scheduler import security
from scheduler.domain import factors as rules
from scheduler.domain.access import Actor
from scheduler.domain.accounts import SessionSeen
from scheduler.domain.factors import Due, Factors, How
from scheduler.domain.limits import FACTOR_BY_PERSON
from scheduler.errors import Conflict, Invalid, NotAllowed, NotFound, Text, text
from scheduler.security import BadSeal
from scheduler.services import limits, outbox, sessions
from scheduler.services.accounts import clean_email
from scheduler.services.context import Context
from scheduler.services.outbox import FactorNews
from scheduler.store import accounts as session_rows
from scheduler.store import audits, people
from scheduler.store import factors as rows
from scheduler.store.database import Session

NAME = "Chung Tay"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A secret that an app may take: as a text to copy and as the address in a QR code; `sealed`
    comes back with the first code, so that nothing is kept of a secret that nobody took."""

    secret: str
    uri: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Added:
    """A factor that counts from now on.  With the first one come the session's new secret and the
    recovery codes, which are told this once; both are empty for any other."""

    token: str
    codes: tuple[str, ...]


def mine(ctx: Context, actor: Actor) -> Factors:
    """All that the actor can show."""
    with ctx.reading() as db:
        return rows.of(db, actor.person_id)


def due(ctx: Context, seen: SessionSeen) -> Due:
    """What this session still has to do before its person's factors may be touched."""
    with ctx.reading() as db:
        count = rows.count(db, seen.actor.person_id)
    return rules.due(seen, count, ctx.now())


# -- setting up an app


def propose(ctx: Context, seen: SessionSeen, sealed: str = "") -> Proposal:
    """A new secret; the same once more while its first code was wrong.  Raises NotFound for
    whoever needs no second factor."""
    if not seen.strict:
        raise NotFound("There is nothing here.")
    try:
        secret = _proposed(ctx, seen.actor, sealed)
    except Invalid:
        secret = pyotp.random_base32()
        sealed = security.seal(ctx.key, f"{seen.actor.person_id}:{secret}")
    uri = pyotp.TOTP(secret).provisioning_uri(name=seen.actor.email, issuer_name=NAME)
    return Proposal(secret, uri, sealed)


def _proposed(ctx: Context, actor: Actor, sealed: str) -> str:
    """The secret in a form that we gave to this person."""
    try:
        owner, _, secret = security.unseal(ctx.keys, sealed).partition(":")
    except BadSeal:
        owner, secret = "", ""
    if owner != str(actor.person_id):
        raise Invalid("This page is too old. Scan the new code below.")
    return secret


def set_up_app(ctx: Context, seen: SessionSeen, sealed: str, typed: str, at: datetime) -> Added:
    """Take an app into use, in the place of the one before, once it shows the right code.

    `at`: the real time, which the app goes by.  Raises Invalid, NotAllowed, TooMany.
    """
    limits.take(ctx, FACTOR_BY_PERSON, str(seen.actor.person_id))
    secret = _proposed(ctx, seen.actor, sealed)
    step = _step_of(secret, typed, at)
    if step is None:
        raise refused(ctx, seen, How.APP, _WRONG_FIRST)
    kept = security.seal(ctx.key, secret)

    def put(db: Session) -> None:
        rows.put_app(db, seen.actor.person_id, kept, step, ctx.now())

    return add(ctx, seen, How.APP, put)


_WRONG_FIRST = text(
    "That is not the code the app shows now. Is the time of the phone set automatically?"
)


def add(ctx: Context, seen: SessionSeen, how: How, put: Callable[[Session], None]) -> Added:
    """Let a factor count from now on, in one transaction with what it brings about."""
    now, person = ctx.now(), seen.actor.person_id
    codes = tuple(security.new_code(rules.RECOVERY_LETTERS) for _ in range(rules.RECOVERY_CODES))
    with ctx.transaction() as db:
        before = rows.held(db, person)
        if not rules.may_add(seen, before.count, now):
            raise _stale()
        put(db)
        outbox.factor_notice(ctx, db, person, FactorNews.ADDED)
        audits.record(db, now, person, "add_factor", "person", person, after={"factor": how.value})
        if before.count:
            return Added("", ())
        rows.put_codes(db, person, [_stamp(ctx.key, seen.actor, code) for code in codes], now)
        return Added(prove(ctx, db, seen, how), codes)


# -- showing it


def show_code(ctx: Context, seen: SessionSeen, typed: str, at: datetime) -> str:
    """Take the six digits that the app shows, each once; returns the session's new secret.

    `at`: the real time.  Raises Invalid, TooMany; Conflict when only an operator can help.
    """
    person = seen.actor.person_id
    limits.take(ctx, FACTOR_BY_PERSON, str(person))
    with ctx.reading() as db:
        sealed = rows.sealed_app(db, person)
    step = _step_of(_opened(ctx, sealed), typed, at) if sealed else None
    if sealed is None or step is None:
        raise refused(ctx, seen, How.APP, _WRONG)
    with ctx.transaction() as db:
        if rows.use_step(db, person, sealed, step, ctx.now()):
            return prove(ctx, db, seen, How.APP)
    raise refused(ctx, seen, How.APP, _USED)


_WRONG = text("That is not the code the app shows now. Wait for the next one and type that.")
_USED = text("This code was used already. Wait for the next one and type that.")


def show_recovery_code(ctx: Context, seen: SessionSeen, typed: str) -> str:
    """Take one of the codes kept on paper, each once; returns the session's new secret.

    Raises Invalid, TooMany.
    """
    person = seen.actor.person_id
    limits.take(ctx, FACTOR_BY_PERSON, str(person))
    stamps = [_stamp(key, seen.actor, rules.letters(typed)) for key in ctx.keys]
    with ctx.transaction() as db:
        if rows.use_code(db, person, stamps, ctx.now()):
            outbox.factor_notice(ctx, db, person, FactorNews.RECOVERY)
            return prove(ctx, db, seen, How.RECOVERY)
    raise refused(ctx, seen, How.RECOVERY, _NO_CODE)


_NO_CODE = text("That is none of your recovery codes, or it was used already.")


def prove(ctx: Context, db: Session, seen: SessionSeen, how: How) -> str:
    """Note in the transaction that spends it that a factor was shown; the session's new secret."""
    now, person = ctx.now(), seen.actor.person_id
    session_rows.prove(db, seen.id, now)
    audits.record(db, now, person, "show_factor", "person", person, after={"factor": how.value})
    return sessions.replace_token(db, seen.id, now)


def refused(ctx: Context, seen: SessionSeen, how: How, why: Text, reason: str = "") -> Invalid:
    """What to raise for a factor that is not right, once that is noted."""
    person = seen.actor.person_id
    with ctx.transaction() as db:
        audits.record(
            db, ctx.now(), person, "wrong_factor", "person", person,
            reason=reason, after={"factor": how.value},
        )  # fmt: skip
    field = "recovery" if how is How.RECOVERY else "code"
    return Invalid(why, fields={} if how is How.PASSKEY else {field: why})


def _step_of(secret: str, typed: str, at: datetime) -> int | None:
    """The step whose code this is; the newest of them, should two have the same."""
    app, code = pyotp.TOTP(secret), rules.digits(typed)
    found = [step for step in rules.steps(at) if security.same(code, app.generate_otp(step))]
    return max(found, default=None)


def _opened(ctx: Context, sealed: str) -> str:
    try:
        return security.unseal(ctx.keys, sealed)
    except BadSeal as error:
        raise Conflict(
            "Your app can no longer be checked here. Use a passkey, or ask the operator to reset "
            "your second factor."
        ) from error


def _stamp(key: bytes, actor: Actor, code: str) -> str:
    """How a recovery code is kept: worth nothing without the key, and for nobody else."""
    return security.stamp(key, "recovery", f"{actor.person_id}:{code}")


# -- changing it


def new_codes(ctx: Context, seen: SessionSeen) -> tuple[str, ...]:
    """Ten other recovery codes, told this once; those before count no more."""
    now, person = ctx.now(), seen.actor.person_id
    codes = tuple(security.new_code(rules.RECOVERY_LETTERS) for _ in range(rules.RECOVERY_CODES))
    with ctx.transaction() as db:
        if not rules.is_fresh(seen, now) or not rows.held(db, person).count:
            raise _stale()
        rows.put_codes(db, person, [_stamp(ctx.key, seen.actor, code) for code in codes], now)
        audits.record(db, now, person, "new_recovery_codes", "person", person)
    return codes


def remove_app(ctx: Context, seen: SessionSeen) -> None:
    """Take the app out of use; raises NotFound, NotAllowed, Conflict for the last factor."""
    _remove(ctx, seen, How.APP, lambda db: rows.remove_app(db, seen.actor.person_id))


def remove_passkey(ctx: Context, seen: SessionSeen, passkey_id: int) -> None:
    """Take a passkey out of use; raises NotFound, NotAllowed, Conflict for the last factor."""
    person = seen.actor.person_id
    _remove(ctx, seen, How.PASSKEY, lambda db: rows.remove_passkey(db, person, passkey_id))


def _remove(ctx: Context, seen: SessionSeen, how: How, gone: Callable[[Session], bool]) -> None:
    now, person = ctx.now(), seen.actor.person_id
    with ctx.transaction() as db:
        count = rows.held(db, person).count
        if not rules.is_fresh(seen, now):
            raise _stale()
        if not gone(db):
            raise NotFound("There is nothing here.")
        if not rules.may_remove(seen, count, now, ctx.settings.second_factor):
            raise Conflict("This is your only second factor. Add another one first.")
        if count == 1:
            rows.forget(db, person)
        audits.record(
            db, now, person, "remove_factor", "person", person, before={"factor": how.value}
        )


def _stale() -> NotAllowed:
    return NotAllowed("Show your second factor once more, then try again.")


# -- when all is lost


def reset(ctx: Context, address: str) -> None:
    """Forget all factors of whoever has this address and end their sessions (the operator's
    command): at the next sign-in they set one up anew.  Raises NotFound."""
    email, now = clean_email(address), ctx.now()
    with ctx.transaction() as db:
        person = people.by_email(db, email)
        if person is None:
            raise NotFound(text("Nobody here has the address {email}.", email=email))
        rows.held(db, person.id)
        rows.forget(db, person.id)
        session_rows.shut_out(db, person.id, now)
        audits.record(db, now, None, "reset_factor", "person", person.id)
        outbox.factor_notice(ctx, db, person.id, FactorNews.RESET)
