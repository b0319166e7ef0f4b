"""A coordinator's words to a part of her programme: looked at, then sent once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from scheduler import security
from scheduler.domain import announcements as rules
from scheduler.domain import mailroom
from scheduler.domain.access import Actor
from scheduler.domain.announcements import Audience, Listener
from scheduler.domain.messages import Channel, MessageKind, NewMessage
from scheduler.domain.terms import Term
from scheduler.errors import Conflict, Invalid, text
from scheduler.services import notes, outbox, programmes, ways
from scheduler.services.context import Context
from scheduler.store import audiences, audits
from scheduler.store import mailroom as rows
from scheduler.store.database import Session

MOST_A_DAY = 3
_DAY = timedelta(days=1)
_ANNOUNCE = "announce"


@dataclass(frozen=True, slots=True)
class Room:
    """Who could be written to: each audience and its people, of all districts."""

    listeners: dict[Audience, tuple[Listener, ...]]

    @property
    def districts(self) -> tuple[str, ...]:
        return tuple(sorted({x.district for found in self.listeners.values() for x in found}))


@dataclass(frozen=True, slots=True)
class Draft:
    """An announcement before it is sent; `sample`: the words as the first of them reads them."""

    to: tuple[Listener, ...]
    words: str
    sample: str
    token: str


def room(ctx: Context, actor: Actor) -> Room:
    """The audiences of the present term; raises NotFound for anybody but its coordinators."""
    notes.own(actor)
    term = programmes.present(ctx, actor)
    with ctx.reading() as db:
        return Room(audiences.listeners(db, term, ctx.now()))


def preview(ctx: Context, actor: Actor, audience: Audience, district: str, typed: str) -> Draft:
    """What would be sent; raises Invalid for words that cannot be, or when nobody is left."""
    notes.own(actor)
    term = programmes.present(ctx, actor)
    words = _words(typed)
    with ctx.reading() as db:
        to = _to(ctx, db, term, audience, district)
    return Draft(to, words, rules.filled(words, to[0]), security.new_token())


def send(
    ctx: Context, actor: Actor, audience: Audience, district: str, typed: str, token: str
) -> int:
    """Plan it for each of them; the same token sends it once, however often pressed.

    Returns how many are on their way now.  Raises Conflict beyond what may be said in a day.
    """
    programme_id = notes.own(actor)
    term = programmes.present(ctx, actor)
    words = _words(typed)
    notes.check_token(token)
    now = ctx.now()
    with ctx.transaction() as db:
        rows.take_turn(db, actor.person_id)
        to = _without_who_had(db, actor, _to(ctx, db, term, audience, district), token)
        planned = outbox.plan(ctx, db, _messages(ctx, db, actor, term, to, words, token))
        if planned:
            after = {"audience": audience.value, "district": district, "people": planned}
            audits.record(
                db, now, actor.person_id, _ANNOUNCE, "programme", programme_id, after=after
            )
        if audits.count(db, actor.person_id, _ANNOUNCE, now - _DAY) > MOST_A_DAY:
            raise Conflict(
                text("You can send {most} announcements a day. Nothing was sent.", most=MOST_A_DAY)
            )
    return planned


def _words(typed: str) -> str:
    words = mailroom.note_text(typed)
    rules.check(words)
    return words


def _to(
    ctx: Context, db: Session, term: Term, audience: Audience, district: str
) -> tuple[Listener, ...]:
    found = rules.of_district(audiences.listeners(db, term, ctx.now())[audience], district)
    if not found:
        fault = text("Nobody is in this group. Choose another group or district.")
        raise Invalid("Some fields need another look.", fields={"audience": fault})
    return found


def _without_who_had(
    db: Session, actor: Actor, to: Sequence[Listener], token: str
) -> tuple[Listener, ...]:
    """Those whom this announcement has not reached by any way yet: a way may have changed since."""
    keys = {_key(actor, token, who, way): who.person_id for who in to for way in Channel}
    had = {keys[key] for key in rows.by_keys(db, actor, keys)}
    return tuple(who for who in to if who.person_id not in had)


def _key(actor: Actor, token: str, who: Listener, channel: Channel) -> str:
    return f"announcement:{actor.person_id}:{token}:{who.person_id}:{channel}"


def _messages(
    ctx: Context,
    db: Session,
    actor: Actor,
    term: Term,
    to: Sequence[Listener],
    words: str,
    token: str,
) -> list[NewMessage]:
    now = ctx.now()
    channels = ways.first(ctx, db, [who.person_id for who in to])
    return [
        NewMessage(
            key=_key(actor, token, who, channels[who.person_id]),
            kind=MessageKind.NOTE,
            person_id=who.person_id,
            due_at=now,
            useless_after=now + mailroom.NOTE_LIFE,
            programme_id=term.programme_id,
            payload={
                "words": rules.filled(words, who),
                "name": actor.name,
                "email": actor.email,
            },
            channel=channels[who.person_id],
        )
        for who in to
    ]
