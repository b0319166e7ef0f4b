"""A school changes its bell times or rooms: which lessons and requests follow, what cannot.  Pure.

A period is the same one while it keeps its half-day and number: what begins with it, and ends with
it, follows it to its new time on the same day.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from scheduler.domain.candidates import Obstacle
from scheduler.domain.intervals import clock_text, monday
from scheduler.domain.lessons import LessonId
from scheduler.domain.openings import Board, Situation
from scheduler.domain.people import BellPeriod, HalfDay, ReceivingSchool, SchoolId
from scheduler.domain.plans import Fingerprint, Placement
from scheduler.domain.requests import Request, RequestId, Slot
from scheduler.domain.terms import Term
from scheduler.errors import Conflict, Invalid, Text, text

MOST_PERIODS = 12  # of one half-day
MOST_ROOMS = 100
SHORTEST, LONGEST = 10, 120  # minutes of a period
_HALF_DAYS = tuple(HalfDay)


@dataclass(frozen=True, slots=True)
class Hours:
    """What a school wants from `from_day` on; `reason` is read by those whose lessons move."""

    periods: tuple[BellPeriod, ...]
    rooms: int
    from_day: date
    reason: str


class Fate(StrEnum):
    """What becomes of a lesson whose period changes."""

    FOLLOW = "follow"  # it moves along with its period
    KEEP = "keep"  # it stays at its old time
    COVER = "cover"  # it moves along, and another teacher is looked for
    CALL_OFF = "call_off"


@dataclass(frozen=True, slots=True)
class Follower:
    """A lesson whose period changes; `after` is None when the period is no more.

    `why`: what keeps it from following, None: nothing; then people choose among `fates`.
    """

    lesson_id: LessonId
    before: Placement
    after: Placement | None
    why: Obstacle | Text | None
    fates: tuple[Fate, ...]


Shifts = Mapping[BellPeriod, BellPeriod | None]


def next_monday(today: date) -> date:
    return monday(today) + timedelta(days=7)


# -- what can be kept


def faults(new: Hours, term: Term, changes_on: date | None, now: datetime) -> dict[str, Text]:
    """What is wrong with new hours, by form field; `changes_on`: when the bells change anyway."""
    found: dict[str, Text] = {}
    if not 1 <= new.rooms <= MOST_ROOMS:
        found["rooms"] = text("Write a number from {least} to {most}.", least=1, most=MOST_ROOMS)
    today = term.today(now)
    if not max(today + timedelta(days=1), term.first_day) <= new.from_day <= term.last_day:
        found["from_day"] = text(
            "Choose a day from tomorrow on, until {last}: people must hear of it.",
            last=term.last_day,
        )
    elif changes_on is not None and new.from_day < changes_on:
        found["from_day"] = text(
            "The bell times change on {day} anyway. Choose that day or a later one.", day=changes_on
        )
    if not new.periods:
        found["periods"] = text("Write at least one period.")
    for one, next_ in _neighbours(new.periods):
        if next_.start < one.end:
            field = f"start-{next_.half_day}-{next_.number}"
            found[field] = text("This period begins before the one ahead of it ends.")
    for each in new.periods:
        if not SHORTEST <= each.end - each.start <= LONGEST:
            found[f"end-{each.half_day}-{each.number}"] = text(
                "A period lasts {least} to {most} minutes.", least=SHORTEST, most=LONGEST
            )
    return found


def _neighbours(periods: Iterable[BellPeriod]) -> Iterable[tuple[BellPeriod, BellPeriod]]:
    """Each two in a row, as the day has them by their names."""
    named = sorted(periods, key=lambda x: (_HALF_DAYS.index(x.half_day), x.number))
    return pairwise(named)


def shifts(old: Collection[BellPeriod], new: Collection[BellPeriod]) -> Shifts:
    """The periods that do not stay as they are, and what becomes of each."""
    there = {(each.half_day, each.number): each for each in new}
    pairs = ((each, there.get((each.half_day, each.number))) for each in old)
    return {each: after for each, after in pairs if after != each}


# -- requests


def slots_after(slots: Iterable[Slot], moved: Shifts) -> tuple[Slot, ...]:
    """The times that a class asks for by the new bells, each once; those of a period that is no
    more are gone."""
    by_time = {(each.start, each.end): after for each, after in moved.items()}
    kept: dict[tuple[int, int], Slot] = {}
    for slot in sorted(slots, key=lambda each: (each.rank, each.weekday, each.start)):
        after = by_time.get((slot.start, slot.end), slot)
        if after is not None:
            new = replace(slot, start=after.start, end=after.end)
            kept.setdefault((new.weekday, new.start), new)
    return tuple(kept.values())


def short_of_times(request: Request, after: Collection[Slot]) -> bool:
    """True when a class is left with fewer weekdays than it asks lessons for."""
    return len({slot.weekday for slot in after}) < request.lessons_per_week


# -- lessons


def concerned(
    situation: Situation, school_id: SchoolId, moved: Shifts, first: date, last: date
) -> dict[LessonId, Placement]:
    """The lessons of these days that begin with a period that changes, in order of time."""
    starts = {each.start for each in moved}
    found = [
        (place.day, place.start, lesson, place)
        for lesson, place in situation.standing.items()
        if first <= place.day <= last
        and place.start in starts
        and situation.requests[place.request_id].school_id == school_id
    ]
    return {lesson: place for _, _, lesson, place in sorted(found)}


def with_hours(
    situation: Situation, school_id: SchoolId, slots: Mapping[RequestId, tuple[Slot, ...]],
    rooms: int,
) -> Situation:  # fmt: skip
    """The situation under the new hours, its lessons still where they stand."""
    asked = {
        each: replace(request, slots=slots.get(each, request.slots))
        for each, request in situation.requests.items()
    }
    return replace(situation, requests=asked, rooms={**situation.rooms, school_id: rooms})


def followers(
    situation: Situation,
    moving: Mapping[LessonId, Placement],
    moved: Shifts,
    looked_for: Collection[LessonId],
) -> tuple[Follower, ...]:
    """Each of these lessons at its new time, or what is in the way there.

    `looked_for`: lessons that look for cover; whoever is sought is asked anew for the new time.
    """
    board, before = Board(situation), Board(situation)
    for lesson in moving:
        board.take_out(lesson)
    found = []
    for lesson, here in moving.items():
        each = _follower(board, before, lesson, here, _after(here, moved))
        if each.why is None and lesson in looked_for:
            why = text("Another teacher is looked for, and would be asked anew.")
            each = replace(each, why=why, fates=(Fate.COVER, Fate.KEEP, Fate.CALL_OFF))
        if each.why is None and each.after is not None:
            board.put(lesson, each.after)
        found.append(each)
    return tuple(found)


def _after(here: Placement, moved: Shifts) -> Placement | None:
    bell = next(each for each in moved if each.start == here.start)
    new = moved[bell]
    if new is None:
        return None
    end = new.end if here.end == bell.end else new.start + here.end - here.start
    return replace(here, start=new.start, end=end)


def _follower(
    board: Board, was: Board, lesson: LessonId, here: Placement, after: Placement | None
) -> Follower:
    stay = (Fate.KEEP, Fate.CALL_OFF)
    if after is None:
        return Follower(lesson, here, None, text("This period is no more."), stay)
    if crowd := board.crowded(lesson, after):
        return Follower(lesson, here, after, crowd, stay)
    if board.gives_another(lesson, after):
        return Follower(lesson, here, after, Obstacle.TEACHING, stay)
    # What stood in the way all along, and was meant so, does not begin to with the new bells.
    known = was.hindrances(lesson, here) or ()
    new = [x for x in board.hindrances(lesson, after) or () if x not in known]
    if new:
        return Follower(lesson, here, after, new[0], (Fate.COVER, *stay))
    return Follower(lesson, here, after, None, (Fate.FOLLOW,))


def decided(
    made: Collection[Follower], chosen: Mapping[LessonId, Fate], situation: Situation
) -> dict[LessonId, Fate]:
    """What becomes of each lesson, checked all together.

    Raises Invalid where nothing was chosen for a lesson that cannot follow, Conflict where what
    was chosen does not fit beside the others.
    """
    fates = {x.lesson_id: chosen.get(x.lesson_id, Fate.FOLLOW) for x in made}
    open_ = [x for x in made if fates[x.lesson_id] not in x.fates]
    if open_ or chosen.keys() - fates.keys():
        sentence = text("Choose what becomes of this lesson.")
        fields = {f"fate-{each.lesson_id}": sentence for each in open_}
        raise Invalid("Some lessons cannot move along. Say what becomes of them.", fields=fields)
    board = Board(situation)
    for each in made:
        board.take_out(each.lesson_id)
    for each in sorted(made, key=lambda x: fates[x.lesson_id] is not Fate.FOLLOW):
        place = _place(each, fates[each.lesson_id])
        if place is not None:
            _put(board, each.lesson_id, place, situation)
    return fates


def _place(each: Follower, fate: Fate) -> Placement | None:
    return {Fate.KEEP: each.before, Fate.CALL_OFF: None}.get(fate, each.after)


def _put(board: Board, lesson: LessonId, place: Placement, situation: Situation) -> None:
    fault = board.crowded(lesson, place)
    if fault is None and board.gives_another(lesson, place):
        fault = text("The teacher is in another lesson then.")
    if fault is not None:
        raise Conflict(
            text(
                "Class {name} cannot have its lesson on {day} at {time}: {why}",
                name=situation.requests[place.request_id].class_name,
                day=place.day,
                time=clock_text(place.start),
                why=fault,
            )
        )
    board.put(lesson, place)


def rooms_short(situation: Situation, school_id: SchoolId, first: date, rooms: int) -> Text | None:
    """Where more lessons stand at once than that many rooms hold; None: nowhere."""
    there = sorted(
        (place for place in situation.standing.values()
         if place.day >= first and situation.requests[place.request_id].school_id == school_id),
        key=lambda place: (place.day, place.start),
    )  # fmt: skip
    for place in there:
        beside = [x for x in there if x.day == place.day and x.start <= place.start < x.end]
        if len(beside) > rooms:
            return text(
                "On {day} at {time} {count} lessons take place at once. Move one first, or keep "
                "{count} rooms.",
                day=place.day, time=clock_text(place.start), count=len(beside),
            )  # fmt: skip
    return None


def fingerprint(
    school: ReceivingSchool,
    new: Hours,
    made: Iterable[Follower],
    sequences: Mapping[LessonId, int],
    slots: Mapping[RequestId, tuple[Slot, ...]],
) -> Fingerprint:
    """Names a preview: equal while these lessons stand and the same would become of them."""
    told = (school.id, school.periods, school.rooms, new.periods, new.rooms, new.from_day)
    digest = hashlib.sha256(repr(told).encode())
    for each in made:
        told_of = (each.lesson_id, sequences[each.lesson_id], each.before, each.after, each.fates)
        digest.update(repr(told_of).encode())
    digest.update(repr(sorted(slots.items())).encode())
    return Fingerprint(digest.hexdigest()[:32])
