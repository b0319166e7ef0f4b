"""Telling people: reminders that follow the lessons, news of changes, and how to stop reminders."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scheduler import security
from scheduler.domain import reminders as rules
from scheduler.domain.lessons import Lesson, LessonChange, LessonId
from scheduler.domain.people import Person, PersonId
from scheduler.domain.plans import ChangeKind
from scheduler.domain.reminders import Recipient, Side
from scheduler.errors import NotFound
from scheduler.services import outbox
from scheduler.services.context import Context
from scheduler.store import audits, lessons, people, queue, recipients
from scheduler.store import outbox as rows
from scheduler.store.database import Session

AT_ONCE = 2000  # lessons in one query: a statement takes only so many values

_Told = dict[PersonId, list[tuple[LessonId, ChangeKind]]]


@dataclass(frozen=True, slots=True)
class StopNotice:
    """Whose reminders a link stops, and whether they are stopped already."""

    name: str
    email: str
    language: str
    stopped: bool


def replan(ctx: Context, db: Session, lesson_ids: Collection[LessonId]) -> int:
    """Make reminders follow lessons that changed, inside the transaction that changed them.

    Reminders of what no longer holds are cancelled; returns how many new ones were planned.
    """
    planned = 0
    for some in _portions(lesson_ids):
        rows.cancel_outdated(db, some)
        queue.recall(db, lesson_ids=some)
        found = lessons.find(db, ids=some)
        messages = rules.planned(found, _recipients(db, found), ctx.now())
        planned += outbox.plan(ctx, db, messages)
    return planned


def announce(
    ctx: Context, db: Session, publication_id: int, changes: Sequence[LessonChange]
) -> int:
    """Plan one message for each person whom a publication concerns, inside its transaction.

    Returns how many people will be told.  What the mail says is what holds when it goes out; a
    lesson that is over is no news.
    """
    ids = [change.lesson_id for change in changes]
    ahead = {lesson.id for lesson in lessons.find(db, ids=ids, since=ctx.now())}
    teaching, hosting = _told(db, [change for change in changes if change.lesson_id in ahead])
    reachable = recipients.reachable(db, teaching.keys() | hosting.keys())
    messages = []
    for person in sorted(reachable):
        own = person in teaching
        news = teaching[person] if own else hosting[person]
        payload = {
            "side": (Side.TEACHER if own else Side.SCHOOL).value,
            "lessons": [[lesson, kind.value] for lesson, kind in news],
        }
        messages.append(rules.timetable(publication_id, person, payload, ctx.now()))
    return outbox.plan(ctx, db, messages)


def call_off(ctx: Context, db: Session, lesson_id: LessonId) -> int:
    """Plan the news of a called-off lesson for its teacher and its school, to go out at once."""
    lesson = lessons.get(db, lesson_id)
    if lesson is None:
        raise NotFound("There is no such lesson here.")
    queue.recall(db, lesson_ids=[lesson_id])
    concerned = _concerned(db, [lesson])[lesson.id]
    reachable = recipients.reachable(db, {each.person_id for each in concerned})
    told = [each for each in concerned if each.person_id in reachable]
    return outbox.plan(ctx, db, rules.called_off(lesson, told, ctx.now()))


def describe_stop(ctx: Context, token: str) -> StopNotice:
    """Whose reminders the link would stop; looking changes nothing.  Raises NotFound."""
    with ctx.reading() as db:
        person = _subject(ctx, db, token)
    return StopNotice(person.name, person.email, person.language, stopped=not person.reminders)


def stop(ctx: Context, token: str) -> StopNotice:
    """Send this person no more reminders; news of changes still goes out.  Raises NotFound.

    What is planned already is dropped when its time comes.
    """
    with ctx.transaction() as db:
        person = _subject(ctx, db, token)
        if recipients.stop_reminders(db, person.id):
            audits.record(db, ctx.now(), person.id, "stop_reminders", "person", person.id)
    return StopNotice(person.name, person.email, person.language, stopped=True)


def _subject(ctx: Context, db: Session, token: str) -> Person:
    try:
        link = security.read_link(ctx.key, security.Purpose.STOP_REMINDERS, token, ctx.now())
        person = people.person(db, int(link.subject))
    except (security.BadLink, ValueError) as error:
        raise NotFound("This link can no longer be used.") from error
    if person is None:
        raise NotFound("This link can no longer be used.")
    return person


def _portions(ids: Collection[LessonId]) -> Iterator[list[LessonId]]:
    every = list(dict.fromkeys(ids))
    for start in range(0, len(every), AT_ONCE):
        yield every[start : start + AT_ONCE]


def _recipients(db: Session, found: Collection[Lesson]) -> Mapping[LessonId, Sequence[Recipient]]:
    """Who is to be reminded of each lesson: those concerned who want it."""
    concerned = _concerned(db, found)
    everyone = {each.person_id for those in concerned.values() for each in those}
    willing = recipients.reminded(db, everyone)
    return {
        lesson: [each for each in those if each.person_id in willing]
        for lesson, those in concerned.items()
    }


def _concerned(db: Session, found: Collection[Lesson]) -> dict[LessonId, list[Recipient]]:
    contacts = recipients.of_schools(db, {lesson.school_id for lesson in found})
    return {
        lesson.id: [
            Recipient(lesson.teacher_person_id, Side.TEACHER),
            *(Recipient(person, Side.SCHOOL) for person in contacts[lesson.school_id]),
        ]
        for lesson in found
    }


def _told(db: Session, changes: Sequence[LessonChange]) -> tuple[_Told, _Told]:
    """What to tell teachers, and what to tell the contacts of schools."""
    some = _portions([change.lesson_id for change in changes])
    schools = {lesson.id: lesson.school_id for ids in some for lesson in lessons.find(db, ids=ids)}
    contacts = recipients.of_schools(db, set(schools.values()))
    ends = [(change.teacher_id, change.former_teacher_id) for change in changes]
    persons = recipients.of_teachers(db, {each for pair in ends for each in pair if each})
    teaching: _Told = {}
    hosting: _Told = {}
    for change in changes:
        gained = change.former_teacher_id is not None
        kind = ChangeKind.ADDED if gained else change.kind  # to whoever takes over, it is new
        teaching.setdefault(persons[change.teacher_id], []).append((change.lesson_id, kind))
        if change.former_teacher_id is not None:
            former = persons[change.former_teacher_id]
            teaching.setdefault(former, []).append((change.lesson_id, change.kind))
        for person in contacts[schools[change.lesson_id]]:
            hosting.setdefault(person, []).append((change.lesson_id, change.kind))
    return teaching, hosting
