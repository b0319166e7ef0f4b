"""One beat of the system: a few bounded steps, safe in any number of processes at once."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from scheduler import tracing
from scheduler.domain.messages import Channel
from scheduler.errors import Busy
from scheduler.jobs.senders import Senders
from scheduler.services import (
    accounts,
    audits,
    busy,
    feeds,
    mailroom,
    own_data,
    presses,
    reminders,
    retention,
    room,
    runs,
    sending,
    swaps,
    waves,
    ways,
    webhook_sending,
    workers,
)
from scheduler.services.context import Context

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class TickSummary:
    """What a beat did; `failed` names the steps that broke, which did not stop the others."""

    feeds: int
    failed: tuple[str, ...]


def tick(ctx: Context, senders: Senders, go_on: Callable[[], bool] = lambda: True) -> TickSummary:
    """Do what is due now, and stop.  Messages go out in the senders' own threads, which ask
    `go_on` between messages: the beat does not wait for a relay."""
    with tracing.span("tick"):
        return _beat(ctx, senders, go_on)


def _beat(ctx: Context, senders: Senders, go_on: Callable[[], bool]) -> TickSummary:
    failed: list[str] = []
    count = senders.count(Channel.MAIL)
    _attempt("beat", lambda: workers.note_beat(ctx, count), None, failed)
    _attempt("links", lambda: accounts.make_links(ctx, go_on), 0, failed)
    _attempt("cover", lambda: waves.advance(ctx, go_on), 0, failed)
    _attempt("swaps", lambda: swaps.end_stale(ctx, go_on), 0, failed)
    _attempt("plan", lambda: reminders.plan_ahead(ctx), 0, failed)
    _attempt("sweep", lambda: sending.sweep(ctx, go_on), None, failed)
    _attempt("ways", lambda: ways.rescue(ctx), 0, failed)
    _attempt("erasures", lambda: own_data.erase_asked(ctx, go_on), 0, failed)
    _attempt("seals", lambda: audits.seal(ctx), 0, failed)
    _attempt("send", lambda: senders.kick(go_on), None, failed)
    return TickSummary(
        feeds=_attempt("feeds", lambda: _feeds(ctx), 0, failed),
        failed=tuple(failed),
    )


def read_calendars(ctx: Context, go_on: Callable[[], bool] = lambda: True) -> int:
    """Read the teachers' own calendars that are due; how many were tried.

    Apart from the beat: other people's servers may take ten seconds to answer, and a reminder of
    a lesson in ten minutes must not wait behind them.
    """
    return _attempt("busy", lambda: busy.refresh_due(ctx, go_on=go_on), 0, [])


def tell_programs(ctx: Context, go_on: Callable[[], bool] = lambda: True) -> int:
    """Tell the programs of others what happened; how many tries that took.

    Apart from the beat, as other people's servers may take ten seconds to answer.
    """
    return _attempt("webhooks", lambda: webhook_sending.send_due(ctx, go_on=go_on), 0, [])


def work_on_runs(ctx: Context) -> bool:
    """Begin the next matching run that waits, and stay with it to its end; whether there was one.

    Apart from the beat: a search lasts minutes, and reminders do not.
    """
    return _attempt("runs", lambda: runs.work_on_next(ctx), False, [])


def watch(ctx: Context) -> int:
    """Tell once when the queue will be too long for its deadlines, and of a disk that fills; how
    many messages will be late."""
    _attempt("room", lambda: room.watch(ctx), None, [])
    return _attempt("watch", lambda: mailroom.watch(ctx), 0, [])


def tidy(ctx: Context, go_on: Callable[[], bool] = lambda: True) -> int:
    """What is due once a day: clear what is too old, and look through the whole record."""
    _attempt("papers", lambda: presses.tidy(ctx), 0, [])
    _attempt("record", lambda: audits.look_through(ctx), 0, [])
    return _attempt("tidy", lambda: retention.tidy(ctx, go_on), 0, [])


def _attempt(step: str, work: Callable[[], _T], otherwise: _T, failed: list[str]) -> _T:
    try:
        return work()
    except Busy as error:  # the next beat tries again
        _log.warning("a step of the beat waits: %s", error, extra={"step": step})
        failed.append(step)
        return otherwise
    except Exception:  # noqa: BLE001 - one broken step must not stop the others
        _log.exception("a step of the beat failed", extra={"step": step})
        failed.append(step)
        return otherwise


def _feeds(ctx: Context) -> int:
    feeds.flush_reads(ctx)
    return feeds.render_dirty(ctx)
