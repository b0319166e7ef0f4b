"""Who hears of a draft once it is published: by which way, and whom that may not reach in time."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from scheduler.domain.access import Actor
from scheduler.domain.messages import Channel
from scheduler.domain.people import Person, PersonId, SchoolId, TeacherId
from scheduler.domain.plans import PlanId
from scheduler.domain.reminders import Side
from scheduler.services import plans, ways
from scheduler.services.context import Context
from scheduler.services.plans import Preview
from scheduler.store import people, recipients, terms
from scheduler.store.database import Session


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody whom changes of a draft concern, and how many of them.

    `person` is None where nobody can be told: the account is off, or a school has no contact.
    `channel`: the way that the news takes first.  `slow`: a lesson before the end of tomorrow
    changes that their calendar will hardly show in time.
    """

    name: str
    place: str
    side: Side
    changes: int
    person: Person | None
    channel: Channel | None
    slow: bool = False

    @property
    def fault(self) -> str:
        """Why their address takes no mail, where mail is their way."""
        mailed = self.channel is Channel.MAIL and self.person is not None
        return (self.person.mail_fault or "") if mailed and self.person else ""

    @property
    def sure(self) -> bool:
        """Nobody needs to call."""
        return self.channel is not None and not self.fault and not self.slow


def of_plan(ctx: Context, actor: Actor, plan_id: PlanId) -> tuple[Preview, tuple[Recipient, ...]]:
    """A plan's preview and whom it concerns; raises NotFound for strangers."""
    seen = plans.preview(ctx, actor, plan_id)
    return seen, of_preview(ctx, seen)


def of_preview(ctx: Context, seen: Preview) -> tuple[Recipient, ...]:
    """Whom the changes concern, those who may not hear of them in time in front."""
    with ctx.reading() as db:
        found = [*_teachers(ctx, db, seen), *_schools(ctx, db, seen)]
    return tuple(sorted(found, key=lambda who: (who.sure, who.side is Side.SCHOOL, who.place)))


def _teachers(ctx: Context, db: Session, seen: Preview) -> Iterable[Recipient]:
    counts = Counter[TeacherId]()
    for change in seen.diff.changes:
        places = (place for place in (change.before, change.after) if place is not None)
        counts.update({place.teacher_id for place in places})
    named = {t.id: t for t in people.teachers(db, seen.term.programme_id) if t.id in counts}
    known = recipients.people(db, [teacher.person_id for teacher in named.values()])
    reached = ways.first(ctx, db, sorted(known))
    slow = {teacher.id for teacher in seen.unseen}
    for teacher_id, teacher in named.items():
        yield Recipient(
            teacher.name,
            teacher.school.label,
            Side.TEACHER,
            counts[teacher_id],
            known.get(teacher.person_id),
            reached.get(teacher.person_id),
            teacher_id in slow,
        )


def _schools(ctx: Context, db: Session, seen: Preview) -> Iterable[Recipient]:
    counts = Counter[SchoolId]()
    for line in seen.lines:
        counts[line.request.school_id] += line.count
    names = {school.id: school.name for school in terms.schools(db, seen.term.programme_id)}
    contacts = recipients.of_schools(db, counts)
    known = recipients.people(db, [each for ids in contacts.values() for each in ids])
    reached = ways.first(ctx, db, sorted(known))
    for school, ids in contacts.items():
        told: tuple[PersonId | None, ...] = ids or (None,)
        for person in (known[each] if each else None for each in told):
            name, way = (person.name, reached.get(person.id)) if person else ("", None)
            yield Recipient(name, names[school], Side.SCHOOL, counts[school], person, way)
