"""The only place where the parts are wired together."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from scheduler import config, logs, tracing
from scheduler.config import Settings
from scheduler.jobs import loop
from scheduler.services import schemas
from scheduler.services.context import Context, open_context
from scheduler.web import api, counting, errors, guard, programs, renewal, shell, view
from scheduler.web.api import beliefs
from scheduler.web.feeds import FeedApp
from scheduler.web.pages import (
    account,
    address,
    answers,
    availability,
    away,
    busy,
    calendars,
    checkins,
    colleagues,
    coordinator,
    data,
    devices,
    donor_school,
    factors,
    gateways,
    health,
    help,
    hours,
    invitations,
    joins,
    joint_answers,
    leave,
    lesson,
    line,
    mending,
    moves,
    offers,
    offline,
    pasting,
    record,
    records,
    reminders,
    reports,
    requests,
    school,
    sessions,
    sightings,
    steps,
    swaps,
    teacher,
    timetables,
    tokens,
)
from scheduler.web.tallies import Tally

SMALLEST_ZIPPED = 500
YEAR = 365 * 24 * 3600
# Its spans and logs hold paths, and ours hold secrets; it costs time on each request, too.  It must
# not set itself up by the variables that `tracing` goes by, either.
NO_TELEMETRY = TelemetryConfig(
    tracing=False, metrics=False, logs=False, operation_spans=False, auto_configure=False
)


def factory() -> ASGIApp:
    """For `uvicorn scheduler.app:factory --factory`: a process of its own, and its log."""
    settings = config.load()
    logs.set_up(settings.log_format)
    made = create_app(settings)
    tracing.set_up()
    settle()
    return made


def settle() -> None:
    """What is loaded by now stays as long as the process: its collector of rubbish need not walk
    through all of it in the midst of a page, and walks less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def create_app(
    settings: Settings | None = None,
    *,
    ctx: Context | None = None,
    start_loop: bool | None = None,
) -> ASGIApp:
    """All of it."""
    ctx = ctx or open_context(settings or config.load(), "web")
    return around(create_pages(ctx, ctx.settings.loop if start_loop is None else start_loop), ctx)


def around(pages: ASGIApp, ctx: Context) -> ASGIApp:
    """Feeds in front, then whoever counts, then the shell, then the pages."""
    tally, routed = Tally(), counting.Routed(pages)
    renewing = renewal.Renewal(ctx.settings, programs.Programs(ctx, routed))
    zipped = GZipMiddleware(renewing, minimum_size=SMALLEST_ZIPPED, compresslevel=6)
    counted = counting.Counting(tally, shell.Shell(ctx.settings, zipped))
    return FeedApp(counted, ctx, tally)


def create_pages(ctx: Context, start_loop: bool) -> FastAPI:
    """The routes alone, without the shells around them."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with schemas.watched(ctx):
            if not start_loop:
                yield
            else:
                running = loop.start(ctx)
                app.state.is_alive = running.is_alive
                yield
                running.stop()
        tracing.close()

    app = FastAPI(
        title="Chung Tay",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry=NO_TELEMETRY,
        dependencies=[Depends(guard.schema_guard), Depends(guard.form_guard)],
    )
    app.state.ctx = ctx
    app.state.labels = {}
    app.state.is_alive = lambda: True  # until a loop of its own runs in this process
    for room in (
        factors,  # ahead of the sign-in links, whose pattern its addresses fit
        account,
        sessions,
        tokens,
        invitations,
        address,
        leave,
        teacher,
        availability,
        away,
        steps,
        lesson,
        line,
        answers,
        sightings,
        reports,
        checkins,
        offers,
        swaps,
        reminders,
        busy,
        calendars,
        devices,
        offline,
        gateways,
        joins,
        joint_answers,
        record,
        records,
        data,
        school,
        pasting,
        requests,
        mending,
        hours,
        timetables,
        moves,
        donor_school,
        colleagues,
        coordinator,
        help,
        health,
    ):
        app.include_router(room.router)
    app.include_router(api.router)
    app.mount("/static", Static(directory=view.STATIC), name="static")
    errors.install(app)
    app.add_exception_handler(beliefs.Answered, beliefs.answered)
    faults = guard.undeclared_routes(app)
    if faults:
        raise RuntimeError("; ".join(faults))  # better no door than an open one
    return app


class Static(StaticFiles):
    """Our files; one asked for by the hash of its content never changes."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path == view.STYLESHEET and scope["method"] in ("GET", "HEAD"):
            response: Response = Response(view.stylesheet(), media_type="text/css")
        else:
            response = await super().get_response(path, scope)
        lasting = scope["query_string"].startswith(b"v=") or path.endswith(".woff2")
        response.headers["cache-control"] = (
            f"public, max-age={YEAR}, immutable" if lasting else "public, max-age=3600"
        )
        return response
