"""A person's browsers that take messages: signed up, tried out, forgotten.

Their addresses and keys are opened only to send; no log line and no error says them.
"""

import json
import logging
import threading
from collections.abc import Sequence
from dataclasses import replace

from scheduler import security
from scheduler.delivery import push
from scheduler.delivery.channels import Outcome, Parcel, Transport
from scheduler.delivery.notices import Notice
from scheduler.domain import devices as rules
from scheduler.domain.access import Actor
from scheduler.domain.devices import MOST_DEVICES, Device
from scheduler.domain.messages import Channel
from scheduler.domain.people import PersonId
from scheduler.errors import ChungTayError, Conflict, Invalid, NotFound, text
from scheduler.locale import Language, translate
from scheduler.security import BadSeal
from scheduler.services.context import Context
from scheduler.store import audits, choices
from scheduler.store import devices as rows
from scheduler.store.database import Session

TEST_LIFE = 300  # seconds
MOST_TRIALS = 4  # at once in a process: a far end may be silent, and pages wait for threads, too
_trials = threading.BoundedSemaphore(MOST_TRIALS)
_log = logging.getLogger(__name__)


def mine(ctx: Context, actor: Actor) -> tuple[Device, ...]:
    """The actor's devices, the newest first."""
    with ctx.reading() as db:
        return rows.of(db, actor.person_id)


def sign_up(
    ctx: Context, actor: Actor, endpoint: str, p256dh: str, auth: str, user_agent: str
) -> None:
    """Send the actor's messages to this browser too, whoever had it before.

    Who chose no push messages yet gets them first from now on.  Raises Invalid for what is no
    browser's address, Conflict when the actor has too many.
    """
    found = rules.subscription(endpoint, p256dh, auth)
    if not push.usable(found):
        raise Invalid("This browser's key cannot be used. Load the page and try again.")
    mark = security.digest(found.endpoint)
    sealed = security.seal(ctx.key, push.address(found))
    with ctx.transaction() as db:
        if rows.others(db, actor.person_id, mark) >= MOST_DEVICES:
            raise Conflict(
                text("You have {most} devices here. Remove one of them first.", most=MOST_DEVICES)
            )
        rows.put(db, actor.person_id, mark, sealed, rules.name_of(user_agent), ctx.now())
        _choose(db, actor.person_id)
        audits.record(db, ctx.now(), actor.person_id, "add_device", "person", actor.person_id)


def _choose(db: Session, person_id: PersonId) -> None:
    chosen = choices.of(db, [person_id])[person_id]
    if Channel.PUSH not in chosen.channels:
        first = (Channel.PUSH, *chosen.channels)
        choices.save(db, person_id, replace(chosen, channels=first))


def remove(ctx: Context, actor: Actor, device_id: int) -> None:
    """Send nothing more to this device; raises NotFound for one that is not the actor's."""
    with ctx.transaction() as db:
        if not rows.remove(db, actor.person_id, device_id):
            raise _no_device()
        audits.record(db, ctx.now(), actor.person_id, "remove_device", "person", actor.person_id)


def try_out(ctx: Context, actor: Actor, device_id: int, transport: Transport) -> None:
    """Send one message to this device now, past the queue; raises NotFound, Conflict."""
    with ctx.reading() as db:
        sealed = rows.sealed_one(db, actor.person_id, device_id)
    if sealed is None:
        raise _no_device()
    found = _opened(ctx, [sealed])
    if not found:
        raise Conflict("This device must be signed up again: remove it, then turn it on once more.")
    language = Language(actor.language)
    notice = Notice(
        title=translate(text("Chung Tay reaches this device"), language),
        body=translate(text("Reminders of your lessons will look like this."), language),
        url=f"{ctx.settings.base_url}/devices",
        tag="test",
        template="test",
        parameters={},
    )
    content = push.payload(notice, actor.language)
    if not _trials.acquire(blocking=False):
        raise Conflict("Other tests are on their way. Wait a moment, then try again.")
    try:
        receipt = transport.send(Parcel(f"test-{device_id}", found, content, TEST_LIFE))
        transport.close()
    finally:
        _trials.release()
    if receipt.outcome is not Outcome.SENT:
        raise Conflict("The message could not be sent to this device. Remove it, or try again.")


def addresses(ctx: Context, db: Session, person_id: PersonId) -> tuple[str, ...]:
    """The devices of a person as addresses of a parcel; one sealed by a former key is left out."""
    return _opened(ctx, rows.sealed(db, person_id))


def settle(ctx: Context, taken: Sequence[str], gone: Sequence[str]) -> None:
    """Note which devices took a message, and forget those at which nobody is any more."""
    if not taken and not gone:
        return
    try:
        with ctx.transaction() as db:
            rows.note_good(db, list(map(_mark, taken)), ctx.now())
            rows.forget(db, list(map(_mark, gone)))
    except ChungTayError:  # the message has gone out all the same; the next one notes it
        _log.exception("devices could not be noted")


def _opened(ctx: Context, sealed: Sequence[str]) -> tuple[str, ...]:
    found = []
    for each in sealed:
        try:
            found.append(security.unseal(ctx.keys, each))
        except BadSeal:
            _log.warning("a device was sealed with another key")
    return tuple(found)


def _mark(address: str) -> str:
    return security.digest(str(json.loads(address)["endpoint"]))


def _no_device() -> NotFound:
    return NotFound("There is no such device here.")
