"""Help: open to everybody, the reader's own part first, and never a button that does not exist."""

import re
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest
from jinja2.ext import babel_extract

from scheduler import config
from scheduler.locale import Language, translations
from scheduler.locale.extract import from_code
from scheduler.services import accounts
from tests.web.browser import BASE
from tests.web.timetable import publish

TEMPLATES = config.data_dir("templates")
PARTS = ("teacher", "school", "coordinator", "everyone")
TITLES = {
    "teacher": "Dành cho giáo viên tình nguyện",
    "school": "Dành cho trường tiếp nhận",
    "coordinator": "Dành cho điều phối viên",
    "everyone": "Dành cho mọi người",
}
WORD = re.compile(r'word\(_\("([^"]*)"\)\)')
QUESTION = re.compile(r'call question\("([\w-]+)"')
LED_TO = re.compile(r'ui\.help\((?:[^{}]*?)"([\w-]+)"\) ?[%}-]')
DESK = {
    "today": "today",
    "lesson": "lesson",
    "basket": "basket",
    "demand": "demand",
    "readiness": "ready",
    "matching": "match",
    "plan": "publish",
    "publications": "publish",
    "disruptions": "storm",
    "kept": "kept",
    "balance": "balance",
    "import": "lists",
    "announce": "announce",
    "partnerships": "partners",
    "partnership": "joint",
    "summary": "report",
    "certificates": "certificates",
    "settings": "settings",
    "covers": "cover",
}
ODDITY = '"school-power" if here == "/school/line" else "teacher-cannot"'
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
CODE = Path(config.__file__).parent


def sources(*, of_help):
    for path in sorted(Path(TEMPLATES).rglob("*.html")):
        if (path.parent.name == "help") == of_help:
            yield path


def said():
    """Every sentence of the other templates, and of the code that names places and states."""
    found = set()
    for path in sources(of_help=False):
        with path.open("rb") as source:
            options = {"extensions": "jinja2.ext.i18n", "trimmed": "true"}
            for _, _, message, _ in babel_extract(source, KEYWORDS, (), options):
                found.add(message if isinstance(message, str) else message[0])
    for path in CODE.rglob("*.py"):
        for _, _, message, _ in from_code(BytesIO(path.read_bytes()), (), (), {}):
            found.add(message if isinstance(message, str) else message[0])
    return found


def ids():
    return [each for path in sources(of_help=True) for each in QUESTION.findall(path.read_text())]


def first(page):
    """The open parts and the closed ones, each in their order."""
    cards = re.findall(r'<section class="card" aria-labelledby="for-(\w+)"', page.text)
    closed = re.findall(r'<section aria-labelledby="for-(\w+)"', page.text)
    return cards, closed


def test_help_is_open_to_everybody_and_shows_the_readers_part_first(cast, site, visitor):
    page = visitor.get("/help")
    assert page.status_code == 200
    assert first(page) == (["everyone"], ["teacher", "school", "coordinator"])
    for actor, part in (("teacher1", "teacher"), ("schoolA", "school"), ("coordinator",) * 2):
        page = site.of(cast.actors[actor]).get("/help")
        cards, closed = first(page)
        assert cards == [part, "everyone"]
        assert sorted([*cards, *closed]) == sorted(PARTS)
        assert all(title in page.text for title in TITLES.values())


def test_whoever_has_yet_to_show_the_second_factor_reads_help_as_a_visitor(ctx, cast, site):
    browser = site.browser()
    path = accounts.operator_link(ctx, cast.actors["coordinator"].email).removeprefix(BASE)
    browser.see(path)
    browser.submit(path)
    assert first(browser.get("/help"))[0] == ["everyone"]


def test_every_question_can_be_linked_and_has_an_answer(visitor):
    page = visitor.get("/help").text
    counted = Counter(re.findall(r'\bid="([\w-]+)"', page))
    assert [name for name, times in counted.items() if times > 1] == []
    assert len(ids()) > 25
    for name in ids():
        section = page.split(f'<h3 id="{name}"')[1].split("</section>")[0]
        sentences = re.sub(r"<[^>]*>", " ", section).split("</h3>")[-1]
        assert len(sentences.split()) > 20, name


def test_every_button_that_help_names_is_on_a_page():
    """By the same sentence: where the button changes its words, help changes with it."""
    named = {each for path in sources(of_help=True) for each in WORD.findall(path.read_text())}
    assert len(named) > 25
    assert named - said() == set()


def test_help_quotes_no_words_but_those_of_pages():
    """Words in quotation marks or bold would be a second copy of a button."""
    for path in sources(of_help=True):
        if path.name != "_parts.html":
            assert not re.search(r"<b>|<strong>|[“”]", path.read_text()), path.name


def test_a_button_in_an_answer_is_said_as_on_its_page(cast, site):
    page = site.of(cast.actors["teacher1"]).see("/help")
    vietnamese = translations(Language.VI)
    for words in ("Save my hours", "I can't", "Make the PDF of today"):
        assert f"<b>{vietnamese.gettext(words)}</b>".replace("'", "&#39;") in page.text


def test_every_link_to_help_leads_to_a_question():
    led = []
    for path in sources(of_help=False):
        source = path.read_text().replace(ODDITY, '"school-power"')
        led += LED_TO.findall(source)
        assert source.count("ui.help(") == len(LED_TO.findall(source)), path.name
    assert set(led) <= set(ids())
    assert "teacher-cannot" in ids()
    assert len(led) >= 12


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("account/sign_in_sent", "no-mail"), ("teacher/availability", "teacher-hours"),
        ("teacher/availability", "teacher-limits"), ("teacher/busy", "teacher-busy"),
        ("teacher/calendar", "teacher-calendar"), ("school/_entry", "school-ask"),
        ("school/requests", "school-why"), ("school/hours_preview", "school-hours"),
        ("join/report", "school-differ"), ("account/factor_set_up", "second-factor"),
        ("teacher/devices", "offline"), ("teacher/lessons", "teacher-record"),
        *((f"coordinator/{each}", f"coordinator-{name}") for each, name in DESK.items()),
    ],
)  # fmt: skip
def test_help_stands_where_the_question_arises(path, name):
    assert name in LED_TO.findall((Path(TEMPLATES) / f"{path}.html").read_text())


def test_help_is_one_tap_away_from_every_page(ctx, cast, site, visitor):
    publish(ctx, cast)
    pages = [visitor.get("/sign-in"), visitor.get("/privacy"), visitor.get("/nowhere-at-all")]
    teacher, school = (site.of(cast.actors[name]) for name in ("teacher1", "schoolA"))
    pages += [teacher.get("/teacher"), school.get("/school"), school.get("/school/requests")]
    for page in pages:
        footer = page.text.split('<footer class="foot">')[1]
        assert '<a href="/help">Trợ giúp</a>' in footer
    assert '/help#school-ask"' in pages[-1].text


def test_help_speaks_english(visitor):
    visitor.see("/help")
    visitor.submit("/language", {"language": "en", "next": "/help"})
    page = visitor.get("/help").text
    assert "How can we help?" in page
    assert "<b>Save my hours</b>" in page
