"""What axe-core finds on a page, in words; and whether the page fits where room is short."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_ASKED = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": RULES}}
_AXE = Axe()
_SPARE = "document.documentElement.scrollWidth - innerWidth"
# Who sticks out: the innermost things that end right of the window and are not in a box of theirs.
_WIDEST = """() => [...document.querySelectorAll('body *')]
  .filter(x => x.getBoundingClientRect().right > innerWidth + 1 && !x.closest('.scroll, .sr, svg'))
  .filter(x => ![...x.children].some(y => y.getBoundingClientRect().right > innerWidth + 1))
  .slice(0, 3).map(x => x.outerHTML.slice(0, 90))"""
_LARGER = "share => { document.documentElement.style.fontSize = share }"


def violations(page: Page) -> list[str]:
    """A line for each: the rule, what is wrong, and where; the page may have scripts or none."""
    # All of the page at once: what lies behind the bar at the bottom can be scrolled from there.
    size, tall = page.viewport_size, page.evaluate("document.documentElement.scrollHeight")
    assert size is not None
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], tall)})
    found = _AXE.run(page, options=_ASKED).response["violations"]
    page.set_viewport_size(size)
    return [f"{each['id']}: {_where(node)}" for each in found for node in each["nodes"]]


def _where(node: dict[str, Any]) -> str:
    checks = node["any"] + node["all"] + node["none"]
    why = "; ".join(check["message"] for check in checks[:1])
    return f"{node['target'][0]} ({why}) {node['html'][:120]}"


def sticking_out(page: Page, width: int, *, text: str = "100%") -> list[str]:
    """What makes the page scroll sideways at this width, the text enlarged to `text`."""
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate(_LARGER, text)
    spare = page.evaluate(_SPARE)
    found = [f"{spare} px too wide at {width} px, text {text}: {page.evaluate(_WIDEST)}"]
    page.evaluate(_LARGER, "")
    if before is not None:
        page.set_viewport_size(before)
    return found if spare > 0 else []
