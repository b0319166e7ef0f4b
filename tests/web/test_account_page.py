"""The page of one's account, and how it and the other places are reached from everywhere."""

import gzip
import re

import pytest

from scheduler.services import accounts
from scheduler.web import view
from tests.web.browser import BASE

DOOR = re.compile(r'<li><a href="([^"]+)"><span class="row')
LINK = re.compile(r'href="(/[^"]*)"')


def doors(browser):
    return DOOR.findall(browser.see("/account").text)


@pytest.mark.parametrize("who", ["teacher1", "schoolA", "coordinator"])
def test_behind_every_door_of_the_account_is_a_page(cast, site, who):
    browser = site.of(cast.actors[who])
    found = doors(browser)
    assert len(found) >= 6
    assert [browser.get(each).status_code for each in found] == [200] * len(found)


def test_only_who_needs_a_second_factor_is_told_of_it(cast, site):
    assert "/account/factor" not in doors(site.of(cast.actors["teacher1"]))
    assert "/account/factor" in doors(site.of(cast.actors["coordinator"]))


def test_who_speaks_for_a_school_finds_the_colleagues_by_the_account(cast, site):
    """On a phone the bar at the bottom has room for four places."""
    assert "/school/people" in doors(site.of(cast.actors["schoolA"]))
    assert "/school/people" not in doors(site.of(cast.actors["teacher1"]))


@pytest.mark.parametrize("path", ["/", "/calendar", "/account/sessions", "/privacy", "/nothing"])
def test_the_name_leads_to_the_account_on_phones_too(cast, site, path):
    teacher = cast.actors["teacher1"]
    page = site.of(teacher).get(path, follow_redirects=True).text
    header = page[page.index("<header") : page.index("</header>")]
    [link] = re.findall(r'<a class="me" href="/account"[^>]*>.*?</a>', header, re.S)
    assert f'aria-label="{teacher.name}' in link  # a phone shows the sign alone


def test_who_is_half_signed_in_is_offered_no_way_that_is_shut(cast, site):
    browser = site.browser()
    path = accounts.operator_link(site.ctx, cast.actors["coordinator"].email).removeprefix(BASE)
    browser.see(path)
    browser.submit(path)
    page = browser.get("/sign-in/factor", follow_redirects=True)
    places = {each for each in LINK.findall(page.text) if not each.startswith("/static/")}
    assert places == {"/", "/privacy", "/help", "/help#second-factor"}
    assert 'action="/sign-out"' in page.text


def test_a_coordinator_reaches_people_and_the_record_from_every_page(cast, site):
    browser = site.of(cast.actors["coordinator"])
    for other in ("/coordinator", "/account", "/coordinator/people", "/coordinator/record"):
        page = browser.see(other).text
        assert '<li><a href="/coordinator/people"' in page
        assert '<a href="/coordinator/record">' in page.split("<footer")[1]
    people = browser.see("/coordinator/people").text
    assert '<a href="/coordinator/people" aria-current="page">' in people


def test_the_stylesheet_of_all_pages_stays_light(visitor):
    found = visitor.get(view.static("chungtay.css"))
    assert found.status_code == 200
    assert found.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in found.headers["cache-control"]
    assert b"/*" not in found.content
    assert len(gzip.compress(found.content, 9)) <= 8_192
