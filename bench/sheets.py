"""Contact sheets: the eight looks of a page side by side in one picture, to be looked at."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser

from bench.camera import LANGUAGES, SCHEMES, WIDTHS

SHEET_WIDTH = 1800
# A phone's picture beside a desk's: as wide on the sheet as they are to each other.
_STYLE = (
    "body{display:grid;grid-template-columns:repeat(4,1fr) repeat(4,2.4fr);gap:8px;margin:8px;"
    "align-items:start;background:#888;font:12px sans-serif}figure{margin:0}"
    "img{width:100%;max-height:1600px;object-fit:cover;object-position:top}"
)


def make(browser: Browser, target: Path, names: Sequence[str]) -> None:
    """One sheet for each page of that name, from the pictures that lie in `target`."""
    (target / "sheets").mkdir(exist_ok=True)
    page = browser.new_page(viewport={"width": SHEET_WIDTH, "height": 800})
    written = target / "sheet.html"
    for name in names:
        written.write_text(_sheet(target, name), encoding="utf-8")
        page.goto(written.absolute().as_uri())
        page.screenshot(path=target / "sheets" / f"{name}.png", full_page=True)
    written.unlink(missing_ok=True)
    page.close()


def _sheet(target: Path, name: str) -> str:
    looks = [f"{w}-{s}-{language}" for w, s, language in product(WIDTHS, SCHEMES, LANGUAGES)]
    figures = [
        f"<figure><img src='{name}-{look}.png'><figcaption>{look}</figcaption></figure>"
        for look in looks
        if (target / f"{name}-{look}.png").exists()
    ]
    return f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style>{''.join(figures)}"
