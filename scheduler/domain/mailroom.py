"""What a coordinator sees of messages and may do with each of them.  Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.domain import names
from scheduler.domain.lessons import LessonId
from scheduler.domain.messages import (
    HELD,
    OF_SESSIONS,
    PRIVATE,
    Channel,
    Claimed,
    MessageKind,
    MessageState,
    OutboxId,
)
from scheduler.domain.people import PersonId
from scheduler.domain.reminders import BY_DAY, day_of
from scheduler.domain.terms import ProgrammeId
from scheduler.errors import Invalid, text

NEWS_AGAIN_LIFE = timedelta(days=1)
NOTE_LIFE = timedelta(days=7)
BY_HAND = "stopped by hand"
LONGEST_REASON = 200
LONGEST_NOTE = 1000
# They turn the reading direction round and make a text look like another one.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_AGAIN = re.compile(r":again(\d+)(:[a-z]+)$")
_RETRYABLE = (MessageState.FAILED, MessageState.UNKNOWN, MessageState.EXPIRED)


class Why(StrEnum):
    """Why a message ended as it did, as far as a coordinator can do something about it."""

    NO_SUCH_ADDRESS = "no_such_address"
    MAILBOX_FULL = "mailbox_full"
    TAKEN_FOR_SPAM = "taken_for_spam"
    NOT_NOW = "not_now"
    REFUSED = "refused"
    BAD_ADDRESS = "bad_address"
    NO_ANSWER = "no_answer"
    WORKER_GONE = "worker_gone"
    OVERTAKEN = "overtaken"
    STOPPED = "stopped"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Post:
    """One message as the mailroom shows it.

    `class_name`, `school_name`, `starts_at`, `ends_at`: of the lesson it is about, if it is about
    one.  `reply`: what the far end or our own machine said last; empty when nothing was said.
    """

    id: OutboxId
    key: str
    kind: MessageKind
    channel: Channel
    state: MessageState
    person_id: PersonId
    person_name: str
    person_email: str
    programme_id: ProgrammeId
    lesson_id: LessonId | None
    sequence: int | None
    class_name: str | None
    school_name: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    follows_id: OutboxId | None
    payload: Mapping[str, object]
    due_at: datetime
    useless_after: datetime
    next_try_at: datetime
    sent_at: datetime | None
    created_at: datetime
    attempts: int
    transmitting: bool
    maybe_twice: bool
    reply: str
    message_id: str

    @property
    def held(self) -> bool:
        return self.state is MessageState.PLANNED and self.next_try_at >= HELD

    @property
    def open(self) -> bool:
        """It can still be stopped: nothing of it is on its way."""
        return self.state is MessageState.PLANNED or (
            self.state is MessageState.LEASED and not self.transmitting
        )

    @property
    def why(self) -> Why | None:
        return why(self.reply)

    def claimed(self) -> Claimed:
        """As who sends it sees it, without the right to mark it."""
        return Claimed(
            id=self.id,
            key=self.key,
            kind=self.kind,
            channel=self.channel,
            person_id=self.person_id,
            lesson_id=self.lesson_id,
            sequence=self.sequence,
            payload=self.payload,
            due_at=self.due_at,
            useless_after=self.useless_after,
            attempts=self.attempts,
            message_id=self.message_id,
            lease_token="",
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages a list shows; None leaves that open.  `people`: who the search found."""

    kind: MessageKind | None = None
    state: MessageState | None = None
    people: tuple[PersonId, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None


_CODES: tuple[tuple[re.Pattern[str], Why], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), meaning)
    for pattern, meaning in (
        (rf"^{BY_HAND}", Why.STOPPED),
        (r"the worker vanished", Why.WORKER_GONE),
        (r"^BadAddress", Why.BAD_ADDRESS),
        (r"\b[45]\.2\.2\b|^[45]52\b|quota|mailbox (is )?full", Why.MAILBOX_FULL),
        (r"\b5\.7\.\d|^554\b|spam", Why.TAKEN_FOR_SPAM),
        (r"\b5\.(1|2)\.\d|^(550|551|553|404|410)\b", Why.NO_SUCH_ADDRESS),
        (r"^4\d\d\b", Why.NOT_NOW),
        (r"^5\d\d\b", Why.REFUSED),
        (r"timeout|timed out|refused|reset|disconnected|gaierror|SMTP", Why.NO_ANSWER),
        (r"^\w+(Error|Exception)\(", Why.BROKEN),
    )
)


def why(reply: str) -> Why | None:
    """What a reply means, of a relay or of our own machine; None when there is none."""
    if not reply:
        return None
    found = (meaning for pattern, meaning in _CODES if pattern.search(reply))
    return next(found, Why.OVERTAKEN)


def useful_until(post: Post, now: datetime) -> datetime | None:
    """Until when a second try of this message would help its reader; None when it would not."""
    if post.kind in PRIVATE:
        return None
    if post.kind is MessageKind.NOTE:
        return now + NOTE_LIFE
    if post.lesson_id is not None:
        ends = post.ends_at if post.kind is MessageKind.CALLED_OFF else post.starts_at
        return ends if ends is not None and ends > now else None
    if post.kind in OF_SESSIONS:
        return post.useless_after if post.useless_after > now else None
    if post.kind in BY_DAY:
        ends = day_of(post.payload)[1]
        return ends if ends > now else None
    return max(post.useless_after, now + NEWS_AGAIN_LIFE)


def may_try_again(post: Post) -> bool:
    return post.state in _RETRYABLE and post.kind not in PRIVATE


def again_key(key: str) -> str:
    """What the next copy of a message is called, the same however often one asks."""
    found = _AGAIN.search(key)
    if found is None:
        stem, _, channel = key.rpartition(":")
        return f"{stem}:again1:{channel}"
    return f"{key[: found.start()]}:again{int(found[1]) + 1}{found[2]}"


def copied_key(key: str) -> str:
    """The key of the message that this one is a copy of; its own when it is none."""
    found = _AGAIN.search(key)
    if found is None:
        return key
    before = int(found[1]) - 1
    return key[: found.start()] + (f":again{before}" if before else "") + found[2]


def note_text(typed: str) -> str:
    """A coordinator's own lines, tidied; raises Invalid with what to mend."""
    lines = unicodedata.normalize("NFC", typed).replace("\r\n", "\n").split("\n")
    words = "\n".join(" ".join(line.split()) for line in lines).strip()
    words = re.sub(r"\n{3,}", "\n\n", words)
    fault = None
    if not words:
        fault = text("Fill this in.")
    elif len(words) > LONGEST_NOTE:
        fault = text("Write 1 to {most} letters.", most=LONGEST_NOTE)
    elif not words.replace("\n", "").isprintable() or _TURNING & set(words):
        fault = text("This holds signs that cannot be stored.")
    if fault is not None:
        raise Invalid("Some fields need another look.", fields={"text": fault})
    return words


def matches(name: str, email: str, wanted: str) -> bool:
    """Whether each word of the search is in the name or the address."""
    place = f"{names.fold(name)} {email.casefold()}"
    return all(word in place for word in names.fold(wanted).split())
