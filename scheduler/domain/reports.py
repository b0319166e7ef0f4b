"""What the two sides say of a lesson, and what it becomes by that.  Pure: no clock, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.domain import remarks
from scheduler.domain.lessons import Cause, Lesson, LessonState, Move
from scheduler.domain.people import PersonId
from scheduler.domain.reminders import Side
from scheduler.errors import Invalid, Text, text

CLOSES_AFTER = timedelta(days=14)  # its end
ALONE_TOO_LONG = timedelta(days=3)

# Nobody of either side could help it.
_FATE = frozenset({Cause.CONNECTION, Cause.POWER, Cause.PLATFORM, Cause.SCHOOL_EVENT})
_DECIDED = (LessonState.HELD, LessonState.NOT_HELD)


@dataclass(frozen=True, slots=True)
class Report:
    """What one side says: it was held, begun so many minutes late; or it was not, and why."""

    held: bool
    minutes_late: int = 0
    cause: Cause | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Filed:
    """A report as it was handed in."""

    side: Side
    report: Report
    by: PersonId
    by_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from the reports; `move` None: nothing does, as yet."""

    move: Move | None
    cause: Cause | None = None


class Waiting(StrEnum):
    """Why a lesson waits for a coordinator's decision."""

    DISPUTED = "disputed"
    ONE_SIDED = "one_sided"


def verdict(said: Mapping[Side, Report]) -> Verdict:
    """One side alone changes nothing; two that do not agree are a matter for coordinators."""
    if len(said) < len(Side):
        return Verdict(None)
    teacher, school = said[Side.TEACHER], said[Side.SCHOOL]
    if teacher.held and school.held:
        return Verdict(Move.HOLD)
    cause = _common_cause(teacher.cause, school.cause)
    return Verdict(Move.MISS, cause) if cause else Verdict(Move.DISPUTE)


def _common_cause(teacher: Cause | None, school: Cause | None) -> Cause | None:
    """The cause both name; of two that nobody could help, what the school saw at its end."""
    if teacher == school or {teacher, school} <= _FATE:
        return school
    return None


def costs_teacher(cause: Cause | None) -> bool:
    """Whether a lesson that was not held counts against its teacher: never by what the class, its
    line or anybody else failed."""
    return cause is Cause.TEACHER


def tidied(report: Report, lesson: Lesson) -> Report:
    """The report with its note on one line; raises Invalid with what to mend."""
    note = remarks.tidied(report.note)
    faults = dict(_faults(replace(report, note=note), lesson))
    if faults:
        raise Invalid("Some fields need another look.", fields=faults)
    return replace(report, note=note)


def _faults(report: Report, lesson: Lesson) -> list[tuple[str, Text]]:
    length = int((lesson.ends_at - lesson.starts_at).total_seconds()) // 60
    found = note_faults(report.note)
    if not report.held and report.cause is None:
        found.append(("cause", text("Say why it was not held.")))
    if report.held and report.cause is not None:
        found.append(("cause", text("A lesson that was held has no cause of loss.")))
    if not 0 <= report.minutes_late <= (length if report.held else 0):
        most = length if report.held else 0
        found.append(
            ("minutes_late", text("Write a number from {least} to {most}.", least=0, most=most))
        )
    return found


def note_faults(note: str) -> list[tuple[str, Text]]:
    """What is wrong with a few words beside a report or a decision."""
    fault = remarks.fault(note, needed=False)
    return [("note", fault)] if fault else []


def not_to_be_told(lesson: Lesson, now: datetime) -> Text | None:
    """Why nobody can say now how the lesson went, neither its sides nor a coordinator."""
    if lesson.state is LessonState.CANCELLED:
        return text("This lesson was called off. There is nothing to report.")
    if now < lesson.starts_at:
        return text("This lesson has not begun yet. Report from its start on.")
    return None


def closed(lesson: Lesson, now: datetime) -> Text | None:
    """Why its sides can report, or change what they reported, no more or not yet."""
    if lesson.state in _DECIDED:
        return text("It is settled how this lesson went. Ask a coordinator if that is wrong.")
    if now >= lesson.ends_at + CLOSES_AFTER:
        return text("Reports are taken for 14 days after a lesson. Ask a coordinator instead.")
    return not_to_be_told(lesson, now)


def may_take_back(lesson: Lesson) -> bool:
    """Whether a side may still say nothing instead of something, while reports are taken."""
    return lesson.state is not LessonState.DISPUTED


def waiting(lesson: Lesson, filed: Mapping[Side, Filed], now: datetime) -> Waiting | None:
    """Why the lesson waits for a decision; None: it does not."""
    if lesson.state is LessonState.DISPUTED:
        return Waiting.DISPUTED
    if lesson.state in (*_DECIDED, LessonState.CANCELLED) or len(filed) != 1:
        return None
    alone_since = next(iter(filed.values())).at
    return Waiting.ONE_SIDED if now - alone_since > ALONE_TOO_LONG else None
