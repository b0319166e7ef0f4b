"""What changed for a teacher since they last said that they saw it.  Pure: no clock, no store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduler.domain.lessons import PRIVATE, Deed, LessonId, LessonState
from scheduler.domain.news import News
from scheduler.domain.people import PersonId


@dataclass(frozen=True, slots=True)
class Turn:
    """How a lesson stood after one deed; `own`: it was the reader's then.  `by` None: the system,
    or nobody who is still known."""

    lesson_id: LessonId
    sequence: int
    deed: Deed
    by: PersonId | None
    by_name: str
    reason: str
    state: LessonState
    own: bool
    starts_at: datetime

    @property
    def theirs(self) -> bool:
        """Whether the reader was to give it."""
        return self.own and self.state is not LessonState.CANCELLED


@dataclass(frozen=True, slots=True)
class Unseen:
    """A change that its reader has not said to have seen.  `was`: when they knew it to begin, None:
    it was not theirs to give; `sequence`: how the lesson stands now."""

    lesson_id: LessonId
    news: News
    was: datetime | None
    by: str
    reason: str
    sequence: int


def unseen(turns: Sequence[Turn], reader: PersonId, seen: int | None) -> Unseen | None:
    """What one lesson's turns, the oldest first, mean to a reader who saw it as it was at `seen`.

    What readers did themselves they know; a lesson that was theirs from its first day on is no
    change, however new.
    """
    known = _known(turns, reader, seen)
    after = turns if known is None else turns[turns.index(known) + 1 :]
    news = _news(known, turns[-1])
    if news is None:
        return None
    made = next((x for x in reversed(after) if x.deed not in _SILENT), turns[-1])
    was = known.starts_at if known is not None and known.theirs else None
    reason = "" if made.deed in PRIVATE else made.reason
    return Unseen(made.lesson_id, news, was, made.by_name, reason, turns[-1].sequence)


# They change nothing that a calendar shows.
_SILENT = (Deed.COVER_ASKED, Deed.COVER_WITHDRAWN)


def _known(turns: Sequence[Turn], reader: PersonId, seen: int | None) -> Turn | None:
    for turn in reversed(turns):
        if turn.by == reader or (seen is not None and turn.sequence <= seen):
            return turn
    return turns[0] if turns[0].theirs else None


def _news(known: Turn | None, now: Turn) -> News | None:
    if known is None or not known.theirs:
        return News.NEW if now.theirs else None
    if not now.own:
        return News.GIVEN_AWAY
    if not now.theirs:
        return News.CALLED_OFF
    return News.MOVED if now.starts_at != known.starts_at else None
