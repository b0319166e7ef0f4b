"""Who goes: what ends with a role or an account, and whom a programme cannot spare.  Pure."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from scheduler.domain.access import RUNNING, Grant, Role
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.people import PersonId
from scheduler.domain.plans import Fingerprint

GrantId = NewType("GrantId", int)
_STAY = (LessonState.SCHEDULED, LessonState.COVER)


@dataclass(frozen=True, slots=True)
class Held:
    """One role that a person holds; `school` and `programme`: names."""

    id: GrantId
    person_id: PersonId
    grant: Grant
    school: str
    programme: str


def ahead(lessons: Iterable[Lesson], now: datetime) -> tuple[Lesson, ...]:
    """The lessons that have not begun and still count on their teacher."""
    return tuple(x for x in lessons if x.starts_at > now and x.state in _STAY)


def fingerprint(
    person_id: PersonId, roles: Iterable[Held], lessons: Iterable[Lesson]
) -> Fingerprint:
    """Names a preview: equal while the same roles end and the same lessons need somebody."""
    digest = hashlib.sha256(f"departure {person_id}".encode())
    for role in sorted(held.id for held in roles):
        digest.update(f"|{role}".encode())
    for lesson in sorted(lessons, key=lambda x: x.id):
        digest.update(f"/{lesson.id},{lesson.sequence},{lesson.state}".encode())
    return Fingerprint(digest.hexdigest()[:32])


def spares(going: Grant, others: Collection[Role]) -> bool:
    """Whether a programme can go on without this role's holder.

    `others`: the roles that run it and that people whose account is on still hold then.
    """
    if going.role not in RUNNING:
        return True
    return Role.ADMIN in others if going.role is Role.ADMIN else bool(others)
