"""A basket as a file: lessons by number, teachers by mail and requests by SCHOOL/CLASS, as in an
instance."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from scheduler.domain.access import Action, Actor
from scheduler.domain.baskets import Add, Alter, CallOff, Move, Time
from scheduler.domain.intervals import minutes_of
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import TeacherId
from scheduler.domain.plans import Placement
from scheduler.domain.requests import RequestId
from scheduler.domain.terms import TermId
from scheduler.errors import Invalid, Problem, Text, text
from scheduler.services.context import Context
from scheduler.services.terms import allowed
from scheduler.store import lessons, people, requests

SHAPE = '{"moves": [...]}'
FIELDS = frozenset({"lesson", "request", "teacher", "date", "start", "end", "call_off"})


class _Fault(Exception):
    """One move cannot be read; the sentence says why."""

    def __init__(self, what: Text) -> None:
        super().__init__(str(what))
        self.what = what


@dataclass(frozen=True, slots=True)
class _Names:
    current: Mapping[LessonId, Placement]
    teachers: Mapping[str, TeacherId]
    requests: Mapping[str, RequestId]


def read(ctx: Context, actor: Actor, term_id: TermId, data: object) -> tuple[Move, ...]:
    """The moves of a decoded file `{"moves": [...]}`.

    Raises Invalid with one Problem per faulty move, all of them at once; NotFound for strangers.
    """
    names = _names(ctx, actor, term_id)
    given = data.get("moves") if isinstance(data, dict) else None
    if not isinstance(given, list):
        raise Invalid(text("This is no basket: write {shape}.", shape=SHAPE))
    moves: list[Move] = []
    faults: list[Problem] = []
    for number, each in enumerate(given, start=1):
        try:
            moves.append(_move(each, names))
        except _Fault as fault:
            faults.append(Problem(text("move {number}", number=number), fault.what))
    if faults:
        raise Invalid("Some of the moves cannot be read.", tuple(faults))
    return tuple(moves)


def _names(ctx: Context, actor: Actor, term_id: TermId) -> _Names:
    with ctx.reading() as db:
        term = allowed(db, actor, term_id, Action.RUN_MATCHING)
        return _Names(
            current={each: place for place, each in lessons.placements(db, term_id).items()},
            teachers={t.email: t.id for t in people.teachers(db, term.programme_id)},
            requests={r.key: r.id for r in requests.of_term(db, term_id)},
        )


def _move(data: object, names: _Names) -> Move:
    if not isinstance(data, dict) or not data.keys() <= FIELDS:
        raise _Fault(text("may say: {names}", names=", ".join(sorted(FIELDS))))
    if "request" in data:
        request = names.requests.get(str(data["request"]))
        if request is None:
            raise _Fault(text("there is no request {id}", id=str(data["request"])))
        at, teacher = _time(data, None), _teacher(data, names)
        if at is None or teacher is None:
            raise _Fault(text("a new lesson needs a date, a start, an end and a teacher"))
        return Add(request, at, teacher)
    number = data.get("lesson")
    lesson = LessonId(number) if type(number) is int else LessonId(0)
    place = names.current.get(lesson)
    if place is None:
        raise _Fault(text("there is no lesson {id}", id=str(number)))
    if "call_off" in data:
        return CallOff(lesson, str(data["call_off"]))
    return Alter(lesson, _teacher(data, names), _time(data, place))


def _teacher(data: Mapping[str, Any], names: _Names) -> TeacherId | None:
    if "teacher" not in data:
        return None
    found = names.teachers.get(str(data["teacher"]).strip().lower())
    if found is None:
        raise _Fault(text("there is no teacher {id}", id=str(data["teacher"])))
    return found


def _time(data: Mapping[str, Any], was: Placement | None) -> Time | None:
    """When the lesson shall be; what is not said stays as it was, and so does its length."""
    if not data.keys() & {"date", "start", "end"}:
        return None
    if was is None and not {"date", "start", "end"} <= data.keys():
        return None
    try:
        day = date.fromisoformat(data["date"]) if "date" in data or was is None else was.day
        start = minutes_of(data["start"]) if "start" in data or was is None else was.start
        length = was.end - was.start if was is not None else 0
        end = minutes_of(data["end"]) if "end" in data else start + length
    except (TypeError, ValueError) as error:
        raise _Fault(text("write days like 2023-10-05 and times like 07:30")) from error
    return Time(day, start, end)
