"""What could be done about one lesson: other teachers as a table of ticks, other times."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from scheduler.domain import requests as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.busy import Availability
from scheduler.domain.candidates import Candidate, Obstacle, Want, obstacles, only_if_needed, wanted
from scheduler.domain.intervals import DaySpan, monday
from scheduler.domain.lessons import Lesson, LessonId, LessonState, placed
from scheduler.domain.partnerships import Bonds
from scheduler.domain.people import DonorSchoolId, ReceivingSchool, TeacherId
from scheduler.domain.plans import Placement
from scheduler.domain.requests import Request, Slot
from scheduler.domain.terms import Term
from scheduler.errors import NotFound, Text, text
from scheduler.matching import pricing
from scheduler.matching.prices import Prices
from scheduler.matching.pricing import Given, Terms
from scheduler.services import lessons as seen
from scheduler.services import partnerships, snapshots
from scheduler.services.context import Context
from scheduler.services.standing import Told
from scheduler.services.terms import allowed
from scheduler.store import candidates, lessons, requests, school_pledges, terms
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


@dataclass(frozen=True, slots=True)
class _Room:
    """What is known around one lesson: its school's lessons of the term that were not called off,
    by number, the days for which its request was, and what the programme's prices are."""

    term: Term
    today: date
    lesson_id: LessonId
    request: Request
    school: ReceivingSchool
    shut: tuple[DaySpan, ...]
    around: Mapping[LessonId, tuple[Lesson, Placement]]
    off: frozenset[date]
    prices: Prices
    bonds: Bonds
    labels: Mapping[DonorSchoolId, str]

    @property
    def place(self) -> Placement:
        return self.around[self.lesson_id][1]

    @property
    def series(self) -> list[Given]:
        mine = (at for _, at in self.around.values() if at.request_id == self.request.id)
        return [_given(at) for at in mine]

    def want(self, place: Placement) -> Want:
        return wanted(self.request, self.term, place, [self.lesson_id])


def of_lesson(ctx: Context, actor: Actor, lesson_id: LessonId) -> Suggestions:
    """What a coordinator could do about a lesson in force; raises NotFound for strangers.

    Teachers who could give it come first, the cheapest in front, of equals who was asked longest
    ago; then those who could not, with the reasons.
    """
    lesson = seen.visible_lesson(ctx, actor, lesson_id)
    with ctx.reading() as db:
        term = terms.of_lesson(db, lesson_id)
        if term is None:
            raise NotFound("There is no such lesson here.")
        allowed(db, actor, term.id, Action.RUN_MATCHING)
        room = _room(ctx, db, term, lesson)
        here = room.want(room.place)
        staff = candidates.Staff(db, term, here, ctx.now())
        there = staff.at(here)
        own = next((x for x in there if x.teacher_id == room.place.teacher_id), None)
        before = _terms(room, own, here)
        return Suggestions(
            _told(lesson, room),
            _teachers(room, before, [who for who in there if who is not own]),
            tuple(_time(room, before, at, staff) for at in _others(room.request, room.place)),
        )


def _room(ctx: Context, db: Session, term: Term, lesson: Lesson) -> _Room:
    known = lessons.find(db, term_id=term.id, school_id=lesson.school_id)
    around = {x.id: (x, placed(x)) for x in known if x.state is not LessonState.CANCELLED}
    if lesson.id not in around:
        raise NotFound("There is no such lesson here.")
    (request,) = requests.by_ids(db, [lesson.request_id])
    donors = school_pledges.schools(db, term.programme_id)
    return _Room(
        term=term,
        today=term.today(ctx.now()),
        lesson_id=lesson.id,
        request=request,
        school=next(x for x in terms.schools(db, term.programme_id) if x.id == lesson.school_id),
        shut=terms.closed_spans(db, term.programme_id).get(lesson.school_id, ()),
        around=around,
        off=frozenset(
            placed(x).day
            for x in known
            if x.state is LessonState.CANCELLED
            and x.cancel_reason
            and x.request_id == lesson.request_id
        ),
        prices=snapshots.prices(db, term),
        bonds=partnerships.bonds(db, term),
        labels={each.id: each.label for each in donors},
    )


def _told(lesson: Lesson, room: _Room) -> Told:
    place = room.place
    return Told(
        lesson_id=lesson.id,
        class_name=lesson.class_name,
        school_name=lesson.school_name,
        teacher_name=lesson.teacher_name,
        day=place.day,
        start=place.start,
        end=place.end,
    )


# -- teachers


def _teachers(room: _Room, before: Terms, others: Iterable[Candidate]) -> tuple[TeacherLine, ...]:
    want = room.want(room.place)
    found = [_teacher(room, before, want, who) for who in others]
    return tuple(sorted(found, key=_order))


def _order(line: TeacherLine) -> tuple[bool, float, datetime, int]:
    dearer = 0.0 if line.dearer is None else line.dearer
    asked = line.asked_at or LONG_AGO
    return bool(line.obstacles), dearer, asked, line.teacher_id


def _teacher(room: _Room, before: Terms, want: Want, who: Candidate) -> TeacherLine:
    found = obstacles(who, want)
    to = replace(room.place, teacher_id=who.teacher_id)
    return TeacherLine(
        teacher_id=who.teacher_id,
        name=who.name,
        donor_school=who.donor_school,
        obstacles=found,
        dearer=None if found else _dearer(room, before, to, who),
        if_needed=not found and only_if_needed(who, want),
        calendar=who.calendar,
        class_lessons=who.class_lessons,
        wished=want.school_code in who.wishes,
        total=who.total,
        max_total=who.max_total,
        asked_at=who.asked_at,
    )


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


def _time(room: _Room, before: Terms, at: Placement, staff: candidates.Staff) -> TimeLine:
    bars = tuple(_bars(room, at))
    line = TimeLine(at.day, at.start, at.end, bars, (), None, 0, "", None)
    if bars:
        return line
    want = room.want(at)
    found = [(who, obstacles(who, want)) for who in staff.at(want)]
    own = next(((who, bar) for who, bar in found if who.teacher_id == at.teacher_id), None)
    free = [who for who, bar in found if not bar and who.teacher_id != at.teacher_id]
    priced = [
        (_dearer(room, before, replace(at, teacher_id=who.teacher_id), who), who.name)
        for who in free
    ]
    best, name = min(priced, default=(None, ""))
    return replace(
        line,
        obstacles=own[1] if own else (),
        dearer=_dearer(room, before, at, own[0]) if own and not own[1] else None,
        others=len(free),
        other=name,
        other_dearer=best,
    )


def _bars(room: _Room, at: Placement) -> Iterable[Bar]:
    request, term = room.request, room.term
    if at.day <= room.today:
        yield Bar.PAST
    if not rules.may_be_taught(request, term, at.day, room.shut):
        yield Bar.NO_DAY
    if at.day in room.off:
        yield Bar.CALLED_OFF
    others = [
        (lesson, place)
        for each, (lesson, place) in room.around.items()
        if each != room.lesson_id and place.day == at.day
    ]
    at_once = [(x, p) for x, p in others if p.start < at.end and at.start < p.end]
    same_day = any(p.request_id == at.request_id for _, p in others)
    if same_day or any(x.class_id == request.class_id for x, _ in at_once):
        yield Bar.CLASS_TAUGHT
    if _most_at_once([*(p for _, p in at_once), at]) > room.school.rooms:
        yield Bar.ROOM_FULL


def _most_at_once(places: list[Placement]) -> int:
    """As the engine counts rooms: the lessons under way when one of them begins."""
    return max(sum(y.start <= x.start < y.end for y in places) for x in places)


# -- prices


def _given(place: Placement) -> Given:
    return Given(place.day, place.start, place.teacher_id)


def _dearer(room: _Room, before: Terms, to: Placement, who: Candidate) -> float:
    """What the timetable costs more with the lesson there, given by `who`."""
    after = _terms(room, who, room.want(to))
    sides = _given(room.place), _given(to)
    return pricing.dearer(room.prices, room.series, *sides, (before, after))


def _terms(room: _Room, who: Candidate | None, want: Want) -> Terms:
    """What the lesson would be to its teacher; of one who takes no part little is known."""
    slot = next(
        (
            slot
            for slot in room.request.slots
            if (slot.weekday, slot.start, slot.end) == (want.day.weekday(), want.start, want.end)
        ),
        None,
    )
    rank = slot.rank if slot else None
    if who is None:
        return Terms(rank, if_needed=False, beside_wishes=False, others=0, max_total=0)
    bound = room.bonds.wished.get(room.labels[who.donor_school_id], frozenset())
    wished = want.school_code in who.wishes or want.school_code in bound
    return Terms(
        rank=rank,
        if_needed=only_if_needed(who, want),
        beside_wishes=not wished and (who.wishes_any or bool(bound)),
        others=who.total,
        max_total=who.max_total,
    )
