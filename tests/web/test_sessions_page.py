"""The account's own pages: where one is signed in, and how a secret changes under way."""

import pytest

from scheduler.services import accounts, sessions
from scheduler.store import tables
from tests.web.browser import BASE

HERE = "/account/sessions"
SID = "__Host-sid"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5) Version/17.5 Mobile/15E148 Safari/604.1"
DESK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0 Safari/537.36"
ROLES = ("teacher1", "schoolA", "coordinator")


@pytest.fixture
def mine(cast, site):
    return site.of(cast.actors["teacher1"])


def entered(site, actor, agent):
    browser = site.browser()
    browser.headers["user-agent"] = agent
    return browser.arrive(actor)


def own_id(site, browser):
    return sessions.who(site.ctx, browser.cookies[SID]).id


def copied(site, browser):
    """Another browser with the same cookie."""
    thief = site.browser()
    thief.cookies.set(SID, browser.cookies[SID], domain="chungtay.example", path="/")
    thief.csrf = browser.csrf
    return thief


# -- the secret


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/teacher", {}, 200),
        ("/", {}, 303),
        ("/school", {}, 404),
        ("/nowhere", {}, 404),
        ("/school", {"hx-request": "1"}, 404),
        ("/verify/nothing", {}, 404),
        ("/sign-in", {}, 303),
    ],
)
def test_any_answer_a_day_later_brings_the_new_secret(mine, site, clock, path, headers, status):
    old = mine.cookies[SID]
    assert "set-cookie" not in mine.get("/teacher").headers
    clock.forward(hours=24)
    answer = mine.get(path, headers=headers)
    assert answer.status_code == status
    [given] = [x for x in answer.headers.get_list("set-cookie") if x.startswith(f"{SID}=")]
    for word in ("secure", "httponly", "samesite=lax", "path=/", "max-age=2592000"):
        assert word in given.lower().split("; ")
    assert mine.cookies[SID] != old
    assert "set-cookie" not in mine.get("/teacher").headers


def test_a_form_sent_a_day_later_goes_through_and_brings_the_new_secret(mine, clock):
    old = mine.cookies[SID]
    clock.forward(hours=25)
    assert mine.submit("/language", {"language": "en", "next": "/teacher"}).status_code == 303
    assert mine.cookies[SID] != old
    assert '<html lang="en">' in mine.get("/teacher").text


def test_signing_out_a_day_later_leaves_no_secret_at_all(mine, site, clock):
    copy = copied(site, mine)
    clock.forward(hours=25)
    left = mine.submit("/sign-out")
    assert len([x for x in left.headers.get_list("set-cookie") if x.startswith(SID)]) == 1
    assert SID not in mine.cookies
    assert copy.get("/teacher").status_code == 303


def test_who_lost_the_answer_with_the_new_secret_stays_in_and_is_given_another(mine, site, clock):
    same = copied(site, mine)  # the browser, had the answer been lost
    clock.forward(hours=24)
    lost = mine.get("/teacher").headers["set-cookie"]
    clock.forward(minutes=9)
    assert "set-cookie" not in same.get("/teacher").headers
    clock.forward(minutes=1)
    sent = same.submit("/language", {"language": "en", "next": "/teacher"})
    assert sent.status_code == 303
    [again] = [x for x in sent.headers.get_list("set-cookie") if x.startswith(f"{SID}=")]
    assert again != lost
    assert "set-cookie" not in same.get("/teacher").headers
    clock.forward(hours=12)
    assert same.get("/teacher").status_code == 200


def test_files_and_calendars_bring_no_cookie(mine, clock):
    clock.forward(hours=25)
    for path in ("/static/chungtay.css", "/feeds/x/y.ics", "/healthz"):
        assert "set-cookie" not in mine.get(path).headers


def test_a_stolen_secret_throws_both_out_once_it_is_used_late(mine, site, clock):
    thief = copied(site, mine)
    clock.forward(hours=24)
    for _ in range(2):  # the first brings the new secret, the second shows that it came
        assert mine.get("/teacher").status_code == 200
    clock.forward(seconds=59)
    assert thief.get("/teacher").status_code == 200
    clock.forward(seconds=1)
    for browser in (thief, mine):
        assert browser.get("/teacher").headers["location"] == "/sign-in?next=/teacher"


def test_a_role_taken_away_is_gone_on_the_next_request(cast, site, ctx):
    browser = site.of(cast.actors["schoolA"])
    assert browser.get("/school").status_code == 200
    with ctx.transaction() as db:
        mine = tables.grants.c.person_id == cast["person_schoolA"]
        db.execute(tables.grants.delete().where(mine))
    assert browser.get("/school").status_code == 404


# -- the list


@pytest.mark.parametrize("who", ROLES)
def test_every_role_finds_its_account_from_every_page(cast, site, who):
    browser = site.of(cast.actors[who])
    for path in ("/", "/calendar"):
        page = browser.get(path, follow_redirects=True).text
        assert page.count('href="/account"') == 2  # the name above, and the foot for a phone
    page = browser.see("/account").text
    assert cast.actors[who].email in page
    for href in (HERE, "/account/tokens", "/account/address", "/account/data"):
        assert f'href="{href}"' in page
    assert ('href="/account/factor"' in page) is (who == "coordinator")


def test_the_list_names_devices_and_marks_this_one(cast, site, clock):
    here = entered(site, cast.actors["teacher1"], PHONE)
    clock.forward(minutes=3)
    entered(site, cast.actors["teacher1"], DESK)
    entered(site, cast.actors["teacher1"], "curl")
    entered(site, cast.actors["teacher2"], "Firefox/127.0 Linux")
    page = here.see(HERE).text
    first, second, third = page.split("<li ")[-3:]
    assert "Safari trên iPhone" in first
    assert "Thiết bị này" in first
    assert "/end" not in first.split("</li>")[0]
    assert "Trình duyệt khác" in second
    assert "Chrome trên Windows" in third
    assert "testclient" in third
    assert "Firefox" not in page


def test_a_session_ended_in_the_list_is_out_at_once(cast, site, mine):
    other = entered(site, cast.actors["teacher1"], DESK)
    number = own_id(site, other)
    mine.see(HERE)
    for _ in range(2):
        ended = mine.submit(f"{HERE}/{number}/end")
        assert (ended.status_code, ended.headers["location"]) == (303, HERE)
    assert other.get("/teacher").headers["location"] == "/sign-in?next=/teacher"
    assert mine.get("/teacher").status_code == 200


def test_all_others_are_signed_out_together(cast, site, mine):
    others = [site.of(cast.actors["teacher1"]) for _ in range(2)]
    stranger = site.of(cast.actors["teacher2"])
    mine.see(HERE)
    assert mine.submit(f"{HERE}/end-others").headers["location"] == HERE
    assert [each.get("/teacher").status_code for each in others] == [303, 303]
    assert [each.get("/teacher").status_code for each in (mine, stranger)] == [200, 200]
    assert "end-others" not in mine.get(HERE).text


@pytest.mark.parametrize("who", ["teacher2", "coordinator", "stranger"])
def test_another_persons_session_is_not_there(cast, site, mine, who):
    other = site.of(cast.actors[who])
    other.see(HERE)
    theirs = other.submit(f"{HERE}/{own_id(site, mine)}/end")
    nowhere = other.submit(f"{HERE}/999999/end")
    assert (theirs.status_code, nowhere.status_code) == (404, 404)
    assert theirs.text == nowhere.text
    assert mine.get("/teacher").status_code == 200


def test_a_form_of_the_list_without_its_token_is_refused(cast, site, mine):
    other = site.of(cast.actors["teacher1"])
    refused = mine.post(f"{HERE}/{own_id(site, other)}/end", headers={"origin": BASE})
    assert refused.status_code == 403
    assert other.get("/teacher").status_code == 200


def test_a_half_signed_in_browser_sees_no_account_page(cast, site):
    browser = site.browser()
    path = accounts.operator_link(site.ctx, cast.actors["coordinator"].email).removeprefix(BASE)
    browser.see(path)
    browser.submit(path)
    for page in ("/account", HERE, "/account/tokens"):
        assert browser.get(page).headers["location"] == "/sign-in/factor"
