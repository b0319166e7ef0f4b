"""A teacher confirms a lesson, or says that they cannot come; both can be taken back."""

from dataclasses import dataclass

from scheduler.domain import answers as rules
from scheduler.domain.access import Actor, Role
from scheduler.domain.answers import Excuse, Reply, Standing
from scheduler.domain.cover import Progress, progress
from scheduler.domain.lessons import Lesson, LessonId
from scheduler.domain.people import Person, PersonId
from scheduler.errors import NotFound
from scheduler.services import links, reminders, waves
from scheduler.services.context import Context
from scheduler.store import (
    audits,
    confirmations,
    covers,
    lessons,
    offers,
    people,
    queue,
)
from scheduler.store.covers import CoverCall
from scheduler.store.database import Session


@dataclass(frozen=True, slots=True)
class Asked:
    """The lesson a person was asked about, as it stood at `sequence`."""

    lesson_id: LessonId
    sequence: int | None
    person_id: PersonId


@dataclass(frozen=True, slots=True)
class Question:
    """A lesson, how it stands, and whom we ask; `progress`: of the search for cover."""

    lesson: Lesson
    person: Person
    standing: Standing
    call: CoverCall | None
    progress: Progress | None = None

    @property
    def open(self) -> bool:
        return self.standing in rules.OPEN


def of_link(ctx: Context, token: str) -> Asked:
    """What the address in a mail asks about; raises NotFound."""
    return Asked(*links.answer_subject(ctx, token))


def of_actor(actor: Actor, lesson_id: LessonId) -> Asked:
    """The actor's own lesson as it stands; raises NotFound for who is no teacher."""
    if not actor.with_role(Role.TEACHER):
        raise NotFound("There is no such lesson here.")
    return Asked(lesson_id, None, actor.person_id)


def question(ctx: Context, asked: Asked) -> Question:
    """How it stands now; looking changes nothing.  Raises NotFound."""
    with ctx.reading() as db:
        return _question(ctx, db, asked)


def reply(ctx: Context, asked: Asked, said: Reply, excuse: Excuse | None = None) -> Question:
    """Do what the teacher says, once, however often it is said; returns how it stands then.

    "Cannot" needs an excuse.  Nothing is done for a lesson that changed since, has begun or is
    another teacher's by now.
    """
    with ctx.transaction() as db:
        covers.lock(db, asked.lesson_id)
        before = _question(ctx, db, asked)
        if before.open and _do(ctx, db, before, said, excuse):
            queue.recall(db, person_ids=[before.person.id], lesson_ids=[before.lesson.id])
            reminders.plan_for(ctx, db, [before.person.id])
        return _question(ctx, db, asked)


def _do(ctx: Context, db: Session, before: Question, said: Reply, excuse: Excuse | None) -> bool:
    match said:
        case Reply.CONFIRM:
            return _confirm(ctx, db, before)
        case Reply.UNDO:
            return _undo(ctx, db, before)
        case Reply.CANNOT if excuse is not None:
            return _call(ctx, db, before, excuse)
        case _:
            return False


def _confirm(ctx: Context, db: Session, before: Question) -> bool:
    if before.standing is Standing.CONFIRMED:
        return False
    _withdraw(ctx, db, before)
    lesson, person = before.lesson, before.person
    confirmations.add(db, lesson.id, lesson.sequence, person.id, ctx.now())
    _record(ctx, db, before, "confirm_lesson", Standing.CONFIRMED)
    return True


def _undo(ctx: Context, db: Session, before: Question) -> bool:
    if before.standing is Standing.ASKED:
        return False
    _withdraw(ctx, db, before)
    confirmations.remove(db, before.lesson.id, before.lesson.sequence, before.person.id)
    _record(ctx, db, before, "take_answer_back", Standing.ASKED)
    return True


def _call(ctx: Context, db: Session, before: Question, excuse: Excuse) -> bool:
    lesson = before.lesson
    if before.standing is Standing.LOOKING:
        return False
    if not waves.begin(ctx, db, lesson, excuse.stored(), before.person.id):
        return False
    _record(ctx, db, before, "ask_for_cover", Standing.LOOKING)
    return True


def _withdraw(ctx: Context, db: Session, before: Question) -> None:
    if before.call is not None and before.standing is Standing.LOOKING:
        waves.end(ctx, db, before.call, before.lesson, before.person.id)


def _record(ctx: Context, db: Session, before: Question, action: str, after: Standing) -> None:
    """Without the excuse: the record is for ever, and an excuse is not."""
    audits.record(
        db,
        ctx.now(),
        before.person.id,
        action,
        "lesson",
        before.lesson.id,
        before={"answer": before.standing.value},
        after={"answer": after.value},
    )


def _question(ctx: Context, db: Session, asked: Asked) -> Question:
    lesson, person = lessons.get(db, asked.lesson_id), people.person(db, asked.person_id)
    if lesson is None or person is None or not person.active:
        raise NotFound("There is no such lesson here.")
    if asked.sequence is None and lesson.teacher_person_id != person.id:
        raise NotFound("There is no such lesson here.")
    call = covers.of_lessons(db, [lesson.id]).get(lesson.id)
    standing = rules.standing(
        lesson,
        lesson.sequence if asked.sequence is None else asked.sequence,
        person.id,
        confirmed=(lesson.id, person.id) in confirmations.of_people(db, [person.id]),
        called=call is not None,
        now=ctx.now(),
    )
    looking = call if standing is Standing.LOOKING else None
    return Question(
        lesson, person, standing, call, _progress(db, lesson, looking) if looking else None
    )


def _progress(db: Session, lesson: Lesson, call: CoverCall) -> Progress:
    return progress(
        offers.of_call(db, call.id),
        call.look_at,
        lesson.starts_at,
        exhausted=call.exhausted_at is not None,
    )
