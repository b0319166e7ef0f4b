"""What is kept of one person: a copy for them, and taking it away when they ask for it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.domain.access import Actor
from scheduler.domain.messages import Channel, MessageKind, NewMessage
from scheduler.domain.people import Person, PersonId
from scheduler.errors import Conflict, Invalid, NotFound, Text, text
from scheduler.exchange import writing
from scheduler.locale import Language, translate
from scheduler.services import accounts, departures, outbox
from scheduler.services.context import Context
from scheduler.store import audits, people, recipients, roles, switches
from scheduler.store import own_data as rows
from scheduler.store.database import Session

# Until then the farewell may be under way; the data go at the latest when it is over.
FAREWELL_LIFE = timedelta(hours=1)
_ASKED = "erase:"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """How it is with somebody's data.  `hindrance`: why they cannot be erased now, if so;
    `lessons`: how many lessons they are still to give; `asked`: it is under way."""

    lessons: int
    hindrance: Text | None
    asked: bool


# -- a copy


def copy(ctx: Context, person_id: PersonId, *, by: PersonId | None) -> bytes:
    """All that is kept of a person as JSON, by table, without secrets.  `by`: who takes it, None:
    the command line.  Raises NotFound."""
    with ctx.transaction() as db:
        _known(db, person_id)
        kept = rows.copy(db, person_id)
        audits.record(db, ctx.now(), by, "copy_data", "person", person_id)
    whole = {"format": _FORMAT, "made_at": ctx.now().isoformat(), "kept": kept}
    return json.dumps(whole, ensure_ascii=False, indent=1).encode()


def copy_for(ctx: Context, address: str) -> bytes:
    """The copy of whoever has this address (the operator's command); raises NotFound."""
    return copy(ctx, _by_address(ctx, address), by=None)


# -- going


def standing(ctx: Context, actor: Actor) -> Standing:
    with ctx.reading() as db:
        return _standing(ctx, db, actor.person_id)


def ask_erasure(ctx: Context, person_id: PersonId, *, by: PersonId | None) -> None:
    """Erase a person as soon as a last mail has told them so, within an hour.

    The mail goes first: afterwards nobody knows the address any more.  Asked twice, it is once.
    Raises NotFound, and Conflict while something stands in the way.
    """
    with ctx.transaction() as db:
        person = _known(db, person_id)
        found = _standing(ctx, db, person_id)
        if found.hindrance is not None:
            raise Conflict(found.hindrance)
        if found.asked:
            return
        switches.turn_on(db, f"{_ASKED}{person_id}")
        outbox.plan(ctx, db, [_farewell(ctx, db, person)])
        audits.record(db, ctx.now(), by, "ask_erasure", "person", person_id)


def ask_erasure_for(ctx: Context, address: str) -> None:
    """As `ask_erasure`, by the operator's command."""
    ask_erasure(ctx, _by_address(ctx, address), by=None)


def erase_asked(ctx: Context, go_on: Callable[[], bool] = lambda: True) -> int:
    """Erase whoever asked for it and has been told; how many."""
    with ctx.reading() as db:
        asked = switches.beginning(db, _ASKED)
    done = 0
    for name in asked:
        if not go_on():
            break
        done += _erase_told(ctx, PersonId(int(name.removeprefix(_ASKED))))
    return done


def _erase_told(ctx: Context, person_id: PersonId) -> bool:
    with ctx.reading() as db:
        if rows.is_under_way(db, _key(person_id), ctx.now()):
            return False
    return erase(ctx, person_id)


def erase(ctx: Context, person_id: PersonId) -> bool:
    """Take away, now, all that leads to a person; lessons and counts stay.

    False when it was done before, or something stands in the way by now, as lessons ahead or
    successors who went first: then it is done after that.
    """
    now = ctx.now()
    with ctx.transaction() as db:
        departures.hold(ctx, db, roles.of_people(db, [person_id]))
        going = roles.of_people(db, [person_id])
        if _standing(ctx, db, person_id).hindrance is not None:
            return False
        switches.turn_off(db, f"{_ASKED}{person_id}")
        name = translate(text("former volunteer"), Language(ctx.settings.locale))
        if not rows.claim_erasure(db, person_id, name, now):
            return False
        departures.carry_out(ctx, db, departures.look(ctx, db, person_id, going), person_id)
        rows.erase(db, person_id, name, now)
        audits.record(db, now, None, "erase", "person", person_id)
    return True


def _standing(ctx: Context, db: Session, person_id: PersonId) -> Standing:
    ahead = rows.lessons_ahead(db, person_id, ctx.now())
    hindrance = None
    if ahead:
        hindrance = text("There are lessons ahead. Leave first, so that others can give them.")
    elif not departures.spared(db, roles.of_people(db, [person_id])):
        hindrance = text("Nobody else coordinates this programme. Find a successor first.")
    return Standing(ahead, hindrance, switches.is_on(db, f"{_ASKED}{person_id}"))


def _key(person_id: PersonId) -> str:
    return f"farewell:{person_id}:{Channel.MAIL}"


def _farewell(ctx: Context, db: Session, person: Person) -> NewMessage:
    name, email = _contact(ctx, db, person.id)
    language = Language(person.language)
    return NewMessage(
        key=_key(person.id),
        kind=MessageKind.NOTE,
        person_id=person.id,
        due_at=ctx.now(),
        useless_after=ctx.now() + FAREWELL_LIFE,
        payload={"words": translate(_FAREWELL, language), "name": name, "email": email},
    )


_FAREWELL = text(
    "You asked us to take your data away. Once this mail has gone out, your name, your address and "
    "all that you wrote are gone; the lessons that you gave still count, as those of a former "
    "volunteer. If you did not ask for this, answer at once. Thank you for all that you gave."
)


def _contact(ctx: Context, db: Session, person_id: PersonId) -> tuple[str, str]:
    """Whoever runs a programme of theirs; the sender of all mails where nobody else does."""
    for grant in people.grants(db, person_id):
        for other in recipients.coordinators(db, grant.programme_id):
            found = people.person(db, other) if other != person_id else None
            if found is not None:
                return found.name, found.email
    return "Chung Tay", ctx.settings.mail_from


def _known(db: Session, person_id: PersonId) -> Person:
    person = people.person(db, person_id)
    if person is None or rows.is_erased(db, person_id):
        raise NotFound("There is no such person here.")
    return person


def _by_address(ctx: Context, address: str) -> PersonId:
    email = accounts.clean_email(address)
    with ctx.reading() as db:
        person = people.by_email(db, email)
    if person is None:
        raise NotFound(text("Nobody here has the address {email}.", email=email))
    return person.id


# -- when data got into wrong hands


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom to tell of a breach: a table of names, addresses, languages and roles, and how many
    stand in it; `gone` were erased since it began, and cannot be told."""

    table: bytes
    count: int
    gone: int


def concerned(
    ctx: Context, since: datetime, until: datetime, programme: str | None = None
) -> Concerned:
    """Whose data were here while something was open to others.  `programme`: its code, None: all.

    Raises Invalid for a span that ends before it begins.
    """
    if until < since:
        raise Invalid("The end lies before the beginning.")
    with ctx.transaction() as db:
        found, gone = rows.concerned(db, until, programme), rows.erased_since(db, since)
        audits.record(db, ctx.now(), None, "list_concerned", "person", after={"count": len(found)})
    lines = [(each.name, each.email, each.language, " ".join(each.roles)) for each in found]
    table = writing.csv_table(("name", "email", "language", "roles"), lines)
    return Concerned(table, len(found), gone)
