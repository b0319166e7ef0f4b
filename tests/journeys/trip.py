"""Going through every page of a served demo, as each reader and in each of its looks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import httpx2
from playwright.sync_api import Browser, BrowserContext, Page

from bench import mailed
from bench.scene import Seeds
from bench.tour import FRESH, Stop, Tour
from scheduler.services.context import Context
from scheduler.web import guard

Scheme = Literal["light", "dark"]
HEIGHT = 800


@dataclass(frozen=True)
class Look:
    width: int
    scheme: Scheme
    language: str


PHONE, DESK = Look(360, "light", "vi"), Look(1280, "dark", "en")


@dataclass
class Trip:
    """One browser, with a page for each reader that is used again and again."""

    ctx: Context
    seeds: Seeds
    tour: Tour
    browser: Browser
    pages: dict[tuple[str, bool], Page] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return self.ctx.settings.base_url

    def visit(self, stop: Stop, look: Look, *, script: bool = True) -> Page:
        """The page of this stop; its reader and its visitors read `look.language` already."""
        page = self.page(stop.reader, script=script)
        page.set_viewport_size({"width": look.width, "height": HEIGHT})
        # What fades from one colour to the other has neither while it is measured.
        page.emulate_media(color_scheme=look.scheme, reduced_motion="reduce")
        self._wish(page.context, look.language)
        answer = page.goto(self.base + stop.address)
        assert answer is not None
        assert answer.status == 200, stop
        return page

    def page(self, reader: str, *, script: bool) -> Page:
        if (reader, script) not in self.pages:
            context = self.browser.new_context(java_script_enabled=script)
            if reader in self.tour.cookies:
                self._put(context, "sid", self.tour.cookies[reader])
            self.pages[reader, script] = context.new_page()
        return self.pages[reader, script]

    def speak(self, language: str) -> None:
        """All people read this language from now on; visitors wish it by a cookie."""
        mailed.speak(self.ctx, language)

    def _wish(self, context: BrowserContext, language: str) -> None:
        self._put(context, "lang", language)

    def _put(self, context: BrowserContext, name: str, value: str) -> None:
        name = guard.cookie_name(self.ctx.settings, name)
        context.add_cookies([{"name": name, "value": value, "url": self.base}])

    def texts(self, language: str) -> Iterator[tuple[Stop, str]]:
        """The source of every page, without a browser."""
        self.speak(language)
        sid, lang = (guard.cookie_name(self.ctx.settings, name) for name in ("sid", "lang"))
        with httpx2.Client(base_url=self.base, limits=FRESH) as client:
            for stop in self.tour.stops:
                secret = self.tour.cookies.get(stop.reader, "")
                sent = f"{lang}={language}" + (f"; {sid}={secret}" if secret else "")
                yield stop, client.get(stop.address, headers={"cookie": sent}).text

    def close(self) -> None:
        for page in self.pages.values():
            page.context.close()
