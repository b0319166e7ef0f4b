"""What MkDocs does beyond mkdocs.yml: its hooks, each by the name MkDocs knows."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure import StructureItem
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation, Section
from mkdocs.structure.pages import Page

from docsite import references

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "scheduler" / "web" / "static"
LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
# Files of the repository that are pages of the site, or parts of it, as they are.
COPIES = {
    "security.md": ROOT / "SECURITY.md",
    "contributing.md": ROOT / "CONTRIBUTING.md",
    "changelog.md": ROOT / "CHANGELOG.md",
    "assets/logo.svg": STATIC / "favicon.svg",
    "assets/be-vietnam-pro-400.woff2": STATIC / "be-vietnam-pro-400.woff2",
    "assets/be-vietnam-pro-600.woff2": STATIC / "be-vietnam-pro-600.woff2",
    "assets/be-vietnam-pro-OFL.txt": STATIC / "be-vietnam-pro-OFL.txt",
}
# Written when the site is built, from what the code says of itself.
MADE = {
    "settings.md": references.settings,
    "commands.md": references.commands,
    "api-reference.md": references.operations,
    "openapi.json": references.description,
}
PICTURE = re.compile(r"^!\[[^\]]*\]\((?:\.\./)+pictures/[^)]+\)(?:\{[^}]*\})?\n", re.MULTILINE)


def on_config(config: MkDocsConfig) -> None:
    """References that nav does not name stand at its end: whoever writes one need not know it."""
    nav: list[Any] = config.nav or []
    named = set(_named(nav))
    found = sorted(path.name for path in Path(config.docs_dir).glob("*.md"))
    title = LANGUAGES["en"]
    english = next(part[title] for part in nav if isinstance(part, dict) and title in part)
    more = [name for name in found if name not in named]
    if more:
        english.append({"More": more})


def _named(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
        return
    for part in nav.values() if isinstance(nav, dict) else nav:
        yield from _named(part)


def on_files(files: Files, /, *, config: MkDocsConfig) -> Files:
    """The pages that are made, and what lies elsewhere in the repository."""
    for name, path in COPIES.items():
        files.append(File.generated(config, name, abs_src_path=str(path)))
    for name, write in MADE.items():
        files.append(File.generated(config, name, content=write()))
    return files


def on_page_markdown(markdown: str, /, *, config: MkDocsConfig, **_: Any) -> str:
    """Without their pictures while links alone are of interest: `python -m docsite --quick`."""
    return PICTURE.sub("", markdown) if config.extra.get("quick") else markdown


def on_page_context(
    context: dict[str, Any], /, *, page: Page, config: MkDocsConfig, nav: Navigation
) -> dict[str, Any]:
    """Around each page stand its own language's part, and the way to the other language."""
    config.extra["twins"] = [
        {"lang": code, "name": name, "link": _twin(page, code, nav)}
        for code, name in LANGUAGES.items()
    ]
    if page.is_homepage:
        return context
    mine = LANGUAGES[_language(page)]
    part = next(item for item in nav.items if isinstance(item, Section) and item.title == mine)
    pages = list(_pages(part.children))
    page.previous_page, page.next_page = _beside(pages, page)
    own = Navigation(part.children, pages)
    own.homepage = pages[0]
    return {**context, "nav": own}


def _language(page: Page) -> str:
    return "vi" if page.url.startswith("vi/") else "en"


def _pages(items: list[StructureItem]) -> Iterator[Page]:
    for item in items:
        if isinstance(item, Page):
            yield item
        elif isinstance(item, Section):
            yield from _pages(item.children)


def _beside(pages: list[Page], page: Page) -> tuple[Page | None, Page | None]:
    at = pages.index(page) if page in pages else -1
    return (pages[at - 1] if at > 0 else None), (
        pages[at + 1] if 0 <= at < len(pages) - 1 else None
    )


def _twin(page: Page, language: str, nav: Navigation) -> str:
    """The same page in that language; where there is none, that language's first."""
    here = _language(page)
    bare = page.url.removeprefix(f"{here}/")
    wanted = page.url if here == language and not page.is_homepage else f"{language}/{bare}"
    there = {each.url for each in nav.pages}
    return wanted if wanted in there else f"{language}/index.html"
