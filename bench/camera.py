"""How bench.screenshots takes a picture, and what it calls a fault."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Response

WIDTHS = (360, 1280)
SCHEMES = ("light", "dark")
LANGUAGES = ("vi", "en")


def speak(context: BrowserContext, base: str, language: str) -> None:
    page = context.new_page()
    page.goto(f"{base}/")
    if page.locator("html").get_attribute("lang") != language:
        with page.expect_navigation():  # a page closed on its way may never close
            page.click("form[action='/language'] button")
    page.close()


def picture(
    context: BrowserContext,
    url: str,
    target: Path,
    status: int = 200,
    act: Callable[[Page], None] | None = None,
    *,
    whole: bool = True,
) -> list[str]:
    """Take the page, or the one that `act` leads to from it; its faults.

    `status`: what the page in the picture is answered with; `whole`: also what one must scroll to.
    """
    page = context.new_page()
    faults: list[str] = []
    seen: list[int] = []
    page.on("console", lambda message: faults.append(f"{url}: {message.text}"))
    page.on("response", lambda got: seen.append(got.status) if _is_page(got) else None)
    page.goto(url)
    if act is not None:
        act(page)
        page.wait_for_load_state()
    page.screenshot(path=target, full_page=whole)
    if seen[-1:] != [status]:
        faults.append(f"{url}: {seen[-1:]}, not {status}")
    if status >= 400:  # browsers complain of the page itself
        faults = [each for each in faults if f"status of {status} " not in each]
    room = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if room > 0:
        faults.append(f"{url}: {room} px of sideways scroll at {target.name}")
    page.close()
    return faults


def _is_page(got: Response) -> bool:
    request = got.request
    return bool(request.is_navigation_request())
