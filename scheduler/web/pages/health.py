"""For machines that watch over us: alive, ready, and counts."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from ipaddress import ip_address

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from scheduler.errors import NotFound
from scheduler.services import outbox, system
from scheduler.services.outbox import OutboxSummary
from scheduler.web.guard import Ctx

router = APIRouter()


@router.get("/healthz")
async def healthz() -> Response:
    """200 while the process can answer at all."""
    return JSONResponse({"status": "ok", "version": version("chungtay")})


@router.get("/readyz")
def readyz(ctx: Ctx) -> Response:
    """503 while the loop does not beat or the schema is not ours."""
    ready = system.is_at_head(ctx) and outbox.is_beating(ctx)
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
    lines = "\n".join(_lines(outbox.show(ctx)))
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
    yield from _counts("state", "Messages by state.", summary.by_state)
    yield from _counts("kind", "Messages by kind, whatever became of them.", summary.by_kind)
    yield from _gauge("law", "1 while every planned message is in one state.", summary.law)
    yield from _gauge("paused", "1 while sending is paused.", summary.paused)
    yield from _gauge("maybe_twice", "Messages that may have arrived twice.", summary.maybe_twice)


def _counts(label: str, about: str, counts: Mapping[str, int]) -> Iterator[str]:
    name = f"chungtay_outbox_by_{label}"
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} gauge"
    for value, count in sorted(counts.items()):
        yield f'{name}{{{label}="{value}"}} {count}'


def _gauge(name: str, about: str, value: int) -> Iterator[str]:
    yield f"# HELP chungtay_outbox_{name} {about}"
    yield f"# TYPE chungtay_outbox_{name} gauge"
    yield f"chungtay_outbox_{name} {int(value)}"
