"""Signing in: what a link is worth at the moment, and how long a session lasts.  Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.domain.access import Actor
from scheduler.domain.people import PersonId

LINK_LIFE = timedelta(minutes=10)
CODE_TRIES = 5
SESSION_LIFE = timedelta(days=30)
IDLE_LIFE = timedelta(days=14)
IDLE_LIFE_OF_COORDINATORS = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=10)
RENEW_EVERY = timedelta(hours=24)
# Requests that were on their way when the new secret first came still bring the former one.
FORMER_LIFE = timedelta(seconds=60)
# A browser waits five minutes for an answer.  After twice that neither the answer with the new
# secret can still arrive, nor a request from before it did: whoever brings the former has no other.
GIVE_AGAIN = timedelta(minutes=10)


class LinkState(StrEnum):
    """READY: this browser asked for it; NEEDS_CODE: another did; the others are dead ends."""

    READY = "ready"
    NEEDS_CODE = "needs_code"
    USED = "used"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Wish:
    """That somebody asked for a link, before it is known who; and from where.

    `mailbox`: a fingerprint of the address, which stays when the address goes.
    """

    id: int
    email: str
    mailbox: str
    address: str
    request_id: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """A link that was asked for; `browser_hash` is empty when an operator made it.

    `person_id` is None until the link is made, and for good where the address is nobody's.
    """

    id: int
    person_id: PersonId | None
    browser_hash: str
    code_hash: str
    tries_left: int
    expires_at: datetime
    used_at: datetime | None


class Secret(StrEnum):
    """Which of its session's secrets a browser brought; OLD: one from before the last two."""

    NEWEST = "newest"
    FORMER = "former"
    OLD = "old"


@dataclass(frozen=True, slots=True)
class SessionSeen:
    """A signed-in browser: who it is, its form token, and when it was last seen.

    `renewed_at`: when the newest secret was given; `renew_at`: from when on it is to be another.
    `unused`: the newest never came yet, so its browser may not have it; `former_until`: how long
    the one before is good, once the newest came.
    """

    id: int
    actor: Actor
    csrf: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    renewed_at: datetime
    renew_at: datetime
    proved_at: datetime | None
    secret: Secret = Secret.NEWEST
    unused: bool = False
    former_until: datetime | None = None

    @property
    def strict(self) -> bool:
        """Whether its person runs a programme: then a mailbox alone opens nothing."""
        return self.actor.runs_programme


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One line of a person's list: on what, from where, since when, and last seen when."""

    id: int
    device: str
    address: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


def state_of(found: SignIn, browser_hash: str, now: datetime) -> LinkState:
    if found.used_at is not None:
        return LinkState.USED
    if now >= found.expires_at or found.tries_left <= 0:
        return LinkState.EXPIRED
    known = found.browser_hash in ("", browser_hash)
    return LinkState.READY if known else LinkState.NEEDS_CODE


def needs_proof(seen: SessionSeen, required: bool) -> bool:
    """Whether the second factor is still to be shown; `required`: as the installation has it."""
    return required and seen.strict and seen.proved_at is None


def alive(seen: SessionSeen | OpenSession, strict: bool, now: datetime) -> bool:
    """False once the session is too old, or was idle for too long for its person's roles."""
    idle = IDLE_LIFE_OF_COORDINATORS if strict else IDLE_LIFE
    return now < seen.expires_at and now - seen.seen_at < idle


def first_use(seen: SessionSeen) -> bool:
    """Whether this request is the first sign that its browser has the newest secret."""
    return seen.unused and seen.secret is Secret.NEWEST


def renewal_due(seen: SessionSeen, now: datetime) -> bool:
    """Whether the browser should have a new secret, or once more one after an answer was lost.

    Not while another secret is still good for requests under way: it would become an old one.
    """
    if seen.secret is Secret.FORMER:
        return seen.unused and now - seen.renewed_at >= GIVE_AGAIN
    settled = seen.former_until is None or now >= seen.former_until
    return settled and not seen.unused and now >= seen.renew_at


def stolen(seen: SessionSeen, now: datetime) -> bool:
    """Whether a secret came that its browser gave up: then two have this session."""
    if seen.secret is Secret.FORMER:
        return seen.former_until is not None and now >= seen.former_until
    return seen.secret is Secret.OLD
