"""The built documentation: every link leads somewhere, and nothing is fetched from elsewhere."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from docsite import hooks, pictures, site
from scheduler.config import Settings
from tests.web.api.routes import routes

FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
GUIDES = Path(site.ROOT, "docs")
PICTURE = re.compile(r"!\[([^\]]*)\]\(((?:\.\./)+pictures/(\w+)/([\w-]+)\.png)\)\{ (.*?) \}")


class Page(HTMLParser):
    """What a page holds that may lead somewhere: its links, what it fetches, and its places."""

    def __init__(self, path):
        super().__init__()
        self.path, self.links, self.fetched, self.ids, self.language = path, [], [], set(), ""
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids |= {given[name] for name in ("id", "name") if given.get(name)}
        self.language = given.get("lang", "") if tag == "html" else self.language
        if FETCHED.get(tag) in given and given.get("rel") not in ("canonical", "alternate"):
            self.fetched.append(given[FETCHED[tag]])
        self.links += [given[name] for name in ("href", "src") if given.get(name)]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The site without pictures, built once for this file."""
    target = tmp_path_factory.mktemp("docs")
    assert site.build(target, quick=True) == []
    return target


@pytest.fixture(scope="module")
def pages(built):
    return {path: Page(path) for path in built.rglob("*.html")}


def faults(page, pages, root):
    for link in page.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or link.startswith("javascript:"):
            continue
        named = unquote(parts.path)
        start = root if named.startswith("/") else page.path.parent
        target = (start / named.lstrip("/")).resolve() if named else page.path
        if target == root:
            target = root / "index.html"
        if not target.is_file():
            yield f"{page.path.name}: {link}"
        elif parts.fragment and target in pages:
            place = unquote(parts.fragment)
            if place not in pages[target].ids and not place.startswith("__"):
                yield f"{page.path.name}: {link} has no such place"


def test_every_link_leads_to_a_page_and_a_place_in_it(built, pages):
    assert len(pages) > 30
    found = [each for page in pages.values() for each in faults(page, pages, built.resolve())]
    assert found == []


def test_lists_and_tables_are_read_as_such(built):
    """What MkDocs reads as Markdown differs from what the page of a repository does: a list wants
    an empty line before it, and what belongs to an item of one four spaces."""
    odd = re.compile(r"(?:<p>|<td>|\n)(?:- |\d+\. |\||!\[|```)")
    found = []
    for path in built.rglob("*.html"):
        text = re.sub(r"<pre.*?</pre>|<script.*?</script>", "", path.read_text(), flags=re.S)
        found += [
            f"{path.name}: {text[hit.start() : hit.start() + 60]!r}" for hit in odd.finditer(text)
        ]
    assert found == []


def test_nothing_is_fetched_from_another_host(built, pages):
    outside = [
        f"{page.path.name}: {address}"
        for page in pages.values()
        for address in page.fetched
        if urlsplit(address).netloc
    ]
    for style in built.rglob("*.css"):
        for address in re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')\s;]+)", style.read_text()):
            if urlsplit(address).netloc:
                outside.append(f"{style.name}: {address}")
    # The theme's script fetches from elsewhere for these alone: diagrams, and the stars of a host.
    outside += [str(path) for path in pages if 'class="mermaid"' in path.read_text()]
    assert outside == []
    assert "repo_url" not in (site.ROOT / "mkdocs.yml").read_text()


def test_each_page_speaks_its_language_and_leads_to_the_other(built, pages):
    for path, page in pages.items():
        place = path.relative_to(built).as_posix()
        language = "vi" if place.startswith("vi/") or place in ("index.html", "404.html") else "en"
        assert page.language == language, place
    here = Page(built / "vi" / "coordinator" / "matching.html").links
    assert "../../en/coordinator/matching.html" in here
    assert "../vi/privacy.html" not in here
    assert "vi/index.html" in Page(built / "operations.html").links  # it has no twin


def test_both_languages_have_the_same_guides():
    found = {
        language: {p.relative_to(GUIDES / language) for p in (GUIDES / language).rglob("*.md")}
        for language in hooks.LANGUAGES
    }
    # In English these are the references themselves.
    assert found["vi"] - found["en"] == {Path("operator.md"), Path("privacy.md")}
    assert found["en"] - found["vi"] == set()


def test_search_knows_both_languages_without_a_host(built):
    index = json.loads((built / "search" / "search_index.json").read_text())
    assert index["config"]["lang"] == ["vi", "en"]
    found = {doc["location"].partition("#")[0] for doc in index["docs"]}
    assert {"vi/teacher.html", "en/teacher.html"} <= found
    assert list(built.rglob("lunr.vi.min.js"))


def test_what_the_code_says_of_itself_is_there_whole(built):
    settings = (built / "settings.html").read_text()
    commands = (built / "commands.html").read_text()
    api = (built / "api-reference.html").read_text()
    assert [n for n in Settings.model_fields if f"CHUNGTAY_{n.upper()}<" not in settings] == []
    assert all(f"chungtay {name}<" in commands for name in ("serve", "user invite", "plan publish"))
    missing = [way for way in routes() if f"<code>{' '.join(way)}</code>" not in api]
    assert missing == []
    assert json.loads((built / "openapi.json").read_text())["paths"]


def test_every_picture_is_taken_and_every_one_that_is_taken_is_shown():
    taken = {shot.name: shot for shot in pictures.SHOTS}
    shown = {language: set() for language in hooks.LANGUAGES}
    for path in GUIDES.rglob("*.md"):
        for words, link, language, name, classes in PICTURE.findall(path.read_text()):
            shown[language].add(name)
            assert words, f"{path}: {name} has no words for who cannot see it"
            assert path.relative_to(GUIDES).parts[0] == language, path
            assert (path.parent / link).resolve().parent == GUIDES / "pictures" / language
            assert (classes == ".page .phone") == taken[name].on_phone, f"{path}: {name}"
    assert shown == {language: set(taken) for language in hooks.LANGUAGES}


def test_quick_leaves_out_pictures_and_nothing_else():
    text = (GUIDES / "vi" / "teacher.md").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("![")]
    assert hooks.PICTURE.sub("", text).splitlines() == lines
    assert len(lines) < len(text.splitlines())


def test_the_sites_colours_are_those_of_the_pages():
    """Chung Tay's own style sheet says which colours there are."""
    own = re.compile(r"#[0-9a-f]{3,6}\b")
    ours = (hooks.STATIC / "chungtay.css").read_text()
    theirs = (GUIDES / "assets" / "site.css").read_text()
    assert set(own.findall(theirs)) - {"#0000"} <= set(own.findall(ours))
