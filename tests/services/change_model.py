"""A timetable that people change, read whole, and what must hold of it, said once more."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from scheduler.domain.lessons import MOVES, Lesson, LessonId
from scheduler.matching import verify
from scheduler.matching.plan import Plan
from scheduler.services import snapshots
from scheduler.services.context import Context
from scheduler.store import lessons as lesson_rows
from scheduler.store import tables

HOME = ZoneInfo("Asia/Ho_Chi_Minh")
# What a teacher promised, and may waive on the telephone.
PROMISES = frozenset(
    {
        "A teacher is available for the whole lesson",
        "A teacher who is away gives no lessons",
        "A teacher with another engagement gives no lesson then",
        "A teacher stays within the lessons a day",
        "A teacher stays within the lessons a week",
        "A teacher stays within the lessons of the term",
    }
)
AWAY = frozenset({"A teacher who is away gives no lessons"})
CLOSED = frozenset({"A school that is closed has no lessons"})
WEEKLY = frozenset(
    {
        "A lesson stands on a slot of its request",
        "A class keeps its timetable: few weekly slots",
        "A class keeps its timetable: weekly slots on different weekdays",
    }
)
EVERY = frozenset(verify.RULES)


@dataclass(frozen=True, slots=True)
class Breach:
    """A hard rule that these lessons, given by these teachers, break together."""

    rule: str
    lessons: frozenset[tuple[LessonId, int]]


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything about the lessons of the term at one moment; the oldest history first."""

    lessons: dict[LessonId, Lesson]
    history: dict[LessonId, tuple[Any, ...]]
    calls: tuple[Any, ...]
    offers: tuple[Any, ...]
    breaches: tuple[Breach, ...]

    @property
    def live(self) -> list[Lesson]:
        return [x for x in self.lessons.values() if x.state != "cancelled"]


def picture(ctx: Context, term_id: int) -> Picture:
    with ctx.reading() as db:
        found = {x.id: x for x in lesson_rows.find(db, term_id=term_id)}
        history: dict[LessonId, tuple[Any, ...]] = defaultdict(tuple)
        row = tables.lesson_history
        for each in db.execute(sa.select(row).order_by(row.c.id)):
            history[each.lesson_id] += (each,)
        calls = tuple(db.execute(sa.select(tables.cover_calls).order_by(tables.cover_calls.c.id)))
        offers = tuple(db.execute(sa.select(tables.offers).order_by(tables.offers.c.id)))
    return Picture(found, dict(history), calls, offers, _breaches(ctx, term_id))


def _breaches(ctx: Context, term_id: int) -> tuple[Breach, ...]:
    """As the independent verifier reads it: what is pinned or past is taken as it is."""
    snapshot = snapshots.take(ctx, term_id)
    with ctx.reading() as db:
        known = lesson_rows.placements(db, term_id)
    who = {snapshot.planned([p])[0]: (each, p.teacher_id) for p, each in known.items()}
    found = verify.verify(snapshot.instance, Plan(tuple(sorted(who)))).violations
    return tuple(Breach(v.rule, frozenset(who[x] for x in v.lessons)) for v in found)


def shown(lesson: Lesson) -> tuple[object, ...]:
    """What a calendar shows of a lesson."""
    return lesson.state == "cancelled", lesson.teacher_id, lesson.starts_at, lesson.ends_at


def faults(old: Picture, new: Picture, may_break: frozenset[str]) -> Iterable[str]:
    """Every law of the timetable that the way from one picture to the next breaks.

    `may_break`: hard rules of which the step itself told the coordinator, or that it excuses.
    """
    yield from _twice(new)
    yield from _broken(old, new, may_break)
    yield from _lost(old, new)
    yield from _revisions(old, new)
    yield from _untold(old, new)
    yield from _calls(new)
    yield from _offers(new)


def _twice(new: Picture) -> Iterable[str]:
    for one, other in combinations(new.live, 2):
        shared = one.teacher_id == other.teacher_id or one.class_id == other.class_id
        if shared and one.interval.overlaps(other.interval):
            yield f"lessons {one.id} and {other.id} are at once"


def _broken(old: Picture, new: Picture, may_break: frozenset[str]) -> Iterable[str]:
    for each in new.breaches:
        known = (x for x in old.breaches if x.rule == each.rule)
        if each.rule in may_break or any(_is_known(each, before) for before in known):
            continue
        yield f"{each.rule}: {sorted(each.lessons)}"


def _is_known(now: Breach, before: Breach) -> bool:
    """What a class's lessons break together, and its school's days, they break whoever gives
    them."""
    if len(now.lessons) == 1 and now.rule in PROMISES:
        return now.lessons <= before.lessons
    return {x for x, _ in now.lessons} <= {x for x, _ in before.lessons}


def _lost(old: Picture, new: Picture) -> Iterable[str]:
    for gone in old.lessons.keys() - new.lessons.keys():
        yield f"lesson {gone} is no more"


def _revisions(old: Picture, new: Picture) -> Iterable[str]:
    for number, was in old.lessons.items():
        now = new.lessons.get(number, was)
        if (now.sequence, now.changed_at) < (was.sequence, was.changed_at) or (
            now.changed_at < was.changed_at
        ):
            yield f"lesson {number} went back to revision {now.sequence}, {now.changed_at}"
        rose = now.sequence > was.sequence and now.changed_at > was.changed_at
        if shown(now) != shown(was) and not rose:
            yield f"lesson {number} changed and kept its revision"


def _untold(old: Picture, new: Picture) -> Iterable[str]:
    """The history tells each state, is only added to, and moves as MOVES allow."""
    for number, lesson in new.lessons.items():
        lines, before = new.history.get(number, ()), old.history.get(number, ())
        if lines[: len(before)] != before:
            yield f"the history of lesson {number} was written anew"
        now = (lesson.state, lesson.teacher_id, lesson.starts_at, lesson.ends_at, lesson.sequence)
        if not lines or _told(lines[-1]) != now:
            yield f"lesson {number} is {now}, its history ends with {lines[-1:]}"
        was = old.lessons.get(number)
        if was is not None and was.state != lesson.state and len(lines) == len(before):
            yield f"lesson {number} became {lesson.state} without a word"
        for one, other in pairwise(lines[max(0, len(before) - 1) :]):
            if other.state != one.state and other.state not in MOVES[one.state].values():
                yield f"lesson {number} went from {one.state} to {other.state}"


def _told(line: Any) -> tuple[object, ...]:
    return line.state, line.teacher_id, line.starts_at, line.ends_at, line.sequence


def _calls(new: Picture) -> Iterable[str]:
    """A lesson looks for cover while its own teacher has an open call, and only then."""
    open_ = [(call.lesson_id, call.teacher_id) for call in new.calls if call.ended_at is None]
    looking = [(x.id, x.teacher_id) for x in new.lessons.values() if x.state == "cover"]
    if sorted(open_) != sorted(looking):
        yield f"calls for {sorted(open_)}, cover for {sorted(looking)}"


def _offers(new: Picture) -> Iterable[str]:
    of_call: dict[int, list[Any]] = defaultdict(list)
    for offer in new.offers:
        of_call[offer.call_id].append(offer)
    for call in new.calls:
        asked = of_call[call.id]
        accepted = [offer for offer in asked if offer.end == "accepted"]
        if len(accepted) > 1 or (accepted and call.end != "taken"):
            yield f"call {call.id} ended as {call.end} and was accepted {len(accepted)} times"
        if call.ended_at is not None and any(offer.ended_at is None for offer in asked):
            yield f"call {call.id} is over and asks still"
        if len({offer.teacher_id for offer in asked}) < len(asked):
            yield f"call {call.id} asks somebody twice"


# -- what people know


@dataclass
class Reader:
    """Somebody with an end of lessons: a teacher's own, or those of the school they speak for."""

    id: int
    teacher_id: int | None = None
    school_id: int | None = None
    on: bool = True

    def truth(self, lesson: Lesson) -> object:
        """What this reader should know of a lesson; None: it is not theirs, or not to come."""
        if lesson.state not in ("scheduled", "cover"):
            return None
        if lesson.teacher_id == self.teacher_id:
            return lesson.starts_at
        of_school = lesson.school_id == self.school_id
        return (lesson.starts_at, lesson.teacher_id) if of_school else None


def line(at: datetime) -> str:
    """A time as every mail names it."""
    return f"{at.astimezone(HOME):%d/%m · %H:%M}"
