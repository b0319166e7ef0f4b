"""Secrets of every kind: opaque tokens, typed codes, signed links (python-jose lives only here)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jose import jwt

ALGORITHM = "HS256"
ISSUER = "chungtay"
LONGEST_TOKEN = 4096
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without I, O, 0 and 1
CODE_LENGTH = 8
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_CLAIMS = frozenset({"iss", "aud", "sub", "jti", "iat", "exp"})
_NEEDED = _CLAIMS - {"exp"}


def new_token() -> str:
    """An opaque secret of 256 random bits, 43 letters of base64url."""
    return secrets.token_urlsafe(32)


def new_code(length: int = CODE_LENGTH) -> str:
    """A code that a person types from a mail, or from paper."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(length))


def digest(secret: str) -> str:
    """How an opaque secret is kept: its SHA-256 in hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def stamp(key: bytes, purpose: str, value: str) -> str:
    """A keyed fingerprint of `value` for one purpose, 32 hex letters, the same each time."""
    return hmac.new(key, f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()[:32]


def message_stamp(key: bytes, name: str) -> str:
    """The part of a message's names that nobody guesses, by what it is called here."""
    return stamp(key, "message-id", name)


def seal(key: bytes, secret: str) -> str:
    """A secret that must be read again, unreadable without the key; another text each time."""
    return _box(key).encrypt(secret.encode()).decode()


def unseal(keys: Sequence[bytes], sealed: str) -> str:
    """What one of these keys sealed; raises BadSeal for what another did, or somebody changed."""
    try:
        return MultiFernet([_box(key) for key in keys]).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise BadSeal("sealed with another key") from error


def chain_seal(key: bytes, before: str, line: bytes) -> str:
    """The seal of a line of the record and, with it, of all before: 64 hex letters.

    `before`: the seal ahead of it; empty for the very first.
    """
    own = hmac.digest(key, b"record", hashlib.sha256)
    return hmac.new(own, before.encode() + b"\0" + line, hashlib.sha256).hexdigest()


class BadSeal(Exception):
    """The sealed text cannot be opened with this key."""


def _box(key: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hmac.digest(key, b"seal", hashlib.sha256)))


def push_key(key: bytes) -> ec.EllipticCurvePrivateKey:
    """The key by which push services know us (RFC 8292): the same on every host, until the secret
    key changes; browsers must then be signed up again."""
    number = int.from_bytes(hmac.digest(key, b"push", hashlib.sha512))
    return ec.derive_private_key(number % (_P256_ORDER - 1) + 1, ec.SECP256R1())


def push_name(key: bytes) -> str:
    """The public half of `push_key` as browsers take it: a point of P-256 in base64url."""
    public = push_key(key).public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


class Purpose(StrEnum):
    """What a signed link may do; a link for one purpose is refused for every other."""

    STOP_REMINDERS = "stop_reminders"
    ANSWER = "answer"  # a lesson, as it stood, and its teacher
    ACCESS = "access"  # a person, at the API
    REPORT = "report"  # a lesson, a side of it, and who speaks for that side
    CHECK_IN = "check_in"  # the same
    OFFER = "offer"  # a teacher is asked to stand in
    SWAP = "swap"  # a proposal to swap, and one of its teachers
    LINE = "line"  # how a test of the line goes so far


@dataclass(frozen=True, slots=True)
class SignedLink:
    """A verified link: whom it concerns, and its own name."""

    subject: str
    jti: str


class BadLink(Exception):
    """The signed text is forged, expired, or for something else."""


def sign_link(key: bytes, purpose: Purpose, subject: str, now: datetime, life: timedelta) -> str:
    """A signed, expiring text for one purpose and one subject."""
    claims = {
        "iss": ISSUER,
        "aud": purpose.value,
        "sub": subject,
        "jti": secrets.token_urlsafe(12),
        "iat": int(now.timestamp()),
        "exp": int((now + life).timestamp()),
    }
    headers = {"kid": key_id(key), "typ": purpose.value}
    return str(jwt.encode(claims, _signing_key(key), algorithm=ALGORITHM, headers=headers))


def read_link(keys: Sequence[bytes], purpose: Purpose, token: str, now: datetime) -> SignedLink:
    """The link's content; raises BadLink, whatever is wrong with it, before trusting any of it.

    The key it names must be one of `keys`: the one in force, and those it took over from.

    The library lets through tokens without expiry or audience, headers and letters that it does
    not know, and leaks its own errors on hostile input: so the header and the names of the claims
    must be exactly ours, each part be written in the one way we write it, and any exception is a
    refusal.
    """
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise BadLink("too long")
    try:
        claims = _verified(keys, purpose, token)
    except BadLink:
        raise
    except Exception as error:
        raise BadLink("unreadable") from error
    if claims.keys() != _CLAIMS or not _is_whole(claims["iat"]) or not _is_whole(claims["exp"]):
        raise BadLink("claims")
    if claims["aud"] != purpose.value or not claims["sub"] or not claims["jti"]:
        raise BadLink("claims")
    if now.timestamp() >= claims["exp"]:
        raise BadLink("expired")
    return SignedLink(claims["sub"], claims["jti"])


def _verified(keys: Sequence[bytes], purpose: Purpose, token: str) -> dict[str, Any]:
    """The claims, signed by one of the keys; raises anything at all for what is not."""
    if any(_rewritten(part) != part for part in token.split(".")):
        raise BadLink("written in another way")
    header = jwt.get_unverified_header(token)
    key = {key_id(key): key for key in keys}.get(str(header.get("kid")))
    if key is None or header != {"alg": ALGORITHM, "kid": key_id(key), "typ": purpose.value}:
        raise BadLink("header")
    return jwt.decode(
        token,
        _signing_key(key),
        algorithms=[ALGORITHM],
        audience=purpose.value,
        issuer=ISSUER,
        # Expiry is compared by our caller, on the programme's clock; requiring it here would check
        # it on the machine's.
        options={"verify_exp": False, **{f"require_{name}": True for name in _NEEDED}},
    )


def _rewritten(part: str) -> str:
    """The same octets in the one way to write them: the last letter has bits that nobody reads."""
    octets = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def key_id(key: bytes) -> str:
    """What tells one key from another, and says nothing of it."""
    return hashlib.sha256(b"kid\0" + key).hexdigest()[:12]


def _signing_key(key: bytes) -> str:
    return hmac.new(key, b"signed links", hashlib.sha256).hexdigest()
