"""Signing in: what a link is worth at the moment, and how long a session lasts.  Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.domain.access import Actor, Role

LINK_LIFE = timedelta(minutes=10)
CODE_TRIES = 5
SESSION_LIFE = timedelta(days=30)
IDLE_LIFE = timedelta(days=14)
IDLE_LIFE_OF_COORDINATORS = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=10)
RENEW_EVERY = timedelta(hours=24)
# Requests that were on their way when the secret was renewed still bring the former one.
FORMER_LIFE = timedelta(seconds=60)


class LinkState(StrEnum):
    """READY: this browser asked for it; NEEDS_CODE: another did; the others are dead ends."""

    READY = "ready"
    NEEDS_CODE = "needs_code"
    USED = "used"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class SignIn:
    """A link that was asked for; `browser_hash` is empty when an operator made it."""

    id: int
    person_id: int
    browser_hash: str
    code_hash: str
    tries_left: int
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionSeen:
    """A signed-in browser: who it is, its form token, and when it was last seen.

    `former_until`: it brought the secret before the present one, which was good until then.
    """

    id: int
    actor: Actor
    csrf: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    renewed_at: datetime
    proved_at: datetime | None
    former_until: datetime | None = None

    @property
    def strict(self) -> bool:
        """Whether its person runs a programme: then a mailbox alone opens nothing."""
        return runs_programme(self.actor)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One line of a person's list: on what, from where, since when, and last seen when."""

    id: int
    device: str
    address: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


def runs_programme(actor: Actor) -> bool:
    return bool(actor.with_role(Role.COORDINATOR, Role.ADMIN))


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


def renewal_due(seen: SessionSeen, now: datetime) -> bool:
    """Whether the browser should have a new secret; one that brought the former has it already."""
    return seen.former_until is None and now - seen.renewed_at >= RENEW_EVERY


def stolen(seen: SessionSeen, now: datetime) -> bool:
    """Whether a secret came that its browser gave up: then two have this session."""
    return seen.former_until is not None and now >= seen.former_until
