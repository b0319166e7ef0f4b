"""Telling people of changes: gathered for a quarter of an hour, or at once when it must be."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from scheduler.domain import news as rules
from scheduler.domain.lessons import Lesson, LessonChange, LessonId
from scheduler.domain.messages import Channel, NewMessage
from scheduler.domain.news import Entry, What
from scheduler.domain.people import PersonId, TeacherId
from scheduler.domain.plans import ChangeKind
from scheduler.domain.reminders import Side
from scheduler.domain.swaps import Swap
from scheduler.domain.ways import is_urgent
from scheduler.errors import NotFound
from scheduler.services import outbox, ways
from scheduler.services.context import Context
from scheduler.store import gathered, lessons, recipients
from scheduler.store.database import Session
from scheduler.store.recipients import Named

_News = dict[PersonId, list[Entry]]
_AT_ONCE = 2000  # lessons in one query: a statement takes only so many values


def announce(
    ctx: Context,
    db: Session,
    cause: str,
    changes: Sequence[LessonChange],
    by: str = "",
    reason: str = "",
) -> int:
    """Tell each person what changes for them, inside the transaction that `cause` names.

    `by` and `reason` say who made the changes, and why.  Returns how many people will be told.
    What a message says is what holds when it goes out; a lesson that is over is no news.
    """
    ahead: dict[LessonId, Lesson] = {}
    ids = [change.lesson_id for change in changes]
    for start in range(0, len(ids), _AT_ONCE):
        found = lessons.find(db, ids=ids[start : start + _AT_ONCE], since=ctx.now())
        ahead |= {lesson.id: lesson for lesson in found}
    told = _told(db, [change for change in changes if change.lesson_id in ahead], ahead)
    why = {who: [replace(e, by=by, reason=reason) for e in news] for who, news in told.items()}
    return _gather(ctx, db, cause, why, ahead)


def call_off(ctx: Context, db: Session, ids: Collection[LessonId], cause: str) -> int:
    """Tell the teachers and the schools of lessons that were called off.

    At once, each in a message of its own, of those that are late; of the others it is gathered.
    Who was not told of a lesson yet hears nothing of it at all.
    """
    off = {lesson.id: lesson for lesson in lessons.find(db, ids=ids, since=ctx.now())}
    contacts = recipients.of_schools(db, {lesson.school_id for lesson in off.values()})
    late: list[NewMessage] = []
    told: _News = {}
    for lesson in off.values():
        sides = dict.fromkeys(contacts[lesson.school_id], Side.SCHOOL)
        sides[lesson.teacher_person_id] = Side.TEACHER
        if rules.is_late(lesson, ctx.now()):
            heard = sides.keys() - gathered.unheard(db, lesson, sides)
            late += rules.called_off(lesson, _by(ctx, db, heard, lesson), ctx.now())
            continue
        for person, side in sides.items():
            entry = Entry(lesson.id, side, was=lesson.starts_at, by=lesson.cancelled_by)
            told.setdefault(person, []).append(entry)
    return outbox.plan(ctx, db, late) + _gather(ctx, db, cause, told, off)


def offer(
    ctx: Context,
    db: Session,
    lesson_id: LessonId,
    asked: Collection[PersonId],
    call: int,
    deadline: datetime,
) -> int:
    """Ask these teachers to give a lesson that a call looks for cover for, until the deadline."""
    lesson = _lesson(db, lesson_id)
    people = _reachable(ctx, db, asked)
    return outbox.plan(ctx, db, rules.offer(lesson, people, call, deadline, ctx.now()))


def thank(ctx: Context, db: Session, lesson_id: LessonId, person: PersonId) -> int:
    """Thank somebody who stood in, or reported, together with whatever news they have."""
    lesson = _lesson(db, lesson_id)
    told = {person: [Entry(lesson.id, Side.TEACHER, What.THANKED)]}
    return _gather(ctx, db, f"thanks:{lesson.id}:{person}", told, {lesson.id: lesson})


def join(ctx: Context, db: Session, lesson: Lesson, host: Lesson, cause: str, by: str) -> int:
    """Tell the teacher and the school of a lesson that the class of another one joins it."""
    contacts = recipients.of_schools(db, [host.school_id])[host.school_id]
    sides = dict.fromkeys(contacts, Side.SCHOOL) | {host.teacher_person_id: Side.TEACHER}
    told = {
        person: [
            Entry(host.id, side, What.JOINED, was=host.starts_at, by=by, reason=lesson.class_name)
        ]
        for person, side in sides.items()
    }
    return _gather(ctx, db, f"{cause}:host", told, {host.id: host})


def propose(ctx: Context, db: Session, swap: Swap, asked: PersonId) -> int:
    """Ask a teacher for a swap, until its deadline."""
    lesson, people = _lesson(db, swap.given_id), _reachable(ctx, db, [asked])
    return outbox.plan(ctx, db, rules.swap_asked(swap, lesson.programme_id, people, ctx.now()))


def regret(ctx: Context, db: Session, swap: Swap, asker: PersonId) -> int:
    """Tell whoever proposed a swap that nothing came of it."""
    lesson = _lesson(db, swap.given_id)
    told = {asker: [Entry(lesson.id, Side.TEACHER, What.SWAP_ENDED, swap=swap.id)]}
    return _gather(ctx, db, f"swap:{swap.id}", told, {lesson.id: lesson})


def want_cover(ctx: Context, db: Session, lesson: Lesson, call: int) -> int:
    """Tell the coordinators at once that a teacher cannot come."""
    people = _reachable(ctx, db, recipients.coordinators(db, lesson.programme_id))
    return outbox.plan(ctx, db, rules.cover_wanted(lesson, call, people, ctx.now()))


def nobody_left(ctx: Context, db: Session, lesson: Lesson, call: int, asked: int) -> int:
    """Tell the coordinators, once in a call, that nobody is left to ask."""
    people = _reachable(ctx, db, recipients.coordinators(db, lesson.programme_id))
    return outbox.plan(ctx, db, rules.nobody_left(lesson, call, asked, people, ctx.now()))


def _lesson(db: Session, lesson_id: LessonId) -> Lesson:
    lesson = lessons.get(db, lesson_id)
    if lesson is None:
        raise NotFound("There is no such lesson here.")
    return lesson


def _reachable(ctx: Context, db: Session, people: Collection[PersonId]) -> dict[PersonId, Channel]:
    """By which way each of them is told; without those whose account is off."""
    known = recipients.reachable(db, people)
    return ways.first(ctx, db, sorted(known))


def _by(
    ctx: Context, db: Session, people: Collection[PersonId], lesson: Lesson
) -> dict[PersonId, tuple[Channel, ...]]:
    """The ways of news that cannot wait: two of them where the lesson is very near."""
    if is_urgent(lesson.starts_at, ctx.now()):
        return ways.urgent(ctx, db, sorted(recipients.reachable(db, people)))
    return {person: (way,) for person, way in _reachable(ctx, db, people).items()}


def _gather(
    ctx: Context,
    db: Session,
    cause: str,
    told: Mapping[PersonId, Sequence[Entry]],
    ahead: Mapping[LessonId, Lesson],
) -> int:
    """Put the news into the message that each reader has waiting, or plan one."""
    messages: list[NewMessage] = []
    for person, channel in _reachable(ctx, db, told).items():
        entries = told[person]
        programme = ahead[entries[0].lesson_id].programme_id
        instants = [at for entry in entries for at in _instants(entry, ahead)]
        due = rules.due(instants, ctx.now())
        messages.append(rules.changes(cause, person, channel, programme, entries, due))
    return gathered.gather(db, messages, cause, lambda new: outbox.plan(ctx, db, new))


def _instants(entry: Entry, ahead: Mapping[LessonId, Lesson]) -> list[datetime]:
    """When the lesson was, and when it is now."""
    return [ahead[entry.lesson_id].starts_at, *([entry.was] if entry.was else ())]


def _told(db: Session, changes: Sequence[LessonChange], ahead: Mapping[LessonId, Lesson]) -> _News:
    """What each teacher, and each contact of a school, knew before the changes."""
    schools = {ahead[change.lesson_id].school_id for change in changes}
    contacts = recipients.of_schools(db, schools)
    ends = {end for c in changes for end in (c.teacher_id, c.former_teacher_id) if end}
    teachers = recipients.of_teachers(db, ends)
    told: _News = {}
    for change in changes:
        lesson = ahead[change.lesson_id]
        for entry, person in _ends(change, lesson, teachers):
            told.setdefault(person, []).append(entry)
        before = teachers[change.former_teacher_id or change.teacher_id].name
        was = _was(change, lesson)
        for person in contacts[lesson.school_id]:
            entry = Entry(lesson.id, Side.SCHOOL, was=was, teacher=before if was else "")
            told.setdefault(person, []).append(entry)
    return told


def _ends(
    change: LessonChange, lesson: Lesson, teachers: Mapping[TeacherId, Named]
) -> list[tuple[Entry, PersonId]]:
    """To whoever takes a lesson over it is new; its former teacher knew when it was."""
    taken = change.former_teacher_id is not None
    was = None if taken else _was(change, lesson)
    found = [(Entry(lesson.id, Side.TEACHER, was=was), teachers[change.teacher_id])]
    if change.former_teacher_id is not None:
        gone = Entry(lesson.id, Side.TEACHER, was=lesson.moved_from or lesson.starts_at)
        found.append((gone, teachers[change.former_teacher_id]))
    return [(entry, who.person_id) for entry, who in found]


def _was(change: LessonChange, lesson: Lesson) -> datetime | None:
    if change.kind is ChangeKind.ADDED:
        return None
    if change.kind is ChangeKind.DROPPED:
        return lesson.starts_at
    return lesson.moved_from or lesson.starts_at
