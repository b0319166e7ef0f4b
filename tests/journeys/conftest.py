"""A real server and a real browser: the example programme, served on loopback."""

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bench import scene, screenshots, tour
from bench.screenshots import QUIET
from scheduler.app import create_app
from scheduler.clock import ShiftedClock
from scheduler.config import load
from scheduler.services import demo
from scheduler.services.context import Context
from scheduler.store.database import Database
from tests.cast import Cast
from tests.conftest import ENGINES, KEY, new_database
from tests.journeys.stage import House
from tests.journeys.trip import Trip

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium; without one these tests are skipped, but never in the CI."""
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None and not os.environ.get("CI"):
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=found, args=QUIET)


@pytest.fixture(scope="module", params=ENGINES)
def demo_ctx(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Context]:
    """The example programme imported, matched and published, on Monday 2 October 2023, 13:29.

    Built once on each engine: the journeys through it must bear what others did before them.
    """
    folder = tmp_path_factory.mktemp("demo")
    with new_database(request, folder) as url, opened_demo(folder, url) as ctx:
        demo.build(ctx, seconds=1.0)
        yield ctx


@contextmanager
def opened_demo(folder: Path, database_url: str) -> Iterator[Context]:
    """An empty demo that will be served on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = load(
        _env_file=None,
        var_dir=folder / "var",
        database_url=database_url,
        secret_key=KEY.decode(),
        base_url=f"http://127.0.0.1:{port}",
        demo=True,
        second_factor=False,
        tick_seconds=0.5,
    )
    database = Database(settings.database)
    yield Context(settings, database, ShiftedClock.starting_at(demo.STARTS), KEY)
    database.close()


@pytest.fixture
def site(demo_ctx: Context) -> Iterator[str]:
    """The address of a running server with its reminder loop."""
    port = int(demo_ctx.settings.base_url.rsplit(":", 1)[1])
    app = create_app(demo_ctx.settings, ctx=demo_ctx, start_loop=True)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        pass
    yield demo_ctx.settings.base_url
    server.should_exit = True
    thread.join(20)


@contextmanager
def serving(ctx: Context, host: str = "127.0.0.1") -> Iterator[Context]:
    """A running server of these very data, without a loop; the context that knows its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    here = f"http://{host}:{port}"
    ours = replace(ctx, settings=ctx.settings.model_copy(update={"base_url": here}))
    server = uvicorn.Server(
        uvicorn.Config(create_app(ctx=ours, start_loop=False), port=port, log_config=None)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        pass
    yield ours
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def served(ctx: Context, cast: Cast) -> Iterator[Context]:
    """The context of a running server, with the cast; its address is in the settings."""
    with serving(ctx) as ours:
        yield ours


@pytest.fixture(scope="session")
def built_demo(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a finished demo, for copies: matching costs more than many a journey."""
    path = tmp_path_factory.mktemp("built") / "demo.db"
    shutil.copy(sqlite_template, path)
    with opened_demo(path.parent, f"sqlite:///{path}") as ctx:
        demo.build(ctx, seconds=1.0)
    return path


@contextmanager
def copied_demo(built: Path, folder: Path) -> Iterator[Context]:
    """A demo of one's own."""
    path = folder / "demo.db"
    shutil.copy(built, path)
    with opened_demo(folder, f"sqlite:///{path}") as ctx:
        yield ctx


@pytest.fixture(scope="module")
def house(
    browser: Browser, built_demo: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Where all tasks of a module are done, each by somebody else."""
    folder = tmp_path_factory.mktemp("house")
    with copied_demo(built_demo, folder) as ctx, serving(ctx) as ours:
        yield House(ours, browser)


@pytest.fixture(scope="session")
def trip(
    browser: Browser, built_demo: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Trip]:
    """Every page of a served demo that has something to look at on each."""
    with copied_demo(built_demo, tmp_path_factory.mktemp("trip")) as plain:
        ctx = screenshots.strict(scene.before_a_lesson(plain))
        seeds = scene.sow(ctx)
        scene.post(ctx)
        with serving(ctx) as ours:
            found = Trip(ours, seeds, tour.plan(ours, seeds), browser)
            yield found
            found.close()


SignIn = Callable[[str, int], Page]


@pytest.fixture
def sign_in(browser: Browser, site: str) -> Iterator[SignIn]:
    """Open a printed sign-in link in a browser of its own, at a width in pixels."""
    opened: list[BrowserContext] = []

    def enter(url: str, width: int = 1280) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800})
        opened.append(context)
        page = context.new_page()
        page.goto(url)
        page.click("main form button")
        page.wait_for_url(lambda where: "/sign-in/" not in where)
        return page

    yield enter
    for context in opened:
        context.close()


@contextmanager
def no_complaints(page: Page) -> Iterator[None]:
    """What the browser writes to its console, such as a refused script, fails the test."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield
    assert said == []
