"""A term as it stands, in our words and in the engine's: what changes by hand are judged on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from scheduler.domain.access import Action, Actor
from scheduler.domain.baskets import Part
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import ReceivingSchool, SchoolId, Teacher, TeacherId
from scheduler.domain.plans import Placement
from scheduler.domain.requests import Request, RequestId
from scheduler.domain.terms import Term, TermId
from scheduler.errors import NotFound, text
from scheduler.matching.plan import PlannedLesson
from scheduler.matching.problem import Instance
from scheduler.services import snapshots
from scheduler.services.context import Context
from scheduler.services.snapshots import Snapshot
from scheduler.services.terms import allowed
from scheduler.store import lessons, people, pins, requests, terms
from scheduler.store.pins import Pin

Placed = tuple[LessonId, Placement]


@dataclass(frozen=True, slots=True)
class Told:
    """A lesson as a coordinator knows it; minutes on the term's wall.  `lesson_id` None: new."""

    lesson_id: LessonId | None
    class_name: str
    school_name: str
    teacher_name: str
    day: date
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The timetable in force by lesson, and what is known of its term.

    `off`: requests and days for which somebody called a lesson off; `takes_part`: teachers with a
    promise for the term.
    """

    term: Term
    today: date
    current: Mapping[LessonId, Placement]
    off: frozenset[tuple[RequestId, date]]
    pinned: Mapping[LessonId, Pin]
    asked: Mapping[RequestId, Request]
    schools: Mapping[SchoolId, ReceivingSchool]
    teachers: Mapping[TeacherId, Teacher]
    takes_part: frozenset[TeacherId]
    snapshot: Snapshot

    @property
    def instance(self) -> Instance:
        return self.snapshot.instance

    def told(self, each: LessonId, place: Placement) -> Told:
        request = self.asked.get(place.request_id)
        teacher = self.teachers.get(place.teacher_id)
        return Told(
            lesson_id=each if each > 0 else None,
            class_name=request.class_name if request else "",
            school_name=self.schools[request.school_id].name if request else "",
            teacher_name=teacher.name if teacher else "",
            day=place.day,
            start=place.start,
            end=place.end,
        )

    def planned(self, placements: Mapping[LessonId, Placement]) -> dict[PlannedLesson, Placed]:
        """Lessons as the engine names them, and the way back.

        Those in force of people who take no part any more are left out, as the engine is not told
        of them; a changed one is there, for the rule that it breaks.
        """
        known = set(self.snapshot.request_ids.values())
        return {
            self.name(place): (each, place)
            for each, place in placements.items()
            if (place.request_id in known and place.teacher_id in self.takes_part)
            or self.current.get(each) != place
        }

    def name(self, place: Placement) -> PlannedLesson:
        """One lesson as the engine names it, also when it knows the request or teacher no more."""
        request, teacher = self.asked.get(place.request_id), self.teachers.get(place.teacher_id)
        takes_part = place.teacher_id in self.takes_part
        return PlannedLesson(
            request.key if request else f"#{place.request_id}",
            place.day,
            place.start,
            place.end,
            teacher.email if teacher and takes_part else f"#{place.teacher_id}",
        )


def term_of(ctx: Context, actor: Actor, lesson_id: LessonId) -> TermId:
    """The term of a lesson, for whoever plans it; raises NotFound for strangers."""
    with ctx.reading() as db:
        term = terms.of_lesson(db, lesson_id)
        if term is None:
            raise NotFound(text("There is no lesson {id} in this timetable.", id=lesson_id))
        return allowed(db, actor, term.id, Action.RUN_MATCHING).id


def read(ctx: Context, actor: Actor, term_id: TermId, part: Part | None = None) -> Standing:
    """How the term, or a part of its timetable, stands, for whoever plans it; raises NotFound for
    strangers."""
    with ctx.reading() as db:
        term = allowed(db, actor, term_id, Action.RUN_MATCHING)
    snapshot = snapshots.take(ctx, term_id, part=part)
    there = {teacher.id for teacher in snapshot.instance.teachers}
    with ctx.reading() as db:
        today = term.today(ctx.now())
        placements = lessons.placements(db, term_id, part=part)
        current = {each: place for place, each in placements.items()}
        asked = {r.id: r for r in requests.by_ids(db, {p.request_id for p in current.values()})}
        asked |= {r.id: r for r in requests.of_term(db, term_id)}
        teachers = {t.id: t for t in people.teachers(db, term.programme_id)}
        return Standing(
            term=term,
            today=today,
            current=current,
            off=lessons.called_off(db, term_id),
            pinned=pins.of_term(db, term_id, today),
            asked=asked,
            schools={s.id: s for s in terms.schools(db, term.programme_id)},
            teachers=teachers,
            takes_part=frozenset(t.id for t in teachers.values() if t.email in there),
            snapshot=snapshot,
        )
