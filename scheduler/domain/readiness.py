"""Who is ready for the next search, and who has still to answer.  Pure."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from scheduler.domain.messages import Channel
from scheduler.domain.people import PersonId
from scheduler.domain.plans import Fingerprint
from scheduler.domain.terms import TermId


class Stand(StrEnum):
    """How far a teacher has answered for a term."""

    SILENT = "silent"  # no time of any week
    UNCONFIRMED = "unconfirmed"  # times that somebody else told, or that were never looked at
    READY = "ready"


OPEN = (Stand.SILENT, Stand.UNCONFIRMED)


@dataclass(frozen=True, slots=True)
class Answer:
    """A teacher who takes part; `lost`: the address takes no mail."""

    person_id: PersonId
    name: str
    school: str
    language: str
    lost: bool
    stand: Stand


@dataclass(frozen=True, slots=True)
class School:
    """A donor school with those of its teachers who have still to answer, by name."""

    name: str
    teachers: int
    ready: int
    open: tuple[Answer, ...]

    def those(self, stand: Stand) -> tuple[Answer, ...]:
        return tuple(each for each in self.open if each.stand == stand)


def stand(*, free: bool, confirmed: bool) -> Stand:
    if not free:
        return Stand.SILENT
    return Stand.READY if confirmed else Stand.UNCONFIRMED


def by_school(answers: Iterable[Answer]) -> tuple[School, ...]:
    """The school where most are waited for in front; those where nobody is are left out."""
    found: dict[str, list[Answer]] = {}
    for each in answers:
        found.setdefault(each.school, []).append(each)
    schools = (_school(name, there) for name, there in found.items())
    waited = [school for school in schools if school.open]
    return tuple(sorted(waited, key=lambda school: (-len(school.open), school.name)))


def _school(name: str, there: list[Answer]) -> School:
    counts = Counter(each.stand for each in there)
    still = sorted((x for x in there if x.stand in OPEN), key=lambda x: (x.stand, x.name))
    return School(name, len(there), counts[Stand.READY], tuple(still))


def fingerprint(people: Iterable[PersonId]) -> Fingerprint:
    """Changes with whoever would be written to."""
    return Fingerprint(hashlib.sha256(repr(sorted(people)).encode()).hexdigest()[:16])


def key(term_id: TermId, today: date, person_id: PersonId, channel: Channel) -> str:
    """Names the reminder that somebody gets on a day by one way."""
    return f"nudge:{term_id}:{today}:{person_id}:{channel}"
