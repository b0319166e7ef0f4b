"""News of changes, gathered for a while for each person.  Pure: no clock, no store.

An entry holds what its reader knew before; what is told is the difference to the lesson as it
stands when the message goes out.  So what was planned and moved meanwhile is told as one, and what
came and went is not told at all.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from scheduler.domain.lessons import Lesson, LessonId, LessonState
from scheduler.domain.messages import Channel, MessageKind, NewMessage
from scheduler.domain.people import PersonId
from scheduler.domain.reminders import Side, comes
from scheduler.domain.swaps import SAD, Swap, SwapId
from scheduler.domain.terms import ProgrammeId

GATHERED_FOR = timedelta(minutes=15)
NEAR = timedelta(hours=3)  # what begins so soon lets no news wait
OWN_MESSAGE = timedelta(hours=24)  # a lesson called off so late is told by a message of its own
LIFE = timedelta(days=7)


class What(StrEnum):
    """What an entry is about."""

    CHANGED = "changed"
    OFFERED = "offered"  # the reader is asked to stand in
    SWAP = "swap"  # the reader is asked to take it for a lesson of their own
    JOINED = "joined"  # another class comes to it: `reason` names that class
    SWAP_ENDED = "swap_ended"  # the reader proposed that
    THANKED = "thanked"


class News(StrEnum):
    """What a change means to one reader; in the order in which a mail tells it."""

    OFFERED = "offered"
    SWAP_ASKED = "swap_asked"
    NEW = "new"
    MOVED = "moved"
    OTHER_TEACHER = "other_teacher"
    JOINED = "joined"
    GIVEN_AWAY = "given_away"
    CALLED_OFF = "called_off"
    SWAP_FAILED = "swap_failed"
    THANKED = "thanked"


@dataclass(frozen=True, slots=True)
class Entry:
    """One lesson in a message.  `was`: when the reader last knew it to begin, None: it was not
    theirs; `teacher`: who gave it then, by name.  `by` changed it, for this `reason`.  `swap`: in
    which proposal."""

    lesson_id: LessonId
    side: Side
    what: What = What.CHANGED
    was: datetime | None = None
    teacher: str = ""
    by: str = ""
    reason: str = ""
    swap: SwapId | None = None


@dataclass(frozen=True, slots=True)
class Gathering:
    """What a message of changes has gathered.  `causes`: the keys of what was told with it."""

    entries: tuple[Entry, ...]
    causes: tuple[str, ...]

    def payload(self) -> dict[str, object]:
        return {
            "entries": [_packed(entry) for entry in self.entries],
            "causes": list(self.causes),
        }

    @property
    def side(self) -> Side:
        own = any(entry.side is Side.TEACHER for entry in self.entries)
        return Side.TEACHER if own else Side.SCHOOL

    def with_(self, other: "Gathering") -> "Gathering":
        """Both, what the reader knew first in front; an entry of a lesson that is there already
        adds nothing: its difference is told anyway."""
        known = set(map(_key, self.entries))
        more = [entry for entry in other.entries if _key(entry) not in known]
        causes = dict.fromkeys((*self.causes, *other.causes))
        return Gathering((*self.entries, *more), tuple(causes))


def _key(entry: Entry) -> tuple[object, ...]:
    """Each class that joins a lesson is news of its own."""
    joins = entry.reason if entry.what is What.JOINED else ""
    return entry.lesson_id, entry.side, entry.what, entry.swap, joins


def read(payload: Mapping[str, Any]) -> Gathering:
    """What a payload holds; messages from before news was gathered named lessons alone."""
    if "lessons" in payload:
        side = Side(payload.get("side", Side.TEACHER))
        old = (_from_before(int(lesson), str(kind), side) for lesson, kind in payload["lessons"])
        return Gathering(tuple(old), ())
    entries = tuple(_unpacked(each) for each in payload["entries"])
    return Gathering(entries, tuple(payload["causes"]))


def _from_before(lesson: int, kind: str, side: Side) -> Entry:
    """It did not say when the lesson was: the earliest instant, so that it reads as moved."""
    known = None if kind == "added" else LONG_AGO
    return Entry(LessonId(lesson), side, was=known)


LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _packed(entry: Entry) -> dict[str, object]:
    was = entry.was.isoformat() if entry.was else None
    full = {
        "lesson": entry.lesson_id, "side": entry.side.value, "what": entry.what.value,
        "was": was, "teacher": entry.teacher, "by": entry.by, "reason": entry.reason,
        "swap": entry.swap,
    }  # fmt: skip
    return {name: value for name, value in full.items() if value}


def _unpacked(packed: Mapping[str, Any]) -> Entry:
    return Entry(
        lesson_id=LessonId(int(packed["lesson"])),
        side=Side(packed["side"]),
        what=What(packed["what"]),
        was=datetime.fromisoformat(packed["was"]) if "was" in packed else None,
        teacher=packed.get("teacher", ""),
        by=packed.get("by", ""),
        swap=SwapId(int(packed["swap"])) if "swap" in packed else None,
        reason=packed.get("reason", ""),
    )


# -- messages


def changes(
    cause: str,
    person: PersonId,
    channel: Channel,
    programme: ProgrammeId,
    entries: Iterable[Entry],
    due_at: datetime,
) -> NewMessage:
    """The message that begins to gather; its first cause names it."""
    gathering = Gathering((), (cause,)).with_(Gathering(tuple(entries), ()))
    return NewMessage(
        key=f"{cause}:{person}:{MessageKind.CHANGES}:{channel}",
        kind=MessageKind.CHANGES,
        person_id=person,
        due_at=due_at,
        useless_after=due_at + LIFE,
        programme_id=programme,
        payload=gathering.payload(),
        channel=channel,
    )


def due(instants: Iterable[datetime], now: datetime) -> datetime:
    """When news goes out that concerns lessons at these instants: gathered for a while, or at
    once when one of them is near."""
    return now if any(now - NEAR < at <= now + NEAR for at in instants) else now + GATHERED_FOR


def called_off(
    lesson: Lesson, people: Mapping[PersonId, Collection[Channel]], now: datetime
) -> tuple[NewMessage, ...]:
    """The news, for each of them and at once, by each of these ways, that a lesson does not take
    place."""
    return tuple(
        _at_once(lesson, MessageKind.CALLED_OFF, person, channel, now)
        for person, ways in people.items()
        for channel in ways
    )


def is_late(lesson: Lesson, now: datetime) -> bool:
    """Whether it is called off so late that each person hears of it in a message of its own."""
    return lesson.starts_at - now <= OWN_MESSAGE


def cover_wanted(
    lesson: Lesson, call: int, people: Mapping[PersonId, Channel], now: datetime
) -> tuple[NewMessage, ...]:
    """Coordinators hear at once that a teacher cannot come."""
    return tuple(
        NewMessage(
            key=f"cover:{call}:{person}:{MessageKind.COVER_WANTED}:{channel}",
            kind=MessageKind.COVER_WANTED,
            person_id=person,
            due_at=now,
            useless_after=lesson.starts_at,
            lesson_id=lesson.id,
            sequence=lesson.sequence,
            programme_id=lesson.programme_id,
            channel=channel,
        )
        for person, channel in people.items()
    )


def nobody_left(
    lesson: Lesson, call: int, asked: int, people: Mapping[PersonId, Channel], now: datetime
) -> tuple[NewMessage, ...]:
    """Coordinators hear at once, and once in a call, that nobody is left to ask of those who fit:
    `asked` were."""
    return tuple(
        replace(
            message,
            key=f"cover:{call}:exhausted:{message.person_id}:{message.kind}:{message.channel}",
            payload={"asked": asked},
        )
        for message in cover_wanted(lesson, call, people, now)
    )


def offer(
    lesson: Lesson, people: Mapping[PersonId, Channel], call: int, deadline: datetime, now: datetime
) -> tuple[NewMessage, ...]:
    """Ask these teachers to stand in, each by a message of its own: gathered past its deadline,
    an offer would be none."""
    return tuple(
        NewMessage(
            key=f"offer:{call}:{person}:{now:%Y%m%d%H%M%S}:{MessageKind.CHANGES}:{channel}",
            kind=MessageKind.CHANGES,
            person_id=person,
            due_at=now,
            useless_after=deadline,
            programme_id=lesson.programme_id,
            payload=Gathering((Entry(lesson.id, Side.TEACHER, What.OFFERED),), ()).payload(),
            channel=channel,
        )
        for person, channel in people.items()
    )


def swap_asked(
    swap: Swap, programme: ProgrammeId, people: Mapping[PersonId, Channel], now: datetime
) -> tuple[NewMessage, ...]:
    """Ask for a swap, by a message of its own: it has a deadline."""
    entry = Entry(swap.given_id, Side.TEACHER, What.SWAP, swap=swap.id)
    return tuple(
        NewMessage(
            key=f"swap:{swap.id}:{person}:{MessageKind.CHANGES}:{channel}",
            kind=MessageKind.CHANGES,
            person_id=person,
            due_at=now,
            useless_after=swap.deadline,
            programme_id=programme,
            payload=Gathering((entry,), ()).payload(),
            channel=channel,
        )
        for person, channel in people.items()
    )


def _at_once(
    lesson: Lesson,
    kind: MessageKind,
    person: PersonId,
    channel: Channel,
    now: datetime,
) -> NewMessage:
    return NewMessage(
        key=f"{lesson.id}:{lesson.sequence}:{person}:{kind}:{channel}",
        kind=kind,
        person_id=person,
        due_at=now,
        useless_after=lesson.ends_at,
        lesson_id=lesson.id,
        sequence=lesson.sequence,
        programme_id=lesson.programme_id,
        channel=channel,
    )


# -- what is told


def told(entry: Entry, lesson: Lesson, person: PersonId, swap: Swap | None = None) -> News | None:
    """What an entry means to its reader now; None: it came and went, or is told elsewhere.

    `swap`: the proposal that the entry names.
    """
    if entry.what is What.OFFERED:
        open_ = lesson.state is LessonState.COVER and lesson.teacher_person_id != person
        return News.OFFERED if open_ else None
    if entry.what is What.THANKED:
        return News.THANKED
    if entry.swap is not None:
        return _of_swap(entry.what, swap)
    own = entry.side is Side.TEACHER
    has = comes(lesson) and (not own or lesson.teacher_person_id == person)
    if entry.what is What.JOINED:
        return News.JOINED if has else None
    if entry.was is None:
        return News.NEW if has else None
    if lesson.state is LessonState.CANCELLED:
        return None if _told_at_once(lesson) else News.CALLED_OFF
    if not comes(lesson):
        return None  # it is over, and reported
    if not has:
        return News.GIVEN_AWAY
    if entry.was != lesson.starts_at:
        return News.MOVED
    changed_hands = not own and entry.teacher not in ("", lesson.teacher_name)
    return News.OTHER_TEACHER if changed_hands else None


def _of_swap(what: What, swap: Swap | None) -> News | None:
    if swap is None:
        return None
    if what is What.SWAP:
        return News.SWAP_ASKED if swap.end is None else None
    return News.SWAP_FAILED if swap.end in SAD else None


def _told_at_once(lesson: Lesson) -> bool:
    """A lesson that somebody called off, with a reason, so late that its own message told it."""
    return lesson.cancel_reason != "" and is_late(lesson, lesson.changed_at)
