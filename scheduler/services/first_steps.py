"""Three steps of a first visit: done when what they ask for is there, in any order."""

from dataclasses import dataclass

from scheduler.domain.access import Actor
from scheduler.domain.people import SchoolId
from scheduler.domain.terms import Term
from scheduler.errors import Text, text
from scheduler.services import records
from scheduler.services.context import Context
from scheduler.store import first_steps as rows


@dataclass(frozen=True, slots=True)
class Step:
    name: Text
    href: str
    done: bool


def of_teacher(ctx: Context, actor: Actor, term: Term) -> tuple[Step, ...]:
    """What a volunteer does once; nothing when all is done.  Raises NotFound for others."""
    teacher_id = records.own_teacher(actor)
    with ctx.reading() as db:
        done = rows.of_teacher(db, actor.person_id, teacher_id, term.id)
    return _open(_TEACHER, done)


def of_school(ctx: Context, actor: Actor, school_id: SchoolId, term: Term) -> tuple[Step, ...]:
    """The same for a contact of this school, who may see it."""
    with ctx.reading() as db:
        done = rows.of_school(db, actor.person_id, school_id, term.id)
    return _open(_SCHOOL, done)


def _open(steps: tuple[tuple[Text, str], ...], done: tuple[bool, bool, bool]) -> tuple[Step, ...]:
    if all(done):
        return ()
    return tuple(Step(*step, each) for step, each in zip(steps, done, strict=True))


_TEACHER = (
    (text("Say when you can teach"), "/teacher/availability"),
    (text("Put the calendar on your phone"), "/calendar"),
    (text("Choose how we remind you"), "/teacher/reminders"),
)
_SCHOOL = (
    (text("See that your bell times are right"), "/school/hours"),
    (text("Ask for lessons"), "/school/requests"),
    (text("Put the calendar on your phone"), "/calendar"),
)
