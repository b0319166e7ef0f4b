"""Every page of the demo as a picture: `make screenshots`, into var/screenshots.

Serves the example programme on loopback and takes each page of bench.tour, which are those of the
route table, at 360 and 1280 px, light and dark, in Vietnamese and in English; the eight pictures of
a page lie side by side in var/screenshots/sheets.  Fails on sideways scroll, on an
answer that is not the expected one, and on anything the browser complains of.  Its arguments are
the parts to take: roles, mailed, doors; none: all.
"""

import argparse
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from bench import doors, mailed, scene, sheets, tour
from bench.camera import LANGUAGES, SCHEMES, WIDTHS, picture, speak
from scheduler.app import create_app
from scheduler.clock import ShiftedClock
from scheduler.config import load
from scheduler.services import demo
from scheduler.services.context import Context
from scheduler.store.database import Database
from scheduler.web import guard

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-quic",
    "--disable-component-update",
    "--disable-sync",
]


def prepare(
    folder: Path,
    workbooks: Sequence[tuple[str, bytes]] | None = None,
    seconds: float = demo.MATCHING_SECONDS,
    database_url: str = "",
) -> Context:
    """The example programme, or that of the workbooks, in a database of that address; without one,
    in an embedded one under `folder`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Under a name: browsers let no passkey be bound to an IP address.
    base_url = f"http://localhost:{port}"
    settings = load(
        _env_file=None, var_dir=folder, base_url=base_url, demo=True, second_factor=False,
        database_url=database_url,
    )  # fmt: skip
    clock = ShiftedClock.starting_at(demo.STARTS)
    ctx = Context(settings, Database(settings.database), clock, b"a key for pictures only" * 2)
    demo.build(ctx, seconds, workbooks)
    return scene.before_a_lesson(ctx)


def take(browser: Browser, ctx: Context, target: Path) -> list[str]:
    """Every page of the route table, as each of its readers sees it; the faults that were seen."""
    seeds = scene.sow(ctx)
    scene.post(ctx)
    found = tour.plan(ctx, seeds)
    faults = [f"{path}: nobody is shown it" for path in found.lacking]
    readers = sorted({stop.reader for stop in found.stops})
    for language in LANGUAGES:
        mailed.speak(ctx, language)
        for width, scheme, reader in product(WIDTHS, SCHEMES, readers):
            view = _view(browser, ctx, found.cookies.get(reader, ""), width, scheme)
            _put(view, ctx, "lang", language)
            for stop in found.stops:
                if stop.reader == reader:
                    file = target / f"{stop.name}-{width}-{scheme}-{language}.png"
                    faults += picture(view, ctx.settings.base_url + stop.address, file)
            view.close()
    sheets.make(browser, target, [stop.name for stop in found.stops])
    return faults


def _view(browser: Browser, ctx: Context, secret: str, width: int, scheme: str) -> BrowserContext:
    view = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    if secret:
        _put(view, ctx, "sid", secret)
    return view


def _put(view: BrowserContext, ctx: Context, name: str, value: str) -> None:
    named = guard.cookie_name(ctx.settings, name)
    view.add_cookies([{"name": named, "value": value, "url": ctx.settings.base_url}])


def _mailed(browser: Browser, ctx: Context, target: Path) -> list[str]:
    """The pages behind links, as whoever opens them without a session or a script sees them."""
    faults: list[str] = []
    wanted = mailed.pages(ctx)
    for language in LANGUAGES:
        mailed.speak(ctx, language)
        for width, scheme in product(WIDTHS, SCHEMES):
            view = browser.new_context(
                viewport={"width": width, "height": 800},
                color_scheme=scheme,
                java_script_enabled=False,
            )
            speak(view, ctx.settings.base_url, language)
            for page_name, url in wanted.items():
                name = f"mailed-{page_name}-{width}-{scheme}-{language}.png"
                faults += picture(view, url, target / name)
            view.close()
    return faults


@contextmanager
def served(ctx: Context, *, beating: bool = True) -> Iterator[Context]:
    app = create_app(ctx.settings, ctx=ctx, start_loop=beating)
    port = urlsplit(ctx.settings.base_url).port or 0
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield ctx
    server.should_exit = True
    thread.join()


def strict(ctx: Context) -> Context:
    """The same demo, but asking its coordinators for a second factor as an installation does."""
    return replace(ctx, settings=ctx.settings.model_copy(update={"second_factor": True}))


Take = Callable[[Browser, Context, Path], list[str]]
PARTS: dict[str, tuple[Take, Callable[[Context], Context]]] = {
    "mailed": (_mailed, lambda ctx: ctx),
    "doors": (doors.take, strict),
    "roles": (take, strict),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="part")
    parts = parser.parse_args().parts or list(PARTS)
    target = Path("var/screenshots")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    ctx = prepare(target / "state")
    faults: list[str] = []
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        for part in parts:
            take_part, setting = PARTS[part]
            with served(setting(ctx)) as shown:
                faults += take_part(browser, shown, target)
    shutil.rmtree(target / "state", ignore_errors=True)
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    sys.stdout.write(f"{len(list(target.glob('*.png')))} pictures in {target}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
