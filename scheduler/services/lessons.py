"""What people see of the timetable and its history, and calling a lesson off."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from scheduler.domain import access, remarks
from scheduler.domain import terms as rules
from scheduler.domain.access import Action, Actor, Role
from scheduler.domain.intervals import midnight
from scheduler.domain.lessons import PRIVATE, Deed, Lesson, LessonId, LessonState
from scheduler.domain.people import DonorSchool, DonorSchoolId, PersonId, ReceivingSchool, SchoolId
from scheduler.domain.terms import Term
from scheduler.errors import Conflict, Invalid, NotFound, text
from scheduler.services import sides, timetable
from scheduler.services.context import Context
from scheduler.services.timetable import Cause
from scheduler.store import audits, covers, people, present, school_terms, tables, terms
from scheduler.store import history as versions
from scheduler.store import lessons as rows
from scheduler.store.database import Session
from scheduler.store.history import Version
from scheduler.store.school_terms import Seen
from scheduler.store.visibility import sees

LONGEST_SPAN = timedelta(days=400)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class TeacherHome:
    """A volunteer's lessons: the next one, those after it, and how many were given of how many;
    `confirmed`: those they said they will give."""

    term: Term | None
    next: Lesson | None
    upcoming: tuple[Lesson, ...]
    past: tuple[Lesson, ...]
    given: int
    total: int
    confirmed: frozenset[LessonId]


@dataclass(frozen=True, slots=True)
class Day:
    date: date
    lessons: tuple[Lesson, ...]


_School = TypeVar("_School", ReceivingSchool, DonorSchool)


@dataclass(frozen=True, slots=True)
class Week(Generic[_School]):
    """The lessons of one school, or by its teachers, from Monday to Sunday; `previous` and
    `following` are inside the term.

    `phones`: of today's teachers who gave a number, for the case that the room does not open.
    """

    school: _School
    term: Term
    monday: date
    today: date
    days: tuple[Day, ...]
    previous: date | None
    following: date | None
    phones: Mapping[PersonId, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        shown = (lesson for day in self.days for lesson in day.lessons)
        return sum(lesson.state is not LessonState.CANCELLED for lesson in shown)


SchoolWeek = Week[ReceivingSchool]
DonorWeek = Week[DonorSchool]


def teacher_home(ctx: Context, actor: Actor) -> TeacherHome:
    """The lessons of whoever is signed in; raises NotFound for somebody who is no teacher."""
    mine = actor.with_role(Role.TEACHER)
    if not mine:
        raise NotFound("This page is for volunteer teachers.")
    now = ctx.now()
    with ctx.reading() as db:
        term = present.running(db, mine[0].programme_id, now)
        found: tuple[Lesson, ...] = ()
        confirmed = frozenset[LessonId]()
        if term is not None:
            own = mine[0].teacher_id, actor.person_id
            found, confirmed = rows.of_teacher(db, *own, term_id=term.id)
    live = [lesson for lesson in found if lesson.state is not LessonState.CANCELLED]
    ahead = tuple(lesson for lesson in found if lesson.ends_at > now)
    following = next((lesson for lesson in live if lesson.ends_at > now), None)
    return TeacherHome(
        term=term,
        next=following,
        upcoming=tuple(lesson for lesson in ahead if lesson is not following),
        past=tuple(lesson for lesson in found if lesson.ends_at <= now),
        given=sum(lesson.ends_at <= now for lesson in live),
        total=len(live),
        confirmed=confirmed,
    )


def teacher_week(
    ctx: Context, actor: Actor, first: date
) -> tuple[tuple[Day, ...], frozenset[LessonId]]:
    """The seven days from `first` on of whoever is signed in, each as the lessons' own wall shows
    it, and which of their lessons are confirmed; raises NotFound for somebody who is no teacher."""
    mine = actor.with_role(Role.TEACHER)
    if not mine:
        raise NotFound("This page is for volunteer teachers.")
    since = midnight(first, ctx.settings.timezone)
    wide = since - _ANY_ZONE, since + WEEK + _ANY_ZONE
    with ctx.reading() as db:
        found, confirmed = rows.of_teacher(db, mine[0].teacher_id, actor.person_id, within=wide)
    days = [Day(first + timedelta(days=n), ()) for n in range(7)]
    return tuple(replace(day, lessons=_on(found, day.date)) for day in days), confirmed


_ANY_ZONE = timedelta(hours=26)  # no two walls are further apart


def _on(found: Iterable[Lesson], day: date) -> tuple[Lesson, ...]:
    return tuple(x for x in found if x.starts_at.astimezone(ZoneInfo(x.zone)).date() == day)


def own_week(
    ctx: Context, actor: Actor, chosen: SchoolId | None, day: date | None
) -> tuple[tuple[ReceivingSchool, ...], SchoolWeek]:
    """All schools that the actor is a contact of, and the week at the chosen one, without a wish
    the first; raises NotFound for somebody of none."""
    with ctx.reading() as db:
        own = school_terms.find(db, actor, actor.schools)
        school = next((each for each in own.schools if chosen in (None, each.id)), None)
        return own.schools, _school_week(db, own, school, day, ctx.now())


def school_week(ctx: Context, actor: Actor, school_id: SchoolId, day: date | None) -> SchoolWeek:
    """The week of `day` (None: the present one, moved into the term) at one school.

    Raises NotFound for strangers.
    """
    with ctx.reading() as db:
        seen = school_terms.find(db, actor, [school_id])
        return _school_week(db, seen, next(iter(seen.schools), None), day, ctx.now())


def _school_week(
    db: Session, seen: Seen, school: ReceivingSchool | None, day: date | None, now: datetime
) -> SchoolWeek:
    if school is None:
        raise NotFound("There is no such school here.")
    term = _term(seen.terms.get(school.id, ()), day, now)
    first, since, until = _bounds(term, day, now)
    found, phones = rows.at_school(db, school.id, term.id, since, until, seen.rung)
    week = _week(school, term, first, found, now)
    near = {lesson.teacher_person_id for day in week.days if day.date == week.today
            for lesson in day.lessons}  # fmt: skip
    return replace(week, phones={person: phones[person] for person in near & phones.keys()})


def donor_week(ctx: Context, actor: Actor, school_id: DonorSchoolId, day: date | None) -> DonorWeek:
    """The week of `day` (None: the present one, moved into the term) of a donor school's teachers.

    Raises NotFound for strangers.
    """
    now = ctx.now()
    with ctx.reading() as db:
        school, term = _visible_donor(db, actor, school_id, day, now)
        first, since, until = _bounds(term, day, now)
        found = rows.find(db, donor_school_id=school_id, term_id=term.id, since=since, until=until)
    return _week(school, term, first, found, now)


def _term(found: Sequence[Term], day: date | None, now: datetime) -> Term:
    """Of terms, the newest first, the one of that day, None: of now."""
    term = rules.of_day(found, day) if day else rules.running(found, now)
    if term is None:
        raise NotFound("There is no term yet.")
    return term


def _bounds(term: Term, day: date | None, now: datetime) -> tuple[date, datetime, datetime]:
    """The Monday of the week that is shown, and the instants between which it lies."""
    first = term.week_of(day or term.today(now))
    return first, midnight(first, term.zone), midnight(first + WEEK, term.zone)


def _week(
    school: _School, term: Term, first: date, found: Iterable[Lesson], now: datetime
) -> Week[_School]:
    previous, following = term.weeks_beside(first)
    return Week(
        school=school,
        term=term,
        monday=first,
        today=term.today(now),
        days=_days(found, first, term.zone),
        previous=previous,
        following=following,
    )


def _days(found: Iterable[Lesson], first: date, zone: str) -> tuple[Day, ...]:
    there, shown = ZoneInfo(zone), tuple(found)
    return tuple(
        Day(day, tuple(x for x in shown if x.starts_at.astimezone(there).date() == day))
        for day in (first + timedelta(days=n) for n in range(7))
    )


def _visible_donor(
    db: Session, actor: Actor, school_id: DonorSchoolId, day: date | None, now: datetime
) -> tuple[DonorSchool, Term]:
    """The donor school, if the actor may see it, and the term of that day (None: of now); raises
    NotFound else."""
    if not sees(db, actor, tables.donor_schools, school_id):
        raise NotFound("There is no such school here.")
    programme_id = people.programme_of_donor(db, school_id)
    term = _term(terms.of_programme(db, programme_id), day, now)
    known = people.donor_schools(db, programme_id)
    return next(school for school in known if school.id == school_id), term


def visible_school(db: Session, actor: Actor, school_id: SchoolId) -> ReceivingSchool:
    """The school, if the actor may see it; raises NotFound else."""
    seen = terms.seen_schools(db, actor, [school_id])
    if not seen:
        raise NotFound("There is no such school here.")
    return seen[0]


def visible_lesson(ctx: Context, actor: Actor, lesson_id: LessonId) -> Lesson:
    """One lesson, if the actor may see it; raises NotFound else."""
    with ctx.reading() as db:
        return sides.seen_by(db, actor, lesson_id)


def visible_lessons(
    ctx: Context, actor: Actor, since: datetime, until: datetime
) -> tuple[Lesson, ...]:
    """What the actor may see of the lessons that touch the span, in order of time."""
    if until - since > LONGEST_SPAN:
        raise Invalid(
            "This is too long a time to look at.",
            fields={"until": text("Ask for at most {most} days.", most=LONGEST_SPAN.days)},
        )
    with ctx.reading() as db:
        return rows.find(db, since=since, until=until, seen_by=actor)


def history(ctx: Context, actor: Actor, lesson_id: LessonId) -> tuple[Version, ...]:
    """All that became of a lesson, the oldest first, for whoever sees it; raises NotFound."""
    with ctx.reading() as db:
        found = sides.seen_by(db, actor, lesson_id)
        told = versions.of_lesson(db, found.id)
    return tuple(_discreet(actor, found, version) for version in told)


def as_of(ctx: Context, actor: Actor, lesson_id: LessonId, at: datetime) -> Version | None:
    """What a lesson looked like at an instant, for whoever sees it; None: it was not there yet.

    Raises NotFound.
    """
    with ctx.reading() as db:
        found = sides.seen_by(db, actor, lesson_id)
        then = versions.as_of(db, [found.id], at).get(found.id)
    return _discreet(actor, found, then) if then else None


def _discreet(actor: Actor, lesson: Lesson, version: Version) -> Version:
    """An excuse is between its teacher and the coordinators: whoever else sees the lesson, today
    or after it changed hands, sees that cover was asked for and not why."""
    if version.deed not in PRIVATE or actor.can(Action.FIND_COVER, lesson.programme_id):
        return version
    return replace(version, reason="")


def call_off(ctx: Context, actor: Actor, lesson_id: LessonId, reason: str) -> Lesson:
    """Cancel a lesson for everyone, with a reason that its people are told.

    Only a contact of its school and a coordinator may.  Raises Invalid without a reason, Conflict
    for a lesson that has begun or was called off already.
    """
    reason = remarks.tidied(reason)
    if fault := remarks.fault(reason):
        raise Invalid("Say in a few words why the lesson is called off.", fields={"reason": fault})
    now = ctx.now()
    with ctx.transaction() as db:
        covers.lock(db, lesson_id)  # it may be changing hands: all who then have it are told
        lesson = sides.seen_by(db, actor, lesson_id)
        term = terms.of_lesson(db, lesson_id)
        if term is None:
            raise NotFound("There is no such lesson here.")
        _may_call_off(actor, lesson, term)
        if lesson.starts_at <= now:
            raise Conflict("This lesson has begun. Report how it went instead.")
        cause = Cause(
            Deed.CALLED_OFF,
            f"called_off:{lesson_id}:{lesson.sequence + 1}",
            actor.person_id,
            actor.name,
            reason,
        )
        if not timetable.call_off(ctx, db, term, [lesson], cause):
            raise Conflict("This lesson was called off already.")
        audits.record(
            db,
            now,
            actor.person_id,
            "call_off",
            "lesson",
            lesson_id,
            reason=reason,
            before={"state": lesson.state},
            after={"state": LessonState.CANCELLED},
        )
        return sides.seen_by(db, actor, lesson_id)


def _may_call_off(actor: Actor, lesson: Lesson, term: Term) -> None:
    own = any(grant.school_id == lesson.school_id for grant in actor.with_role(Role.SCHOOL))
    if not own:
        access.require(actor, Action.CANCEL_LESSON, term.programme_id)
