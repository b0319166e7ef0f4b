"""The last rungs of a call for cover: the lesson moves, or its class joins another one.

Calling it off, the last of all, is everybody's: see `services.lessons`.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scheduler.domain import merges
from scheduler.domain.access import Actor
from scheduler.domain.baskets import Part
from scheduler.domain.candidates import Candidate, Obstacle
from scheduler.domain.cover import CallEnd
from scheduler.domain.lessons import Deed, Lesson, LessonId, Move, after, placed
from scheduler.domain.openings import Board
from scheduler.domain.people import TeacherId
from scheduler.domain.plans import Change, ChangeKind, Placement
from scheduler.domain.terms import Term
from scheduler.errors import Conflict, NotFound, Text, text
from scheduler.locale import Language, translate, wording
from scheduler.services import situations, timetable
from scheduler.services.context import Context
from scheduler.services.cover import must_see
from scheduler.services.suggestions import BARS, Bar
from scheduler.services.timetable import Cause
from scheduler.services.words import obstacle_words
from scheduler.store import audits, covers, lessons, offers, pins, requests, terms
from scheduler.store.database import Session

LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Time:
    """Another accepted time of the lesson's week.

    `fault`: what keeps its class from it, None: nothing; `hindrances`: what keeps its teacher from
    it, None: takes no part in the term.  `others` could give it then, the best first.
    """

    place: Placement
    fault: Text | None
    hindrances: tuple[Obstacle, ...] | None
    others: tuple[Candidate, ...]

    @property
    def fits(self) -> bool:
        return self.fault is None and (self.hindrances == () or bool(self.others))


@dataclass(frozen=True, slots=True)
class Host:
    """A lesson that the class could join; `fault`: what stands in the way, None: nothing."""

    lesson: Lesson
    fault: Text | None


@dataclass(frozen=True, slots=True)
class Ways:
    lesson: Lesson
    times: tuple[Time, ...]
    hosts: tuple[Host, ...]


@dataclass(frozen=True, slots=True)
class _Day:
    """What the school has on the day of a lesson, and which of that its class could join."""

    there: tuple[Lesson, ...]
    hosts: tuple[Lesson, ...]


def ways(ctx: Context, actor: Actor, lesson_id: LessonId) -> Ways:
    """Everywhere a lesson could go, with what stands in the way; raises NotFound for strangers,
    Conflict for a lesson that takes place nowhere any more."""
    with ctx.reading() as db:
        lesson = must_see(db, actor, lesson_id)
        term = movable(ctx, db, lesson)
        board = Board(situations.take(db, term, ctx.now()))
        off = lessons.called_off(db, term.id)
        joinable = _hosts(ctx, db, term, lesson)
    times = tuple(_time(board, lesson, place, off) for place in board.accepted(placed(lesson)))
    return Ways(lesson, times, joinable)


def hosts(ctx: Context, actor: Actor, lesson_id: LessonId) -> tuple[Host, ...]:
    """Of its `ways` only the lessons that its class could join; raises as they do."""
    with ctx.reading() as db:
        lesson = must_see(db, actor, lesson_id)
        return _hosts(ctx, db, movable(ctx, db, lesson), lesson)


def _hosts(ctx: Context, db: Session, term: Term, lesson: Lesson) -> tuple[Host, ...]:
    day = _day(db, term, lesson)
    return tuple(Host(x, merges.fault(lesson, x, day.there, ctx.now())) for x in day.hosts)


def move(
    ctx: Context,
    actor: Actor,
    lesson_id: LessonId,
    day: date,
    start: int,
    teacher_id: TeacherId | None = None,
) -> Lesson:
    """Give a lesson that looks for cover at another accepted time of its week, in minutes of the
    day, by its own teacher or by that one; all concerned are told.

    Beside the weekly times of its class it is pinned until its day, so that no plan takes it back.
    Raises Conflict, and says why, where it cannot be.
    """
    with ctx.transaction() as db:
        lesson, term = must_see(db, actor, lesson_id), _term(db, lesson_id)
        terms.lock(db, term.id)  # rooms have no constraint that would stop two at once
        covers.lock(db, lesson_id)
        lesson = _searched(ctx, db, must_see(db, actor, lesson_id))
        return relocate(ctx, db, actor, term, lesson, day, start, teacher_id)


def relocate(
    ctx: Context,
    db: Session,
    actor: Actor,
    term: Term,
    lesson: Lesson,
    day: date,
    start: int,
    teacher_id: TeacherId | None = None,
) -> Lesson:
    """`move` for a lesson that the caller holds, as it holds its term; and may move."""
    here, to = placed(lesson), teacher_id or lesson.teacher_id
    offers.lock_teacher(db, to)
    board = _board(ctx, db, term, lesson, to)
    off = lessons.called_off(db, term.id)
    place = replace(here, day=day, start=start, end=board.ends(here, day, start), teacher_id=to)
    _must_fit(board, lesson, place, off)
    cause = Cause(
        Deed.MOVED, f"moved:{lesson.id}:{lesson.sequence + 1}", actor.person_id, actor.name,
        call_end=CallEnd.MOVED,
    )  # fmt: skip
    change = Change(ChangeKind.MOVED, here, place)
    timetable.carry_out(ctx, db, term, [change], {here: lesson.id}, cause)
    if board.leaves_pattern(place, frozenset({lesson.id})):
        pins.put(db, [lesson.id], actor.person_id, "", place.day, ctx.now())
    done = must_see(db, actor, lesson.id)
    audits.record(
        db, ctx.now(), actor.person_id, "move_lesson", "lesson", lesson.id,
        before=_told(lesson), after=_told(done),
    )  # fmt: skip
    return done


def merge(ctx: Context, actor: Actor, lesson_id: LessonId, into_id: LessonId) -> Lesson:
    """Let the class of a lesson that looks for cover join another lesson; its own is called off,
    and all concerned are told where the class goes.

    Raises NotFound for a lesson that is none of its school and level on that day, Conflict, and
    says why, where it cannot be.
    """
    with ctx.transaction() as db:
        term = _term(db, must_see(db, actor, lesson_id).id)
        terms.lock(db, term.id)
        pins.lock(db, [lesson_id, into_id])
        lesson = _searched(ctx, db, must_see(db, actor, lesson_id))
        day = _day(db, term, lesson)
        host = next((other for other in day.hosts if other.id == into_id), None)
        if host is None:
            raise NotFound("This is no lesson of another class of the school and level that day.")
        fault = merges.fault(lesson, host, day.there, ctx.now())
        if fault is not None:
            raise Conflict(fault)
        cause = Cause(
            Deed.MERGED, f"merged:{lesson_id}:{lesson.sequence + 1}", actor.person_id, actor.name,
            reason=_where(ctx, host), call_end=CallEnd.MERGED,
        )  # fmt: skip
        timetable.merge(ctx, db, term, lesson, host, cause)
        audits.record(
            db, ctx.now(), actor.person_id, "merge_lesson", "lesson", lesson_id,
            before={"state": lesson.state}, after={"merged_into": into_id},
        )  # fmt: skip
        return must_see(db, actor, lesson_id)


# -- looking


def _term(db: Session, lesson_id: LessonId) -> Term:
    term = terms.of_lesson(db, lesson_id)
    if term is None:
        raise NotFound("There is no such lesson here.")
    return term


def movable(ctx: Context, db: Session, lesson: Lesson) -> Term:
    """The term of a lesson that is still to come; raises Conflict for any other."""
    if after(lesson.state, Move.RESCHEDULE) is None:
        raise Conflict("This lesson takes place no more, or did already.")
    if lesson.starts_at <= ctx.now():
        raise Conflict("This lesson has begun.")
    return _term(db, lesson.id)


def _searched(ctx: Context, db: Session, lesson: Lesson) -> Lesson:
    """The lesson, if cover is looked for and it has not begun."""
    movable(ctx, db, lesson)
    if lesson.id not in covers.of_lessons(db, [lesson.id]):
        raise Conflict("Nobody is looked for to give this lesson.")
    return lesson


def _board(ctx: Context, db: Session, term: Term, lesson: Lesson, teacher: TeacherId) -> Board:
    """What decides where the lesson may go, and whether this teacher may give it there."""
    part = Part(frozenset({lesson.school_id}), frozenset({teacher}))
    return Board(situations.take(db, term, ctx.now(), part))


def _time(board: Board, lesson: Lesson, place: Placement, off: frozenset[object]) -> Time:
    fault = _fault(board, lesson, place, off)
    if fault is not None:
        return Time(place, fault, (), ())
    others = board.free(lesson.id, place)
    return Time(
        place,
        None,
        board.hindrances(lesson.id, place),
        tuple(who for who in others if who.teacher_id != lesson.teacher_id),
    )


def open_times(ctx: Context, db: Session, term: Term, lesson: Lesson) -> tuple[Placement, ...]:
    """The other accepted times of its week where class, rooms and its teacher are free, first
    those that the class likes best; what it was called off for is not among them."""
    board = _board(ctx, db, term, lesson, lesson.teacher_id)
    off, here = lessons.called_off(db, term.id), placed(lesson)
    return tuple(
        place
        for place in board.accepted(here)
        if _fault(board, lesson, place, off) is None and board.is_free(lesson.id, place)
    )


def _fault(board: Board, lesson: Lesson, place: Placement, off: frozenset[object]) -> Text | None:
    """`off`: requests and days for which a lesson was called off."""
    here = placed(lesson)
    if (place.day, place.start) == (here.day, here.start):
        return text("The lesson is at this time already.")
    if (place.request_id, place.day) in off:
        return BARS[Bar.CALLED_OFF]
    return board.fault(lesson.id, here, place)


def _must_fit(board: Board, lesson: Lesson, place: Placement, off: frozenset[object]) -> None:
    fault = _fault(board, lesson, place, off)
    if fault is not None:
        raise Conflict(fault)
    found = board.hindrances(lesson.id, place)
    if found is None:
        raise Conflict("This teacher gives no lessons this term.")
    if found:
        name, why = board.name(place.teacher_id), obstacle_words(found[0])
        raise Conflict(text("{name} cannot give this lesson: {why}.", name=name, why=why))


def _day(db: Session, term: Term, lesson: Lesson) -> _Day:
    begins = datetime.combine(placed(lesson).day, time(), ZoneInfo(term.zone))
    there = lessons.find(
        db,
        term_id=term.id,
        school_id=lesson.school_id,
        since=begins,
        until=begins + timedelta(days=1),
    )
    asked = requests.by_ids(db, {other.request_id for other in there})
    levels = {request.id: request.level for request in asked}
    return _Day(there, merges.hosts(lesson, there, levels))


# -- telling


def _where(ctx: Context, host: Lesson) -> str:
    """Where the class goes, in the programme's language: one reason is kept for all readers."""
    words = text(
        "The class joins class {name} at {time}, with {teacher}",
        name=host.class_name,
        time=wording.clock(host.starts_at.astimezone(ZoneInfo(host.zone))),
        teacher=host.teacher_name,
    )
    return translate(words, Language(ctx.settings.locale))[:LONGEST_REASON]


def _told(lesson: Lesson) -> dict[str, object]:
    return {"starts_at": lesson.starts_at.isoformat(), "teacher": lesson.teacher_id}
