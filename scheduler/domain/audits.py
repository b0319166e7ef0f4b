"""The record of changes: what a line says, in bytes that say nothing else, and its seal.  Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from scheduler.domain.access import TABLE, Action, Actor

SEALED_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Line:
    """Who did what to which subject, when and why, and what it was before and after."""

    id: int
    at: datetime
    person_id: int | None
    action: str
    subject: str
    subject_id: int | None
    reason: str
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None
    request_id: str
    network: str


@dataclass(frozen=True, slots=True)
class Seal:
    """The seal of a line; `position` counts from 1 in the order of sealing, `kid` names the key."""

    position: int
    audit_id: int
    day: date
    kid: str
    seal: str


@dataclass(frozen=True, slots=True)
class Link:
    """A seal with its neighbours: the line it seals and the seal ahead of it, where they are."""

    seal: Seal
    line: Line | None
    ahead: str | None


class Fault(StrEnum):
    """What is wrong at the first broken place."""

    NO_SEAL = "no_seal"  # a seal in the middle is gone
    NO_LINE = "no_line"
    CHANGED = "changed"  # the line, or the seal itself
    UNKNOWN_KEY = "unknown_key"
    UNSEALED = "unsealed"  # for longer than a beat of the loop explains
    NO_HEAD = "no_head"  # what was noted elsewhere as the newest seal is not among them


@dataclass(frozen=True, slots=True)
class Broken:
    """The first broken place, by position among the seals and by line, as far as they are known."""

    fault: Fault
    position: int | None = None
    audit_id: int | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """How many seals were found whole, and the newest of them: to be noted somewhere else."""

    count: int
    head: str
    broken: Broken | None


def canonical(line: Line) -> bytes:
    """The line as JSON with one spelling: two lines that differ never give the same bytes."""
    told = [
        line.id,
        line.at.astimezone(UTC).isoformat(timespec="microseconds"),
        line.person_id,
        line.action,
        line.subject,
        line.subject_id,
        line.reason,
        line.before,
        line.after,
        line.request_id,
        line.network,
    ]
    return json.dumps(told, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def reader(actor: Actor) -> Actor:
    """The actor with those roles alone that open the record: what one sees as a teacher of another
    programme opens nothing of that programme's record."""
    opening = tuple(g for g in actor.grants if Action.SEE_RECORD in TABLE[g.role])
    return replace(actor, grants=opening)
