"""Who has seen the latest change in a calendar, and who will not in time.  Pure: no clock.

A calendar program looks when it likes: a change of the last day needs another way to people whose
program looks once a day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.domain.people import PersonId

SOON_READ = timedelta(hours=2)  # by a client that is not known to be slow
SLOW_CLIENTS = {
    "Google": timedelta(hours=24),
    "Home Assistant": timedelta(hours=24),
    "Nextcloud": timedelta(hours=24),
    "Outlook": timedelta(hours=3),
}
_BLINK = timedelta(microseconds=1)  # what is read this very moment is older than the change
ASLEEP_AFTER = timedelta(days=7)  # without a read: the calendar was taken off, or the device is off


class Standing(StrEnum):
    """How a person stands to the latest change; the ones who need a message first."""

    LATE = "late"  # their calendar will hardly show it before the lesson
    ASLEEP = "asleep"  # no program of theirs has looked for a week, or ever
    NONE = "none"  # they have no calendar link
    IN_TIME = "in_time"  # not read yet, but it should be before the lesson
    READ = "read"


NEED_A_MESSAGE = frozenset({Standing.LATE, Standing.ASLEEP, Standing.NONE})


@dataclass(frozen=True, slots=True)
class Change:
    """The newest visible change of somebody's lessons to come, and when that lesson starts; `seen`:
    they said that they saw it, and every other."""

    at: datetime
    starts_at: datetime
    seen: bool = False


@dataclass(frozen=True, slots=True)
class LinkUse:
    name: str
    client: str
    last_read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person with lessons to come: `school` says which, None for a teacher's own."""

    person_id: PersonId
    name: str
    email: str
    school: str | None
    change: Change
    links: tuple[LinkUse, ...]


def delay(client: str) -> timedelta:
    """How long a change may take to be seen by this family of programs."""
    return SLOW_CLIENTS.get(client, SOON_READ)


def standing(links: Sequence[LinkUse], change: Change, now: datetime) -> Standing:
    """How somebody with these links stands to a change, by the link that serves best."""
    if change.seen:
        return Standing.READ
    if not links:
        return Standing.NONE
    order = (Standing.READ, Standing.IN_TIME, Standing.LATE, Standing.ASLEEP)
    return min((_of_link(link, change, now) for link in links), key=order.index)


def would_miss(links: Sequence[LinkUse], starts_at: datetime, now: datetime) -> bool:
    """Whether these calendars will hardly show a change made now before the lesson starts."""
    return standing(links, Change(now + _BLINK, starts_at), now) in NEED_A_MESSAGE


def _of_link(link: LinkUse, change: Change, now: datetime) -> Standing:
    if link.last_read_at is None or now - link.last_read_at > ASLEEP_AFTER:
        return Standing.ASLEEP
    if link.last_read_at >= change.at:
        return Standing.READ
    next_read = max(now, link.last_read_at + delay(link.client))
    return Standing.IN_TIME if next_read < change.starts_at else Standing.LATE


def by_standing(
    subscribers: Iterable[Subscriber], now: datetime
) -> dict[Standing, tuple[Subscriber, ...]]:
    """All of them, under each standing those whose lesson is next first."""
    found: dict[Standing, list[Subscriber]] = {standing: [] for standing in Standing}
    for subscriber in subscribers:
        found[standing(subscriber.links, subscriber.change, now)].append(subscriber)
    return {
        key: tuple(sorted(group, key=lambda x: (x.change.starts_at, x.name, x.person_id)))
        for key, group in found.items()
    }
