"""Reminders that follow the lessons, whatever happens to them, and how to stop reminders."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from scheduler.domain import reminders as rules
from scheduler.domain.lessons import LessonId
from scheduler.domain.messages import NewMessage
from scheduler.domain.people import Person, PersonId
from scheduler.domain.reminders import Reader
from scheduler.errors import NotFound
from scheduler.services import links, outbox, ways
from scheduler.services.context import Context
from scheduler.store import (
    audits,
    choices,
    confirmations,
    gathered,
    joint_sessions,
    lessons,
    people,
    queue,
    recipients,
    switches,
)
from scheduler.store import outbox as rows
from scheduler.store.database import Session

_Id = TypeVar("_Id", bound=int)

AT_ONCE = 2000  # lessons in one query: a statement takes only so many values
PEOPLE_AT_ONCE = 200
AHEAD_EVERY = timedelta(minutes=15)
SLACK = timedelta(days=8)  # a week that begins within what is planned ends so much later


@dataclass(frozen=True, slots=True)
class StopNotice:
    """Whose reminders a link stops, and whether they are stopped already."""

    name: str
    email: str
    language: str
    stopped: bool


def replan(ctx: Context, db: Session, lesson_ids: Collection[LessonId]) -> int:
    """Make reminders follow lessons that changed, inside the transaction that changed them.

    Reminders of what no longer holds are cancelled, and a worker that holds what told of these
    lessons loses it; returns how many new ones were planned.  What is further ahead is planned
    when its time comes nearer.
    """
    concerned: set[PersonId] = set()
    for some in _portions(lesson_ids, AT_ONCE):
        rows.cancel_outdated(db, some)
        found = lessons.find(db, ids=some, since=ctx.now())
        contacts = recipients.of_schools(db, {lesson.school_id for lesson in found})
        concerned |= {lesson.teacher_person_id for lesson in found}
        concerned |= {person for those in contacts.values() for person in those}
        concerned |= recipients.former(db, some)
        queue.recall(db, lesson_ids=some)
    queue.recall(db, person_ids=concerned)
    return sum(plan_for(ctx, db, some) for some in _portions(sorted(concerned), PEOPLE_AT_ONCE))


def plan_for(ctx: Context, db: Session, some: Collection[PersonId]) -> int:
    """Plan the reminders of these people as their lessons and choices stand; how many are new.

    A constant number of statements.
    """
    wanted = [rules.planned(reader, ctx.now()) for reader in readers(ctx, db, some)]
    return _settle(ctx, db, some, [message for each in wanted for message in each])


def plan_ahead(ctx: Context) -> int:
    """Plan everything for the days ahead from the lessons as they are; how much was missing.

    It heals what a crash, a new contact, another choice or other rules of a time zone left behind,
    and plans the weeks to come.  Every quarter of an hour at most, whichever worker it is.
    """
    with ctx.reading() as db:
        age = switches.age(db, switches.PLANNED_AHEAD)
    if age is not None and age < AHEAD_EVERY:
        return 0
    with ctx.transaction() as db:
        if not switches.take_turn(db, switches.PLANNED_AHEAD, AHEAD_EVERY):
            return 0
    with ctx.reading() as db:
        everybody = recipients.concerned(db, ctx.now(), ctx.now() + rules.AHEAD + SLACK)
    return sum(_plan_portion(ctx, some) for some in _portions(everybody, PEOPLE_AT_ONCE))


def _plan_portion(ctx: Context, some: Collection[PersonId]) -> int:
    """A transaction of its own, so that nobody waits long behind it."""
    with ctx.transaction() as db:
        return plan_all(ctx, db, some)


def plan_all(ctx: Context, db: Session, some: Collection[PersonId]) -> int:
    """As `plan_for`, with the weeks to come."""
    found = readers(ctx, db, some)
    steps = [message for reader in found for message in rules.planned(reader, ctx.now())]
    weeks = [message for reader in found for message in rules.digests(reader, ctx.now())]
    return _settle(ctx, db, some, steps + weeks)


def _settle(
    ctx: Context, db: Session, some: Collection[PersonId], wanted: Iterable[NewMessage]
) -> int:
    """Make the queue agree with what is wanted; returns how much of it was not planned."""
    todo = rules.revised(wanted, gathered.standing(db, some, ctx.now()), ctx.now())
    gathered.void(db, todo.void)
    gathered.change(db, todo.changed)
    return outbox.plan(ctx, db, todo.new)


def readers(ctx: Context, db: Session, some: Collection[PersonId]) -> tuple[Reader, ...]:
    """These people with what is to be reminded of; without those who want no reminders."""
    now = ctx.now()
    known = recipients.people(db, some)
    willing = {person: who for person, who in known.items() if who.reminders}
    found = lessons.find(db, of_people=willing, since=now, until=now + rules.AHEAD + SLACK)
    schools = recipients.schools_of(db, willing)
    chosen = choices.of(db, willing)
    first = ways.first(ctx, db, willing)
    confirmed = confirmations.of_people(db, willing)
    meetings = joint_sessions.ahead_of(db, willing, now, now + rules.AHEAD)
    return tuple(
        Reader(
            person_id=person,
            choices=chosen[person],
            channel=first[person],
            zone=who.zone,
            lessons=rules.sides(person, found, schools),
            confirmed=frozenset(lesson for lesson, by in confirmed if by == person),
            sessions=meetings.get(person, ()),
        )
        for person, who in willing.items()
        if person in first
    )


def _portions(ids: Collection[_Id], size: int) -> Iterator[list[_Id]]:
    every = list(dict.fromkeys(ids))
    for start in range(0, len(every), size):
        yield every[start : start + size]


# -- no more reminders


def describe_stop(ctx: Context, token: str) -> StopNotice:
    """Whose reminders the link would stop; looking changes nothing.  Raises NotFound."""
    with ctx.reading() as db:
        person = _subject(ctx, db, token)
    return StopNotice(person.name, person.email, person.language, stopped=not person.reminders)


def stop(ctx: Context, token: str) -> StopNotice:
    """Send this person no more reminders; news of changes still goes out.  Raises NotFound."""
    return _set(ctx, token, wanted=False)


def start(ctx: Context, token: str) -> StopNotice:
    """Send this person reminders again.  Raises NotFound."""
    return _set(ctx, token, wanted=True)


def _set(ctx: Context, token: str, *, wanted: bool) -> StopNotice:
    with ctx.transaction() as db:
        person = _subject(ctx, db, token)
        switch(ctx, db, person.id, wanted=wanted)
    return StopNotice(person.name, person.email, person.language, stopped=not wanted)


def switch(ctx: Context, db: Session, person: PersonId, *, wanted: bool) -> bool:
    """Turn all reminders of a person on or off; what waits follows.  False: it was so already."""
    if not recipients.set_reminders(db, person, wanted=wanted):
        return False
    gathered.void_reminders(db, person)
    plan_all(ctx, db, [person])
    action = "start_reminders" if wanted else "stop_reminders"
    audits.record(db, ctx.now(), person, action, "person", person)
    return True


def _subject(ctx: Context, db: Session, token: str) -> Person:
    person = people.person(db, links.stop_subject(ctx, token))
    if person is None:
        raise NotFound("This link can no longer be used.")
    return person
