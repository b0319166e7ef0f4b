"""Every page of the demo as a picture: `make screenshots`, into var/screenshots.

Serves the example programme on loopback, signs in by the printed links, and takes each page at
360 and 1280 px, light and dark, in Vietnamese and in English.  Fails on sideways scroll, on an
answer that is not the expected one, and on anything the browser complains of.  Its arguments are
the parts to take: roles, mailed, doors; none: all.
"""

import argparse
import re
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from playwright.sync_api import Browser, sync_playwright

from bench import doors, mailed
from bench.camera import LANGUAGES, SCHEMES, WIDTHS, picture, speak
from scheduler.app import create_app
from scheduler.clock import ShiftedClock
from scheduler.config import load
from scheduler.domain.access import Role
from scheduler.domain.lessons import LessonState
from scheduler.domain.messages import MessageState
from scheduler.services import accounts, demo, mailroom
from scheduler.services.context import Context
from scheduler.services.mailroom import Search
from scheduler.store import lessons
from scheduler.store.database import Database

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-quic",
    "--disable-component-update",
    "--disable-sync",
]


def pages(ctx: Context) -> dict[Role, tuple[str, ...]]:
    """The addresses that each role is shown, with a lesson that may be called off."""
    school_id = next(i for i in demo.invitations(ctx) if i.role is Role.SCHOOL).actor.grants[0]
    with ctx.reading() as db:
        ahead = lessons.find(db, school_id=school_id.school_id, since=ctx.now())
    lesson = next(x for x in ahead if x.state is LessonState.SCHEDULED and x.starts_at > ctx.now())
    return {
        Role.TEACHER: (
            "/teacher",
            "/teacher/lessons",
            f"/teacher/lessons/{_own_lesson(ctx)}/answer",
            "/teacher/busy",
            "/teacher/reminders",
            "/devices",
            "/calendar",
            "/calendar/links/1/end",
            "/calendar/links/1/renew",
            "/mail",
        ),
        Role.SCHOOL: (
            "/school",
            "/school/requests",
            "/school/reminders",
            f"/school/lessons/{lesson.id}/call-off",
        ),
        Role.COORDINATOR: (
            "/coordinator",
            "/coordinator/matching",
            "/coordinator/matching/runs/1",
            "/coordinator/matching/weights",
            "/coordinator/plans/1",
            "/coordinator/messages",
            "/coordinator/messages?state=planned&kind=day_before",
            f"/coordinator/messages/{_message(ctx)}",
            "/coordinator/addresses",
            f"/coordinator/write?to={lesson.teacher_person_id}",
            "/coordinator/calendars",
        ),
    }


def _own_lesson(ctx: Context) -> int:
    """A lesson of the first teacher that is still to come."""
    teacher = next(i for i in demo.invitations(ctx) if i.role is Role.TEACHER).actor.grants[0]
    with ctx.reading() as db:
        found = lessons.find(db, teacher_id=teacher.teacher_id, since=ctx.now())
    return next(x.id for x in found if x.starts_at > ctx.now())


def _message(ctx: Context) -> int:
    """The message that goes out next."""
    planned = Search(state=MessageState.PLANNED)
    return mailroom.look(ctx, accounts.operator(ctx), planned).posts[0].id


def prepare(folder: Path) -> Context:
    """The example programme in an embedded database under `folder`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Under a name: browsers let no passkey be bound to an IP address.
    base_url = f"http://localhost:{port}"
    settings = load(
        _env_file=None, var_dir=folder, base_url=base_url, demo=True, second_factor=False
    )
    clock = ShiftedClock.starting_at(demo.STARTS)
    ctx = Context(settings, Database(settings.database), clock, b"a key for pictures only" * 2)
    demo.build(ctx)
    return ctx


def take(browser: Browser, ctx: Context, target: Path) -> list[str]:
    """Take all pictures; the faults that were seen."""
    faults: list[str] = []
    base = ctx.settings.base_url
    wanted = pages(ctx)
    for invitation in demo.invitations(ctx):
        context = browser.new_context()
        page = context.new_page()
        page.goto(invitation.url)
        page.click("main form button")
        page.wait_for_load_state()
        state = context.storage_state()
        for width in WIDTHS:
            for scheme in SCHEMES:
                view = browser.new_context(
                    storage_state=state,
                    viewport={"width": width, "height": 800},
                    color_scheme=scheme,
                )
                for language in LANGUAGES:
                    speak(view, base, language)
                    for path in wanted[invitation.role]:
                        page_name = invitation.role.value + re.sub(r"[/?&=]", "-", path)
                        name = f"{page_name}-{width}-{scheme}-{language}.png"
                        faults += picture(view, base + path, target / name)
                view.close()
        context.close()
    return faults


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
    "roles": (take, lambda ctx: ctx),
    "mailed": (_mailed, lambda ctx: ctx),
    "doors": (doors.take, strict),
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
