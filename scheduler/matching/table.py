"""An instance as numbered rows and bit masks over weeks, the way the kernel reads it.  Pure.

Bit w of a mask is week w, counted from the Monday of the term's first week; a mask is `words`
unsigned 64-bit words, the lowest weeks first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NOBODY = -1  # no lesson in force; in a wish: a school that is not of this instance
GONE = -2  # the teacher of a lesson in force who is not of this instance
WORD = 64
DAY = 24 * 60  # minutes
WeekMasks = tuple[int, ...]  # one mask, as a whole number, for each weekday
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Masks = NDArray[np.uint64]
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The weeks that the masks count."""

    monday: date
    weeks: int

    def week(self, day: date) -> int:
        return (day - self.monday).days // 7

    def day(self, week: int, weekday: int) -> date:
        return self.monday + timedelta(days=7 * week + weekday)

    def masks(self, first: date, last: date) -> WeekMasks:
        """The days from first to last, both inclusive."""
        since, until = (first - self.monday).days, (last - self.monday).days
        return tuple(self._weeks(since - weekday, until - weekday) for weekday in range(7))

    def _weeks(self, since: int, until: int) -> int:
        first, last = max(0, -(-since // 7)), min(self.weeks - 1, until // 7)
        return (1 << (last + 1)) - (1 << first) if first <= last else 0


class Kind(NamedTuple):
    """What two slots must share to have the same candidates; times in minutes."""

    weekday: int
    level: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Table:
    """The instance, numbered in its own order, as flat arrays.

    `…_first` arrays have one entry more than there are rows: row n's entries are those from
    `first[n]` up to `first[n + 1]`.
    """

    calendar: Calendar
    words: int
    gap_minutes: int
    # requests
    request_school: Ints
    request_class: Ints  # requests of one class have one number
    request_per_week: Ints
    request_places: Ints  # weekly slots it may have: no more than it has weekdays
    request_priority: Ints
    request_need: Ints  # lessons it asks for over the whole term
    request_slots_first: Ints
    # slots, those of one request together
    slot_request: Ints
    slot_weekday: Ints
    slot_start: Ints
    slot_end: Ints
    slot_rank: Ints
    slot_kind: Ints
    slot_eligible: Masks  # weeks in which the class could be taught then at all
    slot_weeks: Masks  # of them, those open for new lessons: not past, no fixed lesson that day
    slot_standing_first: Ints
    # fixed lessons at the slot's time; of those before the calendar (week -1) and after it (week
    # `weeks`) the nearest alone
    standing_week: Ints
    standing_teacher: Ints
    slot_current: Ints | None  # (slots, weeks): teacher of a lesson in force that may change
    slot_exact: Ints  # of those, how many end when the slot does: the same start may be there twice
    # candidates, those of one kind together in the order of the teachers
    kinds: tuple[Kind, ...]
    kind_first: Longs
    candidate_teacher: Ints
    candidate_weeks: Masks
    candidate_if_needed: Masks | None  # weeks given only if needed; None: nobody has such
    # teachers
    teacher_per_day: Ints
    teacher_per_week: Ints
    teacher_total: Ints
    wish_first: Ints
    wish_school: Ints
    # schools
    school_rooms: Ints
    school_wanted: Reals  # lessons asked for, weighted by priority
    school_requests_first: Ints
    school_requests: Ints
    # lessons that must stay; weeks outside the calendar are -1 or `weeks`
    fixed_request: Ints
    fixed_teacher: Ints
    fixed_week: Ints
    fixed_weekday: Ints
    fixed_start: Ints
    fixed_end: Ints

    @property
    def requests(self) -> int:
        return len(self.request_school)

    @property
    def slots(self) -> int:
        return len(self.slot_request)

    @property
    def teachers(self) -> int:
        return len(self.teacher_total)

    @property
    def places(self) -> int:
        """The most weekly slots that any request may have."""
        return int(self.request_places.max(initial=0))

    def slots_of(self, request: int) -> range:
        return range(self.request_slots_first[request], self.request_slots_first[request + 1])

    def candidates_of(self, slot: int) -> range:
        """Rows of the `candidate_…` arrays."""
        kind = self.slot_kind[slot]
        return range(self.kind_first[kind], self.kind_first[kind + 1])


@lru_cache(maxsize=1 << 16)
def weeks_of(mask: int) -> tuple[int, ...]:
    """The weeks of a mask, in order."""
    return tuple(week for week in range(mask.bit_length()) if mask >> week & 1)


def number(mask: Masks) -> int:
    """One row of masks as a whole number."""
    return int.from_bytes(mask.astype("<u8").tobytes(), "little")


def as_rows(masks: Sequence[int], words: int) -> Masks:
    """Whole numbers as rows of words."""
    data = b"".join(mask.to_bytes(8 * words, "little") for mask in masks)
    return np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(len(masks), words)
