"""What bench.feeds asks, each in a process of its own: `python -m bench.serving HOW ARGUMENT…`.

The settings of the environment say which database; the folder given holds one feed's body.
"""

import gzip
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from icalendar import Calendar, Event
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from scheduler import config, security
from scheduler.app import create_app
from scheduler.delivery import ical
from scheduler.domain import calendars
from scheduler.domain.calendars import FeedKey, FeedKind
from scheduler.services import calendars as wordings
from scheduler.services.context import open_context
from scheduler.store import feeds, lessons, migrations, tables
from scheduler.web import limits

EVENTS = 40  # of the calendar that is rendered on each request
BIG = 1000
App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def bare(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> App:
    """The floor: what any ASGI application must at least do."""

    async def app(scope: dict[str, Any], _receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            start = {"type": "http.response.start", "status": status, "headers": headers}
            await send(start)
            await send({"type": "http.response.body", "body": body})

    return app


# As many headers as ours has, and as long: writing them is the server's work and not ours.
HEADERS = [
    (b"etag", b'"' + b"x" * 32 + b'-gz"'),
    (b"last-modified", b"Sun, 01 Oct 2023 23:30:00 GMT"),
    (b"vary", b"Accept-Encoding"),
    (b"cache-control", b"private, max-age=0, must-revalidate"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex"),
    (b"x-content-type-options", b"nosniff"),
]
WHOLE = [
    (b"content-type", b"text/calendar; charset=utf-8"),
    (b"content-disposition", b"inline; filename=\"lich.ics\"; filename*=UTF-8''lich.ics"),
    (b"content-encoding", b"gzip"),
]


def bare_304(_folder: Path) -> App:
    return bare(304, HEADERS, b"")


def bare_200(folder: Path) -> App:
    body = (folder / "body.gz").read_bytes()
    length = (b"content-length", str(len(body)).encode())
    return bare(200, [*HEADERS, *WHOLE, length], body)


def ours(_folder: Path) -> App:
    """The whole application, as it is served; `chungtay serve` has read the migrations by then."""
    migrations.head()
    return create_app(start_loop=False)


def plain_route(_folder: Path) -> App:
    """The same answers by a FastAPI route and a session of SQLAlchemy, as is usual."""
    engine = open_context(config.load()).database.reader
    app = FastAPI(openapi_url=None)
    links, feed, bodies = tables.feed_links, tables.feeds, tables.feed_bodies
    found = select(links.c.revoked_at, feed.c.id, feed.c.etag).join(feed)

    @app.get("/feeds/{token}/{name}")
    def read(request: Request, token: str, name: str) -> Response:
        with Session(engine) as db:
            digest = security.digest(token)
            row = db.execute(found.where(links.c.token_hash == digest)).first()
            if row is None or row.revoked_at is not None:
                return Response(status_code=404)
            tag = f'"{row.etag}-gz"'
            if request.headers.get("if-none-match") == tag:
                return Response(status_code=304, headers={"etag": tag})
            body = db.scalar(select(bodies.c.body).where(bodies.c.feed_id == row.id))
        told = {"etag": tag, "content-encoding": "gzip", "content-disposition": name}
        return Response(body, headers=told, media_type="text/calendar")

    return app


def rendering(folder: Path) -> App:
    """A FastAPI route that has icalendar write 40 events on each request."""
    whole = Calendar.from_ical(gzip.decompress((folder / "big.gz").read_bytes()))
    events = [dict(event.items()) for event in whole.walk("VEVENT")[:EVENTS]]
    app = FastAPI(openapi_url=None)

    @app.get("/feeds/{token}/{name}")
    def read(token: str, name: str) -> Response:
        made = Calendar()
        made.add("prodid", token)
        made.add("version", "2.0")
        for values in events:
            event = Event()
            for key, value in values.items():
                event.add(key, value)
            made.add_component(event)
        return Response(made.to_ical(), headers={"content-disposition": name})

    return app


def cold(folder: Path) -> None:
    """The first thing a process does: a calendar of 1,000 events, from its lessons to its bytes."""
    ctx = open_context(config.load())
    week = calendars.week_of(ctx.now())
    start = tables.lessons.c.starts_at
    with ctx.reading() as db:
        end = db.scalar(select(start).order_by(start).offset(BIG).limit(1))
    began, spent = time.perf_counter(), time.process_time()
    with ctx.reading() as db:
        owners = feeds.owners(db)
        owner = next(who for (kind, _), who in owners.items() if kind is FeedKind.PROGRAMME)
        found = lessons.find(db, programme_id=owner.programme_id, until=end)
    shown = calendars.showings(owner, found, (), week)
    key = FeedKey(owner.kind, owner.id, "vi", False)
    how = wordings.manner(key, ctx.settings.base_url, ctx.settings.uid_domain)
    plain = ical.render(wordings.calendar(owner, shown, how))
    packed = gzip.compress(plain, 6, mtime=0)
    took = {"wall": time.perf_counter() - began, "cpu": time.process_time() - spent}
    (folder / "big.gz").write_bytes(packed)
    sys.stdout.write(json.dumps(took | {"events": len(shown), "bytes": len(plain)}))


APPS = {
    "bare 304": bare_304,
    "bare 200": bare_200,
    "ours": ours,
    "route": plain_route,
    "rendering": rendering,
}


def main() -> None:
    how, folder = sys.argv[1], Path(sys.argv[2])
    if how == "cold":
        cold(folder)
        return
    # Every read is counted as always, but a bench reads more often than any client may.
    limits.BURST = 1_000_000
    settings = uvicorn.Config(
        APPS[how](folder), port=int(sys.argv[3]), access_log=False, log_level="warning",
        loop="uvloop", http="httptools", server_header=False, timeout_keep_alive=600,
    )  # fmt: skip
    uvicorn.Server(settings).run()


if __name__ == "__main__":
    main()
