"""Passkeys (WebAuthn): a device is made known, and signs what it is asked to sign, once."""

import json
from collections.abc import Callable
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

import webauthn
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from scheduler import security
from scheduler.domain import devices
from scheduler.domain import factors as rules
from scheduler.domain.accounts import SessionSeen
from scheduler.domain.factors import How
from scheduler.domain.limits import FACTOR_BY_PERSON
from scheduler.errors import Conflict, Invalid, NotAllowed, NotFound, text
from scheduler.services import factors, limits
from scheduler.services.context import Context
from scheduler.services.factors import Added
from scheduler.store import factors as rows
from scheduler.store.database import Session
from scheduler.store.factors import PublicKey

LONGEST_ANSWER = 20_000
_T = TypeVar("_T")


def usable(ctx: Context) -> bool:
    """Whether browsers let us use passkeys: they are bound to a name, and an IP address is none."""
    try:
        ip_address(_host(ctx))
    except ValueError:
        return True
    return False


def _host(ctx: Context) -> str:
    return urlsplit(ctx.settings.base_url).hostname or ""


# -- making one known


def creation_options(ctx: Context, seen: SessionSeen) -> str:
    """What the browser needs to make a passkey, as JSON; it is to answer within five minutes."""
    actor, now = seen.actor, ctx.now()
    if not seen.strict:
        raise NotFound("There is nothing here.")
    with ctx.transaction() as db:
        if not rules.may_add(seen, rows.count(db, actor.person_id), now):
            raise NotAllowed("Show your second factor once more, then try again.")
        known = rows.credential_ids(db, actor.person_id)
        options = webauthn.generate_registration_options(
            rp_id=_host(ctx),
            rp_name=factors.NAME,
            user_id=bytes.fromhex(security.digest(f"person {actor.person_id} of {_host(ctx)}")),
            user_name=actor.email,
            user_display_name=actor.name,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_described(known),
        )
        _ask(ctx, db, seen, options.challenge)
    return webauthn.options_to_json(options)


def register(ctx: Context, seen: SessionSeen, answer: str, user_agent: str) -> Added:
    """Take a passkey into use; raises Invalid, Conflict, NotAllowed, TooMany."""
    person = seen.actor.person_id
    limits.take(ctx, FACTOR_BY_PERSON, str(person))
    challenge = _asked(ctx, seen)
    made = _checked(
        lambda: webauthn.verify_registration_response(
            credential=_bounded(answer),
            expected_challenge=challenge,
            expected_rp_id=_host(ctx),
            expected_origin=ctx.settings.base_url,
            require_user_verification=True,
        )
    )
    if made is None:
        raise factors.refused(ctx, seen, How.PASSKEY, _FAILED)
    name = bytes_to_base64url(made.credential_id)

    def put(db: Session) -> None:
        if len(rows.credential_ids(db, person)) >= rules.MOST_PASSKEYS:
            raise Conflict(
                text(
                    "You have {most} passkeys. Remove one of them first.", most=rules.MOST_PASSKEYS
                )
            )
        device = devices.name_of(user_agent)
        key, count = made.credential_public_key, made.sign_count
        if not rows.add_passkey(db, person, name, key, count, device, ctx.now()):
            raise Conflict("This passkey is known here already.")

    return factors.add(ctx, seen, How.PASSKEY, put)


# -- showing it


def request_options(ctx: Context, seen: SessionSeen) -> str:
    """What the browser needs to let a passkey sign, as JSON; it is to answer within five minutes.

    Raises NotFound for whoever has none.
    """
    with ctx.transaction() as db:
        known = rows.credential_ids(db, seen.actor.person_id)
        if not known:
            raise NotFound("There is nothing here.")
        options = webauthn.generate_authentication_options(
            rp_id=_host(ctx),
            allow_credentials=_described(known),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        _ask(ctx, db, seen, options.challenge)
    return webauthn.options_to_json(options)


def show(ctx: Context, seen: SessionSeen, answer: str) -> str:
    """Take what a passkey signed; returns the session's new secret.  Raises Invalid, TooMany."""
    person = seen.actor.person_id
    limits.take(ctx, FACTOR_BY_PERSON, str(person))
    challenge = _asked(ctx, seen)
    with ctx.reading() as db:
        known = rows.public_key(db, person, _credential_id(answer))
    found = _signed(ctx, known, answer, challenge) if known else None
    if known is None or found is None:
        raise factors.refused(ctx, seen, How.PASSKEY, _FAILED)
    if rules.went_back(known.sign_count, found.new_sign_count):
        raise factors.refused(ctx, seen, How.PASSKEY, _COPIED, "sign count went back")
    with ctx.transaction() as db:
        if rows.use_passkey(db, known, found.new_sign_count, ctx.now()):
            return factors.prove(ctx, db, seen, How.PASSKEY)
    raise factors.refused(ctx, seen, How.PASSKEY, _FAILED)


_FAILED = text("The passkey was not taken. Try again, or use a code instead.")
_COPIED = text(
    "This passkey has signed less often than it had before, as a copy would. Use another factor, "
    "then remove this passkey."
)


def _signed(
    ctx: Context, known: PublicKey, answer: str, challenge: bytes
) -> VerifiedAuthentication | None:
    """The library looks at the count before the signature, so that is left to us: who cannot sign
    shall not make a passkey look copied."""
    return _checked(
        lambda: webauthn.verify_authentication_response(
            credential=_bounded(answer),
            expected_challenge=challenge,
            expected_rp_id=_host(ctx),
            expected_origin=ctx.settings.base_url,
            credential_public_key=known.key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    )


def _credential_id(answer: str) -> str:
    """The name of the passkey that answers, as we write it; empty when there is none."""
    name = _checked(lambda: base64url_to_bytes(json.loads(_bounded(answer))["id"]))
    return bytes_to_base64url(name) if name else ""


def _checked(verify: Callable[[], _T]) -> _T | None:
    """None for whatever is wrong: the library leaks its own errors on hostile input."""
    try:
        return verify()
    except Exception:  # noqa: BLE001 - any exception is a refusal
        return None


def _bounded(answer: str) -> str:
    if len(answer) > LONGEST_ANSWER:
        raise ValueError("too long")
    return answer


# -- what is to be signed


def _ask(ctx: Context, db: Session, seen: SessionSeen, challenge: bytes) -> None:
    until = ctx.now() + rules.CHALLENGE_LIFE
    rows.put_challenge(db, seen.id, bytes_to_base64url(challenge), until)


def _asked(ctx: Context, seen: SessionSeen) -> bytes:
    """What this session was asked to sign, which is spent by that, whatever comes of it."""
    with ctx.transaction() as db:
        challenge = rows.take_challenge(db, seen.id, ctx.now())
    if challenge is None:
        raise Invalid("That took too long. Press the button again.")
    return base64url_to_bytes(challenge)


def _described(known: tuple[str, ...]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in known]
