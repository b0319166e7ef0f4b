"""The outbox: planning messages, counting them, and letting them wait."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from scheduler import security
from scheduler.delivery import journal, mailfiles
from scheduler.delivery.mailfiles import StoredMail
from scheduler.domain import reminders
from scheduler.domain.access import Action, Actor
from scheduler.domain.messages import PRIVATE, Channel, MessageKind, NewMessage
from scheduler.domain.people import Person, PersonId
from scheduler.domain.relays import PauseReason
from scheduler.errors import NotAllowed, NotFound, text
from scheduler.services.context import Context
from scheduler.store import audits, outbox, queue, relays, switches, workers
from scheduler.store.database import Session

BEAT_DEAD = timedelta(seconds=60)
NOTICE_LIFE = timedelta(days=7)
_KEYS = frozenset({"url", "code"})  # what of a private message would let somebody in


@dataclass(frozen=True, slots=True)
class OutboxSummary:
    """`law` is true while every message planned is in exactly one state.

    `queue`: messages due at this moment, the first of them since `late_seconds`; `lease_lost`:
    marks that came too late; `drift_seconds`: the newest jump of a worker's clock; `away`: ways
    out that are left alone because they do not answer; `workers`: processes that beat.
    """

    by_state: dict[str, int]
    by_kind: dict[str, int]
    law: bool
    maybe_twice: int
    paused: bool
    pause_reason: str | None
    queue: int
    late_seconds: float
    lease_lost: int
    drift_seconds: float
    away: tuple[str, ...]
    workers: int


# -- planning


def plan(ctx: Context, db: Session, messages: Iterable[NewMessage]) -> int:
    """Plan messages inside the transaction that causes them; returns how many are new."""
    closed = (_sealed(ctx, message) for message in messages)
    return outbox.add(db, closed, ctx.now(), lambda key: message_id(ctx, key))


def _sealed(ctx: Context, message: NewMessage) -> NewMessage:
    """A copy of the database must not hold a link that is still open."""
    told = message.payload
    keys = {name: told[name] for name in _KEYS & told.keys()}
    if message.kind not in PRIVATE or not keys:
        return message
    rest = {name: value for name, value in told.items() if name not in keys}
    sealed = security.seal(ctx.key, json.dumps(keys))
    return replace(message, payload={**rest, "sealed": sealed})


def opened(ctx: Context, payload: Mapping[str, Any]) -> dict[str, Any]:
    """What a message tells, its link and code readable again; raises BadSeal without our key."""
    told = dict(payload)
    if "sealed" in told:
        told |= json.loads(security.unseal(ctx.keys, str(told.pop("sealed"))))
    return told


def message_id(ctx: Context, key: str) -> str:
    """The same for every copy of a message."""
    return f"<{security.message_stamp(ctx.key, key)}@{ctx.settings.uid_domain}>"


def sign_in_message(
    ctx: Context, db: Session, person: Person, url: str, code: str, expires_at: datetime
) -> int:
    """Plan the mail that lets a person in; link and code leave the database when it is sent."""
    name = security.stamp(ctx.key, "sign-in", url)
    message = NewMessage(
        key=f"sign_in:{name}:{person.id}:{Channel.MAIL}",
        kind=MessageKind.SIGN_IN,
        person_id=person.id,
        due_at=ctx.now(),
        useless_after=expires_at,
        payload={"url": url, "code": code},
    )
    return plan(ctx, db, [message])


class FactorNews(StrEnum):
    """What a person hears about their second factor, whoever did it."""

    ADDED = "added"
    RECOVERY = "recovery"
    RESET = "reset"


def factor_notice(ctx: Context, db: Session, person_id: PersonId, what: FactorNews) -> int:
    """Plan the mail that tells a person of it, in the transaction that does it."""
    message = NewMessage(
        key=f"factor_notice:{security.new_code()}:{person_id}:{Channel.MAIL}",
        kind=MessageKind.FACTOR_NOTICE,
        person_id=person_id,
        due_at=ctx.now(),
        useless_after=ctx.now() + NOTICE_LIFE,
        payload={"what": what.value},
    )
    return plan(ctx, db, [message])


# -- looking at it


def show(ctx: Context) -> OutboxSummary:
    """Messages by state and kind, and how the sending goes."""
    now = ctx.now()
    with ctx.reading() as db:
        tally = outbox.tally(db)
        waiting = queue.waiting(db, now)
        paused = switches.value(db, switches.SENDING_PAUSED)
        return OutboxSummary(
            by_state={state.value: count for state, count in tally.by_state.items()},
            by_kind={kind.value: count for kind, count in tally.by_kind.items()},
            law=sum(tally.by_state.values()) == tally.planned,
            maybe_twice=tally.maybe_twice,
            paused=paused is not None,
            pause_reason=paused,
            queue=waiting.count,
            late_seconds=(now - waiting.since).total_seconds() if waiting.since else 0.0,
            lease_lost=int(switches.value(db, switches.LEASES_LOST) or 0),
            drift_seconds=float(switches.value(db, switches.CLOCK_DRIFT) or 0),
            away=tuple(channel.value for channel in relays.closed(db)),
            workers=workers.beating(db, BEAT_DEAD),
        )


def reminders_planned(ctx: Context) -> int:
    """How many reminders were ever planned, whatever became of them."""
    with ctx.reading() as db:
        tally = outbox.tally(db)
    return sum(tally.by_kind[kind] for kind in reminders.REMINDERS)


def pause(ctx: Context, actor: Actor | None = None) -> None:
    """Send nothing until `resume`; what is in flight ends.  None is the command line."""
    _may_manage(actor)
    with ctx.transaction() as db:
        switches.turn_on(db, switches.SENDING_PAUSED, PauseReason.HAND)
        _record(ctx, db, actor, "pause_sending")


def pause_after_restore(ctx: Context) -> None:
    """Send nothing: what the old state holds as unsent may have been sent since."""
    with ctx.transaction() as db:
        switches.turn_on(db, switches.SENDING_PAUSED, PauseReason.RESTORED)
        _record(ctx, db, None, "pause_sending")


def pause_by_clock(ctx: Context) -> None:
    """Send and expire nothing: no due time can be trusted."""
    with ctx.transaction() as db:
        if switches.value(db, switches.SENDING_PAUSED) != PauseReason.CLOCK:
            switches.turn_on(db, switches.SENDING_PAUSED, PauseReason.CLOCK)
            _record(ctx, db, None, "pause_sending")


def resume(ctx: Context, actor: Actor | None = None) -> None:
    """Let what waits go out again.  None is the command line."""
    _may_manage(actor)
    with ctx.transaction() as db:
        switches.turn_off(db, switches.SENDING_PAUSED)
        _record(ctx, db, actor, "resume_sending")


def _may_manage(actor: Actor | None) -> None:
    """All programmes share one outbox: whoever manages the messages of one may stop it."""
    if actor is not None and not any(
        actor.can(Action.MANAGE_MESSAGES, grant.programme_id) for grant in actor.grants
    ):
        raise NotAllowed("Your account may not do this.")


def _record(ctx: Context, db: Session, actor: Actor | None, action: str) -> None:
    audits.record(db, ctx.now(), actor.person_id if actor else None, action, "outbox")


def mails(ctx: Context) -> tuple[StoredMail, ...]:
    """The mail kept as files, newest first."""
    return mailfiles.stored(ctx.settings.mail_dir)


def mail_kept(ctx: Context, name: str) -> StoredMail:
    """One mail kept as a file; raises NotFound."""
    found = mailfiles.one(ctx.settings.mail_dir, name)
    if found is None:
        raise NotFound("There is no such mail here.")
    return found


# -- after a restore


def replay(ctx: Context, files: Sequence[Path] | None = None) -> int:
    """Mark as sent what journals say was sent; returns how many messages that changed.

    Without files, the journals of this machine are read.  Raises NotFound.
    """
    paths = journal.files(ctx.settings.journal_dir) if files is None else files
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise NotFound(text("There is no file {file}.", file=str(missing[0])))
    sent = journal.read(paths)
    with ctx.transaction() as db:
        return outbox.delivered(db, sent)
