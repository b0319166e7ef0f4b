"""For machines that watch over us: alive, ready, and counts."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from ipaddress import ip_address

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from scheduler.domain.messages import Channel
from scheduler.errors import NotFound
from scheduler.services import mailroom, outbox, system, workers
from scheduler.services.outbox import OutboxSummary
from scheduler.web.guard import Ctx

router = APIRouter()


@router.get("/healthz")
async def healthz() -> Response:
    """200 while the process can answer at all."""
    return JSONResponse({"status": "ok", "version": version("chungtay")})


@router.get("/readyz")
def readyz(request: Request, ctx: Ctx) -> Response:
    """503 while no loop beats, the one of this process hangs, or the schema is not ours."""
    alive = request.app.state.is_alive()
    ready = alive and system.is_ours(ctx) and workers.is_beating(ctx)
    return JSONResponse(
        {"status": "ready" if ready else "not ready"},
        200 if ready else 503,
        headers={} if ready else {"retry-after": "5"},
    )


@router.get("/metrics")
def metrics(request: Request, ctx: Ctx) -> Response:
    """Prometheus text, for this machine only."""
    if not _is_loopback(request):
        raise NotFound("There is nothing here.")
    lines = "\n".join([*_lines(outbox.show(ctx)), *_forecast(mailroom.gauges(ctx))])
    return PlainTextResponse(f"{lines}\n", media_type="text/plain; version=0.0.4")


def _is_loopback(request: Request) -> bool:
    """A proxy on this machine comes from loopback too, and says for whom."""
    if request.headers.get("x-forwarded-for") or request.headers.get("forwarded"):
        return False
    try:
        return ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        return False


def _lines(summary: OutboxSummary) -> Iterator[str]:
    yield from _counts("by_state", "Messages by state.", summary.by_state, "state")
    about = "Messages by kind, whatever became of them."
    yield from _counts("by_kind", about, summary.by_kind, "kind")
    yield from _gauge("law", "1 while every planned message is in one state.", summary.law)
    yield from _gauge("paused", "1 while sending is paused.", summary.paused)
    yield from _gauge("maybe_twice", "Messages that may have arrived twice.", summary.maybe_twice)
    yield from _gauge("queue", "Messages due at this moment.", summary.queue)
    yield from _gauge("late_seconds", "How long the first of them waits.", summary.late_seconds)
    yield from _gauge("lease_lost", "Marks that came too late, ever.", summary.lease_lost)
    yield from _gauge("drift_seconds", "The newest jump of a clock.", summary.drift_seconds)
    yield from _gauge("workers", "Processes that beat.", summary.workers)
    away = {channel.value: int(channel in summary.away) for channel in Channel}
    yield from _counts("away", "1 while a way out does not answer.", away, label="channel")


def _forecast(gauges: Iterable[tuple[str, str, float]]) -> Iterator[str]:
    for name, about, value in gauges:
        yield from _gauge(name, about, value)


def _counts(name: str, about: str, counts: Mapping[str, int], label: str) -> Iterator[str]:
    name = f"chungtay_outbox_{name}"
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} gauge"
    for value, count in sorted(counts.items()):
        yield f'{name}{{{label}="{value}"}} {count}'


def _gauge(name: str, about: str, value: float) -> Iterator[str]:
    yield f"# HELP chungtay_outbox_{name} {about}"
    yield f"# TYPE chungtay_outbox_{name} gauge"
    yield f"chungtay_outbox_{name} {value:g}"
