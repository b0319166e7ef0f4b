"""Coming in by the mailed link, in a real browser: on this device, on another, not by a robot."""

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2
import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from scheduler.store import tables
from tests.journeys.conftest import no_complaints
from tests.web.browser import mailed

pytestmark = pytest.mark.browser

EMAIL = "teacher1@x.example"
PHONE = {"viewport": {"width": 360, "height": 740}}
BUTTON = "Đăng nhập trên máy này"


@pytest.fixture
def opened(browser, served):
    """`opened(path, …)`: a page of a browser of its own."""
    contexts = []

    def open_page(path, **how):
        contexts.append(browser.new_context(**(PHONE | how)))
        page = contexts[-1].new_page()
        page.goto(urljoin(served.settings.base_url, path))
        return page

    yield open_page
    for context in contexts:
        context.close()


def ask(page):
    page.locator("input[name=email]").fill(EMAIL)
    page.locator("main form button").first.click()
    expect(page.locator("h1")).to_have_text("Mời thầy cô xem hộp thư")


def sessions(ctx):
    with ctx.reading() as db:
        return db.scalar(sa.select(sa.func.count()).select_from(tables.sessions))


def at_home(page):
    page.wait_for_url(re.compile("/teacher$"))
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0  # no sideways scroll


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_on_the_same_device_one_button_is_enough(served, opened, script):
    page = opened("/sign-in", java_script_enabled=script)
    with no_complaints(page):
        ask(page)
        link, _ = mailed(served)
        page.goto(link)
        assert page.locator("input[name=code]").count() == 0
        page.get_by_role("button", name=BUTTON).click()
        at_home(page)
        page.get_by_role("link", name="Tài khoản của tôi").first.click()
        expect(page.get_by_text(EMAIL)).to_be_visible()
        page.get_by_role("link", name="Các phiên đăng nhập").click()
        expect(page.get_by_text("Chrome trên Linux")).to_be_visible()


def test_on_another_device_the_code_of_the_mail_lets_one_in(served, opened):
    ask(opened("/sign-in", viewport={"width": 1280, "height": 800}))
    link, code = mailed(served)
    phone = opened(link)
    phone.locator("input[name=code]").fill("aaaaaaaa")
    phone.locator("main form button").click()
    expect(phone.locator("#code-error")).to_be_visible()
    phone.locator("input[name=code]").fill(f"{code[:4].lower()} {code[4:].lower()}")
    phone.locator("main form button").click()
    at_home(phone)


def test_where_one_asked_the_code_may_be_typed_as_well(served, opened):
    page = opened("/sign-in")
    ask(page)
    page.locator("input[name=code]").fill(mailed(served)[1])
    page.locator("main form button").first.click()
    at_home(page)


def test_the_keyboard_alone_is_enough(served, opened):
    page = opened("/sign-in")
    _tab_to(page, "INPUT")
    page.keyboard.type(EMAIL)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Mời thầy cô xem hộp thư")
    page.goto(mailed(served)[0])
    _tab_to(page, "BUTTON")
    page.keyboard.press("Enter")
    at_home(page)


def _tab_to(page, tag):
    """To the first control of this kind in the page's main part."""
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate(f"document.activeElement.matches('main {tag.lower()}')"):
            return
    raise AssertionError(f"no {tag} is reached by the Tab key")


class Found(HTMLParser):
    """The links of a page, and its forms: method, address, fields."""

    def __init__(self, page):
        super().__init__()
        self.links, self.forms = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag in ("a", "link") and "href" in given:
            self.links.append(given["href"])
        if tag == "form":
            self.forms.append((given.get("method", "get"), given.get("action", ""), {}))
        if tag == "input" and self.forms:
            self.forms[-1][2][given["name"]] = given.get("value", "")


def scan(link, client, filling):
    """What a mail scanner does at its worst: it follows every link and sends every form."""
    client.head(link)
    found = Found(client.get(link).text)
    assert found.forms
    for href in found.links:
        client.get(urljoin(link, href))
    for method, action, fields in found.forms:
        sent = {name: value or filling for name, value in fields.items()}
        client.request(method, urljoin(link, action), data=sent)
    client.post(link)


@pytest.mark.parametrize("filling", ["", "x"])
def test_a_scanner_that_presses_everything_does_not_use_the_link_up(served, opened, filling):
    page = opened("/sign-in")
    ask(page)
    link, _ = mailed(served)
    with httpx2.Client(follow_redirects=True) as jar:
        scan(link, jar, filling)
    with httpx2.Client(follow_redirects=True) as forgetful:
        forgetful.event_hooks = {"response": [lambda _answer: forgetful.cookies.clear()]}
        scan(link, forgetful, filling)
    assert sessions(served) == 0
    page.goto(link)
    page.get_by_role("button", name=BUTTON).click()
    at_home(page)


def test_a_link_used_twice_says_so_and_offers_a_new_one(served, opened):
    page = opened("/sign-in")
    ask(page)
    link, _ = mailed(served)
    page.goto(link)
    page.get_by_role("button", name=BUTTON).click()
    at_home(page)
    other = opened(link)
    expect(other.locator("h1")).to_have_text("Liên kết này không còn dùng được")
    ask(other)
    page.goto(link)  # where it was used it leads home
    at_home(page)


def test_an_expired_link_says_so_and_offers_a_new_one(served, opened, clock):
    page = opened("/sign-in")
    ask(page)
    link, _ = mailed(served)
    page.goto(link)
    clock.forward(minutes=10)
    page.get_by_role("button", name=BUTTON).click()
    expect(page.locator("h1")).to_have_text("Liên kết này không còn dùng được")
    assert sessions(served) == 0
    ask(page)
    page.goto(mailed(served)[0])
    page.get_by_role("button", name=BUTTON).click()
    at_home(page)


def test_of_two_tabs_that_press_at_once_one_wins_and_the_other_is_told(served, opened):
    first = opened("/sign-in")
    ask(first)
    link, _ = mailed(served)
    tabs = [first, first.context.new_page()]
    for tab in tabs:
        tab.goto(link)
    for tab in tabs:
        tab.evaluate("setTimeout(() => document.querySelector('main form').submit())")
    for tab in tabs:
        tab.wait_for_function(
            "!document.querySelector('main form button.go.big') || "
            "document.querySelector('main input[name=email]')"
        )
    ends = sorted(tab.locator("h1").inner_text() for tab in tabs)
    home = opened_home(first)
    told = "Liên kết này không còn dùng được"
    assert ends in (sorted([home, told]), [home, home])  # the second may know by its cookie
    assert sessions(served) == 1


def opened_home(page):
    page.goto(urljoin(page.url, "/teacher"))
    return page.locator("h1").inner_text()


def test_a_second_tab_that_presses_later_is_at_home_too(served, opened):
    first = opened("/sign-in")
    ask(first)
    link, _ = mailed(served)
    second = first.context.new_page()
    for tab in (first, second):
        tab.goto(link)
    for tab in (first, second):
        tab.get_by_role("button", name=BUTTON).click()
        at_home(tab)
    assert sessions(served) == 1
