"""Addresses that take no mail, as tasks: correct them, or try them again."""

from dataclasses import dataclass
from datetime import timedelta

from scheduler.domain import access
from scheduler.domain import mailroom as rules
from scheduler.domain.access import Action, Actor, Role
from scheduler.domain.mailroom import Post, Why
from scheduler.domain.people import PersonId
from scheduler.domain.terms import ProgrammeId
from scheduler.errors import Invalid, NotAllowed, NotFound, Text, text
from scheduler.services import accounts, mailroom, outbox, programmes
from scheduler.services.context import Context
from scheduler.store import accounts as account_rows
from scheduler.store import addresses, audits, queue, terms
from scheduler.store import mailroom as rows
from scheduler.store.addresses import Faulty
from scheduler.store.database import Session

LOOK_BACK = timedelta(days=30)
# Who else may open the desk, or belongs to another programme, is not changed from here: an
# address is the key to an account.
_OURS = frozenset({Role.TEACHER, Role.SCHOOL, Role.DONOR_HEAD})


@dataclass(frozen=True, slots=True)
class Task:
    """One address that needs a decision: what went wrong, and what did not reach its owner."""

    who: Faulty
    why: Why | None
    missed: tuple[Post, ...]
    correctable: bool


@dataclass(frozen=True, slots=True)
class Tasks:
    zone: str
    tasks: tuple[Task, ...]


def tasks(ctx: Context, actor: Actor) -> Tasks:
    """Everybody in the coordinator's programme whom mail does not reach; the newest first."""
    programme_id = _own(actor)
    with ctx.reading() as db:
        found = addresses.faulty(db, programme_id)
        missed = rows.undelivered(
            db, actor, [who.person_id for who in found], ctx.now() - LOOK_BACK
        )
        zone = terms.programme(db, programme_id).zone
    return Tasks(
        zone,
        tuple(
            Task(
                who=who,
                why=rules.why(who.fault),
                missed=tuple(post for post in missed if post.person_id == who.person_id),
                correctable=_correctable(who, programme_id),
            )
            for who in found
        ),
    )


def count(ctx: Context, actor: Actor) -> int:
    """How many addresses of the coordinator's programme take no mail."""
    programme_id = _own(actor)
    with ctx.reading() as db:
        return addresses.count(db, programme_id)


def correct(ctx: Context, actor: Actor, person_id: PersonId, address: str) -> int:
    """Give somebody another address, and plan again what failed and is still of use.

    Returns how many messages were planned.  Raises Invalid for what is no address, is the old one
    or is somebody else's, NotAllowed for people who are not the coordinator's alone.
    """
    programme_id = _own(actor)
    email = accounts.clean_email(address)
    with ctx.transaction() as db:
        who = _one(db, programme_id, person_id)
        if not _correctable(who, programme_id):
            raise NotAllowed("This person also works elsewhere: ask the administrator.")
        if email == who.email:
            raise _unchanged(text("This is the address that takes no mail."))
        if not addresses.correct(db, person_id, email):
            raise _unchanged(text("Somebody else here has this address."))
        account_rows.shut_out(db, person_id, ctx.now())
        queue.recall(db, person_ids=[person_id])
        audits.record(
            db, ctx.now(), actor.person_id, "correct_address", "person", person_id
        )  # fmt: skip
        return _plan_again(ctx, db, actor, person_id)


def try_again(ctx: Context, actor: Actor, person_id: PersonId) -> int:
    """Believe in the address once more; plans again what failed and is still of use."""
    programme_id = _own(actor)
    with ctx.transaction() as db:
        _one(db, programme_id, person_id)
        addresses.clear(db, person_id)
        audits.record(db, ctx.now(), actor.person_id, "try_address", "person", person_id)
        return _plan_again(ctx, db, actor, person_id)


def _own(actor: Actor) -> ProgrammeId:
    programme_id = programmes.own(actor)
    access.require(actor, Action.MANAGE_MESSAGES, programme_id)
    return programme_id


def _one(db: Session, programme_id: ProgrammeId, person_id: PersonId) -> Faulty:
    found = addresses.faulty(db, programme_id, person_id)
    if not found:
        raise NotFound("There is no such address here any more.")
    return found[0]


def _correctable(who: Faulty, programme_id: ProgrammeId) -> bool:
    return all(g.role in _OURS and g.programme_id == programme_id for g in who.grants)


def _unchanged(fault: Text) -> Invalid:
    return Invalid("The address was not changed.", fields={"email": fault})


def _plan_again(ctx: Context, db: Session, actor: Actor, person_id: PersonId) -> int:
    now = ctx.now()
    failed = rows.undelivered(db, actor, [person_id], now - LOOK_BACK)
    useful = [post for post in failed if post.useless_after > now]
    copies = [mailroom.again_of(post, now, post.useless_after) for post in useful]
    return outbox.plan(ctx, db, copies)
