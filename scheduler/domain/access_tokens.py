"""Access tokens by their names: how long they may live, and when a use is noted.  Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.domain.access import Actor
from scheduler.domain.scopes import ALL, Scope

DAYS = (1, 90)
LONGEST_NAME = 60
MOST_TOKENS = 10
USED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that programs of its person come with; its text is kept by nobody.

    `proved`: it was made where a second factor had been shown, or by the operator; `scopes`:
    what it may do of that which its person may.
    """

    id: int
    person_id: int
    name: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    proved: bool
    scopes: frozenset[Scope] = ALL


def works(token: AccessToken, now: datetime) -> bool:
    return token.revoked_at is None and now < token.expires_at


def opens(token: AccessToken, actor: Actor, required: bool) -> bool:
    """Whether it may be all that its person is by now: whoever came to run a programme after it
    was made shows a second factor first.  `required`: as the installation has it."""
    return token.proved or not (required and actor.runs_programme)


def use_due(token: AccessToken, now: datetime) -> bool:
    """Whether a use at this moment is to be noted: the last one noted is old enough."""
    return token.last_used_at is None or now - token.last_used_at >= USED_EVERY
