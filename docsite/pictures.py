"""The pictures of the guides: pages of the demo, in each language, as their readers see them.

They are taken anew whenever the documentation is built, into docs/pictures, which git ignores: what
a guide shows is what the pages look like.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from bench import mailed, scene, screenshots, tour
from bench.camera import LANGUAGES, picture
from bench.scene import ASKED, COORDINATOR, HEAD, SCHOOL, SWAPPING, TEACHER, VISITOR
from bench.tour import Tour
from scheduler.domain.baskets import Alter
from scheduler.domain.people import TeacherId
from scheduler.domain.plans import PlanId
from scheduler.services import accounts, baskets, suggestions
from scheduler.services.context import Context
from scheduler.store import lessons, terms
from scheduler.web import guard

PHONE: ViewportSize = {"width": 360, "height": 620}
DESK: ViewportSize = {"width": 1280, "height": 760}


PLAN = "/coordinator/plans/{plan_id}"
CHANGES = 5  # lessons that the draft in the picture gives to others


class NoBrowser(Exception):
    """Nothing on this machine can take pictures."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A page as the guides name it; `below`: what stands at the picture's top, by a selector."""

    name: str
    reader: str
    path: str
    query: str = ""
    below: str = ""

    @property
    def on_phone(self) -> bool:
        return self.reader != COORDINATOR


SHOTS = (
    Shot("sign-in", VISITOR, "/sign-in"),
    Shot("teacher-home", TEACHER, "/teacher"),
    Shot("teacher-hours", TEACHER, "/teacher/availability"),
    Shot("teacher-away", TEACHER, "/teacher/availability", below="#away"),
    Shot("teacher-calendar", TEACHER, "/calendar"),
    Shot("teacher-reminders", TEACHER, "/teacher/reminders"),
    Shot("teacher-cannot", TEACHER, "/teacher/lessons/{lesson_id}/answer", "?say=cannot"),
    Shot("teacher-offer", ASKED, "/teacher/offers/{offer_id}"),
    Shot("teacher-swap", SWAPPING, "/teacher/swaps/{swap_id}"),
    Shot("teacher-report", TEACHER, "/teacher/lessons/{lesson_id}/report"),
    Shot("teacher-record", TEACHER, "/teacher/lessons"),
    Shot("school-week", SCHOOL, "/school"),
    Shot("school-requests", SCHOOL, "/school/requests"),
    Shot("school-ask", SCHOOL, "/school/requests", below="#new"),
    Shot("school-call-off", SCHOOL, "/school/lessons/{lesson_id}/call-off"),
    Shot("school-report", SCHOOL, "/school/lessons/{lesson_id}/report"),
    Shot("school-timetable", SCHOOL, "/school/timetable"),
    Shot("school-hours", SCHOOL, "/school/hours"),
    Shot("school-line", SCHOOL, "/school/line"),
    Shot("head-week", HEAD, "/donor-school"),
    Shot("head-people", HEAD, "/donor-school/people"),
    Shot("coordinator-today", COORDINATOR, "/coordinator"),
    Shot("coordinator-imports", COORDINATOR, "/coordinator/imports"),
    Shot("coordinator-demand", COORDINATOR, "/coordinator/demand"),
    Shot("coordinator-matching", COORDINATOR, "/coordinator/matching"),
    Shot("coordinator-plan", COORDINATOR, PLAN),
    Shot("coordinator-lesson", COORDINATOR, "/coordinator/lessons/{lesson_id}", below="#facts"),
    Shot("coordinator-covers", COORDINATOR, "/coordinator/covers"),
    Shot("coordinator-storm", COORDINATOR, "/coordinator/disruptions"),
    Shot("coordinator-balance", COORDINATOR, "/coordinator/balance"),
    Shot("coordinator-messages", COORDINATOR, "/coordinator/messages"),
    Shot("coordinator-report", COORDINATOR, "/coordinator/reports"),
)


def take(target: Path) -> list[str]:
    """Every picture in every language, as `<target>/<language>/<name>.png`; the faults seen.

    Raises NoBrowser before anything is done.
    """
    with _browser() as browser:
        shutil.rmtree(target, ignore_errors=True)
        ctx = screenshots.prepare(target / "state")
        # As an installation looks: without the banner that tells of the demo.
        settings = ctx.settings.model_copy(update={"demo": False})
        with screenshots.served(replace(ctx, settings=settings)) as ctx:
            faults = _all(browser, ctx, target)
        shutil.rmtree(target / "state")
    return faults


@contextmanager
def _browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise NoBrowser
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=screenshots.QUIET)


def _all(browser: Browser, ctx: Context, target: Path) -> list[str]:
    seeds = scene.sow(ctx)
    scene.post(ctx)
    found = tour.plan(ctx, seeds, {shot.path for shot in SHOTS})
    where = {(stop.reader, stop.path): stop.address for stop in found.stops}
    where[COORDINATOR, PLAN] = f"/coordinator/plans/{_draft(ctx)}"
    missing = [shot for shot in SHOTS if (shot.reader, shot.path) not in where]
    faults = [f"{shot.name}: {shot.reader} is not shown {shot.path}" for shot in missing]
    for language in LANGUAGES:
        mailed.speak(ctx, language)
        for shot in SHOTS:
            if shot not in missing:
                view = _view(browser, ctx, found, shot, language)
                url = ctx.settings.base_url + where[shot.reader, shot.path] + shot.query
                file = target / language / f"{shot.name}.png"
                faults += picture(view, url, file, act=_to(shot.below), whole=False)
                view.close()
    return faults


def _draft(ctx: Context) -> PlanId:
    """A draft that changes something: some lessons of the next weeks have another teacher."""
    actor = accounts.operator(ctx)
    begin = ctx.now() + timedelta(days=2)
    with ctx.reading() as db:
        ahead = lessons.find(db, since=begin, until=begin + timedelta(days=14))
        term = terms.of_programme(db, actor.grants[0].programme_id)[0]
    moves: dict[TeacherId, Alter] = {}
    for lesson in ahead[:: len(ahead) // (3 * CHANGES)]:
        for line in suggestions.of_lesson(ctx, actor, lesson.id).teachers:
            if not line.obstacles and line.teacher_id not in (lesson.teacher_id, *moves):
                moves[line.teacher_id] = Alter(lesson.id, line.teacher_id)
                break
    chosen = list(moves.values())[:CHANGES]
    return baskets.draft(ctx, actor, term.id, chosen)


def _view(browser: Browser, ctx: Context, found: Tour, shot: Shot, language: str) -> BrowserContext:
    view = browser.new_context(
        viewport=PHONE if shot.on_phone else DESK,
        device_scale_factor=2 if shot.on_phone else 1.5,
        color_scheme="light",
    )
    kept = {"lang": language, "sid": found.cookies.get(shot.reader, "")}
    url = ctx.settings.base_url
    view.add_cookies(
        [
            {"name": guard.cookie_name(ctx.settings, name), "value": value, "url": url}
            for name, value in kept.items()
            if value
        ]
    )
    return view


def _to(selector: str) -> Callable[[Page], None] | None:
    def scroll(page: Page) -> None:
        page.evaluate("to => document.querySelector(to).scrollIntoView()", selector)

    return scroll if selector else None
