"""HTML -> PDF by WeasyPrint, which only the printing process loads: see `papers`."""

import io
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont
from weasyprint import HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse

import scheduler

_STATIC = Path(scheduler.__file__).parent / "web" / "static"
_FONTS = {
    f"font:be-vietnam-pro-{weight}": _STATIC / f"be-vietnam-pro-{weight}.woff2"
    for weight in (400, 600)
}


class _OwnFonts(URLFetcher):  # type: ignore[misc]  # WeasyPrint tells no types
    """Gives our fonts, and refuses whatever else a page may name."""

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
        del headers
        if url not in _FONTS:
            raise ValueError("a paper fetches nothing")
        return URLFetcherResponse(url, _font(url), {"Content-Type": "font/ttf"})


def pdf(page: str) -> bytes:
    """The page as a tagged PDF; what it asks for beyond our fonts is left out."""
    found: bytes = HTML(string=page, url_fetcher=_OwnFonts()).write_pdf(pdf_tags=True)
    return found


def whole(pages: Sequence[str], tell: Callable[[int, int], object]) -> bytes:
    """The pages as one tagged PDF, in which each font stands once; `tell` hears how many are laid
    out, and of how many.  All of them are in memory until the end."""
    drawn = []
    tell(0, len(pages))
    for number, page in enumerate(pages, 1):
        drawn.append(HTML(string=page, url_fetcher=_OwnFonts()).render())
        tell(number, len(pages))
    sheets = [sheet for each in drawn for sheet in each.pages]
    found: bytes = drawn[0].copy(sheets).write_pdf(pdf_tags=True)
    return found


@cache
def _font(url: str) -> bytes:
    """Unpacked once: for each paper anew it would cost a third of the time."""
    font = TTFont(_FONTS[url], recalcTimestamp=False)  # the same bytes each time
    font.flavor = None
    unpacked = io.BytesIO()
    font.save(unpacked)
    return unpacked.getvalue()
