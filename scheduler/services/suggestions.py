"""What could be done about one lesson: other teachers as a table of ticks, other times."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from scheduler.domain import requests as rules
from scheduler.domain.access import Actor
from scheduler.domain.busy import Availability
from scheduler.domain.candidates import Candidate, Obstacle, Want, obstacles, only_if_needed, wanted
from scheduler.domain.intervals import DaySpan, monday
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import TeacherId
from scheduler.domain.plans import Placement
from scheduler.domain.requests import Request, Slot
from scheduler.errors import NotFound, Text, text
from scheduler.matching import verify
from scheduler.matching.plan import Plan, PlannedLesson
from scheduler.matching.problem import Instance
from scheduler.matching.replan import Desk
from scheduler.services import lessons as seen
from scheduler.services import standing
from scheduler.services.context import Context
from scheduler.services.standing import Standing, Told
from scheduler.store import candidates, terms
from scheduler.store.database import Session

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Bar(StrEnum):
    """What keeps a class or its school from a lesson at some time."""

    PAST = "past"
    NO_DAY = "no_day"  # a holiday, a closed day, or outside the days that were asked for
    CALLED_OFF = "called_off"
    CLASS_TAUGHT = "class_taught"
    ROOM_FULL = "room_full"


BARS: dict[Bar, Text] = {
    Bar.PAST: text("This day is no longer planned."),
    Bar.NO_DAY: text("There are no lessons on that day."),
    Bar.CALLED_OFF: text("The lesson of that day was called off."),
    Bar.CLASS_TAUGHT: text("The class has a lesson on that day already."),
    Bar.ROOM_FULL: text("All rooms of the school are taken then."),
}


@dataclass(frozen=True, slots=True)
class TeacherLine:
    """A teacher for the lesson at its time.  `obstacles`: why not; `dearer`: what the timetable
    would cost more, None where there is an obstacle."""

    teacher_id: TeacherId
    name: str
    donor_school: str
    obstacles: tuple[Obstacle, ...]
    dearer: float | None
    if_needed: bool
    calendar: Availability
    class_lessons: int
    wished: bool
    total: int
    max_total: int
    asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class TimeLine:
    """The lesson at another accepted time of its week.

    `bars`: why the class or school cannot; `obstacles`: why its teacher cannot; `dearer`: with the
    same teacher.  `others` could give it then, `other` of them at the least cost `other_dearer`.
    """

    day: date
    start: int
    end: int
    bars: tuple[Bar, ...]
    obstacles: tuple[Obstacle, ...]
    dearer: float | None
    others: int
    other: str
    other_dearer: float | None


@dataclass(frozen=True, slots=True)
class Suggestions:
    lesson: Told
    teachers: tuple[TeacherLine, ...]
    times: tuple[TimeLine, ...]


def of_lesson(ctx: Context, actor: Actor, lesson_id: LessonId) -> Suggestions:
    """What a coordinator could do about a lesson in force; raises NotFound for strangers.

    Teachers who could give it come first, the cheapest in front, of equals who was asked longest
    ago; then those who could not, with the reasons.
    """
    lesson = seen.visible_lesson(ctx, actor, lesson_id)
    with ctx.reading() as db:
        term = terms.of_school(db, lesson.school_id)
    if term is None:
        raise NotFound("There is no such lesson here.")
    state = standing.read(ctx, actor, term.id)
    place = state.current.get(lesson_id)
    if place is None:
        raise NotFound("There is no such lesson here.")
    request = state.asked[place.request_id]
    with ctx.reading() as db:
        shut = terms.closed_spans(db, term.programme_id).get(request.school_id, ())
        teachers = _teachers(ctx, db, state, lesson_id, place)
        times = tuple(_time(ctx, db, state, lesson_id, at, shut) for at in _others(request, place))
    return Suggestions(state.told(lesson_id, place), teachers, times)


# -- teachers


def _teachers(
    ctx: Context, db: Session, state: Standing, lesson_id: LessonId, place: Placement
) -> tuple[TeacherLine, ...]:
    want = wanted(state.asked[place.request_id], state.term, place, [lesson_id])
    prices = _substitutes(state, place)
    found = [
        _teacher(state, lesson_id, place, want, who, prices)
        for who in candidates.find(db, state.term, want, ctx.now())
        if who.teacher_id != place.teacher_id
    ]
    return tuple(sorted(found, key=_order))


def _order(line: TeacherLine) -> tuple[bool, float, datetime, int]:
    dearer = 0.0 if line.dearer is None else line.dearer
    asked = line.asked_at or LONG_AGO
    return bool(line.obstacles), dearer, asked, line.teacher_id


def _teacher(
    state: Standing,
    lesson_id: LessonId,
    place: Placement,
    want: Want,
    who: Candidate,
    prices: Mapping[str, float],
) -> TeacherLine:
    found = obstacles(who, want)
    mail = state.teachers[who.teacher_id].email
    dearer = None
    if not found:
        to = replace(place, teacher_id=who.teacher_id)
        dearer = prices[mail] if mail in prices else _dearer(state, lesson_id, to)
    return TeacherLine(
        teacher_id=who.teacher_id,
        name=who.name,
        donor_school=who.donor_school,
        obstacles=found,
        dearer=dearer,
        if_needed=not found and only_if_needed(who, want),
        calendar=who.calendar,
        class_lessons=who.class_lessons,
        wished=want.school_code in who.wishes,
        total=who.total,
        max_total=who.max_total,
        asked_at=who.asked_at,
    )


def _substitutes(state: Standing, place: Placement) -> dict[str, float]:
    """What each substitute costs, by the engine; it knows none for a lesson that stands alone."""
    desk = Desk(state.instance, state.snapshot.prices)
    try:
        return {each.teacher: each.price for each in desk.substitutes(state.name(place))}
    except NotFound:
        return {}


# -- times


def _others(request: Request, place: Placement) -> Iterable[Placement]:
    """The lesson on each other accepted slot of its week."""
    first = monday(place.day)
    for slot in sorted(request.slots, key=lambda slot: (slot.weekday, slot.start)):
        at = _at(place, first + timedelta(days=slot.weekday), slot)
        if (at.day, at.start) != (place.day, place.start):
            yield at


def _at(place: Placement, day: date, slot: Slot) -> Placement:
    return replace(place, day=day, start=slot.start, end=slot.end)


def _time(
    ctx: Context,
    db: Session,
    state: Standing,
    lesson_id: LessonId,
    at: Placement,
    shut: Iterable[DaySpan],
) -> TimeLine:
    bars = tuple(_bars(state, lesson_id, at, shut))
    line = TimeLine(at.day, at.start, at.end, bars, (), None, 0, "", None)
    if bars:
        return line
    want = wanted(state.asked[at.request_id], state.term, at, [lesson_id])
    everyone = candidates.find(db, state.term, want, ctx.now())
    own = [who for who in everyone if who.teacher_id == at.teacher_id]
    found = tuple(each for who in own for each in obstacles(who, want))
    free = [who for who in everyone if who not in own and not obstacles(who, want)]
    priced = [
        (_dearer(state, lesson_id, replace(at, teacher_id=who.teacher_id)), who.name)
        for who in free
    ]
    best, name = min(priced, default=(None, ""))
    could = own and not found
    return replace(
        line,
        obstacles=found,
        dearer=_dearer(state, lesson_id, at) if could else None,
        others=len(free),
        other=name,
        other_dearer=best,
    )


def _bars(
    state: Standing, lesson_id: LessonId, at: Placement, shut: Iterable[DaySpan]
) -> Iterable[Bar]:
    request, term = state.asked[at.request_id], state.term
    if at.day <= state.today:
        yield Bar.PAST
    if not rules.may_be_taught(request, term, at.day, shut):
        yield Bar.NO_DAY
    if (at.request_id, at.day) in state.off:
        yield Bar.CALLED_OFF
    others = [
        (state.asked[place.request_id], place)
        for each, place in state.current.items()
        if each != lesson_id and place.day == at.day
    ]
    at_once = [(r, p) for r, p in others if p.start < at.end and at.start < p.end]
    same_day = any(p.request_id == at.request_id for _, p in others)
    if same_day or any(r.class_id == request.class_id for r, _ in at_once):
        yield Bar.CLASS_TAUGHT
    beside = [p for r, p in at_once if r.school_id == request.school_id]
    if _most_at_once([*beside, at]) > state.schools[request.school_id].rooms:
        yield Bar.ROOM_FULL


def _most_at_once(places: list[Placement]) -> int:
    """As the engine counts rooms: the lessons under way when one of them begins."""
    return max(sum(y.start <= x.start < y.end for y in places) for x in places)


# -- prices


def _dearer(state: Standing, lesson_id: LessonId, to: Placement) -> float:
    """What the timetable costs more with the lesson there, as the independent verifier reads it.

    Only lessons whose cost it can touch are looked at: those of the school and of both teachers.
    """
    was = state.current[lesson_id]
    school = state.asked[was.request_id].school_id
    teachers = (was.teacher_id, to.teacher_id)
    near = {
        each: place
        for each, place in state.current.items()
        if place.teacher_id in teachers or state.asked[place.request_id].school_id == school
    }
    before, after = state.planned(near), state.planned(near | {lesson_id: to})
    instance = _near(state.instance, {*before, *after})
    prices = state.snapshot.prices
    now, then = (
        verify.verify(instance, Plan(tuple(sorted(side))), prices).cost for side in (before, after)
    )
    return then - now


def _near(instance: Instance, among: set[PlannedLesson]) -> Instance:
    requests, teachers = {x.request for x in among}, {x.teacher for x in among}
    schools = {r.school for r in instance.requests if r.id in requests}
    return replace(
        instance,
        schools=tuple(s for s in instance.schools if s.id in schools),
        teachers=tuple(t for t in instance.teachers if t.id in teachers),
        requests=tuple(r for r in instance.requests if r.id in requests),
        current=tuple(
            c
            for c in instance.current
            if PlannedLesson(c.request, c.day, c.start, c.end, c.teacher) in among
        ),
    )
