"""What a program may do with its token: by nouns, to read or to change.  Pure."""

from collections.abc import Collection
from enum import StrEnum


class Noun(StrEnum):
    """What the rooms of the API are about."""

    LISTS = "lists"  # schools, classes, requests, teachers, terms
    LESSONS = "lessons"  # with cover, swaps, days off and joint sessions
    PLANS = "plans"  # with runs, publications, pins
    RECORDS = "records"  # with reports, fairness, certificates
    HOURS = "hours"  # a teacher's own, and their own answers
    WEBHOOKS = "webhooks"


class Scope(StrEnum):
    """Whoever may change may also read: `widened`."""

    LISTS_READ = "lists:read"
    LISTS_WRITE = "lists:write"
    LESSONS_READ = "lessons:read"
    LESSONS_WRITE = "lessons:write"
    PLANS_READ = "plans:read"
    PLANS_WRITE = "plans:write"
    RECORDS_READ = "records:read"
    RECORDS_WRITE = "records:write"
    HOURS_READ = "hours:read"
    HOURS_WRITE = "hours:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"

    @property
    def noun(self) -> Noun:
        return Noun(self.partition(":")[0])

    @property
    def writes(self) -> bool:
        return self.endswith(":write")


def scope(noun: Noun, *, writes: bool) -> Scope:
    return Scope(f"{noun}:{'write' if writes else 'read'}")


ALL = frozenset(Scope)
READING = frozenset(each for each in Scope if not each.writes)


def widened(chosen: Collection[Scope]) -> frozenset[Scope]:
    """What was chosen, and to read whatever may be changed."""
    return frozenset(chosen) | {scope(each.noun, writes=False) for each in chosen}
