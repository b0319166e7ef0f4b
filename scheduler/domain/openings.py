"""Where a lesson could go in its week, and who could give it there.  Pure.

A board is the term's timetable while changes are tried on it: each one takes what earlier ones
took into account.  Its rules are the engine's: those of the class here, those of a teacher in
`domain.candidates`.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from scheduler.domain.busy import Availability, BusySource, BusyTime, availability
from scheduler.domain.candidates import (
    Booked,
    Candidate,
    Obstacle,
    Want,
    obstacles,
    only_if_needed,
    wanted,
)
from scheduler.domain.intervals import DaySpan, monday
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import SchoolId, TeacherId
from scheduler.domain.plans import Placement
from scheduler.domain.requests import Request, RequestId, Slot, may_be_taught
from scheduler.domain.terms import Term
from scheduler.errors import Text, text


@dataclass(frozen=True, slots=True)
class Volunteer:
    """A teacher in a whole term: `who` has every window, absence, hard busy time and lesson of it;
    what it says of one class or one time is filled in when it is asked."""

    who: Candidate
    source: BusySource | None
    times: tuple[BusyTime, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that decides where a lesson may go; `pinned` are lessons that no plan touches."""

    term: Term
    requests: Mapping[RequestId, Request]
    rooms: Mapping[SchoolId, int]
    closed: Mapping[SchoolId, tuple[DaySpan, ...]]
    volunteers: Mapping[TeacherId, Volunteer]
    standing: Mapping[LessonId, Placement]
    pinned: frozenset[LessonId]
    now: datetime


class Board:
    """The timetable with the changes that were tried on it so far."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.today = situation.term.today(situation.now)
        self._places: dict[LessonId, Placement] = {}
        self._of_day: dict[object, set[LessonId]] = defaultdict(set)
        self._of_request: dict[RequestId, set[LessonId]] = defaultdict(set)
        self._booked: dict[TeacherId, dict[LessonId, Booked]] = defaultdict(dict)
        self._knows: dict[object, int] = defaultdict(int)
        for teacher, volunteer in situation.volunteers.items():
            self._booked[teacher] = {each.lesson_id: each for each in volunteer.who.booked}
        for lesson, place in situation.standing.items():
            self._add(lesson, place)

    # -- changes

    def take_out(self, lesson: LessonId) -> None:
        """The lesson takes nobody's time any more."""
        place = self._places.pop(lesson)
        request = self._request(place)
        self._of_day[request.school_id, place.day].discard(lesson)
        self._of_request[place.request_id].discard(lesson)
        self._booked[place.teacher_id].pop(lesson, None)
        self._knows[place.teacher_id, request.class_id] -= 1

    def put(self, lesson: LessonId, place: Placement) -> None:
        """The lesson stands there from now on."""
        if lesson in self._places:
            self.take_out(lesson)
        span = self.want(lesson, place).interval
        self._booked[place.teacher_id][lesson] = Booked(span, place.day, lesson)
        self._add(lesson, place)

    def _add(self, lesson: LessonId, place: Placement) -> None:
        request = self._request(place)
        self._places[lesson] = place
        self._of_day[request.school_id, place.day].add(lesson)
        self._of_request[place.request_id].add(lesson)
        self._knows[place.teacher_id, request.class_id] += 1

    def _request(self, place: Placement) -> Request:
        return self.situation.requests[place.request_id]

    # -- the class

    def times(self, lesson: LessonId, here: Placement) -> tuple[Placement, ...]:
        """The other times of its week where class and rooms are free, with its present teacher.

        First those that the class likes best, then those nearest.
        """
        return tuple(x for x in self.accepted(here) if self.fault(lesson, here, x) is None)

    def accepted(self, here: Placement) -> tuple[Placement, ...]:
        """The other times of its week that the class asked for, whatever stands in the way."""
        found = [
            (slot.rank, abs((place.day - here.day).days), place)
            for slot in self._request(here).slots
            if (place := _on(here, slot)) != here
        ]
        return tuple(place for _, _, place in sorted(found))

    def fault(self, lesson: LessonId, here: Placement, place: Placement) -> Text | None:
        """What keeps the class from having its lesson there instead of here; None: nothing."""
        request = self._request(here)
        if monday(place.day) != monday(here.day):
            return text("A lesson moves inside its week only.")
        if place.day <= self.today:
            return text("Choose a day from tomorrow on: people must hear of it.")
        if not any(_is(slot, place) for slot in request.slots):
            return text("The class did not ask for this time.")
        return self._keeps_off(request, lesson, place)

    def kept_off(self, lesson: LessonId, place: Placement) -> Text | None:
        """What keeps a lesson that was called off from its own time; None: nothing."""
        request = self.situation.requests.get(place.request_id)
        if request is None:
            return text("The class does not ask for this lesson any more.")
        return self._keeps_off(request, lesson, place)

    def _keeps_off(self, request: Request, lesson: LessonId, place: Placement) -> Text | None:
        shut = self.situation.closed.get(request.school_id, ())
        if not may_be_taught(request, self.situation.term, place.day, shut):
            return text("The school has no lessons on that day.")
        others = [self._places[each] for each in self._of_request[request.id] - {lesson}]
        if any(other.day == place.day for other in others):
            return text("The class has a lesson of this request on that day already.")
        return self.crowded(lesson, place)

    def crowded(self, lesson: LessonId, place: Placement) -> Text | None:
        """What keeps class and rooms from a lesson at that time of the day; None: nothing."""
        request = self._request(place)
        there = self._of_day[request.school_id, place.day] - {lesson}
        beside = [x for x in map(self._places.__getitem__, sorted(there)) if _overlap(x, place)]
        if any(self._request(other).class_id == request.class_id for other in beside):
            return text("The class is in another lesson then.")
        starts = {place.start, *(other.start for other in beside if other.start > place.start)}
        most = max(sum(other.start <= at < other.end for other in beside) for at in starts)
        if most + 1 > self.situation.rooms[request.school_id]:
            return text("All rooms of the school are taken then.")
        return None

    def ends(self, here: Placement, day: date, start: int) -> int:
        """When a lesson of the class would end that began then: as its slot does."""
        slots = self._request(here).slots
        ends = [x.end for x in slots if (x.weekday, x.start) == (day.weekday(), start)]
        return ends[0] if ends else start + here.end - here.start

    def leaves_pattern(self, place: Placement, moving: frozenset[LessonId]) -> bool:
        """True when the class has no weekly lesson at that time: none of those that stay there,
        and that a plan may touch, stands on it."""
        stays = self._of_request[place.request_id] - moving - self.situation.pinned
        weekly = {(x.day.weekday(), x.start) for x in map(self._places.__getitem__, stays)
                  if x.day > self.today}  # fmt: skip
        return (place.day.weekday(), place.start) not in weekly

    # -- the teachers

    def want(self, lesson: LessonId, place: Placement) -> Want:
        return wanted(self._request(place), self.situation.term, place, [lesson])

    def free(self, lesson: LessonId, place: Placement) -> tuple[Candidate, ...]:
        """Everyone who may give the lesson there, the best first; with an unknown calendar last."""
        want = self.want(lesson, place)
        asked = (self._asked(teacher, want) for teacher in self._promising(want))
        able = [who for who in asked if not obstacles(who, want)]
        return tuple(sorted(able, key=lambda who: _order(who, want)))

    def is_free(self, lesson: LessonId, place: Placement) -> Candidate | None:
        """The teacher of that placement, if nothing is in the way."""
        if self.hindrances(lesson, place) != ():
            return None
        return self._asked(place.teacher_id, self.want(lesson, place))

    def hindrances(self, lesson: LessonId, place: Placement) -> tuple[Obstacle, ...] | None:
        """What keeps the teacher of that placement from it; None: takes no part in the term."""
        if place.teacher_id not in self.situation.volunteers:
            return None
        want = self.want(lesson, place)
        return obstacles(self._asked(place.teacher_id, want), want)

    def gives_another(self, lesson: LessonId, place: Placement) -> bool:
        """True when the teacher of that placement is in another lesson then."""
        span, booked = self.want(lesson, place).interval, self._booked[place.teacher_id]
        return any(span.overlaps(x.span) for each, x in booked.items() if each != lesson)

    def name(self, teacher: TeacherId) -> str:
        """What a teacher of the term is called."""
        return self.situation.volunteers[teacher].who.name

    def _promising(self, want: Want) -> tuple[TeacherId, ...]:
        """Who is qualified and gives that time: most are ruled out by these two alone."""
        return tuple(
            teacher
            for teacher, volunteer in self.situation.volunteers.items()
            if want.level in volunteer.who.levels
            and any(
                window.holds(want.day.weekday(), want.start, want.end)
                for window in volunteer.who.windows
            )
        )

    def _asked(self, teacher: TeacherId, want: Want) -> Candidate:
        """The teacher as one lesson at one time is concerned."""
        volunteer = self.situation.volunteers[teacher]
        booked = self._booked[teacher]
        return replace(
            volunteer.who,
            booked=tuple(booked.values()),
            total=len(booked.keys() - want.without),
            class_lessons=self._knows[teacher, want.class_id],
            calendar=availability(
                volunteer.source, volunteer.times, want.interval, self.situation.now
            ),
        )


def _on(here: Placement, slot: Slot) -> Placement:
    """The slot in the week of the lesson."""
    day = monday(here.day) + timedelta(days=slot.weekday)
    return replace(here, day=day, start=slot.start, end=slot.end)


def _is(slot: Slot, place: Placement) -> bool:
    return (slot.weekday, slot.start, slot.end) == (place.day.weekday(), place.start, place.end)


def _overlap(one: Placement, other: Placement) -> bool:
    return one.start < other.end and other.start < one.end


def _order(who: Candidate, want: Want) -> tuple[object, ...]:
    """Who is surely free comes first; then who knows the class, who carries least, and who was
    asked least lately."""
    return (
        who.calendar is not Availability.FREE,
        only_if_needed(who, want),
        who.class_lessons == 0,
        who.total / who.max_total,
        who.asked_at.timestamp() if who.asked_at else 0.0,
        who.teacher_id,
    )
