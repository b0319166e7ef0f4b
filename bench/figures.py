"""The figures that the README quotes, each beside its goal: `make bench`.

Speed is CPU time on this machine; where a peer or a floor is named it runs in the same process,
right before, and the figure is a ratio.
"""

import asyncio
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scheduler import clock, config
from scheduler.app import create_app
from scheduler.clock import ShiftedClock
from scheduler.config import load
from scheduler.domain.access import Role
from scheduler.domain.calendars import FeedKind
from scheduler.matching import problem, search
from scheduler.services import accounts, demo, exports, feeds, imports, system
from scheduler.services.context import Context
from scheduler.store import feeds as store
from scheduler.store.database import Database

ASKED = 3000  # requests of one measurement
Asgi = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Figure:
    what: str
    found: str
    goal: str


def examples() -> list[tuple[str, bytes]]:
    return [(p.name, p.read_bytes()) for p in sorted(config.data_dir("examples").glob("*.xlsx"))]


def prepared(folder: Path) -> Context:
    settings = load(_env_file=None, var_dir=folder, demo=True, loop=False)
    ctx = Context(
        settings, Database(settings.database), ShiftedClock.starting_at(demo.STARTS), b"k" * 32
    )
    system.migrate(ctx)
    return ctx


def importing(ctx: Context) -> Iterator[Figure]:
    began = time.process_time()
    imports.import_files(ctx, examples())
    spent = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Figure("import of the three workbooks", f"{spent:.2f} s, {peak:.0f} MB", "3 s, 150 MB")


def matching(ctx: Context) -> Iterator[Figure]:
    """In short, on one core; bench.matching has the whole."""
    instance = problem.parse(exports.export_instance(ctx))
    solution = search.solve(instance, seconds=10, iterations=None, monotonic=clock.monotonic)
    found = f"cost {solution.cost:,.0f}, {solution.taught} of {solution.requested} taught"
    yield Figure(f"matching, after 10 s ({solution.seconds:.1f} s)", found, "-")


def rendering(ctx: Context) -> Iterator[Figure]:
    with ctx.transaction() as db:
        store.mark_all_dirty(db)
    began = time.process_time()
    totals = feeds.ensure_all(ctx)
    spent = time.process_time() - began
    yield Figure(f"all {totals.feeds} feeds, {totals.events} events", f"{spent:.2f} s", "-")


async def bare(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    """The floor: what any ASGI server must at least do."""
    await send({"type": "http.response.start", "status": 304, "headers": [(b"etag", b"x")]})
    await send({"type": "http.response.body", "body": b""})


def serving(ctx: Context) -> Iterator[Figure]:
    teacher = accounts.people_with(ctx, Role.TEACHER)[0]
    owner = teacher.grants[0].teacher_id
    link = feeds.create_link(ctx, teacher, FeedKind.TEACHER, int(owner or 0), "bench")
    app = create_app(ctx.settings, ctx=ctx, start_loop=False)
    path = "/feeds/" + link.url.split("/feeds/")[1]
    etag = asyncio.run(_etag(app, path))
    floor = _cost(bare, path, [])
    for label, headers in (
        ("304", [(b"if-none-match", etag)]),
        ("200", [(b"accept-encoding", b"gzip")]),
    ):
        cost = _cost(app, path, headers)
        found = f"{cost * 1e6:.0f} µs, bare {floor * 1e6:.0f} µs"
        yield Figure(f"calendar read, {label}, without a server", found, "-")


def _cost(app: Asgi, path: str, headers: list[tuple[bytes, bytes]]) -> float:
    began = time.process_time()
    asyncio.run(_many(app, path, headers))
    return (time.process_time() - began) / ASKED


async def _many(app: Asgi, path: str, headers: list[tuple[bytes, bytes]]) -> None:
    for _ in range(ASKED):
        await _ask(app, path, headers)


async def _etag(app: Asgi, path: str) -> bytes:
    start = (await _ask(app, path, []))[0]
    return dict(start["headers"])[b"etag"]


async def _ask(app: Asgi, path: str, headers: list[tuple[bytes, bytes]]) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "headers": [(b"host", b"127.0.0.1"), *headers],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    await app(scope, receive, send)
    return said


def weighing() -> Iterator[Figure]:
    static = Path(config.__file__).parent / "web" / "static"
    css = len(gzip.compress((static / "chungtay.css").read_bytes(), 9))
    fonts = sum(p.stat().st_size for p in static.glob("*.woff2"))
    yield Figure("stylesheet, gzipped", f"{css:,} B", "8,192 B")
    yield Figure("fonts", f"{fonts:,} B", "23,000 B")


def whole_demo(folder: Path) -> Iterator[Figure]:
    done = subprocess.run(
        [sys.executable, "-m", "scheduler", "demo", "--check"],
        env={"CHUNGTAY_VAR_DIR": str(folder)}, capture_output=True, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    found = f"{told['seconds']} s, {told['taught']} taught, {told['violations']} violations"
    yield Figure("chungtay demo --check", found, "60 s, 0 violations")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ctx = prepared(folder / "bench")
        found = [*importing(ctx), *matching(ctx), *weighing(), *whole_demo(folder)]
        demo_settings = load(_env_file=None, var_dir=folder / "demo-check", demo=True, loop=False)
        whole = Context(
            demo_settings, Database(demo_settings.database),
            ShiftedClock.starting_at(demo.STARTS), b"k" * 32,
        )  # fmt: skip
        found += [*rendering(whole), *serving(whole)]
    sys.stdout.write("| what | found | goal |\n|---|---|---|\n")
    for figure in found:
        sys.stdout.write(f"| {figure.what} | {figure.found} | {figure.goal} |\n")


if __name__ == "__main__":
    main()
