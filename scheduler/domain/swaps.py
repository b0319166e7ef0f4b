"""Two teachers exchange a lesson each, agreed by both.  Pure: no clock, no database."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from scheduler.domain.lessons import Lesson, LessonId, Move, after
from scheduler.domain.people import TeacherId
from scheduler.errors import Text, text

SwapId = NewType("SwapId", int)

LEAST_AHEAD = timedelta(hours=2)  # a lesson that begins sooner stays with its teacher
ANSWERED_WITHIN = timedelta(hours=48)
MOST_OPEN = 5  # proposals of one teacher that wait for an answer


class SwapEnd(StrEnum):
    """How a proposal to swap ended."""

    AGREED = "agreed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"  # nobody answered in time
    OVERTAKEN = "overtaken"  # one of the lessons changed otherwise


# Ends that the asker hears of: the others they brought about, or are told as changes.
SAD = (SwapEnd.DECLINED, SwapEnd.LAPSED, SwapEnd.OVERTAKEN)


class Reply(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"
    WITHDRAW = "withdraw"  # by whoever asked


@dataclass(frozen=True, slots=True)
class Swap:
    """A proposal: the asker gives one lesson and wants the other, each as it stood then."""

    id: SwapId
    given_id: LessonId
    given_sequence: int
    asker_id: TeacherId
    wanted_id: LessonId
    wanted_sequence: int
    asked_id: TeacherId
    words: str
    asked_at: datetime
    deadline: datetime
    ended_at: datetime | None
    end: SwapEnd | None

    @property
    def lessons(self) -> tuple[LessonId, LessonId]:
        return self.given_id, self.wanted_id


def ending(swap: Swap, given: Lesson, wanted: Lesson, now: datetime) -> SwapEnd | None:
    """How the proposal ended, noted or not yet; None while it can be answered."""
    if swap.end is not None:
        return swap.end
    as_asked = (
        (given.sequence, given.teacher_id) == (swap.given_sequence, swap.asker_id)
        and (wanted.sequence, wanted.teacher_id) == (swap.wanted_sequence, swap.asked_id)
        and can_change_hands(given)
        and can_change_hands(wanted)
    )
    if not as_asked:
        return SwapEnd.OVERTAKEN
    return SwapEnd.LAPSED if swap.deadline <= now else None


def can_change_hands(lesson: Lesson) -> bool:
    return after(lesson.state, Move.TAKE_OVER) is not None


def deadline(given: Lesson, wanted: Lesson, now: datetime) -> datetime:
    """Until when it can be agreed: soon, and while both teachers still have time to prepare."""
    return min(now + ANSWERED_WITHIN, min(given.starts_at, wanted.starts_at) - LEAST_AHEAD)


def fault(
    given: Lesson, wanted: Lesson, pinned: Collection[LessonId], now: datetime
) -> Text | None:
    """Why these lessons cannot be swapped, whoever their teachers are; None: they can."""
    if given.teacher_id == wanted.teacher_id:
        return text("Both lessons are yours.")
    if not (can_change_hands(given) and can_change_hands(wanted)):
        return text("One of the two lessons is called off or over.")
    if deadline(given, wanted, now) <= now:
        return text("A lesson that begins within two hours is no longer swapped.")
    if {given.id, wanted.id} & set(pinned):
        return text("A coordinator keeps one of the two lessons as it is. Ask them first.")
    return None
