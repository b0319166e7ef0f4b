"""What the documentation names exists: buttons, commands, targets, settings, addresses, figures."""

import re

import click
import pytest
from fastapi.routing import iter_route_contexts

from docsite import site
from scheduler import cli
from scheduler.app import create_pages
from scheduler.clock import SystemClock
from scheduler.config import IN_FILES, Settings, load
from scheduler.locale import Language, translations
from scheduler.services.context import Context
from scheduler.store.database import Database
from tests.conftest import KEY

DOCS = site.ROOT / "docs"
GUIDES = {
    language: sorted((DOCS / language.value).rglob("*.md"))
    for language in (Language.VI, Language.EN)
}
# But for the changes, which tell of what is no more.
TOLD = sorted({*DOCS.rglob("*.md"), *site.ROOT.glob("*.md")} - {site.ROOT / "CHANGELOG.md"})
BOLD = re.compile(r"\*\*([^*]+)\*\*")
SPAN = re.compile(r"`([^`]+)`")
# At the start of a code span, or of a line of an indented block.
COMMAND = re.compile(r"(?:`|^ {4,}(?:\$ )?)(?:\.venv/bin/)?(make|chungtay) ([a-z][^`#\n]*)", re.M)
SETTING = re.compile(r"CHUNGTAY_([A-Z][A-Z_]*[A-Z])\b")
THEIRS = {"UPSTREAM"}  # Caddy's own, see deploy/Caddyfile
FIGURES = ("203", "168", "2.3 %", "43", "35")


def label(path):
    return path.relative_to(site.ROOT).as_posix()


def said(language):
    """Every sentence of pages and mails in that language, as the catalogue has it."""
    found = translations(language)._catalog
    ours = translations(Language.VI)._catalog
    english = {key if isinstance(key, str) else key[0] for key in ours}
    return english if language is Language.EN else set(found.values())


@pytest.mark.parametrize("language", list(GUIDES))
def test_every_word_in_bold_is_one_that_a_page_shows(language):
    known = said(language)
    odd = [
        f"{label(path)}: {word}"
        for path in GUIDES[language]
        for word in (" ".join(each.split()) for each in BOLD.findall(path.read_text()))
        if word not in known
    ]
    assert odd == []


@pytest.mark.parametrize("language", list(GUIDES))
def test_a_task_takes_few_steps(language):
    """Longer ones are two tasks; a guide is read on a phone, step by step."""
    for path in GUIDES[language]:
        for part in path.read_text().split("\n## ")[1:]:
            steps = re.findall(r"^\d\. ", part, re.M)
            assert len(steps) <= 6, f"{label(path)}: {part.splitlines()[0]}"


def targets():
    text = (site.ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z]+):", text, re.M))


def fault_of(words):
    """What is wrong with the words of a command after `chungtay`, or None."""
    command, context = cli.main, click.Context(cli.main)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        if found is None:
            return f"no command {words[0]}"
        command, context, words = found, click.Context(found), words[1:]
    known = {
        name
        for param in command.get_params(context)
        for name in (*param.opts, *param.secondary_opts)
    }
    given = {
        re.split(r"[=\]]", word.strip("[("))[0].rstrip(".,;:)") for word in words if "--" in word
    }
    return f"no option {sorted(given - known)}" if given - known else None


@pytest.mark.parametrize("path", TOLD, ids=label)
def test_every_command_that_is_named_exists(path):
    odd = []
    for program, rest in COMMAND.findall(path.read_text()):
        words = rest.split()
        if program == "chungtay":
            fault = fault_of(words)
        else:
            fault = None if words[0] in targets() else f"no target {words[0]}"
        if fault:
            odd.append(f"{program} {rest.strip()}: {fault}")
    assert odd == []


def test_commands_are_found_where_they_are_named():
    """The test above must not pass for want of anything to look at."""
    found = COMMAND.findall((site.ROOT / "README.md").read_text())
    assert {("make", "demo"), ("chungtay", "doctor")} <= {(p, rest.split()[0]) for p, rest in found}
    assert fault_of(["user", "ad"]) == "no command ad"
    assert fault_of(["serve", "--prot", "8000"]) == "no option ['--prot']"


@pytest.mark.parametrize("path", TOLD, ids=label)
def test_every_setting_that_is_named_exists(path):
    known = {name.upper() for name in Settings.model_fields} | THEIRS
    known |= {f"{name.upper()}_FILE" for name in IN_FILES}
    assert set(SETTING.findall(path.read_text())) <= known


def routes(folder):
    """Every address of the application, as its routes write them."""
    settings = load(_env_file=None, var_dir=folder)
    ctx = Context(settings, Database(settings.database), SystemClock(), KEY)
    pages = create_pages(ctx, start_loop=False)
    beside = {"/api/v1", "/feeds/{token}/{name}.ics"}
    return {str(found.path) for found in iter_route_contexts(pages.routes)} | beside


def leads(address, routes):
    """Whether a route answers there; an ellipsis and what stands in braces may be anything."""
    wanted = re.sub(r"…|\{[^}]*\}", "x", urlless(address)).rstrip("/") or "/"
    if address.endswith("…"):  # the beginning of one
        return any(route.startswith(address.rstrip("…")) for route in routes)
    return any(re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", route), wanted) for route in routes)


def urlless(address):
    return address.partition("?")[0].partition("#")[0]


def addresses():
    """Of pages: in guides each one that is named, elsewhere those that may be ours."""
    for path in TOLD:
        for span in SPAN.findall(path.read_text()):
            address = span.removeprefix("GET ").removeprefix("POST ")
            if re.fullmatch(r"/[\w/{}….?=&-]*", address):
                yield path, address


def test_every_address_of_a_page_that_is_named_exists(tmp_path):
    """Outside of guides an address whose first word is none of ours is a folder of a machine, or
    somebody else's gateway."""
    known = routes(tmp_path)
    firsts = {route.split("/")[1] for route in known}
    guides = {path for found in GUIDES.values() for path in found}
    odd = [
        f"{label(path)}: {address}"
        for path, address in addresses()
        if (path in guides or address.split("/")[1] in firsts)
        and not (leads(address, known) or leads(f"/api/v1{address}", known))
    ]
    assert odd == []


@pytest.mark.parametrize("name", ["vi/engine.md", "en/engine.md"])
def test_the_figures_of_the_engine_are_those_of_the_readme(name):
    readme = (site.ROOT / "README.md").read_text()
    text = (DOCS / name).read_text().replace("2,3 %", "2.3 %").replace("2.025", "2,025")
    for figure in (*FIGURES, "2,025"):
        assert figure in readme, figure
        assert figure in text, f"{name}: {figure}"
