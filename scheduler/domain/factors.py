"""The second factor of whoever runs a programme: what is due, and what counts as one.  Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.domain.accounts import SessionSeen

FRESH = timedelta(minutes=15)
CHALLENGE_LIFE = timedelta(minutes=5)
STEP_SECONDS = 30
DIGITS = 6
RECOVERY_CODES = 10
RECOVERY_LETTERS = 10
MOST_PASSKEYS = 10


class Due(StrEnum):
    """What a signed-in person still has to do before their factors may be touched."""

    SET_UP = "set_up"
    SHOW = "show"
    DONE = "done"


class How(StrEnum):
    """By what the second factor was shown."""

    APP = "app"
    PASSKEY = "passkey"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Authenticator:
    """An app that shows six digits."""

    created_at: datetime
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class Passkey:
    """A device that signs; `name`: the browser that it was made in."""

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Factors:
    """All that a person can show; `codes_left`: recovery codes not used yet."""

    authenticator: Authenticator | None
    passkeys: tuple[Passkey, ...]
    codes_left: int

    @property
    def count(self) -> int:
        """Factors in use; recovery codes only stand in for one."""
        return len(self.passkeys) + (self.authenticator is not None)


def is_fresh(seen: SessionSeen, now: datetime) -> bool:
    """Whether the second factor was shown a short while ago, in this very session."""
    return seen.proved_at is not None and now - seen.proved_at < FRESH


def due(seen: SessionSeen, count: int, now: datetime) -> Due:
    """What stands between the session and changing factors; `count`: how many there are."""
    if not seen.strict or is_fresh(seen, now):
        return Due.DONE
    return Due.SHOW if count else Due.SET_UP


def may_add(seen: SessionSeen, count: int, now: datetime) -> bool:
    """The first one by whoever holds the mailbox; every other by whoever has just shown one."""
    return seen.strict and (count == 0 or is_fresh(seen, now))


def may_remove(seen: SessionSeen, count: int, now: datetime, required: bool) -> bool:
    """Never the last one of whoever must have one."""
    return is_fresh(seen, now) and (count > 1 or not (required and seen.strict))


def steps(at: datetime) -> tuple[int, ...]:
    """The steps of 30 seconds (RFC 6238) whose code is taken: the present one, and a neighbour on
    each side for clocks that differ."""
    present = int(at.timestamp()) // STEP_SECONDS
    return present - 1, present, present + 1


def went_back(was: int, now: int) -> bool:
    """Whether a passkey counts less than before: then there are two of it.  Many never count."""
    return (was > 0 or now > 0) and now <= was


def digits(typed: str) -> str:
    """A code of an app as it is compared: people copy it with spaces."""
    return "".join(typed.split())


def letters(typed: str) -> str:
    """A recovery code as it is compared: people copy it with spaces and strokes, in any case."""
    return "".join(sign for sign in typed.upper() if sign.isascii() and sign.isalnum())


def in_groups(word: str, size: int) -> str:
    """ABCD EFGH IJ: a long word that somebody copies by hand."""
    return " ".join(word[start : start + size] for start in range(0, len(word), size))
