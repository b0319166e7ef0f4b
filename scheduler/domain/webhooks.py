"""Programs of others that are told of changes: which ones, in what words, how often.  Pure.

No name, telephone number or word of anybody's stands in what is told, and nothing of pupils.
"""

import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from zoneinfo import ZoneInfo

from scheduler.domain.lessons import LessonId, LessonState
from scheduler.domain.people import TeacherId

EndpointId = NewType("EndpointId", int)
DeliveryId = NewType("DeliveryId", int)

MOST_ENDPOINTS = 10  # of one programme
LONGEST_NAME = 60
LONGEST_ADDRESS = 2000
BOTH_SECRETS = timedelta(days=1)  # after a change of secrets the former one signs as well
LONGEST_SAID = 200  # letters kept of an answer
# Between a try that failed and the next one; afterwards a day is over.
WAITS = tuple(
    timedelta(seconds=each) for each in (15, 60, 300, 900, 1800, 3600, 7200, 14_400, 28_800, 28_800)
)
GIVE_UP = timedelta(days=1)
# A receiver that failed so often in a row is left alone for a while, whatever is due.
PATIENCE, SHORT_REST, LONG_REST = 3, timedelta(seconds=30), timedelta(minutes=10)


class Event(StrEnum):
    """What a receiver may ask to be told."""

    LESSON_CREATED = "lesson.created"
    LESSON_MOVED = "lesson.moved"
    LESSON_RESTAFFED = "lesson.restaffed"
    LESSON_CANCELLED = "lesson.cancelled"
    LESSON_RESTORED = "lesson.restored"
    PLAN_PUBLISHED = "plan.published"
    COVER_SOUGHT = "cover.sought"
    COVER_FOUND = "cover.found"
    COVER_ENDED = "cover.ended"
    REPORT_GIVEN = "report.given"
    REPORT_SETTLED = "report.settled"


TEST = "webhook.test"  # told to whoever is asked for it, wanted or not


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Trouble(StrEnum):
    """Why a try failed."""

    ADDRESS = "address"  # leads to where nothing is sent
    AWAY = "away"  # nobody took the request
    SILENT = "silent"  # it was taken, and no answer came
    ANSWER = "answer"  # any but a 2xx
    SECRET = "secret"  # noqa: S105 - no key of ours opens the secret or the address


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A receiver of a programme; `failing_since`: since when something was given up on.

    `both_until`: until then the secret before the present one signs as well.
    """

    id: EndpointId
    name: str
    events: frozenset[Event]
    active: bool
    made_at: datetime
    last_good_at: datetime | None
    failing_since: datetime | None
    rests_until: datetime | None
    both_until: datetime | None
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one receiver.  `said`: the beginning of the last answer."""

    id: DeliveryId
    event_id: str
    event: str
    lesson_id: LessonId | None
    sequence: int | None
    state: DeliveryState
    made_at: datetime
    attempts: int
    next_at: datetime
    ended_at: datetime | None
    trouble: Trouble | None
    status: int | None
    said: str


@dataclass(frozen=True, slots=True)
class Stand:
    """How a lesson stood at one moment, as far as its changes are told by it."""

    state: LessonState
    teacher_id: TeacherId
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class LessonFacts:
    """A lesson as programs are told of it; `zone` is its programme's."""

    id: LessonId
    uid: str
    sequence: int
    stand: Stand
    term: str
    school: str
    class_id: int
    class_name: str
    programme: str
    zone: str


_OVER = frozenset({LessonState.HELD, LessonState.NOT_HELD, LessonState.DISPUTED})


def changes(before: Stand | None, now: Stand) -> tuple[Event, ...]:
    """What became of a lesson between two moments; `before` None: it is new."""
    if before is None:
        return (Event.LESSON_CREATED,)
    if now.state is LessonState.CANCELLED:
        return () if before.state is now.state else (Event.LESSON_CANCELLED,)
    if before.state is LessonState.CANCELLED:
        return (Event.LESSON_RESTORED,)
    moved = (before.starts_at, before.ends_at) != (now.starts_at, now.ends_at)
    told = {
        Event.LESSON_MOVED: moved,
        Event.LESSON_RESTAFFED: before.teacher_id != now.teacher_id,
        Event.REPORT_SETTLED: now.state in _OVER and now.state is not before.state,
    }
    return tuple(event for event, so in told.items() if so)


def body(
    event_id: str,
    event: str,
    at: datetime,
    programme: str,
    zone: str,
    parts: Mapping[str, object],
) -> str:
    """The text that is sent and signed: once made it stays the same, try after try."""
    told = {"id": event_id, "type": event, "at": stamp(at, zone), "programme": programme, **parts}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def lesson_part(facts: LessonFacts, before: Stand | None = None) -> dict[str, object]:
    """A lesson in an event; with `before` also what it was, where that is another thing."""
    told: dict[str, object] = {
        "id": facts.id,
        "uid": facts.uid,
        "sequence": facts.sequence,
        "term": facts.term,
        "school": facts.school,
        "class": {"id": facts.class_id, "name": facts.class_name},
        **_stand(facts.stand, facts.zone),
    }
    parts: dict[str, object] = {"lesson": told}
    return parts | ({"before": _stand(before, facts.zone)} if before else {})


def _stand(stand: Stand, zone: str) -> dict[str, object]:
    return {
        "state": stand.state.value,
        "teacher": stand.teacher_id,
        "starts_at": stamp(stand.starts_at, zone),
        "ends_at": stamp(stand.ends_at, zone),
    }


def stamp(at: datetime, zone: str) -> str:
    """2023-10-04T07:30:00+07:00."""
    return at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")


def signature(secrets: Iterable[str], unix: int, sent: bytes) -> str:
    """`t=…,v1=…`, one v1 for each secret that is good: who knows one of them can tell that the
    body is ours, and when it was sent."""
    signed = f"{unix}.".encode() + sent
    each = (hmac.new(x.encode(), signed, hashlib.sha256).hexdigest() for x in secrets)
    return ",".join([f"t={unix}", *(f"v1={value}" for value in each)])


def next_try(attempts: int, since: datetime, now: datetime) -> datetime | None:
    """When to try again after so many that failed; None: a day is over, give up."""
    if now - since >= GIVE_UP or attempts > len(WAITS):
        return None
    return now + WAITS[max(attempts, 1) - 1]


def rest(failures: int, now: datetime) -> datetime | None:
    """Until when a receiver is left alone after so many failures in a row, if at all."""
    if failures < PATIENCE:
        return None
    wait: timedelta = min(SHORT_REST * 2.0 ** min(failures - PATIENCE, 10), LONG_REST)
    return now + wait


def is_good(status: int) -> bool:
    return 200 <= status < 300


def shown(answer: bytes) -> str:
    """The beginning of an answer as it can be kept and shown: one line, no odd signs."""
    words = answer[: LONGEST_SAID * 4].decode("utf-8", "replace")
    plain = "".join(each if each.isprintable() else " " for each in words)
    return " ".join(plain.split())[:LONGEST_SAID]


def wanted(events: Collection[str]) -> frozenset[Event]:
    """The events among these names; what another version of this program knows is left out."""
    known = {each.value for each in Event}
    return frozenset(Event(each) for each in events if each in known)
