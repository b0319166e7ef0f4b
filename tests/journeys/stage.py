"""Where people do their tasks: a served demo, somebody of it, and the way in which they look."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from scheduler.domain.access import Actor, Role
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.people import PersonId, SchoolId
from scheduler.locale import Language, translations, wording
from scheduler.services import accounts, demo
from scheduler.services.context import Context
from scheduler.store import accounts as account_rows
from scheduler.store import lessons
from scheduler.web import guard
from tests.journeys import axe
from tests.journeys.hands import Hands


@dataclass(frozen=True)
class Way:
    """How somebody looks at a page."""

    name: str
    width: int
    language: Language
    script: bool = True
    keys: bool = False


# What swaps parts comes after the page, where there are any; until then forms go out as they are.
SWAPS = "() => window.htmx || !document.querySelector('[hx-get], [hx-post]')"
WAYS = (
    Way("phone", 360, Language.VI),
    Way("desk", 1280, Language.EN),
    Way("phone-no-script", 360, Language.EN, script=False),
    Way("desk-no-script", 1280, Language.VI, script=False),
    Way("keys", 1280, Language.VI, keys=True),
)

Task = Callable[["Stage"], None]


def in_every_way(*tasks: Task) -> pytest.MarkDecorator:
    """Each task in all ways, in one of them in every run and in the others by hand: `-m soak`."""
    cases = [
        pytest.param(
            task, way,
            id=f"{task.__name__}-{way.name}",
            marks=() if n % len(WAYS) == m else pytest.mark.soak,
        )
        for n, task in enumerate(tasks) for m, way in enumerate(WAYS)
    ]  # fmt: skip
    return pytest.mark.parametrize(("task", "way"), cases)


@dataclass
class House:
    """A served demo; `met`: who did a task here, and whose pages are not as they were."""

    ctx: Context
    browser: Browser
    met: set[PersonId] = field(default_factory=set)

    @cached_property
    def teachers(self) -> tuple[Actor, ...]:
        return accounts.people_with(self.ctx, Role.TEACHER)


@dataclass
class Stage:
    """One task in one way; people come in by `enter`."""

    house: House
    way: Way
    opened: list[BrowserContext] = field(default_factory=list)

    @property
    def ctx(self) -> Context:
        return self.house.ctx

    # -- who comes

    def teacher(self, fits: Callable[[list[Lesson]], object]) -> Actor:
        """One whose own lessons, in order of time, fit; each is met by one task alone."""
        with self.ctx.reading() as db:
            everything = lessons.find(db)
        for actor in self.house.teachers:
            own = [x for x in everything if x.teacher_person_id == actor.person_id]
            if actor.person_id not in self.house.met and fits(own):
                self.house.met.add(actor.person_id)
                return actor
        raise AssertionError("no such teacher is left in the demo")

    def school(self, fits: Callable[[SchoolId], object] = bool) -> tuple[Actor, SchoolId]:
        """The contact of a school; another one each time, as long as there are."""
        everybody = [
            (actor, grant.school_id)
            for actor in accounts.people_with(self.ctx, Role.SCHOOL)
            for grant in actor.with_role(Role.SCHOOL)
            if grant.school_id and len(actor.grants) == 1
        ]
        fresh = [x for x in everybody if x[0].person_id not in self.house.met]
        if not fresh:
            self.house.met -= {actor.person_id for actor, _ in everybody}
        found = next(x for x in (*fresh, *everybody) if fits(x[1]))
        self.house.met.add(found[0].person_id)
        return found

    def enter(self, actor: Actor) -> "Visit":
        """A browser in which this person is signed in, reading the language of the way."""
        with self.ctx.transaction() as db:
            account_rows.set_language(db, actor.person_id, self.way.language)
        link = accounts.operator_link(self.ctx, actor.email, demo.LINK_LIFE)
        token = accounts.sign_in(self.ctx, link.rpartition("/")[2], "", "Chrome/126 Linux").token
        context = self.house.browser.new_context(
            viewport={"width": self.way.width, "height": 800},
            java_script_enabled=self.way.script,
            reduced_motion="reduce",
            base_url=self.ctx.settings.base_url,
        )
        name = guard.cookie_name(self.ctx.settings, "sid")
        context.add_cookies([{"name": name, "value": token, "url": self.ctx.settings.base_url}])
        self.opened.append(context)
        page = context.new_page()
        page.set_default_timeout(8000)
        return Visit(self.ctx, page, self.way, Hands(page, keys=self.way.keys), actor)

    def close(self) -> None:
        for context in self.opened:
            context.close()


@dataclass
class Visit:
    """One person at one page."""

    ctx: Context
    page: Page
    way: Way
    hands: Hands
    actor: Actor

    def open(self, path: str) -> None:
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        if self.way.script:
            self.page.wait_for_function(SWAPS)

    def say(self, sentence: str, **values: object) -> str:
        """The sentence as this reader has it; its places as templates or as Python write them."""
        said = translations(self.way.language).gettext(sentence)
        return said % values if "%(" in said else said.format(**values) if values else said

    # -- parts of the page by the words that name them

    def button(self, sentence: str, *more: str, within: Locator | None = None) -> Locator:
        return self._named("button", sentence, more, within)

    def link(self, sentence: str, *more: str, within: Locator | None = None) -> Locator:
        return self._named("link", sentence, more, within)

    def box(self, sentence: str, *more: str, within: Locator | None = None) -> Locator:
        return self._named("textbox", sentence, more, within)

    def list(self, sentence: str, within: Locator | None = None) -> Locator:
        return self._named("combobox", sentence, (), within)

    def radio(self, sentence: str, within: Locator | None = None) -> Locator:
        return self._named("radio", sentence, (), within)

    def check(self, sentence: str, within: Locator | None = None) -> Locator:
        return self._named("checkbox", sentence, (), within)

    def summary(self, sentence: str, within: Locator | None = None) -> Locator:
        return (within or self.main).locator("summary", has_text=self.say(sentence)).first

    def part(self, sentence: str, **values: object) -> Locator:
        """A section or a form field by its heading."""
        said = self.say(sentence, **values)
        return self.main.get_by_role("region", name=said).or_(
            self.main.get_by_role("group", name=said)
        ).first  # fmt: skip

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    def _named(
        self, role: Any, sentence: str, more: tuple[str, ...], within: Locator | None
    ) -> Locator:
        name = self.say(sentence)
        for each in more:
            name += each
        return (within or self.main).get_by_role(role, name=name).first

    # -- what is seen at the end

    def sees(self, *words: str) -> None:
        for each in words:
            expect(self.main).to_contain_text(each)

    def is_told(self, *words: str) -> None:
        """Words of the line that a screen reader hears."""
        for each in words:
            expect(self.page.locator("#status")).to_contain_text(each)

    def headed(self, words: str) -> None:
        expect(self.page.locator("h1")).to_contain_text(words)

    def fits(self) -> None:
        """Nothing sticks out at the width of this reader."""
        assert axe.sticking_out(self.page, self.way.width) == []

    def is_sound(self) -> None:
        """It fits, and axe-core finds nothing: for pages that only a form leads to, which no tour
        meets.  Where scripts are off axe-core would wait for ever."""
        self.fits()
        if self.way.script:
            assert axe.violations(self.page) == []

    def fetched(self, link: Locator) -> bytes:
        """The file behind a link, as the browser of this reader gets it."""
        return self.page.request.get(str(link.get_attribute("href"))).body()

    def file(self, control: Locator) -> Any:
        """The JSON file that a button gives."""
        with self.page.expect_download() as given:
            self.hands.press(control)
        return json.loads(given.value.path().read_bytes())


# -- lessons


def going(found: list[Lesson]) -> list[Lesson]:
    return [x for x in found if x.state is LessonState.SCHEDULED]


def ahead(now: datetime, found: list[Lesson], days: float = 0.2) -> list[Lesson]:
    return [x for x in going(found) if x.starts_at > now + timedelta(days=days)]


def untold(now: datetime, found: list[Lesson]) -> list[Lesson]:
    """Those that are over and that nobody has reported, as long as they can be."""
    told = now - timedelta(days=9)
    return [x for x in going(found) if told < x.ends_at < now]


def local(instant: datetime, lesson: Lesson) -> datetime:
    return instant.astimezone(ZoneInfo(lesson.zone))


def span(lesson: Lesson) -> str:
    return wording.span(local(lesson.starts_at, lesson), local(lesson.ends_at, lesson))


def fresh(ctx: Context, lesson: Lesson) -> Lesson:
    """The lesson as it stands now."""
    with ctx.reading() as db:
        found = lessons.get(db, lesson.id)
    assert found is not None
    return found
