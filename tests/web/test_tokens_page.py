"""A person's access tokens on a page: made and shown once, ended; and how often they may ask."""

import re

import pytest

from scheduler.domain.limits import API_BY_PERSON
from scheduler.services import access_tokens, limits

HERE = "/account/tokens"
API = "/api/openapi.json"
MADE = re.compile(r'id="token">([^<]+)<')


@pytest.fixture
def mine(cast, site):
    return site.of(cast.actors["teacher1"])


def made(browser, name="timetable", days="30", scopes=("lessons:read",)):
    browser.see(HERE)
    return browser.submit(HERE, {"name": name, "days": days, "scopes": list(scopes)})


def program(site, token):
    client = site.browser()
    client.headers["authorization"] = f"Bearer {token}"
    return client


def test_a_token_is_shown_once_and_works_until_it_is_ended(site, mine, clock):
    page = made(mine)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    [token] = MADE.findall(page.text)
    listed = mine.see(HERE).text
    assert "timetable" in listed
    assert "chưa dùng" in listed
    assert token not in listed
    asking = program(site, token)
    assert asking.get(API).status_code == 200
    assert "dùng gần nhất" in mine.get(HERE).text
    [number] = re.findall(rf"{HERE}/(\d+)/revoke", listed)
    for _ in range(2):
        assert mine.submit(f"{HERE}/{number}/revoke").headers["location"] == HERE
    assert asking.get(API).status_code == 401
    assert "timetable" not in mine.get(HERE).text


@pytest.mark.parametrize(
    ("name", "days", "field"),
    [("", "30", "name"), ("x" * 61, "30", "name"), ("a\u202eb", "30", "name"),
     ("x", "0", "days"), ("x", "91", "days"), ("x", "1e3", "days"), ("x", "", "days")],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field_and_kept(ctx, cast, mine, name, days, field):
    page = made(mine, name, days)
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text
    assert f'value="{days}"' in page.text
    assert access_tokens.mine(ctx, cast.actors["teacher1"]) == ()


def test_the_eleventh_token_is_refused_in_words(ctx, cast, mine):
    for n in range(10):
        access_tokens.make(ctx, cast.actors["teacher1"], f"t{n}", 1)
    page = made(mine)
    assert page.status_code == 422
    assert "Thầy cô đã có 10 mã truy cập" in page.text


def test_a_name_is_shown_as_it_was_written(mine):
    assert "&lt;script&gt;{{7*7}}" in made(mine, "<script>{{7*7}}").text


@pytest.mark.parametrize("who", ["teacher2", "coordinator", "stranger"])
def test_another_persons_token_is_not_there(ctx, cast, site, mine, who):
    made(mine)
    [token] = access_tokens.mine(ctx, cast.actors["teacher1"])
    other = site.of(cast.actors[who])
    assert "timetable" not in other.see(HERE).text
    theirs = other.submit(f"{HERE}/{token.id}/revoke")
    nowhere = other.submit(f"{HERE}/999999/revoke")
    assert (theirs.status_code, nowhere.status_code) == (404, 404)
    assert theirs.text == nowhere.text
    assert access_tokens.mine(ctx, cast.actors["teacher1"]) == (token,)


def test_a_coordinators_page_makes_a_token_that_opens_and_tells_of_one_that_does_not(
    ctx, cast, site
):
    coordinator = cast.actors["coordinator"]
    old = access_tokens.make(ctx, coordinator, "old", 30).text
    browser = site.of(coordinator)
    [new] = MADE.findall(made(browser).text)
    assert [program(site, each).get(API).status_code for each in (old, new)] == [401, 200]
    assert browser.get(HERE).text.count("hãy kết thúc mã này rồi tạo mã khác") == 1
    ours = site.of(cast.actors["teacher1"])
    access_tokens.make(ctx, cast.actors["teacher1"], "old", 30)
    assert "hãy kết thúc mã này rồi tạo mã khác" not in ours.get(HERE).text


def test_a_program_that_asks_too_fast_is_told_when_to_come_back(ctx, cast, site, clock):
    tokens = [access_tokens.make(ctx, cast.actors["teacher1"], f"t{n}", 1).text for n in range(2)]
    first, second = (program(site, token) for token in tokens)
    assert first.get(API).status_code == 200
    for _ in range(API_BY_PERSON.burst - 1):
        limits.take(ctx, API_BY_PERSON, str(cast["person_teacher1"]))
    for asking in (first, second):  # a second token is no second allowance
        refused = asking.get(API)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["status"] == 429
        assert refused.json()["title"] == "Quá nhiều lần"
    other = program(site, access_tokens.make(ctx, cast.actors["teacher2"], "t", 1).text)
    assert other.get(API).status_code == 200
    clock.forward(milliseconds=200)
    assert [first.get(API).status_code for _ in range(2)] == [200, 429]
