"""Changes by hand, gathered in a basket and looked at together.  Pure: no clock, no database."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from scheduler.domain.lessons import LessonId
from scheduler.domain.people import SchoolId, TeacherId
from scheduler.domain.plans import Placement
from scheduler.domain.requests import Request, RequestId

MOST_MOVES = 200


@dataclass(frozen=True, slots=True)
class Time:
    """Minutes since midnight of a day, on the term's wall."""

    day: date
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Alter:
    """Another teacher for a lesson in force, another time, or both; None: as it is."""

    lesson_id: LessonId
    teacher_id: TeacherId | None = None
    time: Time | None = None


@dataclass(frozen=True, slots=True)
class CallOff:
    """No such lesson on its day, for everyone, with the reason that its people read."""

    lesson_id: LessonId
    reason: str


@dataclass(frozen=True, slots=True)
class Add:
    """One more lesson for a request."""

    request_id: RequestId
    time: Time
    teacher_id: TeacherId


Move = Alter | CallOff | Add


@dataclass(frozen=True, slots=True)
class Part:
    """Of a timetable the lessons at these schools, and all that these teachers give: what a change
    among them can break or make dearer."""

    schools: frozenset[SchoolId]
    teachers: frozenset[TeacherId]


@dataclass(frozen=True, slots=True)
class Result:
    """The timetable after the moves.  New lessons have numbers below 0, in the basket's order."""

    after: Mapping[LessonId, Placement]
    changed: frozenset[LessonId]  # moved, given to another teacher, or new
    called_off: Mapping[LessonId, str]


class CautionKind(StrEnum):
    """What a coordinator should know and may do all the same."""

    IF_NEEDED = "if_needed"  # a time that the teacher gives only if needed
    CALENDAR_UNKNOWN = "calendar_unknown"  # nothing is known of the teacher's other appointments
    DETACHED = "detached"  # beside the class's weekly times: it stands alone, and stays


def twice(moves: Iterable[Move]) -> frozenset[LessonId]:
    """Lessons that more than one move names: which of them would hold?"""
    named = Counter(move.lesson_id for move in moves if not isinstance(move, Add))
    return frozenset(lesson for lesson, times in named.items() if times > 1)


def apply(current: Mapping[LessonId, Placement], moves: Sequence[Move]) -> Result:
    """What the moves make of the timetable; every lesson that they name is in it, once."""
    after, called_off = dict(current), dict[LessonId, str]()
    for number, move in enumerate(moves, start=1):
        match move:
            case CallOff():
                called_off[move.lesson_id] = move.reason
                del after[move.lesson_id]
            case Alter():
                after[move.lesson_id] = _altered(current[move.lesson_id], move)
            case Add():
                at = move.time
                place = Placement(move.request_id, at.day, at.start, at.end, move.teacher_id)
                after[LessonId(-number)] = place
    changed = frozenset(each for each, place in after.items() if current.get(each) != place)
    return Result(after, changed, called_off)


def _altered(was: Placement, move: Alter) -> Placement:
    teacher = was.teacher_id if move.teacher_id is None else move.teacher_id
    if move.time is None:
        return replace(was, teacher_id=teacher)
    at = move.time
    return Placement(was.request_id, at.day, at.start, at.end, teacher)


def detached(
    result: Result, wishes: Mapping[RequestId, Request], held: Collection[LessonId]
) -> frozenset[LessonId]:
    """The changed lessons beside the weekly times of their class.

    The weekly times are those of the lessons that nobody touched and that are not `held` (pinned
    or past); while there are fewer than the request asks for, a changed lesson on an accepted slot
    of another weekday makes one: a whole series may move.
    """
    weekly: dict[RequestId, set[tuple[int, int]]] = defaultdict(set)
    for each, place in result.after.items():
        if each not in result.changed and each not in held:
            weekly[place.request_id].add((place.day.weekday(), place.start))
    found = set()
    for each in sorted(result.changed, key=lambda lesson: result.after[lesson]):
        place = result.after[each]
        request = wishes.get(place.request_id)
        at = (place.day.weekday(), place.start)
        if request is None:
            continue
        known = weekly[place.request_id]
        room = len(known) < request.lessons_per_week and at[0] not in {day for day, _ in known}
        if _on_a_slot(place, request) and (at in known or room):
            known.add(at)
        else:
            found.add(each)
    return frozenset(found)


def _on_a_slot(place: Placement, request: Request) -> bool:
    at = (place.day.weekday(), place.start, place.end)
    return any((slot.weekday, slot.start, slot.end) == at for slot in request.slots)


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule and the lessons that break it together, each as it stands."""

    rule: str
    lessons: Mapping[LessonId, Placement]


def is_new(breach: Breach, before: Iterable[Breach]) -> bool:
    """Whether the basket brought it about: the rule was not broken by these lessons before.

    One lesson alone must stand as it stood; of several, all with the teachers they had: moving one
    lesson of a week that had too many leaves the week as bad as it was, and no worse.
    """
    if len(breach.lessons) == 1:
        return not any(was.rule == breach.rule and was.lessons == breach.lessons for was in before)
    mine = _pairs(breach)
    return not any(was.rule == breach.rule and mine <= _pairs(was) for was in before)


def _pairs(breach: Breach) -> set[tuple[LessonId, TeacherId]]:
    return {(each, place.teacher_id) for each, place in breach.lessons.items()}
