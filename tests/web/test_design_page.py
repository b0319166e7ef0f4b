"""The living page of the visual language: it shows every part there is, and no part has died."""

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
import tinycss2
from jinja2 import meta, nodes

from scheduler.locale import Language
from scheduler.web import view
from scheduler.web.pages.design import HERE, PARTS

TEMPLATES = Path(__file__).parents[2] / "templates"
MACROS = "_macros.html"
SHOWN_LAYERS = ("components", "utilities")
# Classes that no server writes, and who does.
BY_SCRIPTS = {"taps": "app.js, on a cell of the period grid that hears taps"}
# What a script writes elsewhere, and the page shows all the same.
SHOWN_FOR_SCRIPTS = {"htmx-request"}
# Parts that no other page has yet: the coordinators' desk is to be built of them.
TO_COME = {"toast", "dlg", "wave", "across", "dot"}


# -- the stylesheet, the page and the templates, read


@cache
def sheet() -> list[tinycss2.ast.Node]:
    source = (view.STATIC / view.STYLESHEET).read_bytes()
    rules, _ = tinycss2.parse_stylesheet_bytes(source, skip_comments=True, skip_whitespace=True)
    return rules


def layer(name: str) -> list[tinycss2.ast.Node]:
    """The rules of a layer, those of its media queries among them."""
    found = [each for each in sheet() if _is_layer(each, name)]
    assert len(found) == 1
    return list(_rules(found[0].content))


def _is_layer(rule: tinycss2.ast.Node, name: str) -> bool:
    if rule.type != "at-rule" or rule.at_keyword != "layer" or rule.content is None:
        return False
    return tinycss2.serialize(rule.prelude).strip() == name


def _rules(content: list[tinycss2.ast.Node]) -> Iterator[tinycss2.ast.Node]:
    for rule in tinycss2.parse_rule_list(content, skip_comments=True, skip_whitespace=True):
        if rule.type == "qualified-rule":
            yield rule
        elif rule.at_keyword in ("media", "supports"):
            yield from _rules(rule.content)


def named(rules: list[tinycss2.ast.Node]) -> set[str]:
    """The classes in the selectors of these rules."""
    return {each for rule in rules for each in _classes(rule.prelude)}


def _classes(tokens: list[tinycss2.ast.Node]) -> Iterator[str]:
    before = None
    for token in tokens:
        if token.type == "ident" and before == ".":
            yield token.value
        elif token.type == "function":
            yield from _classes(token.arguments)
        before = token.value if token.type == "literal" else None


class Shown(HTMLParser):
    """The classes that stand in a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.classes: set[str] = set()
        self.ids: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.classes |= set((given.get("class") or "").split())
        self.ids += [given["id"]] if given.get("id") else []


@cache
def tree(name: str) -> nodes.Template:
    return view.environment(Language.VI).parse((TEMPLATES / name).read_text(encoding="utf-8"))


def of_this_page() -> list[str]:
    """The page, what it extends, and its partials: not what those borrow of other pages."""
    own = [path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.glob("design/*.html")]
    above = [each for each in meta.find_referenced_templates(tree("design/page.html")) if each]
    return sorted({*own, *(each for each in above if "/" not in each)} - {MACROS})


def calls(where: nodes.Node) -> set[str]:
    """The macros of `_macros.html` called as `ui.name(…)`, or by their bare name inside it."""
    found = set()
    for call in where.find_all(nodes.Call):
        match call.node:
            case nodes.Getattr(node=nodes.Name(name="ui"), attr=name) | nodes.Name(name=name):
                found.add(name)
    return found


def macros() -> dict[str, set[str]]:
    """The public macros, and which of them each calls."""
    found = {each.name: calls(each) for each in tree(MACROS).find_all(nodes.Macro)}
    return {name: within & found.keys() for name, within in found.items()}


@pytest.fixture
def page(cast, site) -> str:
    seen = site.of(cast.actors["coordinator"]).see(HERE)
    assert seen.status_code == 200
    return seen.text


# -- every part is shown


def test_every_class_of_the_stylesheet_stands_on_the_page(page):
    there = named([rule for name in SHOWN_LAYERS for rule in layer(name)])
    assert len(there) > 80  # what looks at the classes must meet them
    assert sorted(there - Shown(page).classes - BY_SCRIPTS.keys()) == []


def test_no_excuse_outlives_its_class():
    there = named([rule for name in SHOWN_LAYERS for rule in layer(name)])
    assert there >= BY_SCRIPTS.keys() | SHOWN_FOR_SCRIPTS
    scripts = "".join(each.read_text("utf-8") for each in view.STATIC.glob("*.js"))
    assert all(
        f'classList.add("{name}")' in scripts for name in BY_SCRIPTS.keys() | SHOWN_FOR_SCRIPTS
    )


def test_every_macro_is_called_by_the_page():
    within = macros()
    assert len(within) > 20
    reached: set[str] = set()
    fresh = {name for each in of_this_page() for name in calls(tree(each))} & within.keys()
    while fresh:
        reached |= fresh
        fresh = {name for each in fresh for name in within[each]} - reached
    assert sorted(within.keys() - reached) == []


def test_every_token_is_named_on_the_page(page):
    root = next(
        each for each in layer("tokens") if tinycss2.serialize(each.prelude).strip() == ":root"
    )
    tokens = {
        each.name
        for each in tinycss2.parse_blocks_contents(root.content)
        if each.type == "declaration" and each.name.startswith("--")
    }
    assert len(tokens) > 60
    assert sorted(name for name in tokens if f">{name}<" not in page) == []


def test_the_page_has_no_part_of_its_own(page):
    """All that it is made of is in the stylesheet, and other pages use it or soon will."""
    shown = Shown(page).classes
    assert shown <= named([r for name in ("base", "layout", *SHOWN_LAYERS) for r in layer(name)])
    days = {f"{letter}{n}" for letter in "dl" for n in range(2, 9)}  # put together of a number
    assert shown - elsewhere() - days <= TO_COME | SHOWN_FOR_SCRIPTS


def elsewhere() -> set[str]:
    """The words in what the other pages' templates write between quotes, classes among them."""
    others = [
        path for path in TEMPLATES.rglob("*.html") if path.parent.name not in ("design", "mail")
    ]
    quoted = (
        said
        for path in others
        for said in re.findall(r'"([^"]*)"', path.read_text(encoding="utf-8"))
    )
    return {word for said in quoted for word in re.findall(r"[\w-]+", said)}


# -- it is a page like others


def test_every_part_is_in_the_table_of_contents_and_has_a_partial(page):
    shown = Shown(page)
    assert len(shown.ids) == len(set(shown.ids))
    assert set(PARTS) <= set(shown.ids)
    assert re.findall(r'<li><a href="#(\w+)">', page)[: len(PARTS)] == list(PARTS)
    partials = {path.stem.removeprefix("_") for path in TEMPLATES.glob("design/_*.html")}
    assert partials - {"part"} == set(PARTS)


def test_every_link_of_an_example_leads_somewhere_on_the_page_or_to_the_help(page):
    main = page[page.index("<main") : page.index("</main>")]
    found = re.findall(r'<a[^>]* href="([^"]*)"', main)
    leads = {each for each in found if not each.startswith(("/help#", "?"))}  # ?: this very page
    assert leads - {f"#{each}" for each in Shown(page).ids} == set()


def test_the_forms_of_the_examples_send_nothing(page):
    main = page[page.index("<main") : page.index("</main>")]
    assert 'method="post"' not in main
    assert all('type="button"' in each for each in re.findall(r"<button[^>]*>", main))


@pytest.mark.parametrize("reader", ["teacher1", "schoolA"])
def test_it_is_for_coordinators(cast, site, visitor, reader):
    assert site.of(cast.actors[reader]).get(HERE).status_code == 404
    assert visitor.get(HERE).headers["location"].startswith("/sign-in")


def test_a_coordinator_finds_it_at_the_foot_of_the_overview_and_others_nowhere(cast, site):
    assert f'href="{HERE}"' in site.of(cast.actors["coordinator"]).see("/coordinator/term").text
    assert f'href="{HERE}"' not in site.of(cast.actors["teacher1"]).see("/teacher").text


def test_it_speaks_both_languages(cast, site):
    browser = site.of(cast.actors["coordinator"])
    browser.see(HERE)
    assert "<h1>Bảng thành phần</h1>" in browser.see(HERE).text
    browser.submit("/language", {"language": "en"})
    assert "<h1>All parts of the pages</h1>" in browser.see(HERE).text
