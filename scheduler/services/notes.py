"""A coordinator's own words to people of her programme."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from scheduler import security
from scheduler.domain import access
from scheduler.domain import mailroom as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.messages import MessageKind, NewMessage
from scheduler.domain.people import PersonId
from scheduler.domain.terms import ProgrammeId
from scheduler.errors import Conflict, Invalid, NotFound, text
from scheduler.services import outbox, programmes, ways
from scheduler.services.context import Context
from scheduler.store import audits
from scheduler.store import mailroom as rows
from scheduler.store.database import Session

MOST_AT_ONCE = 50
MOST_A_DAY = 200
_DAY = timedelta(days=1)
_WRITE = "write_note"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}")


@dataclass(frozen=True, slots=True)
class Addressee:
    person_id: PersonId
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A note before it is sent: to whom, in which words, and the token that keeps it one."""

    to: tuple[Addressee, ...]
    words: str
    token: str


def addressees(ctx: Context, actor: Actor, ids: Collection[int]) -> tuple[Addressee, ...]:
    """These people; raises NotFound unless all of them belong to the coordinator's programme."""
    programme_id = own(actor)
    with ctx.reading() as db:
        return _addressees(db, programme_id, ids)


def preview(ctx: Context, actor: Actor, ids: Collection[int], typed: str) -> Draft:
    """What would be sent; raises Invalid for words that cannot be."""
    to = addressees(ctx, actor, ids)
    return Draft(to, rules.note_text(typed), security.new_token())


def send(ctx: Context, actor: Actor, ids: Collection[int], typed: str, token: str) -> int:
    """Plan the note for each of these people; the same token sends it once, however often pressed.

    Returns how many are on their way now.  Raises Conflict beyond what may be written in a day.
    """
    programme_id = own(actor)
    words = rules.note_text(typed)
    check_token(token)
    now = ctx.now()
    with ctx.transaction() as db:
        to = _addressees(db, programme_id, ids)
        rows.take_turn(db, actor.person_id)
        channels = ways.first(ctx, db, [who.person_id for who in to])
        planned = 0
        for who in to:
            channel = channels[who.person_id]
            message = NewMessage(
                key=f"note:{actor.person_id}:{token}:{who.person_id}:{channel}",
                kind=MessageKind.NOTE,
                person_id=who.person_id,
                due_at=now,
                useless_after=now + rules.NOTE_LIFE,
                programme_id=programme_id,
                payload={"words": words, "name": actor.name, "email": actor.email},
                channel=channel,
            )
            if outbox.plan(ctx, db, [message]):
                planned += 1
                audits.record(db, now, actor.person_id, _WRITE, "person", who.person_id)
        if audits.count(db, actor.person_id, _WRITE, now - _DAY) > MOST_A_DAY:
            raise Conflict(
                text("You can write {most} messages a day. Nothing was sent.", most=MOST_A_DAY)
            )
    return planned


def check_token(token: str) -> None:
    """Raises Invalid for what no preview has given."""
    if not _TOKEN.fullmatch(token):
        raise Invalid("This form is incomplete. Open the page again.")


def own(actor: Actor) -> ProgrammeId:
    """The programme whose people the actor may write to."""
    programme_id = programmes.own(actor)
    access.require(actor, Action.MANAGE_MESSAGES, programme_id)
    return programme_id


def _addressees(
    db: Session, programme_id: ProgrammeId, ids: Collection[int]
) -> tuple[Addressee, ...]:
    wanted = set(ids)
    if not wanted:
        raise Invalid("Choose somebody to write to.")
    if len(wanted) > MOST_AT_ONCE:
        raise Invalid(text("Write to {most} people at most at once.", most=MOST_AT_ONCE))
    found = tuple(Addressee(*each) for each in rows.people(db, programme_id) if each[0] in wanted)
    if len(found) != len(wanted):
        raise NotFound("There is no such person here.")
    return found
