"""What a reader chooses about reminders, and what comes next by it."""

from dataclasses import dataclass
from datetime import datetime

from scheduler.domain import reminders as rules
from scheduler.domain import zones
from scheduler.domain.access import Actor
from scheduler.domain.choices import Choices
from scheduler.domain.messages import Channel, MessageKind
from scheduler.errors import Invalid, NotFound, text
from scheduler.locale import LANGUAGES
from scheduler.services import reminders, ways
from scheduler.services.context import Context
from scheduler.store import accounts, audits, choices, gathered, people, queue, recipients, terms
from scheduler.store.database import Session


@dataclass(frozen=True, slots=True)
class Wish:
    """All that a reader can choose; `zone` None: the programme's."""

    choices: Choices
    zone: str | None
    language: str


@dataclass(frozen=True, slots=True)
class Desk:
    """The choices as they stand.  `next`: the first reminder to come by them, its kind and time;
    `zone`: the wall of whoever chose none; `ways`: those that lead to the reader."""

    wish: Wish
    on: bool
    next: tuple[MessageKind, datetime] | None
    zone: str
    ways: frozenset[Channel]


def desk(ctx: Context, actor: Actor) -> Desk:
    """The choices of whoever is signed in."""
    with ctx.reading() as db:
        person = people.person(db, actor.person_id)
        if person is None:
            raise NotFound("There is nothing here.")
        wish = _wish(db, actor)
        found = reminders.readers(ctx, db, [actor.person_id])
        zone = terms.programme(db, actor.grants[0].programme_id).zone
        leading = ways.leading(ctx, db, [actor.person_id])[actor.person_id]
    now = ctx.now()
    ahead = [each for r in found for each in (*rules.planned(r, now), *rules.digests(r, now))]
    first = min((each for each in ahead if each.due_at > now), key=lambda x: x.due_at, default=None)
    return Desk(
        wish, person.reminders, (first.kind, first.due_at) if first else None, zone, leading
    )


def save(ctx: Context, actor: Actor, wish: Wish) -> Wish:
    """Take the choices; what waits to be sent follows.  Returns those before, to undo it with.

    Raises Invalid for a zone or a quiet that cannot be.
    """
    _check(wish)
    with ctx.transaction() as db:
        before = _wish(db, actor)
        choices.save(db, actor.person_id, wish.choices)
        recipients.set_zone(db, actor.person_id, wish.zone)
        accounts.set_language(db, actor.person_id, wish.language)
        queue.recall(db, person_ids=[actor.person_id])
        gathered.wake(db, actor.person_id)
        gathered.void_reminders(db, actor.person_id)
        reminders.plan_all(ctx, db, [actor.person_id])
        audits.record(db, ctx.now(), actor.person_id, "choose_reminders", "person", actor.person_id)
    return before


def switch(ctx: Context, actor: Actor, *, wanted: bool) -> None:
    """Turn all reminders on or off."""
    with ctx.transaction() as db:
        reminders.switch(ctx, db, actor.person_id, wanted=wanted)


def _check(wish: Wish) -> None:
    if wish.zone is not None and wish.zone not in zones.known():
        sentence = text("Write it like this: {example}.", example="Europe/Berlin")
        raise Invalid("We do not know this time zone.", fields={"zone": sentence})
    if wish.language not in LANGUAGES:
        raise Invalid("Choose one of these.", fields={"language": text("Choose one of these.")})
    start, end = wish.choices.quiet_from, wish.choices.quiet_until
    if (start is None) != (end is None) or (start is not None and start == end):
        sentence = text("Choose two different times, or none.")
        raise Invalid("The quiet hours cannot be.", fields={"quiet_from": sentence})


def _wish(db: Session, actor: Actor) -> Wish:
    person = people.person(db, actor.person_id)
    if person is None:
        raise NotFound("There is nothing here.")
    return Wish(choices.of(db, [person.id])[person.id], person.zone, person.language)
