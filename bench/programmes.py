"""A hundred programmes of the real size in one installation: `python -m bench.programmes`.

Measured with one programme in a PostgreSQL database, and again with a hundred: pages of every kind
of reader, calendar reads, the steps of a beat, messages, matching runs.  What costs more although
the programme that it is for is the same, reads what is others'.  About a quarter of an hour.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import httpx2
import sqlalchemy as sa

from bench import clones, feeds, scene, screenshots, tour, turns, work
from bench.load import serving
from bench.rows import Row, at_most, peer, say, take_json, tell
from scheduler import app
from scheduler.domain.access import Role
from scheduler.services import (
    accounts,
    audits,
    demo,
    mailroom,
    own_data,
    reminders,
    runs,
    sending,
    swaps,
    waves,
    ways,
)
from scheduler.services import feeds as feed_services
from scheduler.services.context import Context
from scheduler.store import switches, tables
from scheduler.web import guard

MANY = 100
MATCHED = 3.0  # seconds of search for the plan that all of them have
TIMES = 3
SPENT = 300.0  # milliseconds
ADMIN = "admin"
# More rows than that, for a page of one programme among others, are others' rows.
GROWN, FEW = 1.2, 100
# Beside what its own readers see of it, whoever runs the installation opens these.
ADMIN_PAGES = (
    "/coordinator",
    "/coordinator/people",
    "/coordinator/messages",
    "/coordinator/settings",
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one page: milliseconds on the wall's clock, statements, and rows of tables read."""

    wall: float
    queries: int
    read: int


@dataclass(frozen=True)
class Place:
    """The installation, and how to ask it for pages."""

    ctx: Context
    environment: dict[str, str]
    stops: tuple[tour.Stop, ...]
    cookies: dict[str, str]
    reads: feeds.Site


# -- the installation


@contextmanager
def installed(folder: Path, url: str) -> Iterator[Place]:
    """One programme, with something to see for everybody."""
    ctx = screenshots.prepare(folder, seconds=MATCHED, database_url=url)
    seeds = scene.sow(ctx)  # its coordinator is whoever came first
    admin = accounts.add_user(ctx, "quan-tri@chungtay.example", Role.ADMIN)
    seeds = replace(seeds, people=seeds.people | {ADMIN: admin})
    environment = {
        "CHUNGTAY_DATABASE_URL": url, "CHUNGTAY_VAR_DIR": str(folder), "CHUNGTAY_LOOP": "false",
        "CHUNGTAY_CLOCK": demo.STARTS.isoformat(),
        "CHUNGTAY_SECRET_KEY": "a key for measuring, of 32 bytes or more",
    }  # fmt: skip
    reads = feeds.linked(ctx, environment)
    with screenshots.served(ctx, beating=False):
        app.settle()
        found = tour.plan(ctx, seeds)
        admins = tuple(tour.Stop(path, path, ADMIN) for path in ADMIN_PAGES)
        yield Place(ctx, environment, (*found.once, *admins), found.cookies, reads)


def pages(place: Place) -> dict[tuple[str, str], Cost]:
    """By reader and route."""
    return {(stop.reader, stop.path): _cost(place, stop) for stop in place.stops}


def _cost(place: Place, stop: tour.Stop) -> Cost:
    name = guard.cookie_name(place.ctx.settings, "sid")
    secret = place.cookies.get(stop.reader)
    sent = {"cookie": f"{name}={secret}"} if secret else {}
    wall, asked = [], work.Asked()
    with httpx2.Client(base_url=place.ctx.settings.base_url, headers=sent, timeout=300) as client:
        client.get(stop.address)
        for _ in range(TIMES):
            with work.watched(place.ctx) as asked:
                wall.append(work.milliseconds(lambda: client.get(stop.address))[0])
    return Cost(median(wall), asked.queries, work.rows_read(place.ctx, asked))


# -- a beat


def beat(ctx: Context) -> dict[str, Callable[[], object]]:
    """What it does although nothing is due, step by step."""
    return {
        "links": lambda: accounts.make_links(ctx),
        "cover": lambda: waves.advance(ctx),
        "swaps": lambda: swaps.end_stale(ctx),
        "sweep": lambda: sending.sweep(ctx),
        "ways": lambda: ways.rescue(ctx),
        "erasures": lambda: own_data.erase_asked(ctx),
        "seals": lambda: audits.seal(ctx),
        "due": lambda: sending.due_channels(ctx),
        "claim": lambda: turns.claim(ctx),
        "feeds": lambda: feed_services.render_dirty(ctx),
        "runs": lambda: runs.work_on_next(ctx),
        "watch": lambda: mailroom.watch(ctx),
    }


def idle(ctx: Context) -> dict[str, float]:
    """Milliseconds of each step, once everything has been done that was to do."""
    while feed_services.render_dirty(ctx):
        pass
    found = {}
    for name, act in beat(ctx).items():
        act()
        found[name] = median(work.milliseconds(act)[0] for _ in range(TIMES))
    return found


def planned_ahead(ctx: Context) -> tuple[float, int]:
    """Seconds that it takes to plan all reminders of the days to come, and how many were new."""
    with ctx.transaction() as db:
        switches.turn_off(db, switches.PLANNED_AHEAD)
    began = time.perf_counter()
    new = reminders.plan_ahead(ctx)
    return time.perf_counter() - began, new


# -- one measurement


@dataclass(frozen=True, slots=True)
class Seen:
    pages: dict[tuple[str, str], Cost]
    steps: dict[str, float]
    reads: dict[str, float]  # microseconds by status
    planning: float  # seconds


def seen(place: Place, folder: Path) -> Seen:
    planning, _ = planned_ahead(place.ctx)
    tell(f"reminders planned in {planning:.1f} s")
    found = pages(place)
    tell(f"{len(found)} pages asked")
    return Seen(found, idle(place.ctx), _reads(place, folder), planning)


def _reads(place: Place, folder: Path) -> dict[str, float]:
    with serving("ours", folder, place.environment) as server:
        found = {}
        for name, ask in (("304", feeds.unchanged), ("200", feeds.whole)):
            way = ask(server, place.reads)
            way.cost(feeds.LINKS)
            found[name] = median(way.cost(feeds.ASKED) for _ in range(TIMES))
    return found


def compared(one: Seen, many: Seen) -> Iterator[Row]:
    slowest = sorted(many.pages, key=lambda each: -many.pages[each].wall)
    worst = many.pages[slowest[0]]
    what = f"slowest page of {len(slowest)}, {' '.join(slowest[0])}"
    row = at_most(what, worst.wall, SPENT, "ms", key="pages", digits=0)
    yield replace(row, beside=_beside(f"{one.pages[slowest[0]].wall:.0f} ms"))
    grown = [each for each in many.pages if _grown(one.pages[each].read, many.pages[each].read)]
    yield at_most("pages that read others' rows", len(grown), 0, key="scans")
    more = sum(many.pages[each].queries > one.pages[each].queries for each in many.pages)
    yield at_most("pages that ask more queries", more, 0, key="scans")
    told = dict.fromkeys([*grown, *slowest[:5], *map(_of, ADMIN_PAGES)])
    for each in told:
        now, before = many.pages[each], one.pages[each]
        yield Row(
            " ".join(each),
            f"{now.wall:.0f} ms, {now.queries} queries, {now.read:,} rows read",
            beside=_beside(f"{before.wall:.0f} ms, {before.queries}, {before.read:,}"),
        )
    for status, cost in many.reads.items():
        yield Row(f"calendar read, {status}", f"{cost:.0f} µs",
                  beside=_beside(f"{one.reads[status]:.0f} µs"))  # fmt: skip
    for step, spent in many.steps.items():
        yield Row(f"an idle beat: {step}", f"{spent:.1f} ms",
                  beside=_beside(f"{one.steps[step]:.1f} ms"))  # fmt: skip
    yield Row("an idle beat, all its steps", f"{sum(many.steps.values()):.0f} ms",
              beside=_beside(f"{sum(one.steps.values()):.0f} ms"), key="beat")  # fmt: skip
    yield Row("reminders of the days to come, planned anew", f"{many.planning:.0f} s",
              beside=_beside(f"{one.planning:.1f} s"))  # fmt: skip


def _of(path: str) -> tuple[str, str]:
    return ADMIN, path


def _beside(found: str) -> tuple[tuple[str, str], ...]:
    return peer("one programme", found)


def _grown(one: int, many: int) -> bool:
    return many > one * GROWN + FEW


# -- all of it


def rows(count: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name, feeds.postgresql() as url:
        folder = Path(name)
        tell("preparing a programme")
        with installed(folder / "state", url) as place:
            one = seen(place, folder)
            began = time.perf_counter()
            clones.multiply(place.ctx, range(1, count))
            tell(f"{count} programmes after {time.perf_counter() - began:.0f} s")
            yield _size(place.ctx)
            many = seen(place, folder)
            yield from compared(one, many)
            for each in (turns.urgent, turns.rendering, turns.matched):
                yield from each(place.ctx, count)


def _size(ctx: Context) -> Row:
    nouns = ("programmes", "teachers", "classes", "lessons", "feeds", "outbox")
    with ctx.reading() as db:
        counts = {
            noun: db.scalar(sa.select(sa.func.count()).select_from(tables.metadata.tables[noun]))
            for noun in nouns
        }
    return Row("the installation", ", ".join(f"{n:,} {noun}" for noun, n in counts.items()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=MANY, help="programmes (default %(default)s)")
    take_json(parser)
    given = parser.parse_args()
    return say(rows(given.count), given.json)


if __name__ == "__main__":
    sys.exit(main())
