"""The day as coordinators run it: every lesson of it, who is there, and whom to call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduler.domain import access
from scheduler.domain import checkins as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.checkins import Presence
from scheduler.domain.intervals import midnight
from scheduler.domain.lessons import Lesson, LessonId
from scheduler.domain.people import Person, PersonId
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Filed
from scheduler.services import programmes
from scheduler.services.context import Context
from scheduler.services.cover import must_see
from scheduler.store import checkins, confirmations, covers, lessons, recipients, reports, terms
from scheduler.store.covers import CoverCall
from scheduler.store.database import Session

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayLesson:
    """A lesson of today.  `sides`: how it stands with each, while it runs or is about to;
    `people`: who gives it and who takes it in, as far as their accounts are on; `confirmed`: its
    teacher said to be there."""

    lesson: Lesson
    arrived: Mapping[Side, datetime]
    sides: Mapping[Side, Presence]
    filed: Mapping[Side, Filed]
    call: CoverCall | None
    confirmed: bool
    people: Mapping[Side, Person]

    @property
    def missing(self) -> tuple[Side, ...]:
        """The sides that should be there and are not."""
        return tuple(side for side in Side if self.sides.get(side) is Presence.MISSING)


@dataclass(frozen=True, slots=True)
class Today:
    """`following`: the next day with lessons, looked up only where today has none."""

    now: datetime
    zone: str
    lessons: tuple[DayLesson, ...]
    following: date | None

    @property
    def alarms(self) -> tuple[DayLesson, ...]:
        return tuple(each for each in self.lessons if each.missing)


def today(ctx: Context, actor: Actor) -> Today:
    """The coordinator's programme on this day of its own wall, in order of time; as many queries
    for a full day as for one lesson.  Raises NotFound for who coordinates nothing."""
    programme_id = programmes.own(actor)
    access.require(actor, Action.SEE_PROGRAMME, programme_id)
    now = ctx.now()
    with ctx.reading() as db:
        zone = terms.programme(db, programme_id).zone
        day = now.astimezone(ZoneInfo(zone)).date()
        since, until = midnight(day, zone), midnight(day + _DAY, zone)
        found = lessons.find(db, programme_id=programme_id, since=since, until=until)
        following = None if found else lessons.first_after(db, programme_id, now)
        shown = _shown(db, found, now) if found else ()
    there = following.astimezone(ZoneInfo(zone)).date() if following else None
    return Today(now.astimezone(ZoneInfo(zone)), zone, shown, there)


def lesson(ctx: Context, actor: Actor, lesson_id: LessonId) -> DayLesson:
    """The same of one lesson on whatever day, for who may find cover for it; raises NotFound."""
    with ctx.reading() as db:
        return _shown(db, [must_see(db, actor, lesson_id)], ctx.now())[0]


def _shown(db: Session, found: Sequence[Lesson], now: datetime) -> tuple[DayLesson, ...]:
    ids = [lesson.id for lesson in found]
    arrived, filed = checkins.of_lessons(db, ids), reports.of_lessons(db, ids)
    calls = covers.of_lessons(db, ids)
    givers = {lesson.teacher_person_id for lesson in found}
    sure = confirmations.of_people(db, givers)
    hosts = recipients.of_schools(db, {lesson.school_id for lesson in found})
    known = recipients.people(db, givers | {each for who in hosts.values() for each in who[:1]})
    return tuple(
        DayLesson(
            lesson=lesson,
            arrived=arrived[lesson.id],
            sides=_sides(lesson, arrived[lesson.id], now),
            filed=filed[lesson.id],
            call=calls.get(lesson.id),
            confirmed=(lesson.id, lesson.teacher_person_id) in sure,
            people=_people(lesson, hosts[lesson.school_id], known),
        )
        for lesson in found
    )


def _people(
    lesson: Lesson, hosts: tuple[PersonId, ...], known: Mapping[PersonId, Person]
) -> Mapping[Side, Person]:
    """The teacher, and of the school's contact persons the first."""
    asked = [(Side.TEACHER, lesson.teacher_person_id), *((Side.SCHOOL, who) for who in hosts[:1])]
    return {side: known[who] for side, who in asked if who in known}


def _sides(
    lesson: Lesson, arrived: Mapping[Side, datetime], now: datetime
) -> Mapping[Side, Presence]:
    if not rules.watched(lesson, now):
        return {}
    return {side: rules.presence(lesson, arrived.get(side), now) for side in Side}
