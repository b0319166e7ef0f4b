"""The coordinator's mailroom: what goes out when, what became of it, and taking a hand in it."""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from scheduler.domain import access, forecast, names
from scheduler.domain import mailroom as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.forecast import Forecast
from scheduler.domain.intervals import midnight
from scheduler.domain.mailroom import Post, Wanted
from scheduler.domain.messages import Channel, MessageKind, MessageState, NewMessage, OutboxId
from scheduler.domain.relays import PauseReason
from scheduler.domain.terms import ProgrammeId
from scheduler.domain.ways import key_by
from scheduler.errors import Conflict, NotFound
from scheduler.services import batches, letters, outbox, programmes
from scheduler.services.context import Context
from scheduler.services.facts import Outdated
from scheduler.services.outbox import OutboxSummary
from scheduler.store import addresses, audits, switches, terms
from scheduler.store import mailroom as rows
from scheduler.store.database import Session
from scheduler.store.mailroom import Counts, News, Place

A_PAGE = 30
AT_ONCE = 1000  # ids in one statement
LATE_ALARM = "late_alarm"
_log = logging.getLogger(__name__)

_Change = Callable[[Session, Sequence[OutboxId]], int]


@dataclass(frozen=True, slots=True)
class Search:
    """Which messages somebody asked for; `who`: part of a name or an address, marks left out."""

    kind: MessageKind | None = None
    state: MessageState | None = None
    who: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Mailroom:
    """The messages of the coordinator's programme; `queue` sums up those of all programmes.

    `more`: where the list goes on; None when this is its end.  `faults`: addresses of the
    programme that take no mail.
    """

    zone: str
    queue: OutboxSummary
    pause: PauseReason | None
    forecasts: tuple[Forecast, ...]
    counts: Counts
    next: Post | None
    news: News
    faults: int
    posts: tuple[Post, ...]
    more: Place | None


@dataclass(frozen=True, slots=True)
class Opened:
    """One message: `words` as it would read now, None when there is nothing left to tell.

    `way`: this message and those before and after it on other channels.  `again`: the copy that
    was planned when it was sent again; `copy_of`: the message that it is such a copy of.
    """

    zone: str
    post: Post
    way: tuple[Post, ...]
    subject: str
    words: str | None
    again: Post | None
    copy_of: Post | None
    useful: bool


# -- looking


def look(ctx: Context, actor: Actor, search: Search, after: Place | None = None) -> Mailroom:
    """The mailroom, with the part of its list that was asked for; a fixed number of queries."""
    programme_id = _own(actor)
    queue = outbox.show(ctx)
    forecasts = foresee(ctx)
    with ctx.reading() as db:
        zone = terms.programme(db, programme_id).zone
        wanted = _wanted(db, actor, search, zone)
        posts = rows.page(db, actor, wanted, after, A_PAGE + 1)
        return Mailroom(
            zone=zone,
            queue=queue,
            pause=rows.pause_reason(db),
            forecasts=forecasts,
            counts=rows.counts(db, actor),
            next=rows.next_planned(db, actor),
            news=rows.news(db, actor),
            faults=addresses.count(db, programme_id),
            posts=posts[:A_PAGE],
            more=_place(posts[A_PAGE - 1]) if len(posts) > A_PAGE else None,
        )


def _place(post: Post) -> Place:
    return Place(post.next_try_at, post.id)


def _wanted(db: Session, actor: Actor, search: Search, zone: str) -> Wanted:
    since = until = None
    if search.day is not None:
        since, until = midnight(search.day, zone), midnight(search.day + timedelta(days=1), zone)
    found = None
    if names.fold(search.who):
        known = rows.people(db, programmes.own(actor))
        found = tuple(who for who, name, mail in known if rules.matches(name, mail, search.who))
    return Wanted(search.kind, search.state, found, since, until)


def news(ctx: Context, actor: Actor) -> News:
    """The news of changes that waits in the coordinator's programme."""
    _own(actor)
    with ctx.reading() as db:
        return rows.news(db, actor)


def open_one(ctx: Context, actor: Actor, message_id: OutboxId) -> Opened:
    """One message and its way; raises NotFound for those of others."""
    programme_id = _own(actor)
    with ctx.reading() as db:
        post = _visible(db, actor, message_id)
        zone = terms.programme(db, programme_id).zone
        way = rows.by_keys(db, actor, [key_by(post.key, channel) for channel in Channel])
        original = rules.copied_key(post.key)
        copies = rows.by_keys(db, actor, [rules.again_key(post.key), original])
    subject, words = _letter(ctx, post)
    return Opened(
        zone=zone,
        post=post,
        way=tuple(sorted(way.values(), key=lambda each: each.id)),
        subject=subject,
        words=words,
        again=copies.get(rules.again_key(post.key)),
        copy_of=copies.get(original) if original != post.key else None,
        useful=words is not None and rules.useful_until(post, ctx.now()) is not None,
    )


def _letter(ctx: Context, post: Post) -> tuple[str, str | None]:
    """Subject and words as they would be now; None when it would not be sent."""
    try:
        _, letter = letters.compose(ctx, post.claimed())
    except Outdated:
        return "", None
    except Exception:  # noqa: BLE001 - a message that cannot be made still has a page
        _log.exception("message cannot be shown", extra={"outbox_id": post.id})
        return "", None
    return letter.subject, _without_keys(letter.text, ctx.settings.base_url)


def _without_keys(words: str, base_url: str) -> str:
    """Personal links act for whoever opens them: their secret part is left out."""
    return re.sub(rf"({re.escape(base_url)}/[a-z-]+/)\S+", "\\1…", words)


def _visible(db: Session, actor: Actor, message_id: int) -> Post:
    found = rows.one(db, actor, message_id)
    if found is None:
        raise NotFound("There is no such message here.")
    return found


# -- will it go out in time


def foresee(ctx: Context) -> tuple[Forecast, ...]:
    """For each channel with something due: how long that takes, and what will be late."""
    now = ctx.now()
    with ctx.reading() as db:
        loads = forecast.by_minute(rows.waiting(db, now))
        if not loads:
            return ()
        paces = rows.paces(db, now, batches.rates(ctx))
        senders = rows.senders(db, outbox.BEAT_DEAD)
    return forecast.forecasts(loads, paces, senders, now)


@dataclass(frozen=True, slots=True)
class Outlook:
    """How many waiting messages will be late at the present rate, and the seconds that the slowest
    channel needs for what waits; None when its rate is unknown."""

    will_be_late: int
    needs_seconds: float | None


def outlook(ctx: Context) -> Outlook:
    """What the forecasts of all channels come to."""
    found = foresee(ctx)
    needs = [each.needs for each in found if each.needs is not None]
    known = len(needs) == len(found)
    return Outlook(
        will_be_late=_late(found),
        needs_seconds=max(needs, default=timedelta()).total_seconds() if known else None,
    )


def _late(found: Iterable[Forecast]) -> int:
    return sum(each.will_be_late or 0 for each in found)


def watch(ctx: Context) -> int:
    """Log once when the queue begins to be too long for its deadlines, and once when it fits again.

    Returns how many messages will be late.
    """
    late = _late(foresee(ctx))
    with ctx.reading() as db:
        known = switches.is_on(db, LATE_ALARM)
    if bool(late) == known:
        return late
    with ctx.transaction() as db:
        (switches.turn_on if late else switches.turn_off)(db, LATE_ALARM)
    if late:
        _log.error("messages will be late at the present rate", extra={"count": late})
    else:
        _log.warning("messages go out in time again")
    return late


# -- taking a hand


def send_now(ctx: Context, actor: Actor, message_id: OutboxId) -> None:
    """Make a planned message due at once, a held one too; raises Conflict when it is no longer."""
    with ctx.transaction() as db:
        post = _managed(db, actor, message_id)
        if not rows.bring_forward(db, [post.id], ctx.now()):
            raise Conflict("This message does not wait any more.")
        _record(ctx, db, actor, "send_now", post.id)


def hold(ctx: Context, actor: Actor, message_id: OutboxId) -> None:
    """Keep a message back until it is released or useless; raises Conflict when it is too late."""
    with ctx.transaction() as db:
        post = _managed(db, actor, message_id)
        if not rows.hold(db, [post.id]):
            raise Conflict("This message does not wait any more.")
        _record(ctx, db, actor, "hold_message", post.id)


def release(ctx: Context, actor: Actor, message_id: OutboxId) -> None:
    """Let a held message go out at its time; one that is not held stays as it is."""
    with ctx.transaction() as db:
        post = _managed(db, actor, message_id)
        if rows.release(db, [post.id]):
            _record(ctx, db, actor, "release_message", post.id)


def stop(ctx: Context, actor: Actor, message_id: OutboxId, reason: str) -> None:
    """Do not send this message, for a reason; raises Conflict when it is on its way or ended."""
    with ctx.transaction() as db:
        post = _managed(db, actor, message_id)
        if not rows.stop(db, post.id, f"{rules.BY_HAND}: {reason}"):
            raise Conflict("This message does not wait any more.")
        _record(ctx, db, actor, "stop_message", post.id, reason)


def again(ctx: Context, actor: Actor, message_id: OutboxId) -> OutboxId:
    """Plan a copy of a message that did not arrive; pressed twice, there is still one copy.

    Raises Conflict when the copy would be of no use.
    """
    with ctx.reading() as db:
        post = _managed(db, actor, message_id)
    if not rules.may_try_again(post):
        raise Conflict("Only what failed, came too late or may not have arrived is sent again.")
    until = rules.useful_until(post, ctx.now())
    if until is None or _letter(ctx, post)[1] is None:
        raise Conflict(
            "Sending this again would help nobody: what it is about is over or has changed."
        )
    with ctx.transaction() as db:
        copy = again_of(post, ctx.now(), until)
        if outbox.plan(ctx, db, [copy]):
            _record(ctx, db, actor, "send_again", post.id)
        return rows.by_keys(db, actor, [copy.key])[copy.key].id


def again_of(post: Post, now: datetime, until: datetime) -> NewMessage:
    """A copy of a message under a key of its own, due now."""
    return NewMessage(
        key=rules.again_key(post.key),
        kind=post.kind,
        person_id=post.person_id,
        due_at=now,
        useless_after=until,
        lesson_id=post.lesson_id,
        sequence=post.sequence,
        programme_id=post.programme_id,
        payload=post.payload,
        channel=post.channel,
    )


def send_news_now(ctx: Context, actor: Actor) -> int:
    """Let all waiting news of changes go out at once; returns how much of it."""
    now = ctx.now()
    return _each_news(ctx, actor, "send_news_now", lambda db, ids: rows.bring_forward(db, ids, now))


def hold_news(ctx: Context, actor: Actor) -> int:
    """Keep all waiting news of changes back until somebody releases it."""
    return _each_news(ctx, actor, "hold_news", rows.hold)


def release_news(ctx: Context, actor: Actor) -> int:
    """Let the news that is held go out at its time."""
    return _each_news(ctx, actor, "release_news", rows.release)


def _each_news(ctx: Context, actor: Actor, action: str, change: _Change) -> int:
    programme_id = _own(actor)
    with ctx.transaction() as db:
        ids = rows.waiting_news(db, actor)
        done = sum(change(db, some) for some in _portions(ids))
        if done:
            after = {"messages": done}
            audits.record(
                db, ctx.now(), actor.person_id, action, "programme", programme_id, after=after
            )
    return done


def _portions(ids: Sequence[OutboxId]) -> Iterable[Sequence[OutboxId]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


def _own(actor: Actor) -> ProgrammeId:
    programme_id = programmes.own(actor)
    access.require(actor, Action.MANAGE_MESSAGES, programme_id)
    return programme_id


def _managed(db: Session, actor: Actor, message_id: OutboxId) -> Post:
    post = _visible(db, actor, message_id)
    access.require(actor, Action.MANAGE_MESSAGES, post.programme_id)
    return post


def _record(
    ctx: Context, db: Session, actor: Actor, action: str, message_id: OutboxId, reason: str = ""
) -> None:
    audits.record(db, ctx.now(), actor.person_id, action, "message", message_id, reason=reason)
