"""What pages weigh and how soon they are there, beside their goals: `python -m bench.pages`.

Serves the demo on loopback.  Weights are what goes over the wire, compressed, as Chromium counts
it; times are Chromium's own, on a line of 400 kbit/s and 400 ms and a processor slowed fourfold.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from statistics import median

import httpx2
import sqlalchemy as sa
from jinja2 import Template
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from bench import scene, screenshots
from bench.rows import Row, alone, at_most, peer
from scheduler.services.context import Context
from scheduler.web import guard
from tests.journeys import axe

# Each with what its reader came to use: usable means that it is there and what it needs has come.
PAGES: tuple[tuple[str, str, str], ...] = (
    (scene.VISITOR, "/sign-in", "main form button"),
    (scene.TEACHER, "/teacher", "main"),
    (scene.TEACHER, "/teacher/lessons", "main"),
    (scene.TEACHER, "/calendar", "main form button"),
    (scene.SCHOOL, "/school", "main"),
    (scene.TEACHER, "/teacher/availability", "main .btn.go"),
    (scene.SCHOOL, "/school/requests", "form[action^='/school/requests?'] .btn"),
    (scene.SCHOOL, "/school/hours", "main .btn.go"),
)
WEEK = (scene.SCHOOL, "/school")
FRAGMENT = (scene.COORDINATOR, "/coordinator/messages/forecast")
GRID = (scene.COORDINATOR, "/coordinator/week")
SCHOOLS, CELLS = 17, 60  # of the grid
NAMES = ("7A · THCS Tô Hiệu", "Nguyễn Thị Lan")
NARROW = 320  # pixels

KB = 1000
LINE = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 400_000 / 8,
    "uploadThroughput": 400_000 / 8,
}
SLOWER = 4
TIMES = 3  # each page is opened so often; the median counts
RENDERED = 40
AT_THE_DOOR = 2  # queries: a session, and what its person may do

_PAINTED = """() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"""
_USABLE = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"


@dataclass
class Load:
    """What one opening of a page brought over the wire."""

    bytes: dict[str, float] = field(default_factory=dict)  # by kind
    requests: int = 0
    painted: float = 0.0  # milliseconds
    usable: float = 0.0

    @property
    def all(self) -> float:
        return sum(self.bytes.values())


class Meter:
    """Listens to Chromium's network while pages are opened."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.kinds: dict[str, str] = {}
        self.load = Load()
        self.cdp.on("Network.responseReceived", self._kind)
        self.cdp.on("Network.loadingFinished", self._finished)
        self.cdp.send("Network.enable")

    def _kind(self, told: dict[str, object]) -> None:
        self.kinds[str(told["requestId"])] = str(told["type"])

    def _finished(self, told: dict[str, object]) -> None:
        weight = float(str(told["encodedDataLength"]))
        if weight == 0:  # it came from the cache
            return
        kind = self.kinds.get(str(told["requestId"]), "")
        self.load.bytes[kind] = self.load.bytes.get(kind, 0.0) + weight
        self.load.requests += 1

    def slow(self) -> None:
        self.cdp.send("Network.emulateNetworkConditions", LINE)
        self.cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})

    def open(self, url: str, control: str) -> Load:
        self.load = Load()
        self.page.goto(url, wait_until="load")
        self.page.locator(control).first.wait_for(state="visible")
        self.page.wait_for_load_state("networkidle")
        self.load.painted = self.page.evaluate(_PAINTED)
        self.load.usable = max(self.load.painted, self.page.evaluate(_USABLE))
        return self.load


# -- in a browser


def views(ctx: Context, browser: Browser, cookies: dict[str, str]) -> Iterator[Row]:
    for reader, path, control in PAGES:
        url = ctx.settings.base_url + path
        cold, again = _twice(ctx, browser, cookies.get(reader, ""), url, control)
        script = cold.bytes.get("Script", 0)
        slow = [_slowly(ctx, browser, cookies.get(reader, ""), url, control) for _ in range(TIMES)]
        painted = median(each.painted for each in slow) / 1000
        usable = median(each.usable for each in slow) / 1000
        yield at_most(f"{path}: first view", cold.all / KB, 60, "kB", key="first")
        yield at_most(f"{path}: requests of it", cold.requests, 8, key="requests")
        yield at_most(f"{path}: JavaScript of it", script / KB, 20, "kB", key="script")
        yield at_most(f"{path}: repeat view", again.all / KB, 12, "kB", key="repeat")
        yield at_most(f"{path}: first paint, slow line", painted, 1.5, "s", key="painted")
        yield at_most(f"{path}: usable, slow line", usable, 3, "s", key="usable")
        faults, wide = _looked_over(ctx, browser, cookies.get(reader, ""), url)
        yield at_most(f"{path}: axe-core violations", faults, 0, key="axe")
        yield at_most(f"{path}: sideways scroll at {NARROW} px", wide, 0, key="sideways")


def _twice(
    ctx: Context, browser: Browser, secret: str, url: str, control: str
) -> tuple[Load, Load]:
    context = _context(ctx, browser, secret)
    meter = Meter(context.new_page())
    cold = meter.open(url, control)
    again = meter.open(url, control)
    context.close()
    return cold, again


def _slowly(ctx: Context, browser: Browser, secret: str, url: str, control: str) -> Load:
    context = _context(ctx, browser, secret)
    meter = Meter(context.new_page())
    meter.slow()
    load = meter.open(url, control)
    context.close()
    return load


def _looked_over(ctx: Context, browser: Browser, secret: str, url: str) -> tuple[int, int]:
    """What axe-core finds, and whether the page scrolls sideways where room is short."""
    context = _context(ctx, browser, secret)
    page = context.new_page()
    page.goto(url)
    found = len(axe.violations(page)), len(axe.sticking_out(page, NARROW))
    context.close()
    return found


def _context(ctx: Context, browser: Browser, secret: str) -> BrowserContext:
    """A browser that was never here, of somebody who is signed in."""
    context = browser.new_context(viewport={"width": 360, "height": 800})
    if secret:
        name = guard.cookie_name(ctx.settings, "sid")
        context.add_cookies([{"name": name, "value": secret, "url": ctx.settings.base_url}])
    return context


# -- without one


def asking(ctx: Context, cookies: dict[str, str]) -> Iterator[Row]:
    reader, path = FRAGMENT
    name = guard.cookie_name(ctx.settings, "sid")
    with httpx2.Client(base_url=ctx.settings.base_url) as client:
        sent = {"cookie": f"{name}={cookies[reader]}", "hx-request": "true"}
        with client.stream("GET", path, headers=sent) as answer:
            weight = sum(map(len, answer.iter_raw()))
        yield at_most(f"{path}: fragment", weight / KB, 5, "kB", key="fragment")
        reader, path = WEEK
        steps = guard.cookie_name(ctx.settings, "steps")  # of the first visit: one query more
        sent = {"cookie": f"{name}={cookies[reader]}; {steps}=later"}
        client.get(path, headers=sent)
        queries, rendered = _counted(ctx, lambda: client.get(path, headers=sent))
        yield at_most(f"{path}: render of the week", rendered, 1, "ms", key="week")
        yield at_most(f"{path}: queries of the week", queries, 3, key="week-queries")
        yield from _grid(ctx, client, f"{name}={cookies[GRID[0]]}")


def _grid(ctx: Context, client: httpx2.Client, cookie: str) -> Iterator[Row]:
    path, sent = GRID[1], {"cookie": cookie}
    with client.stream("GET", path, headers=sent) as answer:
        weight = sum(map(len, answer.iter_raw()))
    queries, rendered = _counted(ctx, lambda: client.get(path, headers=sent))
    row = at_most(f"{path}: render of the grid", rendered, 5, "ms", key="grid")
    yield replace(row, beside=peer("escaped f-strings", f"{_by_f_strings():.1f} ms"))
    yield at_most(f"{path}: queries of the grid", queries, 3, key="grid-queries")
    yield at_most(f"{path}: the grid, compressed", weight / KB, 25, "kB", key="grid-weight")


def _by_f_strings() -> float:
    """Milliseconds for as many cells, each with a link and two names, without templates."""
    spent = []
    for _ in range(RENDERED):
        began = time.thread_time()
        rows = (
            "".join(
                f"<td class='{escape('cell')}'><a href='/lessons/{row}{cell}'>"
                f"{escape(NAMES[0])}</a> {escape(NAMES[1])}</td>"
                for cell in range(CELLS)
            )
            for row in range(SCHOOLS)
        )
        f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>".encode()
        spent.append((time.thread_time() - began) * 1000)
    return median(spent)


def _counted(ctx: Context, act: Callable[[], object]) -> tuple[int, float]:
    """Queries besides the two that know who is there, and milliseconds of CPU that the templates
    take."""
    seen: list[str] = []
    spent: list[float] = []
    plain = Template.render

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    def timed(template: Template, *args: object, **values: object) -> str:
        began = time.thread_time()
        made = plain(template, *args, **values)
        spent.append((time.thread_time() - began) * 1000)
        return made

    Template.render = timed
    sa.event.listen(ctx.database.reader, "before_cursor_execute", note)
    try:
        act()
        queries = len(seen) - AT_THE_DOOR
        for _ in range(RENDERED):
            act()
    finally:
        sa.event.remove(ctx.database.reader, "before_cursor_execute", note)
        Template.render = plain
    return queries, median(spent)


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        ctx = screenshots.prepare(Path(name))
        seeds = scene.sow(ctx)
        cookies = scene.enter(ctx, seeds.people)
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        with screenshots.served(ctx, beating=False), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=screenshots.QUIET)
            yield from asking(ctx, cookies)
            yield from views(ctx, browser, cookies)


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows))
