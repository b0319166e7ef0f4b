"""One beat of the system: a few bounded steps, safe in any number of processes at once."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from scheduler import clock
from scheduler.delivery.channels import Transport
from scheduler.services import busy, feeds, outbox, runs, ways
from scheduler.services.context import Context
from scheduler.services.outbox import SendSummary

BATCH = 100
SENDING_SECONDS = 20.0  # no step may keep the others waiting for long
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class TickSummary:
    """What a beat did; `failed` names the steps that broke, which did not stop the others."""

    sent: SendSummary
    feeds: int
    run_begun: bool
    failed: tuple[str, ...]


def tick(
    ctx: Context, transport: Transport, go_on: Callable[[], bool] = lambda: True
) -> TickSummary:
    """Do what is due now, and stop.  `go_on` is asked between messages."""
    failed: list[str] = []
    _attempt("beat", lambda: outbox.note_beat(ctx), None, failed)
    _attempt("sweep", lambda: outbox.sweep(ctx), None, failed)
    _attempt("ways", lambda: ways.rescue(ctx), 0, failed)
    nothing = SendSummary(0, {})
    return TickSummary(
        sent=_attempt("send", lambda: _send(ctx, transport, go_on), nothing, failed),
        feeds=_attempt("feeds", lambda: _feeds(ctx), 0, failed),
        run_begun=_attempt("runs", lambda: go_on() and runs.work_on_next(ctx), False, failed),
        failed=tuple(failed),
    )


def read_calendars(ctx: Context, go_on: Callable[[], bool] = lambda: True) -> int:
    """Read the teachers' own calendars that are due; how many were tried.

    Apart from the beat: other people's servers may take ten seconds to answer, and a reminder of
    a lesson in ten minutes must not wait behind them.
    """
    return _attempt("busy", lambda: busy.refresh_due(ctx, go_on=go_on), 0, [])


def _attempt(step: str, work: Callable[[], _T], otherwise: _T, failed: list[str]) -> _T:
    try:
        return work()
    except Exception:  # noqa: BLE001 - one broken step must not stop the others
        _log.exception("a step of the beat failed", extra={"step": step})
        failed.append(step)
        return otherwise


def _send(ctx: Context, transport: Transport, go_on: Callable[[], bool]) -> SendSummary:
    """Batch after batch, while batches come full and time is left."""
    began = clock.monotonic()
    total = done = outbox.send_due(ctx, transport, BATCH, go_on=go_on)
    while (
        done.claimed == BATCH
        and not done.count(outbox.Fate.GIVEN_BACK)
        and clock.monotonic() - began < SENDING_SECONDS
    ):
        done = outbox.send_due(ctx, transport, BATCH, go_on=go_on)
        total += done
    return total


def _feeds(ctx: Context) -> int:
    feeds.flush_reads(ctx)
    return feeds.render_dirty(ctx)
