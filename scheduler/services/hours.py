"""A school keeps its own hours: bell times, rooms, closed days; what moves is previewed and then
done in one transaction, exactly as it was seen.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from scheduler.domain import access, remarks
from scheduler.domain import hours as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.candidates import Obstacle
from scheduler.domain.cover import CallEnd
from scheduler.domain.hours import Fate, Follower, Hours, Shifts
from scheduler.domain.intervals import Interval, clock_text, minute_of
from scheduler.domain.lessons import Deed, Lesson, LessonId, LessonState
from scheduler.domain.openings import Situation
from scheduler.domain.people import BellPeriod, ReceivingSchool, SchoolId
from scheduler.domain.plans import Change, ChangeKind, Fingerprint, Placement
from scheduler.domain.requests import Request, RequestId, Slot
from scheduler.domain.terms import Term
from scheduler.errors import Invalid, NotFound, Stale, Text, text
from scheduler.services import situations, timetable, waves
from scheduler.services.context import Context
from scheduler.services.lessons import visible_school
from scheduler.services.timetable import Cause
from scheduler.services.words import obstacle_words
from scheduler.store import audits, covers, lessons, pins, present, requests, terms
from scheduler.store import timetable as rows
from scheduler.store.database import Session
from scheduler.store.terms import ClosedDays


@dataclass(frozen=True, slots=True)
class Desk:
    """A school's hours as they are; `changes_on`: a day ahead on which the bells change anyway."""

    school: ReceivingSchool
    term: Term
    today: date
    first_day: date
    changes_on: date | None
    closed: tuple[ClosedDays, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A lesson whose period changes; `why`: what keeps it from moving along, None: nothing."""

    lesson: Lesson
    after: Placement | None
    why: Text | None
    fates: tuple[Fate, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What new hours would do: exactly that, as long as the fingerprint holds.

    `requests`: how many get other times, those for terms ahead too; `told`: the teachers who hear
    of it, by name; `later`: how many published lessons of terms ahead keep times that the bells
    leave.
    """

    school: ReceivingSchool
    term: Term
    hours: Hours
    lines: tuple[Line, ...]
    requests: int
    told: tuple[str, ...]
    later: int
    fingerprint: Fingerprint

    @property
    def asked(self) -> tuple[Line, ...]:
        """The lessons that cannot move along."""
        return tuple(line for line in self.lines if line.why is not None)

    @property
    def following(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.why is None)


@dataclass(frozen=True, slots=True)
class _Seen:
    """All that decides about a change of hours, read at one moment.

    `staying`: the lessons before its day that keep a time which the bells leave; `later`: those of
    terms ahead.
    """

    school: ReceivingSchool
    term: Term
    hours: Hours
    situation: Situation
    moved: Shifts
    slots: Mapping[RequestId, tuple[Slot, ...]]
    lessons: Mapping[LessonId, Lesson]
    followers: tuple[Follower, ...]
    staying: tuple[LessonId, ...]
    later: tuple[LessonId, ...]

    @property
    def fingerprint(self) -> Fingerprint:
        sequences = {each: lesson.sequence for each, lesson in self.lessons.items()}
        return rules.fingerprint(self.school, self.hours, self.followers, sequences, self.slots)


def desk(ctx: Context, actor: Actor, school_id: SchoolId) -> Desk:
    """The hours that a school has; raises NotFound for strangers."""
    now = ctx.now()
    with ctx.reading() as db:
        school, term = _own(db, actor, school_id, now)
        today, changes = term.today(now), terms.bells_change_on(db, school_id)
        ahead = changes if changes is not None and today < changes else None
        first = min(max(rules.next_monday(today), term.first_day, ahead or today), term.last_day)
        closed = terms.closed_of(db, school_id)
    return Desk(school, term, today, first, ahead, closed)


def preview(ctx: Context, actor: Actor, school_id: SchoolId, wanted: Hours) -> Preview:
    """Every lesson whose period changes, with its new time or what is in the way.

    Raises NotFound for strangers, Invalid, by field, for hours that cannot be.
    """
    with ctx.reading() as db:
        return _preview(_look(ctx, db, actor, school_id, wanted))


def apply(
    ctx: Context,
    actor: Actor,
    school_id: SchoolId,
    wanted: Hours,
    fingerprint: Fingerprint,
    fates: Mapping[LessonId, Fate] | None = None,
) -> Preview:
    """Ring by the new hours from their day on: lessons and requests follow, all or nothing.

    What rings so already is done.  Raises Stale when something else would follow by now, Invalid
    and Conflict for fates that are missing or do not fit.
    """
    with ctx.transaction() as db:
        _, term = _own(db, actor, school_id, ctx.now())
        terms.lock(db, term.id)
        rows.lock(db, term.id, _ahead(ctx, term))
        requests.lock_classes(db, school_id)  # nobody asks for something else meanwhile
        seen = _look(ctx, db, actor, school_id, wanted)
        if _rings(seen):
            return _preview(seen)
        if seen.fingerprint != fingerprint:
            raise Stale("The timetable changed while you were looking. See what moves now.")
        done = rules.decided(seen.followers, fates or {}, seen.situation)
        _write(ctx, db, actor, seen, done)
        return _preview(seen)


def _rings(seen: _Seen) -> bool:
    new = seen.hours
    return (
        not seen.moved
        and set(new.periods) == set(seen.school.periods)
        and new.rooms == seen.school.rooms
    )


def _own(
    db: Session, actor: Actor, school_id: SchoolId, now: datetime
) -> tuple[ReceivingSchool, Term]:
    school = visible_school(db, actor, school_id)
    term = present.at_school(db, school_id, now)
    if term is None:
        raise NotFound("There is no term yet.")
    access.require(actor, Action.KEEP_HOURS, term.programme_id)
    return school, term


# -- looking


def _look(ctx: Context, db: Session, actor: Actor, school_id: SchoolId, wanted: Hours) -> _Seen:
    now = ctx.now()
    school, term = _own(db, actor, school_id, now)
    new = _checked(db, school, term, wanted, now)
    moved = rules.shifts(school.periods, new.periods)
    situation = situations.take(db, term, now)
    ahead = [each for each in terms.of_school(db, school_id) if term.last_day < each.first_day]
    asked = [requests.of_school(db, each.id, school_id) for each in ahead]
    slots = _slots([*situation.requests.values(), *chain(*asked)], school_id, moved)
    today = term.today(now)
    moving = rules.concerned(situation, school_id, moved, new.from_day, term.last_day)
    before = new.from_day - timedelta(days=1)
    staying = rules.concerned(situation, school_id, moved, today + timedelta(days=1), before)
    there = rules.with_hours(situation, school_id, slots, new.rooms)
    made = rules.followers(there, moving, moved, covers.of_lessons(db, list(moving)))
    if new.rooms < school.rooms:
        _room_for_all(there, school_id, new, made)
    known = {lesson.id: lesson for lesson in lessons.find(db, ids=list(moving))}
    later = _later(db, ahead, school_id, moved)
    return _Seen(school, term, new, there, moved, slots, known, made, tuple(staying), later)


def _later(
    db: Session, ahead: Iterable[Term], school_id: SchoolId, moved: Shifts
) -> tuple[LessonId, ...]:
    """The lessons of terms ahead that begin with a period that changes."""
    starts = {each.start for each in moved}
    return tuple(
        lesson.id
        for term in ahead
        for lesson in lessons.find(db, term_id=term.id, school_id=school_id)
        if lesson.state is not LessonState.CANCELLED
        and minute_of(lesson.starts_at.astimezone(ZoneInfo(lesson.zone))) in starts
    )


def _checked(
    db: Session, school: ReceivingSchool, term: Term, wanted: Hours, now: datetime
) -> Hours:
    new = replace(wanted, reason=remarks.tidied(wanted.reason))
    found = rules.faults(new, term, terms.bells_change_on(db, school.id), now)
    if fault := remarks.fault(new.reason):
        found["reason"] = fault
    if found:
        raise Invalid("Some fields need another look.", fields=found)
    return new


def _slots(
    asked: Iterable[Request], school_id: SchoolId, moved: Shifts
) -> dict[RequestId, tuple[Slot, ...]]:
    """The new times of the requests that get any; raises Invalid where too few would be left."""
    found, short = {}, []
    for request in asked:
        after = rules.slots_after(request.slots, moved)
        if request.school_id != school_id or set(after) == set(request.slots):
            continue
        found[request.id] = after
        if rules.short_of_times(request, after):
            short.append(request.class_name)
    if short:
        names = ", ".join(sorted(set(short)))
        fault = text(
            "Classes {names} ask for lessons at a period that would be gone. Change their requests "
            "first.",
            names=names,
        )
        raise Invalid("Some fields need another look.", fields={"periods": fault})
    return found


def _room_for_all(
    there: Situation, school_id: SchoolId, new: Hours, made: Sequence[Follower]
) -> None:
    standing = dict(there.standing)
    for each in made:
        if each.why is None and each.after is not None:
            standing[each.lesson_id] = each.after
    after = replace(there, standing=standing)
    tomorrow = there.term.today(there.now) + timedelta(days=1)
    if fault := rules.rooms_short(after, school_id, tomorrow, new.rooms):
        raise Invalid("Some fields need another look.", fields={"rooms": fault})


def _ahead(ctx: Context, term: Term) -> Interval:
    end = datetime.combine(term.last_day + timedelta(days=1), time(), ZoneInfo(term.zone))
    return Interval(ctx.now(), end)


def _preview(seen: _Seen) -> Preview:
    lines = tuple(
        Line(seen.lessons[each.lesson_id], each.after, _words(each.why), each.fates)
        for each in seen.followers
    )
    told = tuple(dict.fromkeys(line.lesson.teacher_name for line in lines))
    return Preview(
        seen.school, seen.term, seen.hours, lines, len(seen.slots), told, len(seen.later),
        seen.fingerprint,
    )  # fmt: skip


def _words(why: Obstacle | Text | None) -> Text | None:
    if isinstance(why, Obstacle):
        return text("The teacher cannot come then: {why}.", why=obstacle_words(why))
    return why


# -- writing


def _write(
    ctx: Context, db: Session, actor: Actor, seen: _Seen, done: Mapping[LessonId, Fate]
) -> None:
    calls = covers.of_lessons(db, list(done))
    terms.set_bells(db, seen.school, seen.hours.periods, seen.hours.from_day)
    terms.set_rooms(db, seen.school.id, seen.hours.rooms)
    requests.set_slots(db, seen.slots)
    cause = Cause(
        Deed.MOVED, f"hours:{seen.fingerprint}:{ctx.now().isoformat()}", actor.person_id,
        actor.name, seen.hours.reason, said=seen.hours.reason, call_end=CallEnd.MOVED,
    )  # fmt: skip
    _carry_out(ctx, db, seen, done, cause)
    sought = [each for each, fate in done.items() if fate is Fate.COVER]
    for lesson in lessons.find(db, ids=sought):
        reason = calls[lesson.id].reason if lesson.id in calls else seen.hours.reason
        waves.begin(ctx, db, lesson, reason, actor.person_id)
    _pin(ctx, db, actor, seen, done)
    _record(ctx, db, actor, seen, done)


def _carry_out(
    ctx: Context, db: Session, seen: _Seen, done: Mapping[LessonId, Fate], cause: Cause
) -> None:
    off = [seen.lessons[each] for each, fate in done.items() if fate is Fate.CALL_OFF]
    if off:  # first: another lesson may be about to take its time
        gone = replace(cause, deed=Deed.CALLED_OFF, name=f"{cause.name}:off")
        timetable.call_off(ctx, db, seen.term, off, gone)
    moves = [
        Change(ChangeKind.MOVED, each.before, each.after)
        for each in seen.followers
        if done[each.lesson_id] in (Fate.FOLLOW, Fate.COVER)
    ]
    if moves:
        places = {each.before: each.lesson_id for each in seen.followers}
        timetable.carry_out(ctx, db, seen.term, moves, places, cause)


def _pin(
    ctx: Context, db: Session, actor: Actor, seen: _Seen, done: Mapping[LessonId, Fate]
) -> None:
    """Lessons that keep a time which the bells leave: no plan is to move or drop them for it."""
    kept = [each for each, fate in done.items() if fate is Fate.KEEP]
    alone = [*seen.staying, *kept]
    known = pins.of_lessons(db, alone)
    for each in alone:
        if each not in known:
            day = seen.situation.standing[each].day
            pins.put(db, [each], actor.person_id, seen.hours.reason, day, ctx.now())


def _record(
    ctx: Context, db: Session, actor: Actor, seen: _Seen, done: Mapping[LessonId, Fate]
) -> None:
    counts = Counter(fate.value for fate in done.values())
    audits.record(
        db, ctx.now(), actor.person_id, "set_hours", "school", seen.school.id,
        reason=seen.hours.reason,
        before={"periods": _told(seen.school.periods), "rooms": seen.school.rooms},
        after={
            "periods": _told(seen.hours.periods), "rooms": seen.hours.rooms,
            "from_day": seen.hours.from_day.isoformat(), **counts,
        },
    )  # fmt: skip


def _told(periods: Sequence[BellPeriod]) -> list[str]:
    return [f"{x.half_day} {x.number} {clock_text(x.start)}–{clock_text(x.end)}" for x in periods]
