"""For machines that watch over us: alive, ready, and figures."""

from importlib.metadata import version

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from scheduler.config import Settings
from scheduler.errors import NotFound
from scheduler.origin import current
from scheduler.services import system, vitals, workers
from scheduler.web import figures, proxies
from scheduler.web.counting import TALLY
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
    """What Prometheus reads, for this machine and the readers of the settings."""
    if not _may_read(request, ctx.settings):
        raise NotFound("There is nothing here.")
    house, host = vitals.look(ctx), vitals.look_here(ctx)
    told, kind = figures.exposed(
        house, host, getattr(request.state, TALLY), request.headers.get("accept", "")
    )
    return Response(told, headers={"content-type": kind})


def _may_read(request: Request, settings: Settings) -> bool:
    """A proxy on this machine comes from loopback too, and says for whom: where we do not trust
    its word, nobody knows who asks."""
    asker = proxies.read(current().address)
    if asker is None:
        return False
    if not _is_forwarded(request):
        return asker.is_loopback or proxies.is_in(asker, settings.readers)
    peer = proxies.read(request.client.host if request.client else "")
    return asker != peer and proxies.is_in(asker, settings.readers)


def _is_forwarded(request: Request) -> bool:
    return any(request.headers.get(name) for name in ("x-forwarded-for", "forwarded"))
