"""A teacher is away, or schools are closed: which lessons that concerns, and what could be done.

Pure.  For each lesson the smallest change that works is proposed; proposals are made together, in
order of time, so that no two of them want the same teacher, time or room.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from scheduler.domain import remarks
from scheduler.domain.busy import Availability
from scheduler.domain.candidates import Candidate, only_if_needed
from scheduler.domain.intervals import DaySpan
from scheduler.domain.lessons import Lesson, LessonId, LessonState
from scheduler.domain.openings import Board, Situation, Volunteer
from scheduler.domain.people import SchoolId, TeacherId
from scheduler.domain.plans import Fingerprint, Placement
from scheduler.domain.terms import Term
from scheduler.errors import Conflict, Invalid, Text, text


@dataclass(frozen=True, slots=True)
class Absence:
    """A teacher is away on these days."""

    teacher_id: TeacherId
    span: DaySpan
    reason: str


@dataclass(frozen=True, slots=True)
class Closure:
    """These schools take no lesson on these days."""

    school_ids: tuple[SchoolId, ...]
    span: DaySpan
    reason: str


Disruption = Absence | Closure


class Way(StrEnum):
    """What is done with a lesson; the smallest change first."""

    LEAVE = "leave"
    COVER = "cover"
    MOVE = "move"
    CALL_OFF = "call_off"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to do with one lesson, and why.  `after` is there for MOVE; `could_come` counts the
    teachers who could stand in at its own time."""

    lesson_id: LessonId
    way: Way
    why: Text
    before: Placement
    after: Placement | None = None
    could_come: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person wants instead of the proposal; MOVE needs a day and a start, and takes the
    present teacher or else the best one when it names nobody."""

    way: Way
    day: date | None = None
    start: int | None = None
    teacher_id: TeacherId | None = None


def checked(disruption: Disruption, term: Term, now: datetime) -> Disruption:
    """The disruption with its reason tidied; raises Invalid when it cannot be."""
    reason = remarks.tidied(disruption.reason)
    found: dict[str, Text] = {}
    span = disruption.span
    if fault := remarks.fault(reason):
        found["reason"] = fault
    if span.last_day < span.first_day:
        found["last_day"] = text("The last day is before the first day.")
    elif span.first_day < term.first_day or term.last_day < span.last_day:
        found["first_day"] = text(
            "The term runs from {first} to {last}. Choose days inside it.",
            first=term.first_day,
            last=term.last_day,
        )
    elif span.last_day < term.today(now):
        found["last_day"] = text("These days are over.")
    if found:
        raise Invalid(next(iter(found.values())), fields=found)
    return replace(disruption, reason=reason)


def concerned(
    disruption: Disruption, lessons: Iterable[Lesson], called: Iterable[LessonId], now: datetime
) -> tuple[Lesson, ...]:
    """The lessons ahead that cannot stay as they are, in order of time.

    `called` are those that look for cover already: for an absent teacher nothing is left to do.
    """
    looked_for = frozenset(called) if isinstance(disruption, Absence) else frozenset()
    found = [
        lesson
        for lesson in lessons
        if lesson.state in (LessonState.SCHEDULED, LessonState.COVER)
        and lesson.starts_at > now
        and lesson.id not in looked_for
        and _hits(disruption, lesson)
    ]
    return tuple(sorted(found, key=lambda lesson: (lesson.starts_at, lesson.id)))


def _hits(disruption: Disruption, lesson: Lesson) -> bool:
    match disruption:
        case Absence(teacher_id=teacher):
            return lesson.teacher_id == teacher
        case Closure(school_ids=schools):
            return lesson.school_id in schools


def disrupted(disruption: Disruption, situation: Situation) -> Situation:
    """The situation with the absence, or the closed days, in it."""
    match disruption:
        case Absence(teacher_id=teacher, span=span):
            known = situation.volunteers.get(teacher)
            if known is None:
                return situation
            away = replace(known.who, absences=(*known.who.absences, span))
            there = Volunteer(away, known.source, known.times)
            return replace(situation, volunteers={**situation.volunteers, teacher: there})
        case Closure(school_ids=schools, span=span):
            closed = {school: (*situation.closed.get(school, ()), span) for school in schools}
            return replace(situation, closed={**situation.closed, **closed})


# -- proposals


def proposals(
    disruption: Disruption,
    lessons: Sequence[LessonId],
    situation: Situation,
    ways: Collection[Way] = frozenset(Way),
) -> tuple[Proposal, ...]:
    """For each lesson, in the order given, the smallest change that works; `ways`: what whoever
    asks may do."""
    board = Board(disrupted(disruption, situation))
    return tuple(_proposal(disruption, lesson, board, ways) for lesson in lessons)


def _proposal(
    disruption: Disruption, lesson: LessonId, board: Board, ways: Collection[Way]
) -> Proposal:
    here = board.situation.standing[lesson]
    if isinstance(disruption, Absence):
        able = board.free(lesson, here)
        if not able and Way.MOVE not in ways:
            why = text("Nobody can stand in: a coordinator will look for a way.")
            return Proposal(lesson, Way.COVER, why, here)
        if able:
            # Whoever would be asked first is spoken for, as far as the other lessons go.
            board.put(lesson, replace(here, teacher_id=able[0].teacher_id))
            why = text("Teachers who could come: {count}.", count=len(able))
            return Proposal(lesson, Way.COVER, why, here, could_come=len(able))
    there = _best_move(board, lesson, here)
    if there is None:
        why = _why_off(board, lesson, here)
        board.take_out(lesson)
        return Proposal(lesson, Way.CALL_OFF, why, here)
    place, who = there
    board.put(lesson, place)
    return Proposal(lesson, Way.MOVE, _why_move(who, here), here, place)


def _best_move(
    board: Board, lesson: LessonId, here: Placement
) -> tuple[Placement, Candidate] | None:
    """The best other time of the week: with the same teacher wherever that can be.

    Somebody else's time is given away unasked only where it is surely free.
    """
    times = board.times(lesson, here)
    same = [(place, who) for place in times if (who := board.is_free(lesson, place))]
    if same:
        return min(same, key=lambda each: _strain(board, lesson, *each))
    for place in times:
        able = board.free(lesson, place)
        if able and able[0].calendar is Availability.FREE:
            return replace(place, teacher_id=able[0].teacher_id), able[0]
    return None


def _strain(board: Board, lesson: LessonId, place: Placement, who: Candidate) -> tuple[bool, bool]:
    """Of equals `min` takes the first: the one that the class likes best."""
    needed = only_if_needed(who, board.want(lesson, place))
    return who.calendar is not Availability.FREE, needed


def _why_move(who: Candidate, here: Placement) -> Text:
    if who.teacher_id == here.teacher_id:
        return text("Class, room and {teacher} are free then.", teacher=who.name)
    return text("Class and room are free then, and {teacher} can give it.", teacher=who.name)


def _why_off(board: Board, lesson: LessonId, here: Placement) -> Text:
    if board.times(lesson, here):
        return text("No teacher is free at any other time of this week.")
    return text("This week has no other open time for the class.")


# -- decisions


def decided(
    disruption: Disruption,
    made: Sequence[Proposal],
    choices: Mapping[LessonId, Choice],
    situation: Situation,
) -> tuple[Proposal, ...]:
    """The proposals with what people chose instead, checked once more all together.

    Raises Conflict with what stands in the way, Invalid for a choice about another lesson.
    """
    if choices.keys() - {each.lesson_id for each in made}:
        raise Invalid("There is a choice for a lesson that this does not concern.")
    board = Board(disrupted(disruption, situation))
    wanted = [_wanted(disruption, each, choices.get(each.lesson_id), board) for each in made]
    for each in wanted:
        if each.way in (Way.MOVE, Way.CALL_OFF):
            board.take_out(each.lesson_id)
    # What was proposed fits; what was chosen has to fit beside it.
    last = sorted(wanted, key=lambda each: each.lesson_id in choices)
    sure = {each.lesson_id: _stood(board, each, choices) for each in last}
    return tuple(sure[each.lesson_id] for each in made)


def _wanted(
    disruption: Disruption, made: Proposal, choice: Choice | None, board: Board
) -> Proposal:
    if choice is None:
        return made
    if choice.way is Way.COVER and isinstance(disruption, Closure):
        raise Invalid("The school is closed: another teacher does not help.")
    why = text("Chosen by hand.")
    if choice.way is not Way.MOVE:
        return replace(made, way=choice.way, why=why, after=None)
    if choice.day is None or choice.start is None:
        raise Invalid("Say when the lesson is to be.")
    after = replace(
        made.before,
        day=choice.day,
        start=choice.start,
        end=board.ends(made.before, choice.day, choice.start),
        teacher_id=choice.teacher_id or made.before.teacher_id,
    )
    return replace(made, way=Way.MOVE, why=why, after=after)


def _stood(board: Board, each: Proposal, choices: Mapping[LessonId, Choice]) -> Proposal:
    """The decision on the board; raises Conflict when it does not fit there."""
    if each.after is None:
        return each
    fault = board.fault(each.lesson_id, each.before, each.after)
    if fault is not None:
        raise Conflict(fault)
    place: Placement | None = each.after
    if not board.is_free(each.lesson_id, each.after):
        choice = choices.get(each.lesson_id)
        able = () if choice and choice.teacher_id else board.free(each.lesson_id, each.after)
        place = replace(each.after, teacher_id=able[0].teacher_id) if able else None
    if place is None:
        raise Conflict("No teacher is free then.")
    board.put(each.lesson_id, place)
    return replace(each, after=place)


def detached(
    disruption: Disruption, done: Iterable[Proposal], situation: Situation
) -> dict[LessonId, date]:
    """The moved lessons that leave the weekly timetable of their class, with their new day."""
    board, gone = Board(disrupted(disruption, situation)), [*done]
    moving = frozenset(x.lesson_id for x in gone if x.way in (Way.MOVE, Way.CALL_OFF))
    return {
        each.lesson_id: each.after.day
        for each in gone
        if each.after is not None and board.leaves_pattern(each.after, moving)
    }


def fingerprint(
    disruption: Disruption, lessons: Iterable[Lesson], made: Iterable[Proposal]
) -> Fingerprint:
    """Names a preview: equal while these lessons stand and the same is proposed for them.

    The reason may still be put in other words, and how many could come is no promise.
    """
    whose = disruption.school_ids if isinstance(disruption, Closure) else disruption.teacher_id
    kind, span = type(disruption).__name__, disruption.span
    digest = hashlib.sha256(f"{kind} {whose} {span.first_day} {span.last_day}".encode())
    for lesson, each in zip(lessons, made, strict=True):
        digest.update(f"|{lesson.id},{lesson.sequence},{lesson.state},{each.way},".encode())
        digest.update(f"{each.before},{each.after}".encode())
    return Fingerprint(digest.hexdigest()[:32])
